"""Level 2: whole functions as processes behind a simulator of the Runtime API and of the services that they call.

A batch's event is that of level 1; the router gets what the enricher answered there. What is measured is the CPU time of the
function's process alone. `crates/function-bench` has the simulator.
"""

import statistics
import sys
from pathlib import Path

import inputs
from contests import OURS, Contest
from equality import lines, output_of, parsed, records, require_equal
from programs import BUILT, ENRICHER, FUNCTION_BENCH, IN_PROCESS, OUR_FUNCTIONS, answer, function, function_environment, printed
from rounds import Taken

CONTESTANTS = ("tributary", "node-powertools", "node-hand-tuned", "python-powertools", "go")
QUICK = frozenset(("tributary", "node-powertools"))

INVOCATIONS = {1: (500, 500), 10: (100, 150), 100: (40, 60), 1_000: (4, 8)}
"""By the size of the batch: to warm up, and to be measured. A runtime that compiles as it runs has seen hundreds of events by then
at least, and thousands at a batch of 100."""

STARTS = 5
"""In a round, of which the median counts."""

REQUEST_ENTRIES = 10
"""Entries that a PutEvents request holds at most (Amazon EventBridge API reference, "PutEvents")."""

FIRST_POLL = {
    "tributary": "tributary",
    "node": "node-powertools",
    "node-hand-tuned": "node-hand-tuned",
    "python": "python-powertools",
    "go": "go",
}
"""By the contestant's name in the contest, that of the function: all of them are enrichers."""

ENVIRONMENT = {
    "ENRICHER_FUNCTION_NAME": "enricher",
    "ROUTER_FUNCTION_NAME": "router",
    "LAKE_WRITER_FUNCTION_NAME": "lake-writer",
    "EXPORT_RUNS_TABLE_NAME": "runs",
    "EXPORT_BUCKET_NAME": "exports",
    "EXPORT_KEY_ARN": "arn:aws:kms:eu-west-1:111122223333:key/sample",
    "DATA_ACCESS_ROLE_ARN": "arn:aws:iam::111122223333:role/sample",
    "POLL_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/poll",
    "COMPACTIONS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/compactions",
    "LAKE_BUCKET_NAME": "lake",
    "GLUE_DATABASE_NAME": "lake",
    "RAW_TABLE_NAME": "raw",
    "COMPACT_TABLE_NAME": "compact",
}
"""What our functions want beside what every function gets, to start."""


class Functions:
    def __init__(self, folder: Path):
        """`folder` has the inputs; the router's are put beside them."""
        self._folder = folder
        self._lake = (folder / "lake-writer-1000/lake.json").read_text(encoding="utf-8")

    def write_inputs(self) -> None:
        for size in inputs.BATCHES:
            outcomes = self._folder / "outcomes.ndjson"
            printed([*IN_PROCESS[OURS], "enricher", self._folder / f"enricher-{size}", "check", outcomes])
            folder = self._folder / f"router-{size}"
            folder.mkdir(exist_ok=True)
            (folder / "event.json").write_text(
                f"[{','.join(lines(outcomes.read_text(encoding='utf-8')))}]", encoding="utf-8"
            )

    def contests(self) -> list[Contest]:
        batches = [self._contest(name, size) for name in ("enricher", "router") for size in inputs.BATCHES]
        first = {who: self._first_poll(function("enricher", program), program) for who, program in FIRST_POLL.items()}
        others = [name for name in OUR_FUNCTIONS if name != ENRICHER]
        ours = [Contest(f"first-poll/{name}", "cpu-ms", {OURS: self._first_poll([BUILT / name], OURS)}) for name in others]
        return [*batches, Contest("first-poll", "cpu-ms", first, frozenset(("tributary", "node"))), *ours]

    def _contest(self, name: str, size: int) -> Contest:
        contest = f"{name}-function/b{size}"
        measures = {who: self._batches(name, size, who) for who in CONTESTANTS}
        return Contest(contest, "cpu-us-per-event", measures, QUICK if size == 100 else frozenset())

    def _batches(self, name: str, size: int, who: str):
        warm_up, invocations = INVOCATIONS[size]

        def measure() -> Taken:
            taken = self._run(name, function(name, who), who, self._event(name, size), warm_up, invocations)
            self._require_requests(name, size, who, taken, invocations)
            return Taken(taken["cpuUsPerEvent"], taken["peakRssBytes"])

        return measure

    def _first_poll(self, command: list, who: str):
        def measure() -> float:
            starts = [self._run("enricher", command, who, self._event("enricher", 1), 0, 0)["startCpuMs"] for _ in range(STARTS)]
            return statistics.median(starts)

        return measure

    def _event(self, name: str, size: int) -> Path:
        return self._folder / f"{name}-{size}/event.json"

    def _run(self, name: str, command: list, who: str, event: Path, warm_up: int, invocations: int, *options) -> dict:
        variables = {"LAKE": self._lake, **ENVIRONMENT} if who == OURS else function_environment(who)
        environment = [f"--environment={variable}={value}" for variable, value in variables.items()]
        counts = ["--warm-up", warm_up, "--invocations", invocations]
        return answer(
            [FUNCTION_BENCH, "run", "--function", name, "--event", event, *counts, *options, *environment, "--", *command]
        )

    def require_equal(self, contests: list[Contest], outputs: Path) -> None:
        """The enricher's answers, and what the router put on the bus."""
        for name in ("enricher", "router"):
            for size in inputs.BATCHES:
                contest = f"{name}-function/b{size}"
                contestants = next((one.measures for one in contests if one.name == contest), {})
                made = {who: self._made(name, size, who, outputs) for who in contestants}
                if made:
                    require_equal(contest, size, made)

    def _made(self, name: str, size: int, who: str, outputs: Path) -> list:
        file = outputs / f"{name}-function-{size}-{who}.json"
        option = "--answer" if name == "enricher" else "--entries"
        taken = self._run(name, function(name, who), who, self._event(name, size), 0, 1, option, file)
        self._require_requests(name, size, who, taken, 1)
        with output_of(f"{name}-function/b{size}", who):
            made = records("router", file) if name == "router" else parsed(file.read_text(encoding="utf-8"))
            if not isinstance(made, list):
                raise TypeError("it is no list")
            return made

    def _require_requests(self, name: str, size: int, who: str, taken: dict, invocations: int) -> None:
        """Nobody is faster by asking less, or slower by asking more."""
        sent = {operation: count for operation, count in taken["requests"].items() if count}
        of_one = self._requests(name, size)
        wanted = {operation: count * invocations for operation, count in of_one.items()}
        if sent != wanted:
            sys.exit(f"{who}'s {name} sent {sent} for {invocations} batches of {size} events; they take {wanted}")

    def _requests(self, name: str, size: int) -> dict[str, int]:
        """Of one batch. A patient that was removed has nothing to be asked for."""
        if name == "router":
            return {"PutEvents": -(-size // REQUEST_ENTRIES)}
        event = parsed(self._event(name, size).read_text(encoding="utf-8"))
        return {"Query": sum("NewImage" in record["dynamodb"] for record in event)}
