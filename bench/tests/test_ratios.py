import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ratios import ratio


class OfRounds(unittest.TestCase):
    def test_it_is_the_median_of_the_rounds_ratios_and_half_their_range(self):
        cases = [
            ([1.0], [6.0], 6.0, 0.0),
            ([1.0, 1.0, 1.0], [5.0, 6.0, 9.0], 6.0, 2 / 6),
            ([1.0, 1.0], [4.0, 6.0], 5.0, 1 / 5),
            ([2.0, 4.0, 8.0], [12.0, 20.0, 56.0], 6.0, 1 / 6),
        ]
        for ours, others, value, spread in cases:
            found = ratio(ours, others)
            self.assertAlmostEqual(found.value, value)
            self.assertAlmostEqual(found.spread, spread)

    def test_one_round_on_either_side_says_nothing_of_how_well_the_median_is_known(self):
        ours = [1.0] * 9
        self.assertEqual(ratio(ours, [2.0, *[5.0] * 7, 9.0]).known_within, 0)
        self.assertAlmostEqual(ratio(ours, [2.0, 4.0, *[5.0] * 5, 7.0, 9.0]).known_within, 3 / 5 / 2)
        self.assertAlmostEqual(ratio([2.0] * 9, [4.0, 7.0, 9.0, 2.0, *[5.0] * 5]).known_within, 3 / 5 / 2)

    def test_a_round_that_slows_both_down_changes_nothing(self):
        self.assertEqual(ratio([1.0, 3.0, 1.0], [6.0, 18.0, 6.0]).spread, 0)

    def test_rounds_of_one_alone_are_an_error(self):
        for ours, others in (([], []), ([1.0], [1.0, 2.0])):
            with self.assertRaises(ValueError):
                ratio(ours, others)


if __name__ == "__main__":
    unittest.main()
