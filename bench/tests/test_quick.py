import contextlib
import io
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unittest import mock

import quick
from contests import OURS, Contest
from goals import A_FIFTH, RatioGoal
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
            contextlib.redirect_stdout(io.StringIO()) as printed,
        ):
            rounds.run(quick.ROUNDS, *quick.groups(contests))
            said = quick.again_until_certain(contests, rounds, before)
        self.assertEqual(printed.getvalue().count("measured again"), len(rounds.values["job/go"]) // quick.ROUNDS - 1)
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


if __name__ == "__main__":
    unittest.main()
