"""An execution ends once, and what it was doing ends with it.

The gap: StopExecution changes what DescribeExecution answers, and nothing else. Tasks go on waiting, maps go on handing out items, and
what ends after that is written over the status and announced a second time. On AWS an aborted execution stays aborted.
"""

import contextlib
import threading

from ministack.core import responses
from ministack.services import stepfunctions

from ..replacing import part, replace

_lock = threading.Lock()
# What ends together with a running execution, by the execution's ARN: functions to call.
_at_end = {}

HISTORY_EVENTS = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "ABORTED": "Aborted", "TIMED_OUT": "TimedOut"}


class Over(Exception):
    """The execution has ended: what still worked on it leaves off."""


def apply():
    for name in ("_add_event", "_emit_execution_status_event", "_executions"):
        part(stepfunctions, name)
    for name in ("json_response", "now_iso"):
        part(responses, name)
    replace(stepfunctions, "_stop_execution", stopping(part(stepfunctions, "_stop_execution")))


def stopping(stop_execution):
    """StopExecution; what is to be said of an execution that is not running, MiniStack says."""

    def stop(request):
        execution = stepfunctions._executions.get(request.get("executionArn"))
        if execution and end(execution, "ABORTED", error=request.get("error"), cause=request.get("cause")):
            return responses.json_response({"stopDate": execution["stopDate"]})
        return stop_execution(request)

    return stop


def end(execution, status, **details):
    """Ends a running execution, with `output`, or with `error` and `cause`; false where it has ended before.

    `details` that are None are left out.
    """
    details = {name: detail for name, detail in details.items() if detail is not None}
    event = HISTORY_EVENTS[status]
    with _lock:
        if execution["status"] != "RUNNING":
            return False
        stepfunctions._add_event(execution, f"Execution{event}", {f"execution{event}EventDetails": details})
        execution.update(details, stopDate=responses.now_iso(), status=status)
        actions = list(_at_end.pop(execution["executionArn"], []))
    for action in actions:
        action()
    # The executions of a Distributed Map's items are reported through their map run.
    if "mapRunArn" not in execution:
        stepfunctions._emit_execution_status_event(execution)
    return True


@contextlib.contextmanager
def ending_with(execution, action):
    """Calls `action` if the execution ends during the block; raises Over where it has ended before."""
    with _lock:
        require_running(execution)
        actions = _at_end.setdefault(execution["executionArn"], [])
        actions.append(action)
    try:
        yield
    finally:
        with _lock:
            actions.remove(action)


def record(execution, event, **details):
    """Adds an event to the history of a running execution; raises Over where it has ended."""
    with _lock:
        require_running(execution)
        stepfunctions._add_event(execution, event, details)


def require_running(execution):
    if execution["status"] != "RUNNING":
        raise Over
