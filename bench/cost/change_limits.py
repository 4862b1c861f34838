"""The limits that Tributary's changes meet, and what to turn when one is reached."""

import math

import cpu as measured
import quotas
from cpu import Cpu
from events import Assumptions, Batches, enricher_seconds, ours, processor_seconds, router_seconds
from limits import Limit
from tributary import Assumptions as LakeAssumptions
from tributary import Writing


def batch_seconds(size: float, a: Assumptions, cpu: Cpu) -> float:
    """Of one of our batches in the pipe: through both functions, while its shard waits."""
    enricher = enricher_seconds(size, cpu.of_event(measured.ENRICHER, size), a)
    return 2 * a.invoke_seconds + enricher + router_seconds(size, cpu.of_event(measured.ROUTER, size), a)


def shard_busy(b: Batches, seconds: float, a: Assumptions) -> float:
    """Seconds a second that a batch of a shard is under way, by each that may be."""
    return b.of_shard / b.size * seconds / a.parallelization_factor


def requests_per_event(b: Batches, a: Assumptions) -> float:
    return math.ceil(b.size / a.entries_per_request) / b.size


def our_concurrency(rate: float, a: Assumptions, cpu: Cpu) -> float:
    """Of enricher and router, and of the lake writer, which reads the same stream."""
    b = ours(rate, a)
    functions = batch_seconds(b.size, a, cpu) - 2 * a.invoke_seconds
    lake = LakeAssumptions()
    writing = Writing.at(rate, lake)
    writer = processor_seconds(writing.batch * lake.writer_cpu_microseconds, lake.writer_mb) + lake.writer_wait_seconds
    return rate / b.size * functions + rate / writing.batch * writer


def raw_files(rate: float, a: Assumptions, cpu: Cpu) -> float:
    """PUT/s of one prefix of the lake, a type and a day."""
    lake = LakeAssumptions()
    return Writing.at(rate, lake).objects * rate / 1e6 / lake.item_types


# A write is taken as one unit, that of an item of up to 1 KB.
PARTITION = Limit(
    "table: writes to a partition",
    quotas.PARTITION_WRITES,
    lambda rate, a, cpu: ours(rate, a).of_shard,
    "spread the keys: one key takes no more",
)
WRITES = Limit(
    "table: writes",
    quotas.TABLE_WRITES,
    lambda rate, a, cpu: rate,
    "raise the quota; warm the table beforehand, if the rate comes at once",
)
READS = Limit(
    "table: reads of the enrichment",
    quotas.TABLE_READS,
    lambda rate, a, cpu: rate * a.patients_share * a.queries_of_patient_change,
    "raise the quota; `pipe.batchSize` up to 200 and `pipe.batchingWindowSeconds`, where the same patients change again and again: "
    "a batch reads each once",
)
BUSY = Limit(
    "pipe: time of a shard",
    quotas.PIPE_SHARD,
    lambda rate, a, cpu: shard_busy(ours(rate, a), batch_seconds(ours(rate, a).size, a, cpu), a),
    "`pipe.parallelizationFactor` up to 10",
)
EXECUTIONS = Limit(
    "pipe: executions",
    quotas.PIPE_EXECUTIONS,
    lambda rate, a, cpu: ours(rate, a).shards * a.parallelization_factor,
    "raise the quota",
)
CONCURRENCY = Limit(
    "Lambda: concurrency",
    quotas.LAMBDA_CONCURRENCY,
    our_concurrency,
    "raise the quota; `pipe.batchSize` up to 200",
)
PUTS = Limit(
    "bus: PutEvents",
    quotas.PUT_EVENTS,
    lambda rate, a, cpu: rate * requests_per_event(ours(rate, a), a),
    "raise the quota; `pipe.batchingWindowSeconds`, where requests are not full",
)
MATCHES = Limit(
    "bus: invocations of targets",
    quotas.INVOCATIONS,
    lambda rate, a, cpu: rate,
    "raise the quota; `pipe.filterPatterns` for what nobody reads; no second rule for an event that one queue can serve",
)
IN_FLIGHT = Limit(
    "queue: messages in flight",
    quotas.QUEUE_IN_FLIGHT,
    lambda rate, a, cpu: rate * a.consumer_seconds,
    "consumers that hold a message for less long",
)
KEY = Limit(
    "KMS",
    quotas.KMS_REQUESTS,
    lambda rate, a, cpu: rate * 2 * a.key_share,
    "raise the quota",
)
LOGS = Limit(
    "CloudWatch Logs",
    quotas.LOG_REQUESTS,
    lambda rate, a, cpu: 2 * rate / ours(rate, a).size,
    "raise the quota; `pipe.batchSize` up to 200",
)
FILES = Limit(
    "lake: PUT of a prefix",
    quotas.PREFIX_PUTS,
    raw_files,
    "`lake.batchingWindowSeconds` up to 300; fewer `lake.partition.attributes`",
)

CHANGES = [PARTITION, WRITES, READS, BUSY, EXECUTIONS, CONCURRENCY, PUTS, MATCHES, IN_FLIGHT, KEY, LOGS, FILES]
"""Of Tributary's changes."""
