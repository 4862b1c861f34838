"""What is to be reached, and what a quick run watches.

A quick run fails where a ratio fell by more than a part of what was stored of it last, on the same model of processor: a fifth, where
both sides compute. A start is page faults and the loader's work, which the kernel and the machine decide as well: there it is two
fifths. A copy is bound by the memory alone and is not watched.
"""

from dataclasses import dataclass

from contests import OURS, WITH_GZIP

A_FIFTH, TWO_FIFTHS = 0.2, 0.4
ON_ANOTHER_PROCESSOR = 0.5
"""What any ratio may lose where none is stored of this processor. The whole enricher was at 5.4 times Node.js on
an Intel Xeon, and at 3.5 and 4.2 on two AMD machines that name the same model; the publisher at 12, 19 and 11 times Python."""


@dataclass(frozen=True)
class RatioGoal:
    contest: str
    other: str
    goal: float | None = None
    """How many times less CPU time than the other's ours has to be; without a goal it is shown alone."""
    may_lose: float | None = None
    """Which part of it, before a quick run fails; `None` where it is not watched."""
    ours: str = OURS

    @property
    def name(self) -> str:
        return f"{self.contest}/{self.other}" + ("" if self.ours == OURS else f" over {self.ours}")


RATIOS = [
    RatioGoal("enricher/b100", "node-powertools", 6, A_FIFTH),
    RatioGoal("enricher/b100", "node-hand-tuned", 3.5, A_FIFTH),
    RatioGoal("enricher/b100", "python-powertools", 20, A_FIFTH),
    RatioGoal("enricher/b100", "go", 2, A_FIFTH),
    RatioGoal("enricher/b100", "typed-parse-alone", 0.6, A_FIFTH),
    RatioGoal("enricher/b100", "typed-parse"),
    RatioGoal("enricher-function/b100", "node-powertools", 5, A_FIFTH),
    RatioGoal("enricher-function/b100", "node-hand-tuned"),
    RatioGoal("enricher-function/b100", "python-powertools", 8),
    RatioGoal("enricher-function/b100", "go", 1.5),
    RatioGoal("router-function/b100", "node-powertools", 5, A_FIFTH),
    RatioGoal("router-function/b100", "node-hand-tuned"),
    RatioGoal("router-function/b100", "python-powertools", 8),
    RatioGoal("router-function/b100", "go", 1.5),
    RatioGoal("lake-writer/b1000", "node", 5, A_FIFTH),
    RatioGoal("lake-writer/b1000", "node", ours=WITH_GZIP),
    RatioGoal("lake-writer/b1000", "node-hand-tuned", None, A_FIFTH),
    RatioGoal("lake-writer/b1000", "node-hand-tuned", ours=WITH_GZIP),
    RatioGoal("lake-writer/b1000", "python", 15, A_FIFTH),
    RatioGoal("lake-writer/b1000", "go", 2, A_FIFTH),
    RatioGoal("publisher", "node", 4, A_FIFTH),
    RatioGoal("publisher", "node-hand-tuned", None, A_FIFTH),
    RatioGoal("publisher", "python", None, A_FIFTH),
    RatioGoal("publisher", "go", 2, A_FIFTH),
    RatioGoal("publisher", "line-copy", 0.6),
    RatioGoal("first-poll", "node", 15, TWO_FIFTHS),
    RatioGoal("first-poll", "node-hand-tuned"),
    RatioGoal("first-poll", "python"),
    RatioGoal("first-poll", "go", 2),
]

FIRST_POLL_MS = 10
BINARY_MB = 10
PUBLISHER_MB = 64
WRITE_TO_QUEUE_MS = {"window-1s": 1_200, "window-off": 100}
"""The median, one item at a time, by the pipe's batching window."""
