"""The limits that Tributary's exports meet, and what to turn when one is reached."""

import math

import quotas
from change_limits import IN_FLIGHT
from cpu import Cpu
from events import Assumptions
from export_designs import Run
from limits import Limit
from quotas import Quota


def run_requests(rate: float, a: Assumptions, cpu: Cpu) -> float:
    """PutEvents in the busiest second of a run: as fast as its publishers are, if there is so much to publish."""
    run = Run.at(rate, a, cpu)
    return min(run.publishers / run.resource_seconds, run.resources) / a.entries_per_request


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
    run_requests,
    "`datastores.<name>.publishConcurrency` below what fills PutEvents (see By region), so that the changes keep their part; "
    "or raise the quota",
)

EXPORTS = [
    PUBLISHING,
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
"""Of Tributary's exports."""
