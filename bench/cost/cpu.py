"""How much of a processor an event takes, by who carries it, as `cargo xtask bench` measured it."""

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


@dataclass(frozen=True)
class Cpu:
    """Microseconds of processor time."""

    figures: dict[str, dict[str, Figures]]
    """By the work, and by who does it. Enricher and router are whole functions, with what they take to send requests and to read
    answers; the publisher is that from lines to entries, in memory."""
    sending: float
    """Of an event that the publisher sends: its signature, its request and the answer. Ours, whoever sends."""

    def of_event(self, work: str, batch: float, runtime: str = OURS) -> float:
        """Of an event in such a batch: what an invocation takes in any case is divided among its events."""
        return interpolated(self.figures[work][runtime], batch)

    def of_resource(self, runtime: str = OURS) -> float:
        """Of an exported resource, from its line to an entry."""
        return interpolated(self.figures[PUBLISHER][runtime], 1)


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


def read(results: Path = RESULTS) -> Cpu:
    """What the last full run of the bench says."""
    run = json.loads(results.read_text(encoding="utf-8"))
    figures: dict[str, dict[str, Figures]] = {work: {} for work in MEASURED_AS}
    for name, values in run["measured"].items():
        for work, pattern in MEASURED_AS.items():
            if match := pattern.fullmatch(name):
                for runtime, value in values.items():
                    figures[work].setdefault(runtime, {})[int(match[1] or 1)] = value
    publishing = run["publishing"]
    return Cpu(figures, publishing["cpuUsPerResource"] * publishing["barePutEventsShare"])
