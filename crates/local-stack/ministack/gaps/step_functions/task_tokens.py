"""A task that waits for its token waits no longer than it says, and its token ends with it.

The gap: MiniStack takes a token's answer for as long as the task's thread has not read one, whatever became of the execution; it never
misses a heartbeat, and calls every token that it does not know by the same error.
"""

import re
import threading
import time

from ministack.core import responses
from ministack.services import stepfunctions

from .. import exact_json
from ..replacing import part, replace
from . import executions

# MiniStack's tokens are UUIDs. Those of AWS are longer, and say as little.
TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# By token. A task stays when it is over: then its token is refused as one that was known.
_tasks = {}


def apply():
    for name in ("error_response_json", "json_response", "new_uuid"):
        part(responses, name)
    part(stepfunctions, "_ExecutionError")
    for name, answer in (
        ("_send_task_success", succeed),
        ("_send_task_failure", fail),
        ("_send_task_heartbeat", beat),
    ):
        replace(stepfunctions, name, for_waiting_tasks(answer, part(stepfunctions, name)))


class WaitingTask:
    """A task from when its token is made until somebody answers, time is up, or its execution ends."""

    def __init__(self):
        self.token = responses.new_uuid()
        self._changed = threading.Condition()
        self._beat_at = time.monotonic()
        self._finish = None
        _tasks[self.token] = self

    def beat(self):
        """False where the task is over."""
        with self._changed:
            self._beat_at = time.monotonic()
            self._changed.notify()
            return self._finish is None

    def finish(self, finish):
        """Lets `wait` answer what `finish` returns or raises; false where the task is over."""
        with self._changed:
            if self._finish is not None:
                return False
            self._finish = finish
            self._changed.notify()
            return True

    def end(self):
        """The execution has ended: there is nothing to wait for, and nothing to answer."""
        self.finish(raising(executions.Over()))

    def wait(self, timeout_seconds, heartbeat_seconds):
        """The answer. Either limit may be None."""
        began = time.monotonic()
        with self._changed:
            while self._finish is None:
                limits = [(began + timeout_seconds, "States.Timeout")] if timeout_seconds is not None else []
                if heartbeat_seconds is not None:
                    limits.append((self._beat_at + heartbeat_seconds, "States.HeartbeatTimeout"))
                deadline, error = min(limits, default=(None, None))
                if deadline is None:
                    self._changed.wait()
                elif deadline > time.monotonic():
                    self._changed.wait(deadline - time.monotonic())
                else:
                    self._finish = raising(stepfunctions._ExecutionError(error, ""))
        return self._finish()


def raising(error):
    def finish():
        raise error

    return finish


def for_waiting_tasks(answer, operation):
    """SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat; an activity's token is left to MiniStack."""

    def send(request):
        token = request.get("taskToken") or ""
        if not TOKEN.fullmatch(token):
            return responses.error_response_json("InvalidToken", "Invalid Token: 'Invalid token'")
        task = _tasks.get(token)
        return answer(task, request) if task else operation(request)

    return send


def succeed(task, request):
    try:
        output = exact_json.loads(request.get("output") or "")
    except ValueError:
        return responses.error_response_json("InvalidOutput", "Invalid Output: 'The provided JSON output data is not valid.'")
    return accepted(task.finish(lambda: output))


def fail(task, request):
    error = stepfunctions._ExecutionError(request.get("error") or "States.TaskFailed", request.get("cause") or "")
    return accepted(task.finish(raising(error)))


def beat(task, _request):
    return accepted(task.beat())


def accepted(is_open):
    if is_open:
        return responses.json_response({})
    return responses.error_response_json("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
