"""The limits that Tributary's exports meet, and what to turn when one is reached."""

import math

import quotas
from change_limits import IN_FLIGHT
from cpu import Cpu
from events import Assumptions
from export_designs import Run
from limits import Limit
from quotas import Quota


def busiest_second(rate: float, a: Assumptions, cpu: Cpu) -> float:
    """Resources of a run in it: as many as its publishers send, if there are so many."""
    run = Run.at(rate, a, cpu)
    return min(run.publishers / run.resource_seconds, run.resources)


def fitting_publishers(put_events: float, invocations: float, a: Assumptions, cpu: Cpu) -> float:
    """How many at once fill the smaller of both quotas, with one rule for each event."""
    return min(put_events * a.entries_per_request, invocations) * Run.at(1, a, cpu).resource_seconds


def publishing_share(rate: float, a: Assumptions, cpu: Cpu) -> float:
    """Seconds that a run publishes, for each second until the next is due: at most as fast as PutEvents lets it."""
    run = Run.at(rate, a, cpu)
    allowed = min(run.publishers / run.resource_seconds, quotas.PUT_EVENTS.value * a.entries_per_request)
    rounds = math.ceil(run.ranges / run.publishers)
    return (run.resources / allowed + rounds * a.range_seconds) / a.schedule_seconds


def run_transitions(rate: float, a: Assumptions, cpu: Cpu) -> float:
    """A second, while a run publishes."""
    run = Run.at(rate, a, cpu)
    return a.range_transitions * run.publishers / run.range_seconds


INTERVAL = Quota(1, "second of publishing a second", False, "the option `datastores.<name>.schedule`")

PUBLISHING = Limit(
    "bus: PutEvents while a run publishes",
    quotas.PUT_EVENTS,
    lambda rate, a, cpu: busiest_second(rate, a, cpu) / a.entries_per_request,
    "raise the quota; or fewer publishers at once, `datastores.<name>.publishConcurrency`",
)
DELIVERING = Limit(
    "bus: invocations while a run publishes",
    quotas.INVOCATIONS,
    lambda rate, a, cpu: min(busiest_second(rate, a, cpu), quotas.PUT_EVENTS.value * a.entries_per_request),
    "raise the quota: one publisher is more than it",
)

IN_A_BURST = [PUBLISHING, DELIVERING]
"""In the busiest second of a run."""

OVER_AN_INTERVAL = [
    Limit(
        "bus: PutEvents",
        quotas.PUT_EVENTS,
        lambda rate, a, cpu: rate / a.entries_per_request,
        "raise the quota",
    ),
    Limit(
        "bus: invocations of targets",
        quotas.INVOCATIONS,
        lambda rate, a, cpu: rate,
        "raise the quota; `datastores.<name>.resourceTypes` for what nobody reads",
    ),
    Limit(
        "run: time to publish, of its interval",
        INTERVAL,
        publishing_share,
        "raise the quota of PutEvents, then `datastores.<name>.publishConcurrency` up to 100",
    ),
    Limit(
        "run: ranges of the map",
        quotas.MAP_ANSWERS,
        lambda rate, a, cpu: Run.at(rate, a, cpu).ranges,
        "`datastores.<name>.rangeBytes` up to 256 MB",
    ),
    Limit(
        "Lambda: concurrency",
        quotas.LAMBDA_CONCURRENCY,
        lambda rate, a, cpu: Run.at(rate, a, cpu).publishers,
        "raise the quota",
    ),
    Limit(
        "Step Functions: transitions",
        quotas.STATE_TRANSITIONS,
        run_transitions,
        "`datastores.<name>.rangeBytes` up to 256 MB",
    ),
    IN_FLIGHT,
]
"""As if a run's resources came evenly until the next one is due."""

EXPORTS = [*IN_A_BURST, *OVER_AN_INTERVAL]
"""Of Tributary's exports."""
