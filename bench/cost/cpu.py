"""How much of a processor an event takes, by who carries it: as `cargo xtask bench` measured it, or else as assumed here."""

import json
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

ENRICHER = "enricher-function/b100/cpu-us-per-event"
ROUTER = "router-function/b100/cpu-us-per-event"
PUBLISHER = "publisher/cpu-us-per-resource"

ASSUMED = {
    ENRICHER: {OURS: 68.0, "go": 280.0, "node-powertools": 444.0, "python-powertools": 1_100.0},
    ROUTER: {OURS: 18.0, "go": 70.0, "node-powertools": 121.0, "python-powertools": 140.0},
    PUBLISHER: {OURS: 2.0, "go": 6.5},
}
"""Microseconds, as trials of the bench showed them on a machine with two processors, rounded. Enricher and router are whole
functions at a batch of 100: what they take to send requests and to read answers is in it, one query for each event, and the waiting
is not. The publisher is that from lines to entries, in memory."""


@dataclass(frozen=True)
class Cpu:
    """Microseconds of processor time for an event, each figure with whether it was measured."""

    microseconds: dict[str, dict[str, float]]
    measured: frozenset[tuple[str, str]]

    def of(self, work: str, runtime: str = OURS) -> float:
        return self.microseconds[work][runtime]

    def is_measured(self, work: str, runtime: str) -> bool:
        return (work, runtime) in self.measured


def assumed() -> Cpu:
    return Cpu(ASSUMED, frozenset())


def read(results: Path = RESULTS) -> Cpu:
    """What the last run of the bench says; where it says nothing of a figure, or there was none, what is assumed."""
    measured = json.loads(results.read_text(encoding="utf-8")).get("measured", {}) if results.exists() else {}
    microseconds = {work: {**of_work, **measured.get(work, {})} for work, of_work in ASSUMED.items()}
    return Cpu(microseconds, frozenset((work, runtime) for work in ASSUMED for runtime in measured.get(work, {})))
