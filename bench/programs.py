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

_NODE = PEERS / "node/in-process.mjs"

IN_PROCESS: dict[str, list] = {
    "tributary": [BUILT / "contestant"],
    "node-powertools": ["node", _NODE, "powertools"],
    "node-hand-tuned": ["node", _NODE, "hand-tuned"],
    "python-powertools": [PYTHON, PEERS / "python/in_process.py"],
    "go": [GO / "in-process"],
}
"""Whoever does a job in one process, to be followed by the job, the folder of its input, and what is asked for."""

_BOOTSTRAP = ["node", PEERS / "node/bootstrap.mjs"]


def function(name: str, contestant: str) -> list:
    """The command of a whole function, `enricher` or `router`."""
    commands = {
        "tributary": [BUILT / {"enricher": "stream-enricher", "router": "item-router"}[name]],
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


def printed(command: list) -> str:
    """One that fails ends everything, with the end of what it said."""
    words = [str(word) for word in command]
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        end = "\n".join(result.stderr.strip().splitlines()[-15:])
        sys.exit(f"failed ({result.returncode}): {' '.join(words)}\n{end}")
    return result.stdout
