"""USD per million changes, from a table's stream to a queue: Tributary, and the designs that a user would pick instead.

The others are taken well: written in Go, one query for a change, the window that ours has, no archive, no key of their own, no
retries. Firehose takes each change as a record of its own, as Kinesis hands it on; `lake.py` has the ways that gather them.
"""

import cpu as measured
import event_prices as e
import firehose
import prices as p
from cpu import Cpu
from events import Assumptions, Batches, billed, enricher_seconds, lambda_usd, logs_usd, ours, processor_seconds, router_seconds

THEIRS = "go"


def tributary(rate: float, a: Assumptions, cpu: Cpu, runtime: str = measured.OURS) -> dict[str, float]:
    """Pipe → enricher → router → bus with archive → rule → queue; `runtime` is what both functions are written in."""
    b = ours(rate, a)
    enricher = enricher_seconds(b.size, cpu.of_event(measured.ENRICHER, b.size, runtime), a)
    router = router_seconds(b.size, cpu.of_event(measured.ROUTER, b.size, runtime), a)
    return {
        **pipe(rate, b, a),
        "enricher: Lambda": lambda_usd(b.per_million, enricher, a.function_mb),
        "enricher: Query": queries(a.queries_of_patient_change, a),
        "router: Lambda": lambda_usd(b.per_million, router, a.function_mb),
        **bus(a.change_event_bytes),
        "archive": archive(a.change_event_bytes, a),
        "KMS": 2e6 * a.key_share * p.KMS_REQUEST.usd,
        "logs": logs_usd(2 * b.per_million, a),
    }


def pipe_to_bus(rate: float, a: Assumptions, cpu: Cpu, batch_size: int) -> dict[str, float]:
    """Pipe → enricher → bus: the pipe itself puts the events, ten at a time at most."""
    b = theirs(rate, batch_size, a)
    return {**pipe(rate, b, a), **enriched(b, a, cpu), **bus(a.change_event_bytes)}


def function_for_each(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """Pipe, one change at a time → enricher → a function that puts one event."""
    b = theirs(rate, 1, a)
    seconds = processor_seconds(cpu.of_event(measured.ROUTER, 1, THEIRS), a.function_mb) + a.put_events_seconds
    sender = {"sender: Lambda": lambda_usd(1e6, seconds, a.function_mb), "sender: logs": logs_usd(1e6, a)}
    return {**pipe(rate, b, a), **enriched(b, a, cpu), **sender, **bus(a.change_event_bytes)}


def standard_workflow(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """Pipe, one change at a time → enricher → a Standard workflow whose only state is PutEvents."""
    b = theirs(rate, 1, a)
    workflow = {"Step Functions: transitions": 1e6 * e.STATE_TRANSITION.usd}
    return {**pipe(rate, b, a), **enriched(b, a, cpu), **workflow, **bus(a.change_event_bytes)}


def express_workflow(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """The same with an Express workflow."""
    b = theirs(rate, 1, a)
    return {**pipe(rate, b, a), **enriched(b, a, cpu), **express(a), **bus(a.change_event_bytes)}


def through_firehose(rate: float, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """Table → Kinesis Data Streams → Firehose, which has the enricher transform → files. Nothing is told of a change."""
    batch = a.firehose_batch_bytes / a.record_bytes
    files = 1e6 / min(1 + rate * a.firehose_flush_seconds, a.firehose_flush_bytes / a.change_event_bytes)
    return {
        **firehose.capture(rate, a.record_bytes),
        **firehose.intake(firehose.rounded(a.record_bytes)),
        **enriched(Batches(1, rate, batch, 1e6 / batch), a, cpu),
        "PUT of the files": files * p.S3_PUT.usd,
    }


def theirs(rate: float, most: int, a: Assumptions) -> Batches:
    """With the window of ours where a batch holds more than one."""
    return Batches.at(rate, most, a.gather_seconds if most == 1 else max(a.window_seconds, a.gather_seconds), a)


def pipe(rate: float, b: Batches, a: Assumptions) -> dict[str, float]:
    """That reading the stream is free is said of Lambda and of global tables, and not of pipes: so it is counted."""
    return {
        "stream: GetRecords": b.shards * a.polls_per_second / rate * 1e6 * e.STREAM_READ.usd,
        "pipe": b.per_million * billed(b.size * a.record_bytes) * e.PIPE_REQUEST.usd,
    }


def enriched(b: Batches, a: Assumptions, cpu: Cpu) -> dict[str, float]:
    """The other designs' enricher."""
    seconds = enricher_seconds(b.size, cpu.of_event(measured.ENRICHER, b.size, THEIRS), a)
    return {
        "enricher: Lambda": lambda_usd(b.per_million, seconds, a.function_mb),
        "enricher: Query": queries(1, a),
        "enricher: logs": logs_usd(b.per_million, a),
    }


def queries(for_each: float, a: Assumptions) -> float:
    """Each reads up to 4 KB."""
    return 1e6 * a.patients_share * for_each * e.DYNAMODB_READ_UNIT.usd


def bus(event_bytes: int) -> dict[str, float]:
    """One rule for each event, and one queue behind it."""
    chunks = 1e6 * billed(event_bytes)
    return {"bus": chunks * e.EVENT.usd, "queue": chunks * p.SQS_REQUEST.usd}


def archive(event_bytes: int, a: Assumptions) -> float:
    return 1e6 * event_bytes / p.GIB * (e.ARCHIVE_GB.usd + a.archive_days / 30 * e.ARCHIVE_STORAGE.usd)


def express(a: Assumptions) -> dict[str, float]:
    seconds = 1e6 * a.express_seconds * a.express_mb / 1024
    return {
        "Step Functions: requests": 1e6 * e.EXPRESS_REQUEST.usd,
        "Step Functions: duration": seconds * e.EXPRESS_GB_SECOND.usd,
    }


TRIBUTARY = "Tributary"
PIPE_BY_ONE = "pipe to the bus, one at a time"
PIPE_BY_TEN = "pipe to the bus, by ten"
FUNCTION = "a function for each change"
STANDARD = "a Standard workflow for each change"
EXPRESS = "an Express workflow for each change"
FIREHOSE = "Firehose, to files: no events"

DESIGNS = {
    TRIBUTARY: tributary,
    PIPE_BY_TEN: lambda rate, a, cpu: pipe_to_bus(rate, a, cpu, 10),
    PIPE_BY_ONE: lambda rate, a, cpu: pipe_to_bus(rate, a, cpu, 1),
    FUNCTION: function_for_each,
    EXPRESS: express_workflow,
    STANDARD: standard_workflow,
    FIREHOSE: through_firehose,
}
"""By the name that the page has for each."""


def per_million(design: str, rate: float, a: Assumptions, cpu: Cpu) -> float:
    return sum(DESIGNS[design](rate, a, cpu).values())
