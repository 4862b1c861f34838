import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import report
import results
from results_sample import RESULTS


class Page(unittest.TestCase):
    def setUp(self):
        self.page = report.page(RESULTS)

    def line(self, beginning: str) -> str:
        return next(line for line in self.page.splitlines() if line.startswith(beginning))

    def test_a_goal_that_is_reached_and_one_that_is_missed_are_told_apart(self):
        self.assertEqual(
            self.line("| enricher, in-process, batch of 100 | Node.js with Powertools"),
            "| enricher, in-process, batch of 100 | Node.js with Powertools | 4.20 µs/event | 25.6 µs/event "
            "| **6.10 ×** ± 2% | 6 × | yes |",
        )
        self.assertIn("| **50%** ± 1% | 60% | **missed** |", self.line("| enricher, in-process, batch of 100 | limit:"))
        self.assertIn("5 of 7 goals are reached. **2 are missed.**", self.page)

    def test_of_the_functions_the_worst_is_shown(self):
        self.assertEqual(
            self.line("| start to first poll"),
            "| start to first poll, CPU time: the slowest function, item-router | 11.0 ms | 10 ms | **missed** |",
        )

    def test_a_peer_stands_beside_ours_in_times_of_it(self):
        self.assertIn("| 40.0 | 80.0 (2.00) |", self.line("| enricher, whole function, batch of 100, µs/event"))
        self.assertIn("| 20 | 40 |", self.line("| enricher, whole function, batch of 100 |"))

    def test_the_flow_and_a_whole_export_are_told(self):
        self.assertIn("It keeps up with 200 changes a second, bound by the emulator.", self.page)
        self.assertIn("6.50 µs of CPU time a resource", self.page)

    def test_the_stored_page_is_that_of_the_stored_results(self):
        stored = results.read(results.FOLDER / "latest.json")
        self.assertEqual(report.PAGE.read_text(encoding="utf-8"), report.page(stored), "`bench/report.py` writes it anew")


if __name__ == "__main__":
    unittest.main()
