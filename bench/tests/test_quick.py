import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unittest import mock

import quick
import results
from contests import OURS, Contest
from goals import A_FIFTH, RatioGoal
from results_sample import RESULTS
from rounds import Rounds

GOALS = [RatioGoal("job", "go", 2, A_FIFTH), RatioGoal("other", "go", 2, A_FIFTH)]


class Looks(unittest.TestCase):
    """Ours takes 1 µs; `job` is what takes part, and Go's rounds are given."""

    def look(self, before: dict, *of_go: float) -> tuple[dict, int]:
        turns = iter(of_go)
        contests = [Contest("job", "cpu-us-per-event", {OURS: lambda: 1.0, "go": lambda: next(turns)})]
        rounds = Rounds(again=False)
        with (
            mock.patch("quick.RATIOS", GOALS),
            mock.patch("results.RATIOS", GOALS),
            mock.patch("quick.wait_for_quiet") as quiet,
            contextlib.redirect_stdout(io.StringIO()) as printed,
        ):
            rounds.run(quick.ROUNDS, *quick.groups(contests))
            said = quick.again_until_certain(contests, rounds, quick.Earlier(before, same_processor=True))
        again = len(rounds.values["job/go"]) // quick.ROUNDS - 1
        self.assertEqual((printed.getvalue().count("measured again"), quiet.call_count), (again, again))
        return said, len(rounds.values["job/go"])

    def test_what_has_not_fallen_is_measured_once(self):
        self.assertEqual(self.look({"job/go": 5.0}, 5.0, 5.0, 5.0), ({}, 3))

    def test_what_has_no_earlier_value_fails_without_being_measured_again(self):
        said, rounds = self.look({}, 5.0, 5.0, 5.0)
        self.assertEqual((list(said), rounds), (["job/go"], 3))

    def test_nothing_is_stored_of_a_busy_machine(self):
        with mock.patch("quick.wait_for_quiet", return_value=False), self.assertRaises(SystemExit) as ended:
            quick.run([], {}, quick.ROUNDS, Path("nowhere"), True)
        self.assertIn("refused", str(ended.exception))

    def test_what_fell_by_chance_is_taken_back(self):
        self.assertEqual(self.look({"job/go": 5.0}, 3.0, 3.0, 5.0, 5.0, 5.0, 5.0), ({}, 6))

    def test_what_stays_fallen_after_two_more_looks_fails(self):
        said, rounds = self.look({"job/go": 5.0}, *[3.0] * 9)
        self.assertEqual(said, {"job/go": "job/go was 5.00 and is 3.00: 40% less"})
        self.assertEqual(rounds, 9)


class Runs(unittest.TestCase):
    """Of a job that `job/go` is stored for, or that it is to be stored for."""

    def setUp(self):
        self.open = contextlib.ExitStack()
        self.addCleanup(self.open.close)
        self.folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.stored = self.folder / "quick"
        for name, value in (("quick.STORED", self.stored), ("quick.RATIOS", GOALS[:1]), ("results.RATIOS", GOALS[:1])):
            self.open.enter_context(mock.patch(name, value))
        self.open.enter_context(mock.patch("quick.wait_for_quiet", return_value=True))
        self.open.enter_context(mock.patch("machine.processor", return_value=RESULTS["machine"]["cpu"]))
        self.said = self.open.enter_context(contextlib.redirect_stdout(io.StringIO()))

    def store_earlier(self, value: float, processor: str = RESULTS["machine"]["cpu"]) -> None:
        ratio = {"name": "job/go", "value": value, "goal": 2, "spread": 0.0}
        results.write({**RESULTS, "mode": "quick", "ratios": [ratio]}, quick.of_processor(processor))

    def run_quick(self, *of_go: float, store: bool = False) -> None:
        turns = iter(of_go)
        contest = Contest("job", "cpu-us-per-event", {OURS: lambda: 1.0, "go": lambda: next(turns)})
        rounds = quick.ROUNDS_TO_STORE if store else quick.ROUNDS
        quick.run([contest], RESULTS["versions"], rounds, self.folder / "results.json", store)

    def test_it_fails_where_a_ratio_fell_and_keeps_what_it_measured(self):
        self.store_earlier(5.0)
        with self.assertRaises(SystemExit) as ended:
            self.run_quick(*[3.0] * 9)
        self.assertIn("job/go was 5.00 and is 3.00", str(ended.exception))
        self.assertEqual(results.read(self.folder / "results.json")["ratios"][0]["value"], 3.0)
        self.assertEqual(quick.earlier(), quick.Earlier({"job/go": 5.0}, same_processor=True))

    def test_each_processor_has_its_own_ratios(self):
        self.store_earlier(3.0)
        self.store_earlier(5.0, "Other(R) 2.0 GHz")
        with mock.patch("machine.processor", return_value="Other(R) 2.0 GHz"):
            self.run_quick(4.1, 4.1, 4.1)
            self.assertNotIn("nothing is stored", self.said.getvalue())
            with self.assertRaises(SystemExit):
                self.run_quick(*[3.9] * 9)
        self.assertEqual({file.name for file in self.stored.iterdir()}, {"sample.json", "other-r-2-0-ghz.json"})

    def test_on_a_processor_without_ratios_it_says_so_and_lets_half_of_the_least_go(self):
        self.store_earlier(5.0)
        self.store_earlier(8.0, "Faster")
        with mock.patch("machine.processor", return_value="Other"):
            self.run_quick(2.6, 2.6, 2.6)
            self.assertIn("nothing is stored of Other", self.said.getvalue())
            with self.assertRaises(SystemExit) as ended:
                self.run_quick(*[2.4] * 9)
        self.assertIn("job/go was 5.00 and is 2.40", str(ended.exception))

    def test_it_says_what_others_used_while_something_was_measured_again(self):
        self.store_earlier(5.0)
        others = mock.MagicMock()
        others.return_value.__enter__.return_value.processors = 0.4
        with mock.patch("quick.Others", others):
            self.run_quick(3.0, 3.0, 5.0, 5.0, 5.0, 5.0)
        self.assertIn("others used 0.40 processors meanwhile", self.said.getvalue())

    def test_it_stores_what_later_runs_are_compared_with(self):
        self.run_quick(*[5.0] * 8, 2.0, store=True)
        self.assertEqual(quick.earlier(), quick.Earlier({"job/go": 5.0}, same_processor=True))

    def test_it_stores_no_ratio_that_is_known_less_well_than_what_may_be_lost_of_it(self):
        self.store_earlier(4.0)
        with self.assertRaises(SystemExit) as ended:
            self.run_quick(*[5.0] * 5, 3.7, 3.8, 6.0, 6.1, store=True)
        self.assertIn("job/go (± 22%)", str(ended.exception))
        self.assertEqual(quick.earlier(), quick.Earlier({"job/go": 4.0}, same_processor=True))


if __name__ == "__main__":
    unittest.main()
