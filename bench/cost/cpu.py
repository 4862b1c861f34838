"""How much of a processor an event takes, by who carries it: as `cargo xtask bench` measured it, or else as assumed here."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "results" / "latest.json"

OURS = "tributary"
RUNTIMES = {
    OURS: "Rust, Tributary",
    "go": "Go, aws-lambda-go",
    "node-powertools": "Node.js, Powertools",
    "python-powertools": "Python, Powertools",
}

ENRICHER, ROUTER, PUBLISHER = "enricher", "router", "publisher"

MEASURED_AS = {
    ENRICHER: re.compile(r"enricher-function/b(\d+)/cpu-us-per-event"),
    ROUTER: re.compile(r"router-function/b(\d+)/cpu-us-per-event"),
    PUBLISHER: re.compile(r"publisher()/cpu-us-per-resource"),
}
"""The names of the figures among what the bench measured, each with the size of the batch, where there is one."""

Figures = dict[int, float]
"""Microseconds of an event, by the size of the batch that it comes in. Of a resource there is one: it comes in no batch."""

ASSUMED: dict[str, dict[str, Figures]] = {
    ENRICHER: {OURS: {100: 68.0}, "go": {100: 280.0}, "node-powertools": {100: 444.0}, "python-powertools": {100: 1_100.0}},
    ROUTER: {OURS: {100: 18.0}, "go": {100: 70.0}, "node-powertools": {100: 121.0}, "python-powertools": {100: 140.0}},
    PUBLISHER: {OURS: {1: 2.0}, "go": {1: 6.5}},
}
"""As trials of the bench showed them on a machine with two processors, rounded. Enricher and router are whole functions: what they
take to send requests and to read answers is in it, one query for each event, and the waiting is not. The publisher is that from
lines to entries, in memory."""


@dataclass(frozen=True)
class Cpu:
    """Microseconds of processor time, and what of it was measured."""

    figures: dict[str, dict[str, Figures]]
    """By the work, and by who does it."""
    measured: frozenset[tuple[str, str]]

    def of_event(self, work: str, batch: float, runtime: str = OURS) -> float:
        """Of an event in such a batch: what an invocation takes in any case is divided among its events."""
        return interpolated(self.figures[work][runtime], batch)

    def of_resource(self, runtime: str = OURS) -> float:
        return interpolated(self.figures[PUBLISHER][runtime], 1)

    def is_measured(self, work: str, runtime: str) -> bool:
        return (work, runtime) in self.measured

    def not_measured(self) -> list[tuple[str, str]]:
        """Work, and who does it."""
        return [(work, runtime) for work, of_work in ASSUMED.items() for runtime in of_work if not self.is_measured(work, runtime)]


def interpolated(figures: Figures, batch: float) -> float:
    """On a straight line between the sizes next to it, both axes logarithmic; beyond the smallest and the largest, as there."""
    sizes = sorted(figures)
    batch = min(max(batch, sizes[0]), sizes[-1])
    below = max(size for size in sizes if size <= batch)
    above = min(size for size in sizes if size >= batch)
    if below == above:
        return figures[below]
    part = math.log(batch / below) / math.log(above / below)
    return figures[below] ** (1 - part) * figures[above] ** part


def assumed() -> Cpu:
    return Cpu(ASSUMED, frozenset())


def read(results: Path = RESULTS) -> Cpu:
    """What the last run of the bench says; where it says nothing of a figure, or there was none, what is assumed. Measured batches
    and assumed ones are not mixed: of who was measured, only that counts."""
    measured = json.loads(results.read_text(encoding="utf-8")).get("measured", {}) if results.exists() else {}
    found: dict[str, dict[str, Figures]] = {work: {} for work in ASSUMED}
    for name, values in measured.items():
        for work, pattern in MEASURED_AS.items():
            if match := pattern.fullmatch(name):
                for runtime, value in values.items():
                    found[work].setdefault(runtime, {})[int(match[1] or 1)] = value
    figures = {work: {**of_work, **found[work]} for work, of_work in ASSUMED.items()}
    return Cpu(figures, frozenset((work, runtime) for work in found for runtime in found[work]))
