"""How many times less CPU time one contestant takes than another, of rounds in which both were measured."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    value: float
    """The median of the rounds' ratios, not the ratio of medians: what slows a round down slows both contestants."""
    spread: float
    """Half of what lies between the lowest and the highest round, as a share of the median: 0.03 is ± 3 %. The range and not a
    deviation, because five rounds are too few to say how they are distributed; it grows with the number of rounds."""


def ratio(ours: list[float], others: list[float]) -> Ratio:
    """Of CPU times, in the order of their rounds. Larger is better for us."""
    of_rounds = _of_rounds(ours, others)
    median = statistics.median(of_rounds)
    return Ratio(median, (of_rounds[-1] - of_rounds[0]) / median / 2)


def known_within(ours: list[float], others: list[float]) -> float:
    """Half of what lies between the second lowest round and the second highest, as a share of the median. However rounds are
    distributed, of nine the true median lies between those with a probability of 96 % (1 - 2 * 10 / 2**9), and of more with more."""
    of_rounds = _of_rounds(ours, others)
    return (of_rounds[-2] - of_rounds[1]) / statistics.median(of_rounds) / 2


def _of_rounds(ours: list[float], others: list[float]) -> list[float]:
    if not ours or len(ours) != len(others):
        raise ValueError(f"{len(ours)} rounds of ours and {len(others)} of the other")
    return sorted(other / our for our, other in zip(ours, others))
