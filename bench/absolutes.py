"""Figures of ours that have a limit of their own, and not a peer's figure beside them."""

from contests import OURS
from goals import BINARY_MB, FIRST_POLL_MS, PUBLISHER_MB, WRITE_TO_QUEUE_MS
from programs import BUILT, ENRICHER, OUR_FUNCTIONS
from rounds import Rounds


def of_run(rounds: Rounds, beside: dict) -> list[dict]:
    """`beside`: what was measured beside the rounds, where it was."""
    found = first_polls(rounds)
    if beside:
        found += [*binary_sizes(), *first_tls(beside["firstTls"]), *publishing(beside["publishing"]), *flow(beside["flow"])]
    return found


def absolute(name: str, value: float, unit: str, limit: float | None) -> dict:
    return {"name": name, "value": float(f"{value:.4g}"), "unit": unit, "limit": limit}


def first_polls(rounds: Rounds) -> list[dict]:
    """CPU time from the start of the process, SDK clients built. The enricher's is measured beside the peers'."""
    medians = {
        function: f"first-poll/{OURS}" if function == ENRICHER else f"first-poll/{function}/{OURS}" for function in OUR_FUNCTIONS
    }
    return [
        absolute(f"first-poll/{function}", rounds.median(name), "ms", FIRST_POLL_MS)
        for function, name in medians.items()
        if name in rounds.values
    ]


def binary_sizes() -> list[dict]:
    """Stripped, for this machine's architecture."""
    return [
        absolute(f"binary/{function}", (BUILT / function).stat().st_size / 1e6, "MB", BINARY_MB) for function in OUR_FUNCTIONS
    ]


def first_tls(figures: dict) -> list[dict]:
    """CPU time, of a request that puts an object and one that gets it."""
    return [
        absolute(f"first-tls/{name}", figures[member], "ms", None)
        for name, member in (
            ("first-connection", "firstConnectionMs"),
            ("call", "callMs"),
            ("second-connection", "secondConnectionMs"),
            ("megabyte", "megabyteMs"),
        )
    ]


def publishing(figures: dict) -> list[dict]:
    return [
        absolute("publisher/peak-memory", figures["peakBytes"] / 1e6, "MB", PUBLISHER_MB),
        absolute("publisher/peak-memory-long-lines", figures["peakBytesLongLines"] / 1e6, "MB", PUBLISHER_MB),
    ]


def flow(figures: dict) -> list[dict]:
    windows = {"window-1s": figures["window1s"], "window-off": figures["windowOff"]}
    latencies = [
        absolute(f"write-to-queue/{window}/{name}", of_window[member], "ms", limit)
        for window, of_window in windows.items()
        for name, member, limit in (("p50", "p50Ms", WRITE_TO_QUEUE_MS[window]), ("p99", "p99Ms", None))
    ]
    return [*latencies, absolute("write-to-queue/kept-up-with", figures["backlog"]["ratePerSecond"], "changes/s", None)]
