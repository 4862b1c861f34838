"""Processor times to work cases out with by hand: round ones, which nobody measured."""

from cpu import ENRICHER, OURS, PUBLISHER, ROUTER, Cpu

SAMPLE = Cpu(
    {
        ENRICHER: {OURS: 25.0, "go": 100.0},
        ROUTER: {OURS: 15.0, "go": 50.0},
        PUBLISHER: {OURS: 4.0, "go": 8.0},
    },
    frozenset(),
)
