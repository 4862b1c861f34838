#!/usr/bin/env python3
"""The lake writer beside Node.js and Python: records per CPU-second, for the same batch and the same rows.

    python3 bench/lake-writer/run.py                 builds, compares the rows, measures five rounds in turn
    python3 bench/lake-writer/run.py --compare       compares the rows alone
    python3 bench/lake-writer/run.py --anyway        measures under load too: a trial

Each program reads one event of 1,000 records of 1.5 KB and makes compressed files for 20 partitions, again and again. What is
measured is the CPU time of its process over these iterations, after it has started and warmed up. First all rows of all
partitions must be equal: as JSON, whose numbers are equal if their values are, within `_extra` and columns of JSON as well.

It fails where the lake writer is not four times as fast as Node.js, and ten times as fast as Python.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from measuring import PYTHON, ROOT, Rounds, built_bench, refuse_under_load, require_python_packages

HERE = Path(__file__).resolve().parent
LAKE = HERE / "lake.json"
PARTITIONS = 20
NODE_TIMES = 4
PYTHON_TIMES = 10
NODE_ITERATIONS = 300
PYTHON_ITERATIONS = 100

OURS, OURS_GZIP, NODE, PY = "lake-writer, zstd", "lake-writer, gzip", "Node.js, gzip", "pyarrow, zstd"


def install_node_packages() -> None:
    lock, mark = (HERE / "package-lock.json").read_text(), HERE / "node_modules" / ".installed-from"
    if mark.exists() and mark.read_text() == lock:
        return
    environment = {**os.environ, "npm_config_cache": str(ROOT / ".tools/npm-cache"), "npm_config_update_notifier": "false"}
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, env=environment, check=True)
    mark.write_text(lock)


def rows_of(folder: Path) -> dict[str, list]:
    files = sorted(folder.rglob("rows.json"))
    return {str(file.parent.relative_to(folder)): [canonical(line) for line in file.open(encoding="utf-8")] for file in files}


def canonical(line: str):
    row = parsed(line)
    columns = [name for name in row if not name.startswith("_") and name not in ("id", "sk")]
    of_json = [name for name, kind in zip(columns, row.get("_types", ""), strict=True) if kind == "j"]
    for name in (*of_json, "_extra", "_attributes"):
        if name in row:
            row[name] = parsed(row[name])
    # The order of the members is the order of `_types`.
    return columns, row


def parsed(text: str):
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


def compare(ours: Path, event: Path, temporary: Path) -> None:
    commands = {
        OURS: [ours, "--bench", "--write-output"],
        NODE: ["node", HERE / "write_batch.mjs", event, LAKE, "--write-output"],
        PY: [PYTHON, HERE / "write_batch.py", event, LAKE, "--write-output"],
    }
    rows = {}
    for name, command in commands.items():
        folder = temporary / re.sub("[^a-z]", "-", name.lower())
        folder.mkdir()
        subprocess.run([*command, folder], check=True, stdout=subprocess.DEVNULL)
        rows[name] = rows_of(folder)
    expected = rows[OURS]
    if len(expected) != PARTITIONS:
        sys.exit(f"{len(expected)} partitions, not {PARTITIONS}")
    for name, found in rows.items():
        if found.keys() != expected.keys():
            sys.exit(f"{name} has other partitions: {sorted(found.keys() ^ expected.keys())[:3]}")
        for partition, lines in expected.items():
            for number, (line, other) in enumerate(zip(lines, found[partition], strict=True)):
                if line != other:
                    sys.exit(f"{name} has another row {number} in {partition}:\n{line}\n{other}")
    count = sum(map(len, expected.values()))
    print(f"equal: {count} rows in {len(expected)} partitions, from all three")


def of_ours(program: Path, compression: str):
    def measure() -> float:
        command = [program, "--bench", "--compression", compression]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return float(re.search(r"([0-9.]+) records per CPU-second", printed)[1])

    return measure


def of_peer(*command):
    def measure() -> float:
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        result = json.loads(printed)
        if result["files"] != PARTITIONS:
            sys.exit(f"{result['files']} files, not {PARTITIONS}")
        return result["recordsPerCpuSecond"]

    return measure


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--compare", action="store_true")
    arguments.add_argument("--anyway", action="store_true")
    options = arguments.parse_args()

    require_python_packages()
    install_node_packages()
    ours = built_bench("lake-writer", "write_batch")
    with tempfile.TemporaryDirectory() as temporary:
        event = Path(temporary) / "event.json"
        subprocess.run([ours, "--bench", "--write-input", event], check=True)
        compare(ours, event, Path(temporary))
        if options.compare:
            return
        refuse_under_load(options.anyway)
        rounds = Rounds(options.rounds)
        rounds.run(
            [
                (OURS, of_ours(ours, "zstd")),
                (NODE, of_peer("node", HERE / "write_batch.mjs", event, LAKE, "--iterations", str(NODE_ITERATIONS))),
                (PY, of_peer(PYTHON, HERE / "write_batch.py", event, LAKE, "--iterations", str(PYTHON_ITERATIONS))),
                (OURS_GZIP, of_ours(ours, "gzip")),
            ]
        )
    print("\nmedians")
    for name in rounds.values:
        print(rounds.line(name, "records per CPU-second"))
    failed = False
    for peer, times in ((NODE, NODE_TIMES), (PY, PYTHON_TIMES)):
        ratio = rounds.median(OURS) / rounds.median(peer)
        failed |= ratio < times
        print(f"{ratio:5.1f} × {peer} (at least {times}); with gzip {rounds.median(OURS_GZIP) / rounds.median(peer):.1f} ×")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
