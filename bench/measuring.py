"""What the measurements side by side have in common."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".tools/python/bin/python"

BUSY = 0.15
"""Of one processor, used by others: more than that, and nothing is measured."""


def refuse_under_load(anyway: bool) -> None:
    """Whoever shares the processors changes the result. Linux tells what is in use; elsewhere it is the load average."""
    busy = _busy_processors() if Path("/proc/stat").exists() else os.getloadavg()[0]
    if busy <= BUSY:
        return
    if not anyway:
        sys.exit(f"refused: others use {busy:.2f} processors; wait until they have ended, or say --anyway for a trial")
    print(f"UNDER LOAD: others use {busy:.2f} processors; these numbers count for nothing")


def _busy_processors(seconds: float = 2.0) -> float:
    def used() -> float:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        user, nice, system, _, _, irq, soft_irq, steal = fields[:8]
        return (user + nice + system + irq + soft_irq + steal) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(seconds)
    return (used() - before) / seconds


def built_bench(package: str, bench: str) -> Path:
    """The program of a `cargo bench`, so that it can be run without cargo."""
    command = ["cargo", "bench", "--locked", "--package", package, "--bench", bench, "--no-run", "--message-format=json"]
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in reversed(printed.splitlines()):
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == bench:
            return Path(message["executable"])
    sys.exit(f"cargo built no {bench}")


def require_python_packages() -> None:
    """They are those of `tools/python/requirements.txt`."""
    check = [PYTHON, "-c", "import duckdb, pyarrow"]
    if not PYTHON.exists() or subprocess.run(check, stderr=subprocess.DEVNULL).returncode != 0:
        sys.exit("duckdb and pyarrow are missing: `cargo xtask test format` installs what the tasks need")


class Rounds:
    """Contestants, measured in turn, so that what changes on the machine changes for all of them."""

    def __init__(self, rounds: int):
        if rounds < 5:
            print(f"{rounds} rounds: too few to count")
        self._rounds = rounds
        self.values: dict[str, list[float]] = {}

    def run(self, contestants) -> None:
        """`contestants`: name and function that answers a number."""
        for number in range(self._rounds):
            measured = []
            for name, measure in contestants:
                value = measure()
                self.values.setdefault(name, []).append(value)
                measured.append(f"{name} {value:,.6g}")
            print(f"round {number + 1}: " + ", ".join(measured), flush=True)

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def line(self, name: str, unit: str) -> str:
        values = self.values[name]
        return f"{name:<24}{self.median(name):>14,.6g} {unit}  ({min(values):,.6g} to {max(values):,.6g})"
