"""What is compared with what: a contest is one job on one input, its contestants are the programs that do it.

    enricher/b100/node-powertools        of level 1: how many times less CPU time Tributary's enricher takes in-process for a batch
                                         of 100 than that in JavaScript with Powertools
    enricher-function/b100/go            of level 2: the same of whole functions behind the simulator
    first-poll/node                      of level 2: from the start of the process to its first poll of the Runtime API
    lake-writer/b1000/node over tributary-gzip
                                         the same of Tributary's lake-writer where it is made to compress as the other has to
"""

from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import groupby
from typing import Callable

from rounds import Measurement, Taken

OURS = "tributary"
WITH_GZIP = "tributary-gzip"
"""Ours, but for the codec: a peer without zstd is measured against both."""

TITLES = {
    OURS: "Tributary",
    WITH_GZIP: "Tributary with gzip",
    "node-powertools": "Node.js with Powertools",
    "node-hand-tuned": "Node.js, hand-tuned",
    "node": "Node.js",
    "python-powertools": "Python with Powertools",
    "python": "Python",
    "go": "Go",
    "typed-parse": "for comparison: the runtime's check, and serde_json into structs",
    "typed-parse-alone": "for comparison: serde_json into structs",
    "line-copy": "for comparison: newline scan, one copy",
}
"""Of contestants."""

COMPARISONS = ("typed-parse", "typed-parse-alone", "line-copy")
"""No contestants: they make no records. What it takes to parse or to copy the same bytes, for comparison; whoever does without a
parse can be faster than one."""


@dataclass(frozen=True)
class Contest:
    name: str
    unit: str
    """Of what is measured: CPU time, less is better."""
    measures: dict[str, Callable[[], float | Taken]]
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


def groups(contests: list[Contest]) -> list[list[Measurement]]:
    """Contest by contest: those who are compared are measured within seconds of each other. All starts are one group, because
    that of one function is over before anything can be said of what others used meanwhile."""
    return [
        [
            Measurement(f"{contest.name}/{who}", measure, contest.unit)
            for contest in of_group
            for who, measure in contest.measures.items()
        ]
        for _, of_group in groupby(contests, _group)
    ]


def _group(contest: Contest) -> str:
    return "starts" if contest.name.startswith("first-poll") else contest.name
