"""A Task state evaluates its time limits, makes a token for each attempt and writes down what it sent.

The gap: MiniStack reads TimeoutSeconds as a number only and HeartbeatSeconds not at all, hands out one token for all attempts, and
leaves the task's arguments out of the history. Its canned responses (SFN_MOCK_CONFIG) are not for state machines here.
"""

from ministack.core import responses
from ministack.services import stepfunctions

from ..replacing import part, replace
from . import executions, payloads, task_tokens

CALLBACK = ".waitForTaskToken"


def apply():
    part(responses, "get_region")
    for name in (
        "_ExecutionError",
        "_apply_input_path",
        "_apply_jsonata_arguments",
        "_apply_jsonata_output",
        "_apply_output_path",
        "_apply_parameters",
        "_apply_result_path",
        "_apply_result_selector",
        "_apply_state_assign",
        "_invoke_resource",
        "_invoke_resource_with_timeout",
        "_jsonata_state_field",
        "_next_or_end",
        "_state_query_language",
        "_with_retry_and_catch",
    ):
        part(stepfunctions, name)
    replace(stepfunctions, "_execute_task", run)


def run(state, data, execution, context):
    """The state's output, and the name of the next state or None."""
    return stepfunctions._with_retry_and_catch(state, data, context, lambda: attempt(state, data, execution, context))


def attempt(state, data, execution, context):
    result = Attempt(state, data, execution, context).result()
    if stepfunctions._state_query_language(state, context) == "JSONata":
        output = stepfunctions._apply_jsonata_output(state, data, context, result=result, default=result)
        stepfunctions._apply_state_assign(state, data, context, result=result)
    else:
        output = stepfunctions._apply_result_path(state, data, stepfunctions._apply_result_selector(state, result))
        output = stepfunctions._apply_output_path(state, output, context)
    return output, stepfunctions._next_or_end(state)


class Attempt:
    """One attempt at a task, from its arguments to its result."""

    def __init__(self, state, data, execution, context):
        self._execution = execution
        self._resource = state["Resource"]
        # "lambda" and "invoke" of arn:aws:states:::lambda:invoke.
        resource_type, _, resource = self._resource.removeprefix("arn:aws:states:::").rpartition(":")
        self._names = {"resourceType": resource_type, "resource": resource}
        self._waiting = task_tokens.WaitingTask() if self._resource.endswith(CALLBACK) else None
        if self._waiting:
            context["Task"] = {"Token": self._waiting.token}
        self._arguments = arguments(state, data, context)
        self._timeout = seconds(state, "TimeoutSeconds", data, context)
        self._heartbeat = seconds(state, "HeartbeatSeconds", data, context)

    def result(self):
        limits = {"timeoutInSeconds": self._timeout, "heartbeatInSeconds": self._heartbeat}
        self._record(
            "Scheduled",
            region=responses.get_region(),
            parameters=payloads.text(self._arguments),
            **{name: limit for name, limit in limits.items() if limit is not None},
        )
        self._record("Started")
        try:
            result = self._answer_to_token() if self._waiting else self._invoke()
            output = payloads.text(result)
        except stepfunctions._ExecutionError as error:
            is_timeout = error.error in ("States.Timeout", "States.HeartbeatTimeout")
            self._record("TimedOut" if is_timeout else "Failed", error=error.error, cause=error.cause)
            raise
        self._record("Succeeded", output=output)
        return result

    def _answer_to_token(self):
        with executions.ending_with(self._execution, self._waiting.end):
            try:
                submitted = stepfunctions._invoke_resource(self._resource.removesuffix(CALLBACK), self._arguments)
                self._record("Submitted", output=payloads.text(submitted))
                return self._waiting.wait(self._timeout, self._heartbeat)
            finally:
                self._waiting.end()

    def _invoke(self):
        # An activity's time begins when a worker takes it, which MiniStack sees to.
        if self._timeout is None or ":activity:" in self._resource:
            return stepfunctions._invoke_resource(self._resource, self._arguments)
        return stepfunctions._invoke_resource_with_timeout(self._resource, self._arguments, self._timeout)

    def _record(self, event, **details):
        member = f"task{event}EventDetails"
        executions.record(self._execution, f"Task{event}", **{member: {**self._names, **details}})


def arguments(state, data, context):
    if stepfunctions._state_query_language(state, context) == "JSONata":
        return stepfunctions._apply_jsonata_arguments(state, data, context)
    return stepfunctions._apply_parameters(state, stepfunctions._apply_input_path(state, data, context), context)


def seconds(state, field, data, context):
    """A time limit: a number, which JSONata may have to work out, or None."""
    if field not in state:
        return None
    return stepfunctions._jsonata_state_field(state, field, "number", data, context)
