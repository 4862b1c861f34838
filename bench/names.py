"""How the report calls what the results name."""

from contests import OURS, TITLES

_JOBS = {
    "enricher": "enricher, in-process",
    "enricher-function": "enricher, whole function",
    "router-function": "router, whole function",
    "lake-writer": "lake-writer, in-process",
    "publisher": "publisher, in-process",
    "first-poll": "start to first poll",
}


def of_contest(contest: str) -> str:
    job, _, batch = contest.partition("/b")
    return _JOBS[job] + (f", batch of {int(batch):,}" if batch else "")


_OF_STARTS = {"node": "node-powertools", "python": "python-powertools"}
"""Who starts under a shorter name."""


def of_contestant(contestant: str, contest: str = "") -> str:
    return TITLES[_OF_STARTS.get(contestant, contestant) if contest == "first-poll" else contestant]


def of_ratio(name: str) -> tuple[str, str, str]:
    """Contest, the other, and which of ours."""
    contest, _, pair = name.rpartition("/")
    other, _, ours = pair.partition(" over ")
    return contest, other, ours or OURS


def of_pair(contest: str, other: str, ours: str) -> str:
    title = of_contestant(other, contest)
    return title if ours == OURS else f"{title}, beside {TITLES[ours]}"


def of_measured(measured: dict, contest: str) -> tuple[str, dict[str, float]]:
    """The unit and the values of a contest; `peak-bytes` stands beside what was measured."""
    units = {name.removeprefix(f"{contest}/"): values for name, values in measured.items() if name.rpartition("/")[0] == contest}
    return next((unit, values) for unit, values in units.items() if unit.startswith("cpu-"))


def of_unit(unit: str) -> str:
    """cpu-us-per-event is µs of CPU time an event."""
    kind, _, each = unit.removeprefix("cpu-").partition("-per-")
    return {"us": "µs", "ms": "ms"}[kind] + (f"/{each}" if each else "")


def number(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
