"""A Distributed Map in JSONata, which stops when its execution or too many of its items do.

The gap: MiniStack evaluates no JSONata in ItemReader, ItemSelector, Output, Assign and the settings of a Distributed Map, lets the
items read the variables of the map's execution, and works through all items whatever happens. ItemBatcher and ResultWriter do not
exist here either.
"""

import contextvars
import threading

from ministack.core import responses
from ministack.services import stepfunctions

from .. import exact_json
from ..replacing import part, replace
from . import executions, payloads, state_machines

# AWS runs up to 10,000 items at a time where a map does not say how many. One machine has enough to do with these.
DEFAULT_CONCURRENCY = 64
COUNTS = (
    "pending",
    "running",
    "succeeded",
    "failed",
    "timedOut",
    "aborted",
    "total",
    "resultsWritten",
    "failuresNotRedrivable",
    "pendingRedrive",
)


def apply():
    for name in ("new_uuid", "now_iso"):
        part(responses, name)
    for name in (
        "_ExecutionError",
        "_apply_jsonata_output",
        "_apply_jsonata_template",
        "_apply_output_path",
        "_apply_result_path",
        "_apply_result_selector",
        "_apply_state_assign",
        "_executions",
        "_jsonata_state_field",
        "_map_runs",
        "_next_or_end",
        "_read_map_items",
        "_resolve_params_obj",
        "_resolve_path_or_ctx",
        "_state_query_language",
    ):
        part(stepfunctions, name)
    replace(stepfunctions, "_run_distributed_map", run)


def run(state, data, effective_input, processor, execution, context):
    """The state's output, and the name of the next state or None. `effective_input` is what InputPath, of JSONPath, left of `data`."""
    scope = Scope(state, data, effective_input, context)
    map_run = MapRun(scope, scope.items(), processor, execution)
    executions.record(execution, "MapRunStarted", mapRunStartedEventDetails={"mapRunArn": map_run.arn})
    try:
        results = map_run.results()
        payloads.text(results)
    except stepfunctions._ExecutionError as error:
        details = {"error": error.error, "cause": error.cause}
        executions.record(execution, "MapRunFailed", mapRunFailedEventDetails=details)
        raise
    executions.record(execution, "MapRunSucceeded")
    return scope.output(results), stepfunctions._next_or_end(state)


class Scope:
    """The fields of a map's state, evaluated in the language in which they are written."""

    def __init__(self, state, data, effective_input, context):
        self.state = state
        self.query_language = stepfunctions._state_query_language(state, context)
        self._data = data
        self._effective_input = effective_input
        self._context = context
        self._is_jsonata = self.query_language == "JSONata"

    def items(self):
        if "ItemReader" in self.state:
            return self._items_read(self.state["ItemReader"])
        if self._is_jsonata and "Items" in self.state:
            return stepfunctions._jsonata_state_field(self.state, "Items", "array", self._data, self._context)
        path = self.state.get("ItemsPath", "$")
        items = stepfunctions._resolve_path_or_ctx(path, self._effective_input, self._context)
        return items if isinstance(items, list) else [items]

    def _items_read(self, reader):
        if self._is_jsonata:
            reader = {**reader, "Arguments": self._evaluate(reader.get("Arguments") or {}, self._context)}
        try:
            items = stepfunctions._read_map_items(reader, self._effective_input, self._context)
        except ValueError as error:
            raise stepfunctions._ExecutionError("States.ItemReaderFailed", f"The data is no JSON: {error}") from None
        if not isinstance(items, list):
            raise stepfunctions._ExecutionError("States.ItemReaderFailed", "Attempting to map over non-iterable node.")
        return items

    def number(self, field, default):
        if field not in self.state:
            return default
        return stepfunctions._jsonata_state_field(self.state, field, "number", self._data, self._context)

    def item_input(self, index, item):
        """What the execution for an item gets."""
        selector = self.state.get("ItemSelector") or self.state.get("Parameters")
        if not selector:
            return item
        context = {**self._context, "Map": {"Item": {"Index": index, "Value": item}}}
        if self._is_jsonata:
            return self._evaluate(selector, context)
        return stepfunctions._resolve_params_obj(selector, self._effective_input, context)

    def output(self, results):
        if self._is_jsonata:
            output = stepfunctions._apply_jsonata_output(
                self.state, self._data, self._context, result=results, default=results
            )
            stepfunctions._apply_state_assign(self.state, self._data, self._context, result=results)
            return output
        output = stepfunctions._apply_result_selector(self.state, results)
        output = stepfunctions._apply_result_path(self.state, self._data, output)
        return stepfunctions._apply_output_path(self.state, output, self._context)

    def _evaluate(self, template, context):
        return stepfunctions._apply_jsonata_template(template, self._data, context)


