import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unittest import mock

import load
from load import BUSY, refuse_under_load, wait_for_quiet


def busy(*processors: float):
    return mock.patch.object(load, "processors_in_use", side_effect=processors)


@mock.patch.object(load, "print", create=True)
class Refusing(unittest.TestCase):
    def test_a_busy_machine_is_refused(self, _):
        with busy(BUSY + 0.01), self.assertRaises(SystemExit) as ended:
            refuse_under_load(anyway=False)
        self.assertIn("refused: others use 0.16 processors", str(ended.exception))

    def test_a_quiet_machine_is_not(self, said):
        with busy(BUSY):
            refuse_under_load(anyway=False)
        said.assert_not_called()

    def test_a_trial_is_called_one(self, said):
        with busy(1.0):
            refuse_under_load(anyway=True)
        self.assertIn("UNDER LOAD", said.call_args.args[0])

    def test_who_cannot_refuse_waits_for_quiet_and_then_says_that_there_was_none(self, said):
        with busy(1.0, 1.0, 0.0):
            self.assertTrue(wait_for_quiet(60))
        said.assert_not_called()
        with busy(1.0, 1.0):
            self.assertFalse(wait_for_quiet(0))
        self.assertIn("others still use 1.00 processors", said.call_args.args[0])


@unittest.skipUnless(load.PROC_STAT.exists(), "Linux alone tells what is used")
class OfOthers(unittest.TestCase):
    def others(self, seconds: float) -> float | None:
        used, own = iter((100.0, 103.0)), iter((10.0, 12.5))
        with (
            mock.patch.object(load, "_used_seconds", side_effect=lambda: next(used)),
            mock.patch.object(load, "_own_seconds", side_effect=lambda: next(own)),
            mock.patch.object(load.time, "monotonic", side_effect=(0.0, seconds)),
            load.Others() as others,
        ):
            pass
        return others.processors

    def test_what_this_process_uses_is_not_of_others(self):
        self.assertEqual(self.others(2.0), 0.25)

    def test_what_is_over_too_soon_tells_nothing(self):
        self.assertIsNone(self.others(0.9))


if __name__ == "__main__":
    unittest.main()
