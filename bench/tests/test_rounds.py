import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import contextlib
import io
from unittest import mock

import load
from load import BUSY_ROUND
from rounds import Measurement, Rounds, Taken


class Load:
    """What others use in one round after the other."""

    def __init__(self, *processors: float | None):
        self._processors = iter(processors)

    def __call__(self) -> "Load":
        return self

    def __enter__(self) -> "Load":
        self.processors = next(self._processors)
        return self

    def __exit__(self, *_) -> None:
        pass


class Counted:
    """Answers 1, 2, 3 ..."""

    def __init__(self):
        self.times = 0

    def __call__(self) -> float:
        self.times += 1
        return self.times


def setUpModule():
    """Nobody waits here: what others use is given."""
    quiet = mock.patch("load.wait_for_quiet")
    quiet.start()
    unittest.addModuleCleanup(quiet.stop)


def run(rounds: Rounds, number: int, *measures) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        rounds.run(number, [Measurement(name, measure, "µs") for name, measure in zip("ab", measures)])
    return said.getvalue()


class InTurn(unittest.TestCase):
    def test_all_are_measured_in_each_round(self):
        order = []
        rounds = Rounds(others=Load(0, 0))
        said = run(rounds, 2, lambda: order.append("a") or 1.0, lambda: order.append("b") or 2.0)
        self.assertEqual(order, ["a", "b", "a", "b"])
        self.assertEqual(rounds.values, {"a": [1.0, 1.0], "b": [2.0, 2.0]})
        self.assertIn("[3/4, 0 min left] round 2: a 1 µs", said)

    def test_a_round_under_load_is_done_again(self):
        rounds = Rounds(others=Load(0, BUSY_ROUND + 0.01, BUSY_ROUND))
        said = run(rounds, 2, Counted(), Counted())
        self.assertEqual(rounds.values, {"a": [1, 3], "b": [1, 3]})
        self.assertIn("round 2 of a does not count", said)
        self.assertEqual(said.count("[4/4, 0 min left] round 2: b"), 2)

    def test_a_group_under_load_is_done_again_alone(self):
        rounds, first, second = Rounds(others=Load(0, BUSY_ROUND + 0.01, 0)), Counted(), Counted()
        with contextlib.redirect_stdout(io.StringIO()) as said:
            rounds.run(1, [Measurement("a", first)], [Measurement("b", second)])
        self.assertEqual(rounds.values, {"a": [1], "b": [2]})
        self.assertIn("round 1 of b does not count", said.getvalue())

    def test_a_peak_of_what_does_not_count_is_not_kept(self):
        taken = iter((Taken(1.0, 10.0), Taken(2.0, 99.0), Taken(3.0, 30.0)))
        rounds = Rounds(others=Load(0, 1.0, 0))
        run(rounds, 2, lambda: next(taken))
        self.assertEqual((rounds.values, rounds.peaks), ({"a": [1.0, 3.0]}, {"a": [10.0, 30.0]}))

    def test_it_gives_up_where_it_is_never_quiet(self):
        counted = Counted()
        load.wait_for_quiet.reset_mock()
        with self.assertRaises(SystemExit) as ended:
            run(Rounds(others=Load(1.0, 1.0, 1.0)), 3, counted)
        self.assertIn("given up", str(ended.exception))
        self.assertEqual(counted.times, load.TRIES)
        self.assertEqual(load.wait_for_quiet.call_count, load.TRIES - 1)

    def test_a_trial_and_an_unknown_load_count(self):
        for rounds in (Rounds(again=False, others=Load(1.0)), Rounds(others=Load(None))):
            run(rounds, 1, Counted())
            self.assertEqual(rounds.values, {"a": [1]})

    def test_further_rounds_join_the_earlier_ones(self):
        rounds, counted = Rounds(others=Load(0, 0, 0)), Counted()
        run(rounds, 2, counted)
        run(rounds, 1, counted)
        self.assertEqual(rounds.median("a"), 2)


if __name__ == "__main__":
    unittest.main()
