"""PutEvents takes no more bytes in a request than AWS does.

The gap: MiniStack refuses a request of more than ten entries, but takes entries of any size.
"""

import os

from ministack.core import responses
from ministack.services import eventbridge

from .replacing import part, replace

LIMIT_VARIABLE = "LOCAL_STACK_PUT_EVENTS_BYTES"
# The API reference says 1 MB, other pages of AWS still 256 KB: who sends more than the least of them may be refused.
DEFAULT_LIMIT = "262144"
TIME_BYTES = 14


def apply():
    part(responses, "error_response_json")
    limit = int(os.environ.get(LIMIT_VARIABLE, DEFAULT_LIMIT))
    replace(eventbridge, "_put_events", limited(part(eventbridge, "_put_events"), limit))


def limited(put_events, limit):
    def put(request, allow_aws_source=False):
        # What AWS's own services put on a bus comes with no request.
        if not allow_aws_source and sum(map(entry_bytes, request.get("Entries", []))) > limit:
            return responses.error_response_json(
                "ValidationException", "Total size of the entries in the request is over the limit.", 400
            )
        return put_events(request, allow_aws_source)

    return put


def entry_bytes(entry):
    """EventBridge user guide, "Calculating PutEvents event entry size"."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")] + (entry.get("Resources") or [])
    time_bytes = TIME_BYTES if entry.get("Time") is not None else 0
    return time_bytes + sum(len(text.encode("utf-8")) for text in texts)
