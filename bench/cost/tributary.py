"""What the lake costs: the writer, the compactor, and what they ask of other services."""

import math
from dataclasses import dataclass

import prices as p

SECONDS_PER_MONTH = 730 * 3600
INVOCATION_BYTES = 6 * 1024**2
"""Of one synchronous invocation (Lambda developer guide, "Lambda quotas")."""

VCPU_MB = 1769
"""The memory at which a function has one whole processor (Lambda developer guide, "Configure Lambda function memory")."""


@dataclass(frozen=True)
class Assumptions:
    # The table.
    record_bytes: int = 1536
    """Of a change as stream JSON, both images."""
    fewest_shards: int = 4
    """A new on-demand table takes 4,000 writes a second (DynamoDB developer guide, "On-demand capacity mode"), a partition
    1,000, and each partition has its shard."""
    writes_per_shard: int = 500
    """Half of what a partition takes: an on-demand table keeps room for twice its last peak."""
    items_per_write_per_second: int = 100_000
    most_items: int = 100_000_000
    """Items in the table: so many for each write per second, and no more than this."""

    # The defaults of infra/lib/lake-options.ts.
    item_types: int = 5
    """Types in use. Partitioned by type and day, a batch touches at most so many partitions."""
    window_seconds: int = 120
    batch_size: int = 10_000
    writer_mb: int = 512
    compactor_mb: int = 1769
    compactor_storage_mb: int = 10_240
    plans_per_day: int = 24
    files_due: int = 1_000
    file_bytes: int = 128 * 1024**2
    merge_files: int = 8
    latest_buckets: int = 8
    kept_days: float = 0.25
    version_days: float = 7
    """For how long the bucket keeps the version of a deleted file."""

    # Measured, and rounded up: of the writer by `cargo xtask bench`, of the compactor by bench/lake-compactor/run.py.
    writer_cpu_microseconds: float = 6.0
    """Of a record, from the event's bytes to compressed lines."""
    compactor_cpu_microseconds: float = 7.0
    """Of a row, each time that it is read, sorted and written as Parquet, to compact/ or to latest/."""
    raw_bytes: int = 250
    """Of a row in a raw file, zstd."""
    parquet_bytes: int = 150
    """Of a row in a compacted file."""

    # Guessed.
    writer_wait_seconds: float = 0.15
    """Of an invocation, for its PUTs, which go out at once, and now and then for Glue."""
    get_seconds: float = 0.03
    gets_at_once: int = 16
    batch_fill: float = 0.9
    """How full Lambda fills a batch that is cut by its size."""
    bucket_key_share: float = 0.01
    """How many requests to S3 become one to KMS, with bucket keys (S3 user guide: "by up to 99 percent")."""
    log_bytes: int = 1_200
    """Of an invocation: the platform's lines, the function's, and its metrics in EMF."""

    # By the month, whatever the rate.
    metrics: int = 30
    """Of the writer 7, of the compactor 17, of the event source mapping 6."""
    alarms: int = 14
    """One of the 13 is over two metrics, and costs as two."""
    queue_pollers: int = 5
    """Lambda polls a queue with five long polls of 20 s, whether there is anything in it or not."""


@dataclass(frozen=True)
class Writing:
    """What one million changes make, at a rate."""

    shards: int
    batch: float
    partitions: float
    invocations: float
    objects: float

    @staticmethod
    def at(rate: float, a: Assumptions) -> "Writing":
        shards = max(a.fewest_shards, math.ceil(rate / a.writes_per_shard))
        of_shard = rate / shards
        by_size = a.batch_fill * INVOCATION_BYTES / a.record_bytes
        # The window begins with the first record.
        batch = min(1 + of_shard * a.window_seconds, a.batch_size, by_size)
        partitions = distinct(a.item_types, batch)
        invocations = 1e6 / batch
        return Writing(shards, batch, partitions, invocations, invocations * partitions)


def distinct(kinds: int, draws: float) -> float:
    """How many kinds are among so many draws, if each is as frequent as the others."""
    return kinds * (1 - (1 - 1 / kinds) ** draws)


def levels(runs: float, merge_files: int) -> float:
    """How often a row is merged until so many runs are one."""
    return math.log(runs, merge_files) if runs > 1 else 0


