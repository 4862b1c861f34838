"""What Amazon Data Firehose with dynamic partitioning costs for the same changes, in the ways in which they can come to it.

Where something is not known, it is left out, in Firehose's favour: the JQ processing hours, the functions between the table
and Firehose beyond what our writer takes, more than one object per partition and flush. It neither drops repeats nor keeps
the current state, and merges no small files.
"""

import math

import prices as p
from tributary import Assumptions, Writing, distinct

ROUNDED_BYTES = 5 * 1024
"""What each record is rounded up to ("Amazon Data Firehose pricing": "in 5 KB increments")."""

BUFFER_BYTES = 64 * 1024**2
"""The smallest buffer with dynamic partitioning (Firehose developer guide, "Enable dynamic partitioning")."""


def delivery(rate: float, a: Assumptions) -> dict[str, float]:
    """From Firehose on: what is delivered, and the objects, at the writer's window. The buffer is one per partition."""
    flush = min(1 + rate * a.window_seconds, BUFFER_BYTES * a.item_types / a.record_bytes)
    objects = 1e6 / flush * distinct(a.item_types, flush)
    return {
        "Firehose: dynamic partitioning, per GB": 1e6 * a.record_bytes / p.GIB * p.FIREHOSE_PARTITIONING_GB.usd,
        "Firehose: dynamic partitioning, per object": objects * p.FIREHOSE_PARTITIONING_OBJECT.usd,
        "PUT of the objects": objects * p.S3_PUT.usd,
    }


def intake(billed_bytes: float) -> dict[str, float]:
    return {"Firehose: taken in": 1e6 * billed_bytes / p.GIB * p.FIREHOSE_GB.usd}


def rounded(record_bytes: float) -> float:
    return math.ceil(record_bytes / ROUNDED_BYTES) * ROUNDED_BYTES


def capture(rate: float, record_bytes: float) -> dict[str, float]:
    """The table → Kinesis Data Streams for DynamoDB; provisioned shards, which is the cheaper mode here."""
    shards = max(math.ceil(rate * record_bytes / (0.7 * 1024**2)), math.ceil(rate / 700))
    return {
        "DynamoDB: change data capture": 1e6 * p.DYNAMODB_CAPTURE_UNIT.usd,
        "Kinesis: shards": shards * p.KINESIS_SHARD_HOUR.usd / 3600 / rate * 1e6,
        "Kinesis: PUT units": 1e6 * p.KINESIS_PUT_UNIT.usd,
    }


def through_kinesis(rate: float, a: Assumptions) -> dict[str, float]:
    """The table → Kinesis Data Streams for DynamoDB → Firehose."""
    return {**capture(rate, a.record_bytes), **intake(rounded(a.record_bytes)), **delivery(rate, a)}


def through_lambda(rate: float, a: Assumptions) -> dict[str, float]:
    """The table's stream → a function → PutRecordBatch, a record for each change."""
    return {**function(rate, a), **intake(rounded(a.record_bytes)), **delivery(rate, a)}


def through_lambda_aggregated(rate: float, a: Assumptions) -> dict[str, float]:
    """The same with many changes in one record, taken apart again by Firehose, so that nothing is rounded up."""
    return {**function(rate, a), **intake(a.record_bytes), **delivery(rate, a)}


def parquet(a: Assumptions) -> float:
    """What the conversion to Parquet adds, at the least."""
    return 1e6 * a.record_bytes / p.GIB * p.FIREHOSE_CONVERSION_GB.usd


def function(rate: float, a: Assumptions) -> dict[str, float]:
    writing = Writing.at(rate, a)
    seconds = writing.invocations * a.writer_wait_seconds
    return {
        "a function between": writing.invocations * p.LAMBDA_REQUEST.usd
        + seconds * a.writer_mb / 1024 * p.LAMBDA_GB_SECOND.usd
    }
