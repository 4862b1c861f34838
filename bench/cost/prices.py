"""Prices of AWS that the cost models use: US East (N. Virginia), in USD, without free tiers, discounts and taxes.

Each names the page that it comes from. Those pages are written by scripts, and were read as others quote them; look again
before a decision hangs on a number.
"""

from typing import NamedTuple

REGION = "US East (N. Virginia), us-east-1"
AS_OF = "2026-11-22"


class Price(NamedTuple):
    usd: float
    unit: str
    page: str


GIB = 1024**3

S3_PUT = Price(0.005 / 1e3, "PUT, COPY, POST or LIST request, S3 Standard", "Amazon S3 pricing")
S3_LIST = S3_PUT
S3_GET = Price(0.0004 / 1e3, "GET request, S3 Standard", "Amazon S3 pricing")
S3_STORAGE = Price(0.023, "GB-month, S3 Standard, first 50 TB", "Amazon S3 pricing")

LAMBDA_REQUEST = Price(0.20 / 1e6, "request", "AWS Lambda pricing")
LAMBDA_GB_SECOND = Price(0.0000133334, "GB-second, arm64, first 7.5 billion a month", "AWS Lambda pricing")
LAMBDA_STORAGE_GB_SECOND = Price(0.0000000309, "GB-second of /tmp over 512 MB", "AWS Lambda pricing")

GLUE_REQUEST = Price(1.00 / 1e6, "request to the Data Catalog, after the first million a month", "AWS Glue pricing")
SQS_REQUEST = Price(0.40 / 1e6, "request, standard queue", "Amazon SQS pricing")
KMS_REQUEST = Price(0.03 / 1e4, "request, symmetric key", "AWS KMS pricing")
SCHEDULE = Price(1.00 / 1e6, "invocation by EventBridge Scheduler", "Amazon EventBridge pricing")

LOGS_GB = Price(0.50, "GB of logs taken in", "Amazon CloudWatch pricing")
METRIC_MONTH = Price(0.30, "custom metric and month, first 10,000", "Amazon CloudWatch pricing")
ALARM_MONTH = Price(0.10, "alarm and month, standard resolution", "Amazon CloudWatch pricing")

FIREHOSE_GB = Price(0.029, "GB taken in, first 500 TB, each record rounded up to 5 KB", "Amazon Data Firehose pricing")
FIREHOSE_PARTITIONING_GB = Price(0.02, "GB delivered with dynamic partitioning", "Amazon Data Firehose pricing")
FIREHOSE_PARTITIONING_OBJECT = Price(
    0.005 / 1e3, "object delivered with dynamic partitioning", "Amazon Data Firehose pricing"
)
FIREHOSE_CONVERSION_GB = Price(0.018, "GB converted to Parquet, rounded as taken in", "Amazon Data Firehose pricing")

KINESIS_SHARD_HOUR = Price(0.015, "shard-hour, provisioned", "Amazon Kinesis Data Streams pricing")
KINESIS_PUT_UNIT = Price(0.014 / 1e6, "PUT payload unit of 25 KB, provisioned", "Amazon Kinesis Data Streams pricing")
DYNAMODB_CAPTURE_UNIT = Price(
    0.10 / 1e6, "change data capture unit of 1 KB, for Kinesis Data Streams", "Amazon DynamoDB pricing, on-demand"
)


def all_prices() -> list[Price]:
    return listed(globals())


def listed(module: dict) -> list[Price]:
    """The prices among a module's globals, each once."""
    return list({value: None for value in module.values() if isinstance(value, Price)})
