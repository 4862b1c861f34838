"""Prices of AWS that carrying events adds to those of `prices.py`: the same region, the same day, and read in the same way."""

from prices import Price, listed

BILLED_BYTES = 64 * 1024
"""EventBridge, its pipes and SQS bill each 64 KB that were begun as one of what they count; what a pipe counts is batches
("Amazon EventBridge pricing", "Amazon SQS pricing")."""

EVENT = Price(
    1.00 / 1e6, "custom event of up to 64 KB put on a bus; delivery within the account is free", "Amazon EventBridge pricing"
)
PIPE_REQUEST = Price(0.40 / 1e6, "request of up to 64 KB into a pipe, after its filter", "Amazon EventBridge pricing")
ARCHIVE_GB = Price(0.10, "GB of events put into an archive", "Amazon EventBridge pricing")
ARCHIVE_STORAGE = Price(0.023, "GB-month of an archive", "Amazon EventBridge pricing")

STATE_TRANSITION = Price(0.025 / 1e3, "state transition, Standard workflow", "AWS Step Functions pricing")
EXPRESS_REQUEST = Price(1.00 / 1e6, "request, Express workflow", "AWS Step Functions pricing")
EXPRESS_GB_SECOND = Price(
    0.00001667, "GB-second, Express workflow, first 1,000 GB-hours; by 64 MB and 100 ms", "AWS Step Functions pricing"
)

DYNAMODB_READ_UNIT = Price(0.125 / 1e6, "read request unit: 4 KB, read consistently", "Amazon DynamoDB pricing, on-demand")
DYNAMODB_WRITE_UNIT = Price(0.625 / 1e6, "write request unit: 1 KB", "Amazon DynamoDB pricing, on-demand")
STREAM_READ = Price(
    0.02 / 1e5, "GetRecords on a stream; free for Lambda and global tables alone", "Amazon DynamoDB pricing, on-demand"
)

KEY_MONTH = Price(1.00, "customer-managed key and month", "AWS KMS pricing")


def all_prices() -> list[Price]:
    return listed(globals())
