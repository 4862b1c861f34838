"""Processor times to work cases out with by hand: round ones, which nobody measured, and the same for every batch."""

from cpu import ENRICHER, OURS, PUBLISHER, ROUTER, Cpu

SAMPLE = Cpu(
    {
        ENRICHER: {OURS: {100: 25.0}, "go": {100: 100.0}, "node-powertools": {100: 150.0}, "python-powertools": {100: 300.0}},
        ROUTER: {OURS: {100: 15.0}, "go": {100: 50.0}, "node-powertools": {100: 60.0}, "python-powertools": {100: 70.0}},
        PUBLISHER: {OURS: {1: 4.0}, "go": {1: 8.0}},
    },
    sending=10.0,
)
