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
from patient import ADDRESS_PREFIX, PATIENT_PREFIX, Collection
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
    patients = patients_to_read(event)
    collections = dict(zip(patients, queries.map(read_collection, patients, patients.values()), strict=True))
    outcomes = enriched(event, collections)

    rejected = sum("rejected" in outcome for outcome in outcomes)
    metrics.add_metric("Records", MetricUnit.Count, len(outcomes))
    metrics.add_metric("Enriched", MetricUnit.Count, len(outcomes) - rejected)
    metrics.add_metric("Rejected", MetricUnit.Count, rejected)
    logger.info("batch enriched", records=len(outcomes), enriched=len(outcomes) - rejected, rejected=rejected)
    return without_sets(outcomes)


def patients_to_read(records: list[dict]) -> dict[str, bool]:
    """The partition keys, and of each whether the whole collection is needed: a change of the patient itself brings the
    patient, so that only the addresses have to be read. None of a patient who is gone, and of a record that has no key: its
    outcome will say so."""
    patients = {}
    for record in records:
        try:
            key, operation = record["dynamodb"]["Keys"], record["eventName"]
            patient, is_patient = key["id"]["S"], key["sk"]["S"].startswith(PATIENT_PREFIX)
        except (KeyError, TypeError):
            continue
        if not (is_patient and operation == "REMOVE"):
            patients[patient] = patients.get(patient, False) or not is_patient
    return patients


def read_collection(patient: str, is_whole: bool) -> Collection:
    """One page, which holds at most 1 MB (Amazon DynamoDB API reference, "Query"). Consistent, so that a change is never
    enriched with a table older than the change itself."""
    condition, values = "id = :id", {":id": {"S": patient}}
    if not is_whole:
        condition += " AND begins_with(sk, :prefix)"
        values[":prefix"] = {"S": ADDRESS_PREFIX}
    page = dynamodb.query(
        TableName=ITEMS_TABLE_NAME,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        ConsistentRead=True,
    )
    items = [{name: deserializer.deserialize(value) for name, value in item.items()} for item in page["Items"]]
    return Collection({item["sk"]: item for item in items}, "LastEvaluatedKey" in page)
