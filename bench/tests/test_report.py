import copy
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import plot
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
            "| **6.10 ×** ± 2% | 6 × | yes, within ± |",
        )
        self.assertIn("| **50%** ± 1% | 60% | **missed** |", self.line("| enricher, in-process, batch of 100 | for comparison:"))
        self.assertIn("6 of 8 goals are reached. **2 are missed.**", self.page)

    def test_a_goal_that_the_spread_could_turn_over_is_marked(self):
        for value, spread, said in (
            (6.0, 0, "yes"),
            (7.0, 0.14, "yes"),
            (7.0, 0.15, "yes, within ±"),
            (5.0, 0.19, "**missed**"),
            (5.0, 0.21, "**missed**, within ±"),
        ):
            self.assertEqual(report.met(value, 6, spread=spread), said, f"{value} ± {spread}")

    def test_what_has_no_goal_is_shown_beside_the_goals(self):
        self.assertEqual(
            self.line("| start to first poll | Python"),
            "| start to first poll | Python with Powertools | 6.00 ms | 480 ms | **80.0 ×** ± 10% | – | – |",
        )

    def test_the_codecs_part_of_a_ratio_can_be_seen(self):
        self.assertEqual(
            self.line("| lake-writer, in-process, batch of 1,000 | Node.js, beside"),
            "| lake-writer, in-process, batch of 1,000 | Node.js, beside Tributary with gzip | 16.0 µs/record | 40.0 µs/record "
            "| **2.50 ×** ± 2% | – | – |",
        )
        self.assertIn("Node.js 20 has no zstd", self.page)
        self.assertIn(
            "| 5.00 | 40.0 (8.00) | 16.0 (3.20) |  |", self.line("| lake-writer, in-process, batch of 1,000, µs/record")
        )

    def test_contests_of_the_same_peers_share_a_table(self):
        self.assertEqual(
            self.line("| publisher, in-process, µs"),
            "| publisher, in-process, µs/resource | 2.00 | 8.00 (4.00) |  | 0.50 (0.25) |",
        )

    def test_of_the_functions_the_worst_is_shown(self):
        self.assertEqual(
            self.line("| start to first poll, CPU"),
            "| start to first poll, CPU time: the slowest function, item-router | 11.0 ms | 10 ms | **missed** |",
        )

    def test_and_how_many_are_over_where_it_is_not_the_worst_alone(self):
        run = copy.deepcopy(RESULTS)
        next(entry for entry in run["absolutes"] if entry["name"] == "first-poll/stream-enricher")["value"] = 10.1
        self.assertIn("the slowest function, item-router; 2 of 2 are over | 11.0 ms | 10 ms |", report.page(run))

    def test_a_peer_stands_beside_ours_in_times_of_it(self):
        self.assertIn("| 40.0 | 80.0 (2.00) |", self.line("| enricher, whole function, batch of 100, µs/event"))
        self.assertIn("| 20 | 40 |", self.line("| enricher, whole function, batch of 100 |"))

    def test_a_start_is_that_of_the_peer_it_is_of(self):
        self.assertEqual(self.line("| Python with Powertools | 480"), "| Python with Powertools | 480 ms |  |")

    def test_the_first_tls_connection_stands_with_the_starts(self):
        section = self.page.partition("## From the start to the first poll")[2].partition("\n## ")[0]
        self.assertIn("| on the first connection of the process | 2.20 ms |", section)
        self.assertIn("without CPU jitter", section)

    def test_a_stage_has_a_rate_where_it_reads_bytes(self):
        section = self.page.partition("## Level 1")[2].partition("\n## ")[0]
        self.assertIn("| lake-writer, a batch of 1,000: compress | 1.20 µs | 455 |", section)
        self.assertIn("| enricher, a batch of 100: map | 820 ns |  |", section)
        self.assertIn("not CPU time", section)

    def test_the_flow_and_a_whole_export_are_told(self):
        self.assertIn("It keeps up with 200 changes a second, bound by the emulator.", self.page)
        self.assertIn("6.50 µs of CPU time a resource", self.page)

    def test_what_bound_a_rate_is_said_only_where_one_was_not_kept_up_with(self):
        for rate, bound_by, said in (
            (400, None, "It keeps up with 400 changes a second; more was not tried."),
            (0, "MiniStack", "It keeps up with no rate that was tried, bound by MiniStack."),
        ):
            run = copy.deepcopy(RESULTS)
            run["absolutes"][-1]["value"] = rate
            run["flow"]["backlog"]["boundBy"] = bound_by
            self.assertIn(said, report.page(run))

    def test_the_stored_page_is_that_of_the_stored_results(self):
        stored = results.read(results.FOLDER / "latest.json")
        self.assertEqual(report.PAGE.read_text(encoding="utf-8"), report.page(stored), "`bench/report.py` writes it anew")

    def test_the_stored_plot_is_that_of_the_stored_results(self):
        stored = results.read(results.FOLDER / "latest.json")
        with tempfile.TemporaryDirectory() as folder:
            drawn = Path(folder) / plot.RATIOS.name
            plot.ratios(stored, drawn)
            self.assertTrue(drawn.read_bytes() == plot.RATIOS.read_bytes(), "`bench/report.py` draws it anew")


if __name__ == "__main__":
    unittest.main()
