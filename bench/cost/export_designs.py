"""USD per million resources that HealthLake exported, from its files to a queue: Tributary, and what a user would pick instead.

HealthLake's own charge is the same for all and not in it. The others are taken well: their files fit into what a state can
hand on, and what a run costs beyond its resources is left out.
"""

import math
from dataclasses import dataclass

import cpu as measured
import event_prices as e
import firehose
import prices as p
from change_designs import archive, bus, express
from cpu import Cpu
from events import Assumptions, billed, lambda_usd, logs_usd, processor_seconds

THEIRS = "go"


@dataclass(frozen=True)
class Run:
    """A run of Tributary's export, at the rate at which resources change."""

    resources: float
    ranges: int
    publishers: int
    """At work at once."""
    resource_seconds: float
    """Of one publisher, for each resource: whatever takes longer, the processor or the requests under way."""
    range_seconds: float

    @staticmethod
    def at(rate: float, a: Assumptions, cpu: Cpu, runtime: str = measured.OURS) -> "Run":
        resources = rate * a.schedule_seconds
        ranges = max(a.resource_types, math.ceil(resources * a.resource_bytes / a.range_bytes))
        microseconds = cpu.of_resource(runtime) + cpu.sending
        answered = a.put_events_seconds / (a.publisher_requests * a.entries_per_request)
        each = max(processor_seconds(microseconds, a.publisher_mb), answered)
        publishers = min(ranges, a.publish_concurrency)
        return Run(resources, ranges, publishers, each, resources / ranges * each + a.range_seconds)


def tributary(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """Schedule → state machine → HealthLake → Distributed Map over ranges → publisher → bus with archive → rule → queue."""
    run = Run.at(rate, a, cpu)
    million = run.resources / 1e6
    invocations = a.run_invocations + run.ranges
    # HealthLake's files, the manifest, and a result for each range, which is looked for, written and added up.
    puts = a.resource_types + 1 + run.ranges
    gets = 1 + 3 * run.ranges
    requests = a.run_messages * 3 * p.SQS_REQUEST.usd + puts * p.S3_PUT.usd + gets * p.S3_GET.usd
    steps = lambda_usd(a.run_invocations, a.step_seconds, a.function_mb)
    transitions = a.run_transitions + a.range_transitions * run.ranges
    return {
        "publisher: Lambda": lambda_usd(run.ranges, run.range_seconds, a.publisher_mb) / million,
        "run: Step Functions": transitions * e.STATE_TRANSITION.usd / million,
        "run: other functions": steps / million,
        "run: SQS, S3, DynamoDB": (requests + a.run_writes * e.DYNAMODB_WRITE_UNIT.usd) / million,
        **bus(a.resource_event_bytes),
        "archive": archive(a.resource_event_bytes, a),
        "KMS": 2e6 * a.key_share * p.KMS_REQUEST.usd,
        "logs": logs_usd(invocations, a) / million,
    }


def published(costs: dict[str, float]) -> float:
    """What getting the events to the bus costs, without what comes behind it and without the run."""
    return sum(costs[name] for name in ("publisher: Lambda", "bus"))


def state_for_each(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """A Distributed Map over files, a function that answers with a file's resources, and a PutEvents state for each."""
    of_file = a.payload_bytes // a.resource_event_bytes
    files = 1e6 / of_file
    seconds = processor_seconds(of_file * cpu.of_resource(THEIRS), a.function_mb) + a.step_seconds
    return {
        "reader: Lambda": lambda_usd(files, seconds, a.function_mb),
        "reader: GET": files * p.S3_GET.usd,
        "reader: logs": logs_usd(files, a),
        # The function and the inner map; the map's own iterations are no transitions.
        "Step Functions: files": 2 * files * e.STATE_TRANSITION.usd,
        "Step Functions: a state for each resource": 1e6 * e.STATE_TRANSITION.usd,
        **bus(a.resource_event_bytes),
    }


def express_for_each(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """A Distributed Map over resources, with an Express workflow for each that does nothing but PutEvents."""
    return {**express(a), **bus(a.resource_event_bytes)}


def message_for_each(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """A function sends each resource to a queue, by ten; behind it, a function puts one event for each message. What the first
    function costs is left out."""
    sends = 1e6 / 10 * billed(10 * a.resource_bytes)
    seconds = processor_seconds(cpu.of_event(measured.ROUTER, 1, THEIRS), a.function_mb) + a.put_events_seconds
    return {
        # Each is received and deleted alone: Lambda deletes what an invocation was given.
        "first queue": (sends + 2e6) * p.SQS_REQUEST.usd,
        "sender: Lambda": lambda_usd(1e6, seconds, a.function_mb),
        "sender: logs": logs_usd(1e6, a),
        **bus(a.resource_event_bytes),
    }


def through_firehose(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """A function puts each resource into Firehose, which writes files. Nothing is told of a resource."""
    microseconds = cpu.of_resource(THEIRS) + cpu.sending
    seconds = processor_seconds(1e6 * microseconds, a.publisher_mb)
    resources = a.firehose_flush_bytes / a.resource_event_bytes
    return {
        "sender: Lambda": lambda_usd(a.resource_types, seconds / a.resource_types, a.publisher_mb),
        **firehose.intake(firehose.rounded(a.resource_event_bytes)),
        "PUT of the files": 1e6 / min(1 + rate * a.schedule_seconds, resources) * p.S3_PUT.usd,
    }


TRIBUTARY = "Tributary"
MESSAGE = "a message and a function for each resource"
EXPRESS = "an Express workflow for each resource"
STATE = "a Standard state for each resource"
FIREHOSE = "Firehose, to files: no events"

DESIGNS = {
    TRIBUTARY: tributary,
    EXPRESS: express_for_each,
    MESSAGE: message_for_each,
    STATE: state_for_each,
    FIREHOSE: through_firehose,
}


def per_million(design: str, rate: float, a: Assumptions, cpu: Cpu) -> float:
    return sum(DESIGNS[design](rate, a, cpu).values())
