"""How many times less CPU time one contestant takes than another, of rounds in which both were measured."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    of_rounds: tuple[float, ...]
    """From the lowest to the highest."""

    @property
    def value(self) -> float:
        """The median of the rounds' ratios, not the ratio of medians: what slows a round down slows both contestants."""
        return statistics.median(self.of_rounds)

    @property
    def spread(self) -> float:
        """Half of what lies between the lowest and the highest round, as a share of the median: 0.03 is ± 3 %. The range and not a
        deviation, because five rounds are too few to say how they are distributed; it grows with the number of rounds."""
        return (self.of_rounds[-1] - self.of_rounds[0]) / self.value / 2

    @property
    def known_within(self) -> float:
        """As `spread`, without the lowest and the highest round. However rounds are distributed, of nine the true median lies between
        the others with a probability of 96 % (1 - 2 * 10 / 2**9), and of more with more."""
        return (self.of_rounds[-2] - self.of_rounds[1]) / self.value / 2


def ratio(ours: list[float], others: list[float]) -> Ratio:
    """Of CPU times, in the order of their rounds. Larger is better for us."""
    if not ours or len(ours) != len(others):
        raise ValueError(f"{len(ours)} rounds of ours and {len(others)} of the other")
    return Ratio(tuple(sorted(other / our for our, other in zip(ours, others))))
