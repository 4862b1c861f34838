"""DynamoDB's time to live: templates may ask for it, and an expiry shows in the stream.

The gap: MiniStack's CloudFormation ignores TimeToLiveSpecification, and its reaper, once a minute, deletes expired items without a
stream record. On AWS an expiry is a REMOVE with the old image and a userIdentity that says who did it.
"""

import contextlib
import os
import threading
import time

from ministack.core import responses
from ministack.services import dynamodb, dynamodb_streams
from ministack.services.cloudformation import provisioners

from .replacing import part, replace, resource_handler

PERIOD_VARIABLE = "LOCAL_STACK_TTL_SECONDS"
MINISTACK_REAPER = "dynamodb-ttl-reaper"
FIVE_YEARS = 5 * 365 * 24 * 60 * 60

expiring = threading.local()


def apply():
    for name in ("_lock", "_tables", "_ttl_settings", "_update_ttl", "_emit_stream_event", "_ttl_reaper"):
        part(dynamodb, name)
    for name in ("_request_account_id", "_request_region"):
        part(responses, name)
    for resource_type in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        handler = resource_handler(provisioners, resource_type)
        handler["create"] = specified_at_creation(handler["create"])
        handler["update"] = specified_at_update(handler["update"])
    replace(dynamodb, "_remove_item", except_by_ministack_reaper(part(dynamodb, "_remove_item")))
    replace(dynamodb, "_build_change_record", naming_the_service(part(dynamodb, "_build_change_record")))
    replace(dynamodb_streams, "_cap_page_bytes", spelt_for_the_streams_api(part(dynamodb_streams, "_cap_page_bytes")))
    period = float(os.environ.get(PERIOD_VARIABLE, "1"))
    threading.Thread(target=reap_for_ever, args=(period,), daemon=True, name="time-to-live").start()


def specified_at_creation(create):
    def specified(logical_id, properties, stack_name):
        name, attributes = create(logical_id, properties, stack_name)
        specify(name, properties)
        return name, attributes

    return specified


def specified_at_update(update):
    def specified(physical_id, old_properties, properties, stack_name, *logical_id):
        name, attributes = update(physical_id, old_properties, properties, stack_name, *logical_id)
        specify(name, properties)
        return name, attributes

    return specified


def specify(table_name, properties):
    """Makes the table's setting what its template says; one that says nothing ends it, and what a deleted table of that name left."""
    specification = properties.get("TimeToLiveSpecification")
    if not specification:
        dynamodb._ttl_settings.pop(table_name, None)
        return
    status, _headers, body = dynamodb._update_ttl({
        "TableName": table_name,
        "TimeToLiveSpecification": {
            "AttributeName": specification.get("AttributeName", ""),
            "Enabled": str(specification.get("Enabled")).lower() == "true",
        },
    })
    if status >= 300:
        raise ValueError(f"TimeToLiveSpecification: {body!r}")


def except_by_ministack_reaper(remove_item):
    """MiniStack's own reaper runs since the import and would delete without a record: what it wants removed stays, for ours."""

    def remove(table, partition_key, sort_key):
        if threading.current_thread().name == MINISTACK_REAPER:
            return None
        return remove_item(table, partition_key, sort_key)

    return remove


def naming_the_service(build_change_record):
    """Stream records made while an item expires say so, in the spelling of the records that Lambda gets."""

    def build(*arguments):
        record = build_change_record(*arguments)
        if getattr(expiring, "now", False):
            record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
        return record

    return build


def spelt_for_the_streams_api(page_of_records):
    """GetRecords spells the members of userIdentity with capitals, in the SDKs' model (dynamodbstreams 2012-08-10, Identity)."""

    def page(records):
        return [spelt(record) for record in page_of_records(records)]

    def spelt(record):
        identity = record.get("userIdentity")
        if not identity:
            return record
        return {**record, "userIdentity": {"Type": identity["type"], "PrincipalId": identity["principalId"]}}

    return page


def reap_for_ever(period):
    while True:
        time.sleep(period)
        try:
            reap(time.time())
        except Exception as error:  # the next round must come whatever this one met
            dynamodb.logger.error("time to live: %s", error)


def reap(now):
    with dynamodb._lock:
        for (account, region, table_name), setting in list(dynamodb._ttl_settings.all_items()):
            table = dynamodb._tables.get_scoped(account, region, table_name)
            if table and setting["TimeToLiveStatus"] == "ENABLED":
                with as_service_in(account, region):
                    expire_items(table_name, table, setting["AttributeName"], now)


@contextlib.contextmanager
def as_service_in(account, region):
    """MiniStack keeps whose request it serves in context variables; the reaper's changes belong to the table's account and region."""
    account_token = responses._request_account_id.set(account)
    region_token = responses._request_region.set(region)
    expiring.now = True
    try:
        yield
    finally:
        expiring.now = False
        responses._request_region.reset(region_token)
        responses._request_account_id.reset(account_token)


def expire_items(table_name, table, attribute, now):
    expired = [
        (partition_key, sort_key)
        for partition_key, items in table["items"].items()
        for sort_key, item in items.items()
        if is_expired(item.get(attribute), now)
    ]
    for partition_key, sort_key in expired:
        item = dynamodb._remove_item(table, partition_key, sort_key)
        dynamodb._emit_stream_event(table_name, "REMOVE", item, None)


def is_expired(value, now):
    """DynamoDB expires by numbers only, and leaves what is over five years past: that is likely no time in seconds."""
    if not value or "N" not in value:
        return False
    return now - FIVE_YEARS < float(value["N"]) <= now
