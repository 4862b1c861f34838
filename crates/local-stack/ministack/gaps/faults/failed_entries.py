"""PutEvents that takes some entries and fails others."""

import json

from ministack.core import responses
from ministack.services import eventbridge

from ..replacing import part, replace
from . import injected

FAILED = {"ErrorCode": "InternalFailure", "ErrorMessage": "A fault that was asked for."}


def apply():
    part(responses, "json_response")
    replace(eventbridge, "_put_events", failing_in_part(part(eventbridge, "_put_events")))


def failing_in_part(put_events):
    def put(request, allow_aws_source=False):
        # What AWS's own services put on a bus comes with no request.
        if allow_aws_source or not injected.is_any():
            return put_events(request, allow_aws_source)
        entries = request.get("Entries", [])
        fails = [injected.striking("failEntries", lambda _settings: True) is not None for _entry in entries]
        taken = [entry for entry, fail in zip(entries, fails) if not fail]
        status, headers, body = put_events({**request, "Entries": taken}, allow_aws_source)
        if status >= 300:
            return status, headers, body
        answer = json.loads(body)
        answers = iter(answer["Entries"])
        return responses.json_response({
            "FailedEntryCount": answer["FailedEntryCount"] + sum(fails),
            "Entries": [FAILED if fail else next(answers) for fail in fails],
        })

    return put
