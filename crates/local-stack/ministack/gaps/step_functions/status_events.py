"""The event about an execution's end says why it ended.

The gap: MiniStack's names no error where an execution was stopped or timed out.
"""

import logging

from ministack.services import eventbridge, stepfunctions

from .. import exact_json
from ..replacing import part, replace

# Developer guide, "Automating Step Functions event delivery with EventBridge": what is over 248 KB, escaped, is left out, input first.
PAYLOAD_BYTES = 248 * 1024

log = logging.getLogger(__name__)


def apply():
    part(eventbridge, "_put_events")
    part(stepfunctions, "_iso_to_epoch_ms")
    replace(stepfunctions, "_emit_execution_status_event", send)


def send(execution):
    """Puts the event on the default bus. StartSyncExecution runs as an Express workflow does, which sends none."""
    if execution.get("sync"):
        return
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": exact_json.dumps(detail(execution)),
        "Resources": [execution["executionArn"]],
    }
    try:
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception as error:  # the execution has ended, whatever becomes of the event
        log.error("the status event of %s was not sent: %s", execution["executionArn"], type(error).__name__)


def detail(execution):
    status = execution["status"]
    # What MiniStack keeps as the output of a failed execution is its error.
    output = execution["output"] if status == "SUCCEEDED" else None
    keeps_output = escaped_bytes(output) <= PAYLOAD_BYTES
    keeps_input = escaped_bytes(execution["input"]) + (escaped_bytes(output) if keeps_output else 0) <= PAYLOAD_BYTES
    is_redrivable = status in ("FAILED", "ABORTED", "TIMED_OUT")
    return {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "name": execution["name"],
        "status": status,
        "startDate": stepfunctions._iso_to_epoch_ms(execution["startDate"]),
        "stopDate": stepfunctions._iso_to_epoch_ms(execution["stopDate"]),
        "input": execution["input"] if keeps_input else None,
        "inputDetails": {"included": keeps_input},
        "output": output if keeps_output else None,
        "outputDetails": {"included": keeps_output} if status == "SUCCEEDED" else None,
        "error": execution.get("error"),
        "cause": execution.get("cause"),
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "REDRIVABLE" if is_redrivable else "NOT_REDRIVABLE",
        "redriveStatusReason": None if is_redrivable else f"Execution is {status} and cannot be redriven",
    }


def escaped_bytes(document):
    return len(exact_json.dumps(document).encode("utf-8")) if document else 0
