"""The limits that the other designs meet, with default quotas."""

from collections.abc import Callable
from dataclasses import replace

import change_designs as changes
import cpu as measured
import export_designs as exports
import quotas
from change_limits import (
    BUSY,
    CHANGES,
    CONCURRENCY,
    IN_FLIGHT,
    MATCHES,
    PARTITION,
    PUTS,
    READS,
    WRITES,
    requests_per_event,
    shard_busy,
)
from cpu import Cpu
from events import Assumptions, Batches, enricher_seconds, processor_seconds, router_seconds
from export_limits import IN_A_BURST, OVER_AN_INTERVAL
from limits import Limit
from quotas import Quota


def piped(of_batch: Callable[[float, Assumptions, Cpu], float], size: int) -> list[Limit]:
    """What a pipe of another design meets; `of_batch`: seconds of what comes behind the enricher."""

    def batches(rate: float, a: Assumptions) -> Batches:
        return changes.theirs(rate, size, a)

    def busy(rate: float, a: Assumptions, cpu: Cpu) -> float:
        b = batches(rate, a)
        enricher = enricher_seconds(b.size, cpu.of_event(measured.ENRICHER, b.size, changes.THEIRS), a)
        return shard_busy(b, a.invoke_seconds + enricher + of_batch(b.size, a, cpu), a)

    def puts(rate: float, a: Assumptions, cpu: Cpu) -> float:
        return rate * requests_per_event(batches(rate, a), a)

    def reads(rate: float, a: Assumptions, cpu: Cpu) -> float:
        return rate * a.patients_share

    return [
        PARTITION,
        WRITES,
        MATCHES,
        IN_FLIGHT,
        replace(BUSY, demand=busy),
        replace(PUTS, demand=puts),
        replace(READS, demand=reads),
    ]


def to_the_bus(size: float, a: Assumptions, cpu: Cpu) -> float:
    return a.put_events_seconds


def to_a_function(size: float, a: Assumptions, cpu: Cpu) -> float:
    return a.invoke_seconds + router_seconds(size, cpu.of_event(measured.ROUTER, size, changes.THEIRS), a)


def to_a_workflow(size: float, a: Assumptions, cpu: Cpu) -> float:
    return a.invoke_seconds


def one_each(name: str, quota: Quota) -> Limit:
    return Limit(name, quota, lambda rate, a, cpu: rate, "")


def message_concurrency(rate: float, a: Assumptions, cpu: Cpu) -> float:
    seconds = processor_seconds(cpu.of_event(measured.ROUTER, 1, exports.THEIRS), a.function_mb) + a.put_events_seconds
    return rate * seconds


STARTS = "Step Functions: starts"
TRANSITIONS = "Step Functions: transitions"

OF_CHANGE_DESIGNS = {
    changes.TRIBUTARY: CHANGES,
    changes.PIPE_BY_TEN: piped(to_the_bus, 10),
    changes.PIPE_BY_ONE: piped(to_the_bus, 1),
    changes.FUNCTION: piped(to_a_function, 1),
    changes.EXPRESS: [*piped(to_a_workflow, 1), one_each(STARTS, quotas.EXPRESS_STARTS)],
    changes.STANDARD: [*piped(to_a_workflow, 1), one_each(STARTS, quotas.STANDARD_STARTS)],
    changes.FIREHOSE: [PARTITION, WRITES, replace(READS, demand=lambda rate, a, cpu: rate * a.patients_share)],
}

ONE_ENTRY_REQUESTS = one_each("bus: PutEvents, one event in each", quotas.PUT_EVENTS)

OF_EXPORT_DESIGNS = {
    exports.TRIBUTARY: OVER_AN_INTERVAL,
    exports.EXPRESS: [MATCHES, IN_FLIGHT, ONE_ENTRY_REQUESTS, one_each(STARTS, quotas.EXPRESS_STARTS)],
    exports.MESSAGE: [MATCHES, IN_FLIGHT, ONE_ENTRY_REQUESTS, replace(CONCURRENCY, demand=message_concurrency)],
    exports.STATE: [MATCHES, IN_FLIGHT, ONE_ENTRY_REQUESTS, one_each(TRANSITIONS, quotas.STATE_TRANSITIONS)],
    exports.FIREHOSE: [Limit("Firehose: Direct PUT", quotas.FIREHOSE_BYTES, lambda rate, a, cpu: rate * a.resource_event_bytes, "")],
}
"""As if what is exported came evenly until the next export is due, of every design."""


def in_a_burst(limit: Limit) -> Limit:
    """All that is exported in one second: a map runs 10,000 child workflows at once (Step Functions developer guide, "Using Map
    state in Distributed mode"), and a queue 1,000 functions, each in less than a second. Either is more than PutEvents takes."""
    return replace(limit, demand=lambda rate, a, cpu: limit.demand(rate * a.schedule_seconds, a, cpu))


OF_EXPORT_BURSTS = {
    name: IN_A_BURST if name == exports.TRIBUTARY else [in_a_burst(limit) for limit in limits]
    for name, limits in OF_EXPORT_DESIGNS.items()
}
"""In the busiest second of an export."""
