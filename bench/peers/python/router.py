"""The pipe's target as a Lambda function: the events of the enrichment's outcomes, put on the bus.

It answers which records were not handed on (EventBridge user guide, "Amazon EventBridge Pipes batching and concurrency").
A rejected record is one of these here: the input has none.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from plain_json import encode

REQUEST_ENTRIES = 10
"""Amazon EventBridge API reference, "PutEvents"."""

CONCURRENT_REQUESTS = 8
DELAYS_SECONDS = (0.05, 0.1, 0.2, 0.4)
"""Between the attempts at what a request left over."""

EVENT_BUS_NAME = os.environ["EVENT_BUS_NAME"]

logger = Logger()
metrics = Metrics()
events = boto3.client(
    "events", region_name=os.environ["AWS_REGION"], config=Config(max_pool_connections=CONCURRENT_REQUESTS)
)
requests = ThreadPoolExecutor(CONCURRENT_REQUESTS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: list[dict], context: LambdaContext) -> dict:
    rejected = [outcome for outcome in event if "event" not in outcome]
    changes = [outcome for outcome in event if "event" in outcome]
    failed = [outcome["eventID"] for outcome in rejected + route(changes)]

    metrics.add_metric("Routed", MetricUnit.Count, len(event) - len(failed))
    metrics.add_metric("Failed", MetricUnit.Count, len(failed))
    logger.info("batch routed", routed=len(event) - len(failed), failed=len(failed))
    return {"batchItemFailures": [{"itemIdentifier": event_id} for event_id in failed]}


def route(changes: list[dict]) -> list[dict]:
    """What the bus did not take. The changes of a key go out in their order: the second ones when the first ones are there,
    and none behind one that failed."""
    lines = {}
    for change in changes:
        lines.setdefault(change["key"], []).append(change)
    failed, blocked = [], set()
    for wave in zip_longest(*lines.values()):
        wave = [change for change in wave if change is not None]
        ready = [change for change in wave if change["key"] not in blocked]
        refused = put(ready)
        failed += [change for change in wave if change["key"] in blocked] + refused
        blocked.update(change["key"] for change in refused)
    return failed


def put(changes: list[dict]) -> list[dict]:
    """What the bus did not take in several attempts."""
    for delay in DELAYS_SECONDS:
        changes = put_once(changes)
        if not changes:
            return []
        time.sleep(delay)
    return put_once(changes)


def put_once(changes: list[dict]) -> list[dict]:
    batches = [changes[start : start + REQUEST_ENTRIES] for start in range(0, len(changes), REQUEST_ENTRIES)]
    return [change for refused in requests.map(put_batch, batches) for change in refused]


def put_batch(changes: list[dict]) -> list[dict]:
    """The entries that failed: an answer of 200 may report some (Amazon EventBridge API reference, "PutEvents")."""
    try:
        answer = events.put_events(Entries=[entry(change["event"]) for change in changes])
    except (BotoCoreError, ClientError):
        logger.exception("PutEvents failed")
        return changes
    return [change for change, result in zip(changes, answer["Entries"], strict=True) if "ErrorCode" in result]


def entry(event: dict) -> dict:
    return {
        "Source": "tributary.items",
        "DetailType": f"{event['meta']['itemType']}Change",
        "EventBusName": EVENT_BUS_NAME,
        "Detail": encode(event),
    }