@dataclass(frozen=True)
class Compacting:
    """What the compaction of one million changes makes, at a rate."""

    runs: float
    """Of the function, for partitions and for the current state."""
    gets: float
    puts: float
    lists: float
    glue_requests: float
    gb_seconds: float
    seconds: float
    latest_rewritten_per_day: float
    """Rows that are written to the current state, again and again."""

    @staticmethod
    def at(rate: float, a: Assumptions) -> "Compacting":
        writing = Writing.at(rate, a)
        changes_per_day = rate * 86_400
        million = changes_per_day / 1e6
        files_per_hour = writing.objects * million / 24 / a.item_types
        bytes_per_hour = changes_per_day / 24 / a.item_types * a.raw_bytes
        # Until a partition of the day is due, seen once an hour, and at the latest after a day.
        hours_due = min(a.files_due / files_per_hour, a.file_bytes / bytes_per_hour, 24)
        hours_between = math.ceil(hours_due * a.plans_per_day / 24) * 24 / a.plans_per_day
        # One more when the day is over and what is left has settled.
        partition_runs = a.item_types * (24 / hours_between + 1)

        # A merge takes what is not much smaller than its largest, so that a row is rewritten as often as the number of runs
        # that were added has digits, and whatever is full or of the current state once more, about
        # (crates/domain/src/lake/merge.rs).
        rows_of_run = changes_per_day / partition_runs
        items = min(rate * a.items_per_write_per_second, a.most_items)
        latest_rewrites = 1 + levels(items / rows_of_run, a.merge_files)
        compact_rewrites = levels(a.file_bytes / (rows_of_run * a.parquet_bytes), a.merge_files)
        merges = partition_runs / (a.merge_files - 1)
        compact_files = changes_per_day * (1 + compact_rewrites) * a.parquet_bytes / a.file_bytes + partition_runs
        latest_files = changes_per_day * (1 + latest_rewrites) * a.parquet_bytes / a.file_bytes
        latest_files += partition_runs * a.latest_buckets
        latest_merges = merges * a.latest_buckets

        raw_objects = writing.objects * million
        commits = partition_runs + merges + latest_merges
        # Each plan reads the commits of the current state, each run those of its folder.
        commits_read = a.plans_per_day * latest_merges + partition_runs * (partition_runs + merges) / a.item_types
        gets = raw_objects + compact_files + latest_files + commits_read * a.kept_days
        puts = compact_files + latest_files + commits
        raw_there = raw_objects * (a.kept_days + hours_between / 24)
        lists = a.plans_per_day * (raw_there / 1000 + 4 + 2 * a.latest_buckets)
        lists += partition_runs * (raw_there / a.item_types / 1000 + 3) + latest_merges * 2
        runs = partition_runs + latest_merges
        rows = changes_per_day * (2 + compact_rewrites + latest_rewrites)
        seconds = rows * a.compactor_cpu_microseconds / 1e6 + gets * a.get_seconds / a.gets_at_once + runs * 0.5
        return Compacting(
            runs=runs / million,
            gets=gets / million,
            puts=puts / million,
            lists=lists / million,
            glue_requests=partition_runs / million,
            gb_seconds=seconds * a.compactor_mb / 1024 / million,
            seconds=seconds / million,
            latest_rewritten_per_day=changes_per_day * (1 + latest_rewrites),
        )


def usage(rate: float, a: Assumptions) -> dict[str, float]:
    """USD per million changes, by what they pay for."""
    w, c = Writing.at(rate, a), Compacting.at(rate, a)
    cpu = w.batch * a.writer_cpu_microseconds / 1e6 * max(1, VCPU_MB / a.writer_mb)
    writer_gb_seconds = w.invocations * (cpu + a.writer_wait_seconds) * a.writer_mb / 1024
    storage_gb_seconds = c.seconds * (a.compactor_storage_mb - 512) / 1024
    s3_requests = w.objects + c.gets + c.puts
    return {
        "writer: Lambda requests": w.invocations * p.LAMBDA_REQUEST.usd,
        "writer: Lambda duration": writer_gb_seconds * p.LAMBDA_GB_SECOND.usd,
        "writer: PUT of raw files": w.objects * p.S3_PUT.usd,
        "writer: Glue": a.item_types * w.shards / (rate * 86_400 / 1e6) * p.GLUE_REQUEST.usd,
        "compactor: GET": c.gets * p.S3_GET.usd,
        "compactor: PUT": c.puts * p.S3_PUT.usd,
        "compactor: LIST": c.lists * p.S3_LIST.usd,
        "compactor: Lambda": c.runs * p.LAMBDA_REQUEST.usd
        + c.gb_seconds * p.LAMBDA_GB_SECOND.usd
        + storage_gb_seconds * p.LAMBDA_STORAGE_GB_SECOND.usd,
        "compactor: Glue, SQS": c.glue_requests * p.GLUE_REQUEST.usd + c.runs * 3 * p.SQS_REQUEST.usd,
        "KMS, with bucket keys": s3_requests * a.bucket_key_share * p.KMS_REQUEST.usd,
        "logs": (w.invocations + c.runs) * a.log_bytes / p.GIB * p.LOGS_GB.usd,
    }


def per_million(rate: float, a: Assumptions) -> float:
    return sum(usage(rate, a).values())


def fixed_per_month(a: Assumptions) -> dict[str, float]:
    plans = a.plans_per_day * 730 / 24
    return {
        "custom metrics": a.metrics * p.METRIC_MONTH.usd,
        "alarms": a.alarms * p.ALARM_MONTH.usd,
        "polling of the queue": a.queue_pollers * SECONDS_PER_MONTH / 20 * p.SQS_REQUEST.usd,
        "plans": plans * (p.SCHEDULE.usd + p.LAMBDA_REQUEST.usd + 2 * a.compactor_mb / 1024 * p.LAMBDA_GB_SECOND.usd),
    }


@dataclass(frozen=True)
class Storage:
    """GB-months, in USD."""

    raw: float
    """Of a million changes, once: until they are compacted, replaced and forgotten as versions."""
    compact: float
    """Of a million changes, for each month that they are kept."""
    latest_month: float
    """Of the current state with the versions that its merges leave, by the month."""

    @staticmethod
    def at(rate: float, a: Assumptions) -> "Storage":
        c = Compacting.at(rate, a)
        items = min(rate * a.items_per_write_per_second, a.most_items)
        state = items * a.parquet_bytes / p.GIB
        replaced = c.latest_rewritten_per_day * (a.kept_days + a.version_days) * a.parquet_bytes / p.GIB
        return Storage(
            raw=1e6 * a.raw_bytes / p.GIB * (a.kept_days + a.version_days + 1) / 30 * p.S3_STORAGE.usd,
            compact=1e6 * a.parquet_bytes / p.GIB * p.S3_STORAGE.usd,
            latest_month=(state + replaced) * p.S3_STORAGE.usd,
        )