class MapRun:
    """The executions of a map's items, and what ListMapRuns, DescribeMapRun and ListExecutions say of them."""

    def __init__(self, scope, items, processor, execution):
        self._scope = scope
        self._processor = processor
        self._execution = execution
        self._items = enumerate(items)
        self._results = [None] * len(items)
        self._error = None
        # Guards what follows, and wakes who waits for the end.
        self._changed = threading.Condition()
        self._running = {}
        concurrency = int(scope.number("MaxConcurrency", 0))
        self._workers = min(len(items), concurrency or DEFAULT_CONCURRENCY)
        percentage = scope.number("ToleratedFailurePercentage", None)
        count = scope.number("ToleratedFailureCount", None)
        tolerated = [count] if count is not None else []
        if percentage is not None:
            tolerated.append(percentage * len(items) // 100)
        self._tolerated_failures = min(tolerated, default=0)

        _arn, _aws, _states, region, account, _kind, machine = execution["stateMachineArn"].split(":")
        name = f"{machine}/{scope.state.get('Label') or responses.new_uuid()}"
        self._machine_arn = f"arn:aws:states:{region}:{account}:stateMachine:{name}"
        self._child_arn = f"arn:aws:states:{region}:{account}:execution:{name}"
        self.arn = f"arn:aws:states:{region}:{account}:mapRun:{name}:{responses.new_uuid()}"
        counts = {**dict.fromkeys(COUNTS, 0), "pending": len(items), "total": len(items)}
        self._record = {
            "mapRunArn": self.arn,
            "executionArn": execution["executionArn"],
            "status": "RUNNING",
            "startDate": responses.now_iso(),
            "maxConcurrency": concurrency,
            "toleratedFailurePercentage": percentage or 0,
            "toleratedFailureCount": count or 0,
            "itemCounts": counts,
            "executionCounts": dict(counts),
            "redriveCount": 0,
            "_stateMachineArn": self._machine_arn,
        }
        stepfunctions._map_runs[self.arn] = self._record

    def results(self):
        """Runs all items, and returns their outputs in their order."""
        with executions.ending_with(self._execution, self._abort):
            if self._workers == 0:
                self._end("SUCCEEDED")
            for _ in range(self._workers):
                threading.Thread(target=contextvars.copy_context().run, args=(self._work,), daemon=True).start()
            with self._changed:
                self._changed.wait_for(lambda: self._record["status"] != "RUNNING")
        if self._error:
            raise self._error
        executions.require_running(self._execution)
        return self._results

    def _work(self):
        while (child := self._next_child()) is not None:
            index, execution = child
            output = state_machines.run(execution, self._processor, self._scope.query_language)
            self._finished(index, execution, output)

    def _next_child(self):
        """The place of the next item, and an execution for it; None where no more is to be started."""
        with self._changed:
            index, item = next(self._items, (None, None))
        if index is None:
            return None
        try:
            child = self._child(payloads.text(self._scope.item_input(index, item)))
        except Exception as error:  # whoever waits for the end must see it come
            is_named = isinstance(error, stepfunctions._ExecutionError)
            self._end("FAILED", error if is_named else stepfunctions._ExecutionError("States.Runtime", str(error)))
            return None
        with self._changed:
            if self._record["status"] != "RUNNING":
                return None
            stepfunctions._executions[child["executionArn"]] = child
            self._running[index] = child
            self._count("pending", "running")
        return index, child

    def _child(self, input_text):
        name, now = responses.new_uuid(), responses.now_iso()
        started = {"input": input_text, "roleArn": ""}
        return {
            "executionArn": f"{self._child_arn}:{name}",
            "stateMachineArn": self._machine_arn,
            "mapRunArn": self.arn,
            "name": name,
            "status": "RUNNING",
            "startDate": now,
            "stopDate": None,
            "input": input_text,
            "inputDetails": {"included": True},
            "output": None,
            "outputDetails": {"included": True},
            "events": [{"id": 1, "type": "ExecutionStarted", "timestamp": now, "executionStartedEventDetails": started}],
        }

    def _finished(self, index, child, output):
        with self._changed:
            if self._running.pop(index, None) is None:
                # The map ended first; what the item still did counts no more.
                return
            self._results[index] = output
            self._count("running", {"SUCCEEDED": "succeeded", "FAILED": "failed", "ABORTED": "aborted"}[child["status"]])
            counts = self._record["executionCounts"]
            unsuccessful = counts["failed"] + counts["aborted"]
            is_last = counts["succeeded"] + unsuccessful == counts["total"]
        if unsuccessful > self._tolerated_failures:
            message = "The specified tolerated failure threshold was exceeded"
            self._end("FAILED", stepfunctions._ExecutionError("States.ExceedToleratedFailureThreshold", message))
        elif is_last:
            self._end("SUCCEEDED")

    def _abort(self):
        self._end("ABORTED")

    def _end(self, status, error=None):
        """Ends the run, and what of it is running; what is pending never starts."""
        with self._changed:
            if self._record["status"] != "RUNNING":
                return
            running = list(self._running.values())
            self._running.clear()
            self._count("running", "aborted", len(running))
            self._count("pending", "aborted", self._record["executionCounts"]["pending"])
            self._error = error
            self._record.update(status=status, stopDate=responses.now_iso())
            self._changed.notify_all()
        for child in running:
            executions.end(child, "ABORTED")

    def _count(self, earlier, later, number=1):
        for counts in (self._record["itemCounts"], self._record["executionCounts"]):
            counts[earlier] -= number
            counts[later] += number
