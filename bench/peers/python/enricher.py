"""The pipe's enrichment as a Lambda function: what the table holds of each patient, then one outcome a record."""

import os
from concurrent.futures import ThreadPoolExecutor

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

from enrichment import enriched
from patient import PATIENT_PREFIX, Collection
from plain_json import without_sets

CONCURRENT_QUERIES = 16

ITEMS_TABLE_NAME = os.environ["ITEMS_TABLE_NAME"]

logger = Logger()
metrics = Metrics()
deserializer = TypeDeserializer()
# A connection for each query under way: 10 are the default (botocore, "Config").
dynamodb = boto3.client(
    "dynamodb", region_name=os.environ["AWS_REGION"], config=Config(max_pool_connections=CONCURRENT_QUERIES)
)
queries = ThreadPoolExecutor(CONCURRENT_QUERIES)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: list[dict], context: LambdaContext) -> list[dict]:
    patients = sorted({patient for record in event if (patient := patient_to_read(record)) is not None})
    collections = dict(zip(patients, queries.map(read_collection, patients), strict=True))
    outcomes = enriched(event, collections)

    rejected = sum("rejected" in outcome for outcome in outcomes)
    metrics.add_metric("Records", MetricUnit.Count, len(outcomes))
    metrics.add_metric("Enriched", MetricUnit.Count, len(outcomes) - rejected)
    metrics.add_metric("Rejected", MetricUnit.Count, rejected)
    logger.info("batch enriched", records=len(outcomes), enriched=len(outcomes) - rejected, rejected=rejected)
    return without_sets(outcomes)


def patient_to_read(record: dict) -> str | None:
    """The partition key. None of a patient who is gone, and of a record that has no key: its outcome will say so."""
    try:
        key = record["dynamodb"]["Keys"]
        is_gone = record["eventName"] == "REMOVE" and key["sk"]["S"].startswith(PATIENT_PREFIX)
        return None if is_gone else key["id"]["S"]
    except (KeyError, TypeError):
        return None


def read_collection(patient: str) -> Collection:
    """One page, which holds at most 1 MB (Amazon DynamoDB API reference, "Query"). Consistent, so that a change is never
    enriched with a table older than the change itself."""
    page = dynamodb.query(
        TableName=ITEMS_TABLE_NAME,
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": patient}},
        ConsistentRead=True,
    )
    items = [{name: deserializer.deserialize(value) for name, value in item.items()} for item in page["Items"]]
    return Collection({item["sk"]: item for item in items}, "LastEvaluatedKey" in page)
