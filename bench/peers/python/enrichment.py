"""Stream records to outcomes, one for each in their order: Powertools' batch utility around a record handler."""

from collections.abc import Mapping
from functools import partial

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from digest import digest
from instants import of_second, rfc3339
from patient import NOTHING_STORED, Collection, resource_after

TIME_TO_LIVE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""Who removes an expired item (Amazon DynamoDB developer guide, "DynamoDB Streams and Time to Live")."""

NAME_BYTES = 254
"""What an item type or a correlation id may hold to go into an event's `meta`."""

PATIENT_ITEM_TYPES = frozenset({"Patient", "Address"})
"""The item types that the Patient is made of. The resources of others are left out: the input has none."""

# Without raise_on_entire_batch_failure=False a batch in which every record is poison would be an error, not an answer.
processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


def enriched(records: list[dict], collections: Mapping[str, Collection]) -> list[dict]:
    """A record that cannot become an event is an outcome, too: it fails no other. (It needs its member `dynamodb`, which every
    record of a stream has: Powertools reports a failed record by the sequence number in it.)"""
    with processor(records=records, handler=partial(outcome, collections=collections)):
        processed = processor.process()
    return [result if status == "success" else rejected(record) for status, result, record in processed]


def rejected(record: DynamoDBRecord) -> dict:
    return {"eventID": record.event_id, "rejected": {"reason": "record-unreadable", "record": record.raw_event}}


def outcome(record: DynamoDBRecord, collections: Mapping[str, Collection]) -> dict:
    """Its items hold what DynamoDB's types become in Python: Decimal and set among them."""
    # Each access to `record.dynamodb` makes a new object, which would decode its images again.
    change, operation = record.dynamodb, record.event_name.name
    key, previous = change.keys, change.old_image
    item = None if operation == "REMOVE" else change.new_image
    if item == {} or (operation != "INSERT" and not previous):
        raise ValueError("an image is missing")
    image = item or previous
    item_type = short_text(image.get("itemType"), "Item")
    event = {
        "meta": {
            "id": digest("change", record.event_source_arn, record.event_id, change.sequence_number),
            "correlationId": short_text(image.get("correlationId"), record.event_id),
            "changeType": f"{item_type}{operation.capitalize()}",
            "itemType": item_type,
            "operation": operation,
            "sequence": change.sequence_number.zfill(40),
            "occurredAt": rfc3339(of_second(change.approximate_creation_date_time)),
            "schemaVersion": "1.0",
        },
        "item": key if item is None else item,
    }
    if record.user_identity.items() >= TIME_TO_LIVE.items():
        event["meta"]["removedBy"] = "ttl"
    if previous:
        event["previous"] = previous
    if item_type in PATIENT_ITEM_TYPES:
        resource = resource_after(key["sk"], item, collections.get(key["id"], NOTHING_STORED))
        if resource is not None:
            event["fhir"] = resource
    return {"eventID": record.event_id, "key": digest("key", key["id"], key["sk"]), "event": event}


def short_text(value: object, otherwise: str) -> str:
    return value if isinstance(value, str) and len(value.encode()) <= NAME_BYTES else otherwise
