"""What it takes to carry changes and exported resources as events: every assumption, and how records come together in batches."""

import math
from dataclasses import dataclass

import prices as p
from event_prices import BILLED_BYTES
from tributary import VCPU_MB


@dataclass(frozen=True)
class Assumptions:
    # What is carried; the sizes are those of bench/inputs.py, rounded up.
    record_bytes: int = 1_536
    """Of a change as stream JSON, both images."""
    change_event_bytes: int = 1_600
    """Of a change event, with item, previous item and the FHIR resource."""
    resource_bytes: int = 1_024
    """Of an exported resource, a line."""
    resource_event_bytes: int = 1_400
    """Of its event."""
    patients_share: float = 1.0
    """Of changes that need the patient's collection: those of patients and addresses, no two of a batch of the same patient. All
    of them is the dearest case."""
    patient_items_share: float = 0.8
    """Of those, the changes of the patient's own item, which the record brings: its addresses alone are queried. For a change of an
    address the patient is queried, too. A guess."""

    # The table, as in docs/cost-lake.md.
    fewest_shards: int = 4
    """Of a new on-demand table: it takes 4,000 writes a second (DynamoDB developer guide, "On-demand capacity mode"), a partition
    1,000, and each partition has its shard."""
    writes_per_shard: int = 500
    """Half of what a partition takes: an on-demand table keeps room for twice its last peak."""
    polls_per_second: int = 4
    """Of a shard, by a pipe or by Lambda (EventBridge user guide, "Amazon DynamoDB stream as a source")."""

    # The defaults of infra/lib/options.ts and infra/lib/datastore-options.ts, and the memory of the functions.
    batch_size: int = 100
    window_seconds: int = 1
    parallelization_factor: int = 1
    archive_days: int = 14
    schedule_seconds: int = 900
    range_bytes: int = 64 * 1024**2
    publish_concurrency: int = 8
    function_mb: int = 512
    publisher_mb: int = 1_769

    # Constants of the code.
    patients_at_once: int = 16
    """Whose queries are under way at once; two of one patient go out together."""
    entries_per_request: int = 10
    router_requests: int = 8
    """PutEvents requests under way at once, of one batch."""
    publisher_requests: int = 64
    """The same, of one range."""

    # Guessed: they depend on the region, the hour and the size of the answers.
    query_seconds: float = 0.005
    """Until the answer is there. The processor's time to ask and to read it is in what was measured (`cpu.py`)."""
    put_events_seconds: float = 0.015
    """The same, of one request."""
    invoke_seconds: float = 0.010
    """What a pipe and Lambda add around a function; not billed."""
    range_seconds: float = 0.5
    """Of a publisher, for what is not publishing: the lease, the result, the first byte of the file."""
    step_seconds: float = 0.2
    """Of one invocation of coordinator, starter or poller."""
    key_share: float = 0.01
    """How many of the events on the bus, and of the messages to the queues, become a request to KMS. SQS keeps a data key for 5
    minutes (SQS developer guide, "Key management"); how long a bus does is not documented."""
    log_bytes: int = 1_200
    """Of an invocation: the platform's lines, the function's, and its metrics in EMF."""
    consumer_seconds: float = 1.0
    """For which a consumer holds a message."""

    # What a run of an export does, whatever it exports.
    resource_types: int = 5
    """Types that changed, each a file at least."""
    run_transitions: int = 9
    range_transitions: int = 2
    """Of the child workflow of a range."""
    run_invocations: int = 7
    """Two of the coordinator, one of the starter, four of the poller."""
    run_messages: int = 5
    """Each sent, received and deleted."""
    run_writes: int = 12
    """To the table of runs."""

    # By the month.
    change_alarms: int = 25
    export_alarms: int = 18
    """With one datastore."""
    change_metrics: int = 9
    """Of enricher and router; those of rescuer and replayer cost in the hours alone in which they run."""
    export_metrics: int = 21
    queue_pollers: int = 5
    """Lambda polls a queue with five long polls of 20 s, whether there is anything in it or not."""
    change_queues_polled: int = 1
    export_queues_polled: int = 2

    # The other designs, each with what is the best case for it.
    gather_seconds: float = 0.25
    """For which a pipe without a window gathers: from one poll to the next."""
    express_seconds: float = 0.1
    """Of an Express workflow that does nothing but PutEvents: the least that is billed."""
    express_mb: int = 64
    payload_bytes: int = 262_144
    """Of a state's input or output (Step Functions developer guide, "Service quotas")."""
    firehose_flush_seconds: int = 60
    firehose_flush_bytes: int = 64 * 1024**2
    firehose_batch_bytes: int = 1024**2
    """What Firehose hands a transformation (Firehose developer guide, "Understand data transformation")."""

    @property
    def queries_of_patient_change(self) -> float:
        """Of ours: one for the addresses, and one for the patient, where the change did not bring it."""
        return 1 + (1 - self.patient_items_share)


@dataclass(frozen=True)
class Batches:
    """How changes come together on the way from a table's shards."""

    shards: int
    of_shard: float
    """Changes per second."""
    size: float
    per_million: float

    @staticmethod
    def at(rate: float, most: int, gather_seconds: float, a: Assumptions) -> "Batches":
        shards = max(a.fewest_shards, math.ceil(rate / a.writes_per_shard))
        of_shard = rate / shards
        # The window begins with the first record.
        size = min(1 + of_shard * gather_seconds, most)
        return Batches(shards, of_shard, size, 1e6 / size)


def ours(rate: float, a: Assumptions) -> Batches:
    return Batches.at(rate, a.batch_size, max(a.window_seconds, a.gather_seconds), a)


def billed(size: float) -> int:
    """As how many of what it counts a service bills so many bytes."""
    return math.ceil(size / BILLED_BYTES)


def processor_seconds(microseconds: float, mb: int) -> float:
    """How long so much processor time takes in a function that has less than one processor."""
    return microseconds / 1e6 * max(1, VCPU_MB / mb)


def invocation_seconds(rounds: int, wait_seconds: float, processor: float) -> float:
    """Of a function that sends its requests in rounds. While it waits for one round it works on another: whatever takes longer
    counts, except once, when there is no other to work on."""
    if rounds == 0:
        return processor
    of_round = processor / rounds
    return (rounds - 1) * max(of_round, wait_seconds) + of_round + wait_seconds


def enricher_seconds(batch: float, microseconds: float, a: Assumptions) -> float:
    """Of one invocation: a round of queries for each so many patients."""
    rounds = math.ceil(batch * a.patients_share / a.patients_at_once)
    return invocation_seconds(rounds, a.query_seconds, processor_seconds(batch * microseconds, a.function_mb))


def router_seconds(batch: float, microseconds: float, a: Assumptions) -> float:
    rounds = math.ceil(math.ceil(batch / a.entries_per_request) / a.router_requests)
    return invocation_seconds(rounds, a.put_events_seconds, processor_seconds(batch * microseconds, a.function_mb))


def lambda_usd(invocations: float, seconds: float, mb: int) -> float:
    return invocations * (p.LAMBDA_REQUEST.usd + seconds * mb / 1024 * p.LAMBDA_GB_SECOND.usd)


def logs_usd(invocations: float, a: Assumptions) -> float:
    return invocations * a.log_bytes / p.GIB * p.LOGS_GB.usd
