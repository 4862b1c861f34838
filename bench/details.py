"""The sections of RESULTS.md below its summary: what was measured, level by level."""

import names
from contests import COMPARISONS, OURS, WITH_GZIP
from tables import table

BESIDE = (*COMPARISONS, WITH_GZIP)
"""Columns that do not make a contest one of other peers."""

IN_PROCESS = """## Level 1: in-process

CPU time of one process that does a job again and again, from bytes in memory to bytes in memory, after it has warmed up; garbage
collection is in it, AWS calls are not. In brackets: how many times ours. What stands there for comparison makes no records: it
parses the same bytes into structs, or copies each line once.
"""

FUNCTIONS = """## Level 2: whole functions

CPU time of the function's process for an event, behind a simulator of the Runtime API, DynamoDB, S3 and EventBridge on loopback,
without TLS. The enricher asks for what the table holds of each patient, the router sends requests of ten events. In brackets: how
many times ours.
"""


def in_process(results: dict) -> str:
    contests = [name for name in results["measured"] if not name.startswith("first-poll") and "-function/" not in name]
    return IN_PROCESS + "\n" + "\n\n".join(part for part in (_contest_tables(results, contests), _stages(results)) if part)


STAGES = """The stages of Tributary's jobs, each by itself over what the stage before it made. This is the time that passes, on a machine
that nobody else used, and not CPU time. MB/s is of the bytes that a stage reads, where it reads bytes; what is called a limit
makes no records.
"""


def _stages(results: dict) -> str:
    rows = [
        [
            f"{stage['job']}: {stage['stage']}",
            _time(stage["nsPerRecord"]),
            "" if stage["megabytesPerSecond"] is None else names.number(stage["megabytesPerSecond"]),
        ]
        for stage in results.get("stages", [])
    ]
    return STAGES + "\n" + table(["stage", "a record", "MB/s"], rows) if rows else ""


def _time(nanoseconds: float) -> str:
    return f"{names.number(nanoseconds)} ns" if nanoseconds < 1_000 else f"{names.number(nanoseconds / 1e3)} µs"


def functions(results: dict) -> str:
    contests = [name for name in results["measured"] if "-function/" in name]
    times_of = _contest_tables(results, [name for name in contests if not name.endswith("/peak-bytes")])
    memory = _memory_table(results, [name for name in contests if name.endswith("/peak-bytes")])
    return "\n\n".join(part for part in (FUNCTIONS.strip(), times_of, memory, _publishing(results)) if part)


def _publishing(results: dict) -> str:
    if "publishing" not in results:
        return ""
    whole = results["publishing"]
    return (
        f"The publisher as a whole function, for an export of {whole['resources']:,} resources: "
        f"{names.number(whole['cpuUsPerResource'])} µs of CPU time a resource,\nof which bare `PutEvents` requests are "
        f"{whole['barePutEventsShare']:.0%}; {whole['peakBytes'] / 1e6:.0f} MB at the peak."
    )


def _contest_tables(results: dict, contests: list[str]) -> str:
    """One for all contests with the same peers."""
    by_peers: dict[tuple, list[str]] = {}
    for name in contests:
        by_peers.setdefault(tuple(who for who in results["measured"][name] if who not in BESIDE), []).append(name)
    return "\n\n".join(_contest_table(results["measured"], of_peers) for of_peers in by_peers.values())


def _contest_table(measured: dict, contests: list[str]) -> str:
    contestants = _contestants(measured, contests)
    rows = []
    for name in contests:
        contest, _, unit = name.rpartition("/")
        ours = measured[name][OURS]
        row = [f"{names.of_contest(contest)}, {names.of_unit(unit)}", names.number(ours)]
        for who in contestants:
            value = measured[name].get(who)
            row.append("" if value is None else f"{names.number(value)} ({names.number(value / ours)})")
        rows.append(row)
    return table(["", names.of_contestant(OURS), *map(names.of_contestant, contestants)], rows)


def _memory_table(results: dict, contests: list[str]) -> str:
    measured = results["measured"]
    contestants = _contestants(measured, contests)
    rows = [
        [
            names.of_contest(name.rpartition("/")[0]),
            *(f"{measured[name][who] / 1e6:.0f}" if who in measured[name] else "" for who in (OURS, *contestants)),
        ]
        for name in contests
    ]
    return table(["peak memory, MB", names.of_contestant(OURS), *map(names.of_contestant, contestants)], rows) if rows else ""


def _contestants(measured: dict, contests: list[str]) -> list[str]:
    return list(dict.fromkeys(who for name in contests for who in measured[name] if who != OURS))


STARTS = """## From the start to the first poll

CPU time of the process until it asks the Runtime API for its first event, read from its CPU clock at that moment: SDK clients are
built, nothing is called. The peers are their enrichers.
"""


def starts(results: dict) -> str:
    peers = results["measured"].get("first-poll/cpu-ms", {})
    sizes = _absolutes(results, "binary/")
    rows = [
        [name, f"{names.number(value)} ms", f"{sizes[name]:.2f} MB" if name in sizes else ""]
        for name, value in _absolutes(results, "first-poll/").items()
    ]
    rows += [
        [names.of_contestant(who, "first-poll"), f"{names.number(value)} ms", ""] for who, value in peers.items() if who != OURS
    ]
    starting = STARTS + "\n" + table(["", "CPU time", "binary"], rows) if rows else ""
    return "\n\n".join(part for part in (starting, _first_tls(results)) if part)


FIRST_TLS = """What comes after the start, with the first call of AWS: the CPU time that the clients of our functions take for a request that puts
an object and one that gets it, over TLS. It is on loopback, with a certificate of the measurement's own, and without CPU jitter
([0034](../docs/decisions/0034-entropy.md)).
"""


def _first_tls(results: dict) -> str:
    of = _absolutes(results, "first-tls/")
    titles = {
        "first-connection": "on the first connection of the process",
        "call": "on a connection that is there",
        "second-connection": "on a second connection",
        "megabyte": "with 1 MB each, on a connection that is there",
    }
    rows = [[title, f"{names.number(of[name])} ms"] for name, title in titles.items() if name in of]
    return FIRST_TLS + "\n" + table(["", "CPU time"], rows) if rows else ""


FLOWS = """## Level 3: whole flows

On the local stack (MiniStack, the functions as dev builds): what a change takes from its write to a consumer that waits at a queue,
one item at a time. The rate is the last one at which no backlog grew, raised step by step.
"""


def flows(results: dict) -> str:
    of = _absolutes(results, "write-to-queue/")
    if not of:
        return ""
    rows = [
        [title, *(f"{of[f'{window}/{name}']:,.0f} ms" for name in ("p50", "p99"))]
        for window, title in (("window-1s", "window of 1 s"), ("window-off", "window off"))
    ]
    kept = _kept_up_with(of["kept-up-with"], results["flow"]["backlog"]["boundBy"])
    return FLOWS + "\n" + table(["", "p50", "p99"], rows) + "\n\n" + kept


def _kept_up_with(rate: float, bound_by: str | None) -> str:
    """`bound_by` is nothing where every step kept up."""
    if bound_by is None:
        return f"It keeps up with {rate:,.0f} changes a second; more was not tried."
    if rate == 0:
        return f"It keeps up with no rate that was tried, bound by {bound_by}."
    return f"It keeps up with {rate:,.0f} changes a second, bound by {bound_by}."


def _absolutes(results: dict, prefix: str) -> dict[str, float]:
    of_prefix = (entry for entry in results["absolutes"] if entry["name"].startswith(prefix))
    return {entry["name"].removeprefix(prefix): entry["value"] for entry in of_prefix}
