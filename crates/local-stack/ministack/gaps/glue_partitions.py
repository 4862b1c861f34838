"""BatchCreatePartition refuses what AWS refuses.

The gap: MiniStack registers any number of partitions, with any number of values, of tables that do not exist.
"""

from ministack.core import responses
from ministack.services import glue

from .replacing import part, replace

# AWS Glue API reference, BatchCreatePartition.
MOST = 100


def apply():
    part(responses, "error_response_json")
    part(glue, "_tables")
    replace(glue, "_batch_create_partition", checked(part(glue, "_batch_create_partition")))


def checked(batch_create):
    def create(request):
        problem = problem_of(request)
        return responses.error_response_json(*problem, 400) if problem else batch_create(request)

    return create


def problem_of(request):
    """Error code and message."""
    partitions = request.get("PartitionInputList", [])
    table = glue._tables.get(f"{request.get('DatabaseName')}/{request.get('TableName')}")
    if len(partitions) > MOST:
        return "InvalidInputException", f"partitionInputList has {len(partitions)} members; there may be {MOST}."
    if table is None:
        return "EntityNotFoundException", f"Table {request.get('TableName')} not found."
    keys = len(table.get("PartitionKeys") or [])
    if any(len(partition.get("Values", [])) != keys for partition in partitions):
        return "InvalidInputException", "The number of partition keys do not match the number of partition values."
    return None
