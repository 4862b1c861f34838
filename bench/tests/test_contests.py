import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import inputs
import names
from contests import OURS, Contest, selected
from functions import OUR_FUNCTIONS, Functions
from goals import RATIOS
from in_process import InProcess
from measuring import ROOT


def all_contests(folder: Path) -> list[Contest]:
    inputs.write(folder)
    return [*InProcess(folder, 1.0).contests(), *Functions(folder).contests()]


class OfGoals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.contests = all_contests(Path(cls.folder.name))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_every_goal_is_measured_and_in_a_quick_run_every_one_that_it_watches(self):
        by_name = {contest.name: contest for contest in self.contests}
        of_quick = {contest.name: contest for contest in selected(self.contests, True, None)}
        for goal in RATIOS:
            self.assertLessEqual({OURS, goal.other}, by_name[goal.contest].measures.keys(), goal.name)
            if goal.may_lose:
                self.assertLessEqual({OURS, goal.other}, of_quick[goal.contest].measures.keys(), goal.name)
        self.assertEqual(set(of_quick["enricher-function/b100"].measures), {OURS, "node-powertools"})
        self.assertNotIn("enricher/b1000", of_quick)

    def test_every_contest_and_contestant_has_a_name(self):
        for contest in self.contests:
            if not contest.name.startswith("first-poll/"):
                self.assertTrue(names.of_contest(contest.name))
            self.assertTrue(names.of_unit(contest.unit))
            for who in contest.measures:
                self.assertTrue(names.of_contestant(who))

    def test_a_pattern_selects_contests(self):
        self.assertEqual([contest.name for contest in selected(self.contests, False, "lake-*")], ["lake-writer/b1000"])
        self.assertEqual(len(selected(self.contests, False, "enricher/*")), len(inputs.BATCHES))

    def test_the_functions_are_those_that_are_built(self):
        built = (ROOT / "crates/xtask/src/functions.rs").read_text(encoding="utf-8")
        listed = built.partition("FUNCTIONS: [")[2].partition("= [")[2].partition("]")[0]
        self.assertEqual([name.strip(' "\n') for name in listed.split(",") if name.strip()], list(OUR_FUNCTIONS))


if __name__ == "__main__":
    unittest.main()
