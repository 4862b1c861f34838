"""Quotas of AWS that events meet: the defaults in us-east-1, and what they are in other regions, as of the day of the prices.

Each names the page that it comes from. "Adjustable" is what an account can ask for in the Service Quotas console or of support.
"""

from typing import NamedTuple


class Quota(NamedTuple):
    value: float
    unit: str
    adjustable: bool
    page: str


EVENTBRIDGE = 'EventBridge user guide, "Amazon EventBridge quotas"'
DYNAMODB = 'DynamoDB developer guide, "Quotas in Amazon DynamoDB"'
STEP_FUNCTIONS = 'Step Functions developer guide, "Service quotas"'

PARTITION_WRITES = Quota(
    1_000, "write units/s of a partition", False, 'DynamoDB developer guide, "Best practices for designing partition keys"'
)
TABLE_WRITES = Quota(40_000, "write units/s of a table", True, DYNAMODB)
TABLE_READS = Quota(40_000, "read units/s of a table", True, DYNAMODB)
PIPE_EXECUTIONS = Quota(3_000, "executions of pipes at once", True, EVENTBRIDGE)
PIPE_SHARD = Quota(
    1,
    "second of work a second, for each batch that a shard may have under way",
    False,
    'EventBridge user guide, "Amazon DynamoDB stream as a source"',
)
PUT_EVENTS = Quota(10_000, "PutEvents requests/s", True, EVENTBRIDGE)
INVOCATIONS = Quota(18_750, "events/s that rules hand to targets", True, EVENTBRIDGE)
LAMBDA_CONCURRENCY = Quota(1_000, "invocations at once", True, 'Lambda developer guide, "Lambda quotas"')
QUEUE_IN_FLIGHT = Quota(120_000, "messages of a queue in flight", True, 'SQS developer guide, "Amazon SQS message quotas"')
KMS_REQUESTS = Quota(100_000, "KMS requests/s, symmetric keys", True, 'KMS developer guide, "Request quotas"')
LOG_REQUESTS = Quota(5_000, "PutLogEvents requests/s", True, 'CloudWatch Logs user guide, "CloudWatch Logs quotas"')
PREFIX_PUTS = Quota(3_500, "PUT/s of a prefix", False, 'S3 user guide, "Optimizing Amazon S3 performance"')
STATE_TRANSITIONS = Quota(5_000, "transitions/s of Standard workflows", True, STEP_FUNCTIONS)
STANDARD_STARTS = Quota(300, "StartExecution/s, Standard", True, STEP_FUNCTIONS)
EXPRESS_STARTS = Quota(6_000, "StartExecution/s, Express", True, STEP_FUNCTIONS)
MAP_ANSWERS = Quota(
    87_000,
    "child workflows of a map, each of which answers `{}`",
    False,
    f"{STEP_FUNCTIONS}: 262,144 bytes of a state's output, three of each answer",
)
FIREHOSE_BYTES = Quota(5 * 1024**2, "bytes/s of Direct PUT to a Firehose stream", True, 'Firehose developer guide, "Quota"')

REGIONS = (
    ("us-east-1, us-west-2, eu-west-1", 10_000, 18_750, 3_000),
    ("us-east-2, eu-central-1, eu-south-2", 2_400, 4_500, 1_000),
    ("us-west-1, ap-northeast-1, ap-southeast-1, ap-southeast-2, eu-west-2", 1_200, 2_250, 1_000),
    ("ap-east-1, ap-northeast-2, ap-south-1, ca-central-1, eu-north-1, eu-west-3, sa-east-1", 600, 1_100, 1_000),
    ("the others", 400, 750, 1_000),
)
"""PutEvents requests/s, invocations/s, and executions of pipes at once, by region; all three adjustable (`EVENTBRIDGE`)."""
