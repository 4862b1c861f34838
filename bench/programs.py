"""How each contestant is started. `cargo xtask bench` has built and installed all of them."""

import json
import os
import subprocess
import sys

from measuring import ROOT

PEERS = ROOT / "bench/peers"
BUILT = ROOT / "target" / os.environ.get("TRIBUTARY_BENCH_PROFILE", "release")
"""Of Cargo's profile: a quick run measures what is built in a third of the time."""
OUR_FUNCTIONS = tuple(os.environ.get("TRIBUTARY_BENCH_FUNCTIONS", "").split())
"""All that are deployed, as `cargo xtask` knows them."""
GO = ROOT / "target/bench"
PYTHON = ROOT / ".tools/bench/bin/python"

FUNCTION_BENCH = BUILT / "function-bench"
FLOW_BENCH = ROOT / "target/debug/flow-bench"

LIMIT_SECONDS = 600
"""Of a program, which is over within seconds, or a minute or two: one that hangs does not hang the run."""
ENDS_WITHIN_SECONDS = 20
"""So long a program has to end what it started, before it is killed."""

ENRICHER = "stream-enricher"

_NODE = PEERS / "node/in-process.mjs"

IN_PROCESS: dict[str, list] = {
    "tributary": [BUILT / "contestant"],
    "node-powertools": ["node", _NODE, "powertools"],
    "node-hand-tuned": ["node", _NODE, "hand-tuned"],
    "python-powertools": [PYTHON, PEERS / "python/in_process.py"],
    "go": [GO / "in-process"],
}
"""Whoever does a job in one process, to be followed by the job, the folder of its input, and what is asked for."""

OUR_PUBLISHER: list = [BUILT / "publisher-contestant"]
"""Ours for the publisher's jobs: that function has another allocator than the rest."""

_BOOTSTRAP = ["node", PEERS / "node/bootstrap.mjs"]


def function(name: str, contestant: str) -> list:
    """The command of a whole function, `enricher` or `router`."""
    commands = {
        "tributary": [BUILT / {"enricher": ENRICHER, "router": "item-router"}[name]],
        "node-powertools": [*_BOOTSTRAP, PEERS / f"node/dist/{name}.mjs"],
        "node-hand-tuned": [*_BOOTSTRAP, PEERS / f"node/dist/{name}-hand-tuned.mjs"],
        "python-powertools": [PYTHON, "-m", "awslambdaric", f"{name}.handler"],
        "go": [GO / name],
    }
    return commands[contestant]


def function_environment(contestant: str) -> dict[str, str]:
    """Beside what every function gets."""
    return {"PYTHONPATH": str(PEERS / "python")} if contestant == "python-powertools" else {}


def answer(command: list) -> dict:
    """What a program prints as one line of JSON."""
    return json.loads(printed(command))


def printed(command: list, **environment: str) -> str:
    """One that fails ends everything, with the end of what it said. `environment` is beside this process's own."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": {**os.environ, **environment}}
    code, said, errors = ended(command, LIMIT_SECONDS, **options)
    if code != 0:
        end = "\n".join(errors.strip().splitlines()[-15:])
        sys.exit(f"failed ({code}): {_line(command)}\n{end}")
    return said


def ended(command: list, limit_seconds: float, **options) -> tuple[int, str | None, str | None]:
    """Its code, and what it said where that is piped. It does not outlive the wait for it, whatever ends that: it is asked to end,
    so that it can end what it started, and then made to."""
    with subprocess.Popen([str(word) for word in command], **options) as process:
        try:
            said, errors = process.communicate(timeout=limit_seconds)
        except BaseException as error:
            _end(process)
            if isinstance(error, subprocess.TimeoutExpired):
                sys.exit(f"not over after {limit_seconds:g} s: {_line(command)}")
            raise
        return process.returncode, said, errors


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.communicate(timeout=ENDS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _line(command: list) -> str:
    return " ".join(map(str, command))
