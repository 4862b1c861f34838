"""What is compared with what: a contest is one job on one input, its contestants are the programs that do it.

    enricher/b100/node-powertools        of level 1: how many times less CPU time Tributary's enricher takes in-process for a batch
                                         of 100 than that in JavaScript with Powertools
    enricher-function/b100/go            of level 2: the same of whole functions behind the simulator
    first-poll/node                      of level 2: from the start of the process to its first poll of the Runtime API
"""

from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Callable

from rounds import Measurement

OURS = "tributary"

TITLES = {
    OURS: "Tributary",
    "node-powertools": "Node.js with Powertools",
    "node-hand-tuned": "Node.js, hand-tuned",
    "node": "Node.js",
    "python-powertools": "Python with Powertools",
    "python": "Python",
    "go": "Go",
    "typed-parse": "limit: the runtime, and serde_json into structs",
    "typed-parse-alone": "limit: serde_json into structs",
    "line-copy": "limit: newline scan, one copy",
}
"""Of contestants."""

LIMITS = ("typed-parse", "typed-parse-alone", "line-copy")
"""No contestants: what nobody who reads the same bytes can be faster than."""


@dataclass(frozen=True)
class Contest:
    name: str
    unit: str
    """Of what is measured: CPU time, less is better."""
    measures: dict[str, Callable[[], float]]
    """By contestant."""
    quick: frozenset[str] = field(default_factory=frozenset)
    """Who takes part in a quick run."""

    @property
    def measured_name(self) -> str:
        return f"{self.name}/{self.unit}"

    def of_quick(self) -> "Contest":
        return Contest(self.name, self.unit, {who: self.measures[who] for who in self.measures if who in self.quick}, self.quick)


def selected(contests: list[Contest], quick: bool, only: str | None) -> list[Contest]:
    """Of a quick run those that take part in it; of `only` those whose name it fits."""
    chosen = [contest.of_quick() for contest in contests] if quick else contests
    return [contest for contest in chosen if contest.measures and (only is None or fnmatch(contest.name, only))]


def measurements(contests: list[Contest]) -> list[Measurement]:
    """Contest by contest: those who are compared are measured within seconds of each other."""
    return [
        Measurement(f"{contest.name}/{who}", measure, contest.unit)
        for contest in contests
        for who, measure in contest.measures.items()
    ]
