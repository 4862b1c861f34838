"""What goes into a state, and what comes out of it, has at most 256 KiB.

The gap: MiniStack carries data of any size. On AWS a state whose arguments, result or output are larger fails with
States.DataLimitExceeded (Step Functions developer guide, "Service quotas" and "Handling errors"), and a request that brings more is
refused.
"""

from ministack.core import responses
from ministack.services import stepfunctions

from .. import exact_json
from ..replacing import part, replace

LIMIT_BYTES = 262_144

# API reference: the maximum lengths of these members of a request, in bytes of UTF-8.
REQUEST_LIMITS = {
    "_start_execution": {"input": LIMIT_BYTES},
    "_send_task_success": {"output": LIMIT_BYTES},
    "_send_task_failure": {"error": 256, "cause": 32_768},
}


def apply():
    part(responses, "error_response_json")
    part(stepfunctions, "_ExecutionError")
    for operation, limits in REQUEST_LIMITS.items():
        replace(stepfunctions, operation, limited(part(stepfunctions, operation), limits))


def limited(operation, limits):
    def within_limits(request):
        for member, limit in limits.items():
            if len((request.get(member) or "").encode("utf-8")) > limit:
                return responses.error_response_json(
                    "ValidationException",
                    f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
                    f"Member must have length less than or equal to {limit}",
                )
        return operation(request)

    return within_limits


def text(value):
    """The value as JSON, without white space as Step Functions writes it.

    Raises States.DataLimitExceeded where that is too large for a state.
    """
    document = exact_json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if len(document.encode("utf-8")) > LIMIT_BYTES:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded", "The state returned a result with a size exceeding the maximum number of bytes service limit."
        )
    return document
