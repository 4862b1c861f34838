"""Results as a run stores them, small."""

RESULTS = {
    "machine": {"cpu": "Sample", "cores": 2, "memory": "8 GiB", "kernel": "Linux 6.1", "os": "Sample OS"},
    "versions": {"tributary": "0123456789ab", "rustc": "1.95.0", "node": "20.20.2", "python": "3.11.7", "go": "1.27.3"},
    "date": "2026-11-22",
    "mode": "full",
    "ratios": [
        {"name": "enricher/b100/node-powertools", "value": 6.1, "goal": 6, "spread": 0.02},
        {"name": "enricher/b100/typed-parse-alone", "value": 0.5, "goal": 0.6, "spread": 0.01},
        {"name": "lake-writer/b1000/node over tributary-gzip", "value": 2.5, "goal": None, "spread": 0.02},
        {"name": "first-poll/python", "value": 80.0, "goal": None, "spread": 0.1},
    ],
    "absolutes": [
        {"name": "first-poll/item-router", "value": 11.0, "unit": "ms", "limit": 10},
        {"name": "first-poll/stream-enricher", "value": 6.0, "unit": "ms", "limit": 10},
        {"name": "binary/item-router", "value": 7.6, "unit": "MB", "limit": 10},
        {"name": "first-tls/first-connection", "value": 2.2, "unit": "ms", "limit": None},
        {"name": "first-tls/call", "value": 0.31, "unit": "ms", "limit": None},
        {"name": "publisher/peak-memory", "value": 40.0, "unit": "MB", "limit": 64},
        {"name": "publisher/peak-memory-long-lines", "value": 55.0, "unit": "MB", "limit": 64},
        {"name": "write-to-queue/window-1s/p50", "value": 1100.0, "unit": "ms", "limit": 1200},
        {"name": "write-to-queue/window-1s/p99", "value": 1500.0, "unit": "ms", "limit": None},
        {"name": "write-to-queue/window-off/p50", "value": 90.0, "unit": "ms", "limit": 100},
        {"name": "write-to-queue/window-off/p99", "value": 150.0, "unit": "ms", "limit": None},
        {"name": "write-to-queue/kept-up-with", "value": 200, "unit": "changes/s", "limit": None},
    ],
    "measured": {
        "enricher/b100/cpu-us-per-event": {"tributary": 4.2, "node-powertools": 25.6, "typed-parse-alone": 2.1},
        "lake-writer/b1000/cpu-us-per-record": {"tributary": 5.0, "node": 40.0, "tributary-gzip": 16.0},
        "publisher/cpu-us-per-resource": {"tributary": 2.0, "node": 8.0, "line-copy": 0.5},
        "enricher-function/b100/cpu-us-per-event": {"tributary": 40.0, "go": 80.0},
        "enricher-function/b100/peak-bytes": {"tributary": 2e7, "go": 4e7},
        "first-poll/cpu-ms": {"tributary": 6.0, "python": 480.0},
    },
    "stages": [
        {"job": "lake-writer, a batch of 1,000", "stage": "compress", "nsPerRecord": 1204.0, "megabytesPerSecond": 455.2},
        {"job": "enricher, a batch of 100", "stage": "map", "nsPerRecord": 820.4, "megabytesPerSecond": None},
    ],
    "publishing": {"resources": 200_000, "cpuUsPerResource": 6.5, "barePutEventsShare": 0.7, "peakBytes": 40_000_000, "peakBytesLongLines": 55_000_000},
    "flow": {"backlog": {"boundBy": "the emulator"}},
}
