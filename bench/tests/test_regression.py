import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from goals import A_FIFTH, TWO_FIFTHS, RatioGoal
from regression import fallen

GOALS = [RatioGoal("job", "go", 2, A_FIFTH), RatioGoal("start", "node", 15, TWO_FIFTHS), RatioGoal("copy", "limit", 0.6)]
NOW = {"job/go": 5.0, "start/node": 30.0, "copy/limit": 0.5}


class Rule(unittest.TestCase):
    def said(self, earlier: dict, **now: float | None) -> list[str]:
        found = {
            name: value
            for name, value in {**NOW, **{name.replace("_", "/"): value for name, value in now.items()}}.items()
            if value
        }
        return list(fallen(earlier, found, GOALS).values())

    def test_a_fifth_less_is_no_regression_and_more_than_that_is(self):
        for now, fell in ((5.0, False), (8.0, False), (4.0, False), (3.99, True), (2.5, True)):
            self.assertEqual(bool(self.said({"job/go": 5.0, "start/node": 30.0}, job_go=now)), fell, now)
        self.assertEqual(self.said({"job/go": 5.0, "start/node": 30.0}, job_go=2.5), ["job/go was 5.00 and is 2.50: 50% less"])

    def test_what_is_not_measured_any_more_has_fallen(self):
        self.assertEqual(self.said({"job/go": 5.0, "start/node": 30.0}, job_go=None), ["job/go was not measured"])

    def test_a_ratio_without_an_earlier_value_is_asked_for(self):
        self.assertIn("store one", self.said({})[0])

    def test_a_start_may_lose_two_fifths_and_miss_its_goal(self):
        earlier = {"job/go": 5.0, "start/node": 20.0}
        self.assertEqual(self.said(earlier, start_node=12.0), [])
        self.assertEqual(self.said(earlier, start_node=11.9), ["start/node was 20.00 and is 11.90: 40% less"])

    def test_on_another_processor_all_may_lose_a_half(self):
        earlier = {"job/go": 5.0, "start/node": 30.0}
        for now, fell in ((3.99, False), (2.5, False), (2.49, True)):
            found = {**NOW, "job/go": now}
            self.assertEqual(bool(fallen(earlier, found, GOALS, same_processor=False)), fell, now)

    def test_what_is_the_machines_own_is_not_watched(self):
        self.assertEqual(self.said({"job/go": 5.0, "start/node": 30.0, "copy/limit": 5.0}, copy_limit=None), [])


if __name__ == "__main__":
    unittest.main()
