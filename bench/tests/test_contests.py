import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import inputs
import names
from contests import OURS, Contest, groups, selected
from functions import CONTESTANTS, Functions
from goals import RATIOS
from in_process import InProcess


def all_contests(folder: Path) -> list[Contest]:
    inputs.write(folder)
    with mock.patch("functions.OUR_FUNCTIONS", ("stream-enricher", "item-router", "lake-writer")):
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
            self.assertLessEqual({goal.ours, goal.other}, by_name[goal.contest].measures.keys(), goal.name)
            if goal.may_lose:
                self.assertLessEqual({goal.ours, goal.other}, of_quick[goal.contest].measures.keys(), goal.name)
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

    def test_a_contest_is_a_group_and_all_starts_are_one(self):
        of = [[measurement.name for measurement in group] for group in groups(self.contests)]
        self.assertEqual(sum(map(len, of)), sum(len(contest.measures) for contest in self.contests))
        self.assertIn(["router-function/b1/" + who for who in CONTESTANTS], of)
        self.assertEqual(of[-1][-3:], ["first-poll/go", "first-poll/item-router/tributary", "first-poll/lake-writer/tributary"])


if __name__ == "__main__":
    unittest.main()
