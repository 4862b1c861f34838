"""A state machine runs until it ends or its TimeoutSeconds have passed, and its history holds what went into and out of each state.

The gap: MiniStack knows no time limit of a state machine, keeps no history of what a Distributed Map's items went through, and ignores
the Output of a Succeed state.
"""

import contextlib
import contextvars
import logging
import threading

from ministack.core import responses
from ministack.services import stepfunctions

from .. import exact_json
from ..replacing import part, replace
from . import executions, payloads

log = logging.getLogger(__name__)


def apply():
    part(responses, "now_iso")
    for name in (
        "_ExecutionError",
        "_apply_input_path",
        "_apply_jsonata_output",
        "_apply_output_path",
        "_execute_choice",
        "_execute_map",
        "_execute_parallel",
        "_execute_pass",
        "_execute_task",
        "_execute_wait",
        "_executions",
        "_fail_state_error",
        "_state_machines",
        "_state_query_language",
    ):
        part(stepfunctions, name)
    replace(stepfunctions, "_run_execution", run_execution)


def run_execution(arn):
    """The life of an execution that StartExecution has written down."""
    execution = stepfunctions._executions.get(arn)
    described = execution and stepfunctions._state_machines.get(execution["stateMachineArn"])
    if not described:
        # Deleted since: with a state machine MiniStack deletes its executions.
        return
    try:
        machine = exact_json.loads(described["definition"])
    except ValueError:
        fail(execution, "States.Runtime", "The definition is no JSON.")
        return
    with time_limit(execution, machine.get("TimeoutSeconds")):
        run(execution, machine, machine.get("QueryLanguage", "JSONPath"))


@contextlib.contextmanager
def time_limit(execution, seconds):
    """Ends the execution as TIMED_OUT if the block takes longer; `seconds` may be None."""
    if seconds is None:
        yield
        return
    # MiniStack keeps whose execution it is in context variables.
    end = contextvars.copy_context().run
    timer = threading.Timer(seconds, end, (executions.end, execution, "TIMED_OUT"), {"error": "States.Timeout"})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def run(execution, machine, query_language):
    """Takes an execution through the states of `machine` to its end, and returns its output; None where it did not succeed."""
    try:
        data = exact_json.loads(execution["input"])
        output = run_states(execution, machine, data, context_object(execution, data, query_language))
        executions.end(execution, "SUCCEEDED", output=payloads.text(output))
        return output
    except executions.Over:
        return None
    except stepfunctions._ExecutionError as error:
        fail(execution, error.error, error.cause)
    except Exception as error:
        log.exception("the execution %s failed unexpectedly", execution["executionArn"])
        fail(execution, "States.Runtime", str(error))
    return None


def fail(execution, error, cause):
    # MiniStack reads the error of a nested execution from its output.
    output = exact_json.dumps({"Error": error, "Cause": cause})
    executions.end(execution, "FAILED", error=error, cause=cause, output=output)


def context_object(execution, data, query_language):
    """What states see as their context, and MiniStack as its own: the query language, and the variables that states have assigned."""
    machine = execution["stateMachineArn"]
    return {
        "QueryLanguage": query_language,
        "Execution": {
            "Id": execution["executionArn"],
            "Input": data,
            "Name": execution["name"],
            "StartTime": execution["startDate"],
        },
        "StateMachine": {"Id": machine, "Name": machine.rpartition(":")[2]},
        "variables": {},
    }


def run_states(execution, machine, data, context):
    name = machine["StartAt"]
    while name:
        state = machine["States"].get(name)
        if state is None:
            raise stepfunctions._ExecutionError("States.Runtime", f"There is no state '{name}'.")
        kind = state.get("Type")
        context["State"] = {"Name": name, "EnteredTime": responses.now_iso(), "RetryCount": 0}
        entered = {"name": name, "input": payloads.text(data)}
        executions.record(execution, f"{kind}StateEntered", stateEnteredEventDetails=entered)
        data, next_name = run_state(kind, state, data, execution, context)
        exited = {"name": name, "output": payloads.text(data)}
        executions.record(execution, f"{kind}StateExited", stateExitedEventDetails=exited)
        name = next_name
    return data


def run_state(kind, state, data, execution, context):
    """The state's output, and the name of the next state or None."""
    if kind == "Succeed":
        return succeed(state, data, context), None
    if kind == "Fail":
        raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, data, context))
    if kind in ("Task", "Parallel", "Map"):
        return getattr(stepfunctions, f"_execute_{kind.lower()}")(state, data, execution, context)
    if kind in ("Pass", "Choice", "Wait"):
        return getattr(stepfunctions, f"_execute_{kind.lower()}")(state, data, context)
    raise stepfunctions._ExecutionError("States.Runtime", f"There is no type of state '{kind}'.")


def succeed(state, data, context):
    if stepfunctions._state_query_language(state, context) == "JSONata":
        return stepfunctions._apply_jsonata_output(state, data, context, default=data)
    return stepfunctions._apply_output_path(state, stepfunctions._apply_input_path(state, data, context), context)
