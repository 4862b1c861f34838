#!/usr/bin/env python3
"""The lake compactor beside DuckDB: 1,000 raw files of 100 rows into one Parquet file, and a large partition in little memory.

    python3 bench/lake-compactor/run.py              builds, compares the rows, measures five rounds in turn, then the memory
    python3 bench/lake-compactor/run.py --compare    compares the rows alone
    python3 bench/lake-compactor/run.py --anyway     measures under load too: a trial

Both read the same files, zstd lines of JSON whose values are texts, and write one zstd Parquet file of typed columns. DuckDB runs
on one thread, in two ways: **the same job** (each `_event_id` once, sorted by key) and **a plain COPY**, which neither drops
repeats nor sorts. First the rows must be equal, value by value. What is compared is the time that passes, on one thread each;
the CPU time stands beside it.

It fails where the compactor is slower than the plain COPY, or needs more memory than it was given.

The compactor's side is `cargo bench -p lake-compactor --bench compact_partition`, which is asked for
    --write-input FOLDER                                 the files of the measurement
    --input FOLDER --output FOLDER --iterations N        compacts them N times and leaves the last result; prints a line of JSON
                                                         {"rows", "seconds", "cpuSeconds"}, of one iteration
    --large BYTES --memory BYTES                         compacts a partition of so many bytes of rows; prints {"rows", "bytes"}
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from load import refuse_under_load
from measuring import PYTHON, built_benches, require_python_packages
from programs import answer
from ratios import ratio
from rounds import Measurement, Rounds

HERE = Path(__file__).resolve().parent
FILES, ROWS = 1_000, 100_000

LARGE_BYTES = 2 * 1024**3
MEMORY_BYTES = 1769 * 1024**2 // 2
"""Half of the function's memory is for rows, as the CDK app has it; all of it is what the process may need."""
PROCESS_BYTES = 1769 * 1024**2

OURS, SAME_JOB, PLAIN = "lake-compactor", "DuckDB, the same job", "DuckDB, plain COPY"


class Contest:
    def __init__(self, ours: Path, temporary: Path, iterations: int):
        self._ours = ours
        self._iterations = str(iterations)
        self._input = temporary / "raw"
        self._outputs = {name: temporary / folder for name, folder in ((OURS, "ours"), (SAME_JOB, "same"), (PLAIN, "plain"))}
        for folder in (self._input, *self._outputs.values()):
            folder.mkdir()
        self._cpu: dict[str, list[float]] = {}
        subprocess.run([ours, "--bench", "--write-input", self._input], check=True, stdout=subprocess.DEVNULL)
        found = sum(1 for _ in self._input.rglob("*.json.zst"))
        if found != FILES:
            sys.exit(f"{found} files to be compacted, not {FILES}")

    def measure(self, name: str, iterations: str | None = None) -> float:
        iterations = iterations or self._iterations
        folders = ["--input", self._input, "--output", self._outputs[name], "--iterations", iterations]
        if name == OURS:
            result = answer([self._ours, "--bench", *folders])
        else:
            way = "plain" if name == PLAIN else "same"
            result = answer([PYTHON, HERE / "duckdb_copy.py", way, *folders])
        if result["rows"] != ROWS:
            sys.exit(f"{name} wrote {result['rows']} rows, not {ROWS}")
        self._cpu.setdefault(name, []).append(result["cpuSeconds"])
        return result["seconds"]

    def cpu(self, name: str) -> float:
        return statistics.median(self._cpu[name])

    def compare(self) -> None:
        for name in self._outputs:
            self.measure(name, "1")
        for name in (SAME_JOB, PLAIN):
            compared = answer([PYTHON, HERE / "compare.py", self._outputs[OURS], self._outputs[name]])
            if compared["different"] or compared["rows"] != ROWS:
                sys.exit(f"the rows differ from those of {name}: {compared}")
        sizes = {name: sum(file.stat().st_size for file in folder.rglob("*.parquet")) for name, folder in self._outputs.items()}
        print(f"equal: {ROWS:,} rows; Parquet of " + ", ".join(f"{size:,} bytes ({name})" for name, size in sizes.items()))


def large(ours: Path, temporary: Path) -> bool:
    """Whether a partition of 2 GB is compacted in the memory that the function has."""
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [str(ours), "--bench", "--large", str(LARGE_BYTES), "--memory", str(MEMORY_BYTES)]
    program = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(
        f"large: {LARGE_BYTES / 1024**3:.0f} GB of rows with {MEMORY_BYTES / 1024**2:.0f} MB for rows: "
        f"peak {peak / 1024**2:,.0f} MB of {PROCESS_BYTES / 1024**2:,.0f}, {usage.ru_utime + usage.ru_stime:.0f} s of CPU"
    )
    return program.returncode == 0 and peak <= PROCESS_BYTES


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--iterations", type=int, default=3)
    arguments.add_argument("--compare", action="store_true")
    arguments.add_argument("--skip-large", action="store_true")
    arguments.add_argument("--anyway", action="store_true")
    options = arguments.parse_args()

    require_python_packages()
    ours = built_benches({"compact_partition": "lake-compactor"})["compact_partition"]
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        contest = Contest(ours, Path(temporary), options.iterations)
        contest.compare()
        if options.compare:
            return
        refuse_under_load(options.anyway)
        if options.rounds < 5:
            print(f"{options.rounds} rounds: too few to count")
        rounds = Rounds(again=not options.anyway)
        names = (OURS, SAME_JOB, PLAIN)
        rounds.run(options.rounds, [Measurement(name, lambda name=name: contest.measure(name), "s") for name in names])
        print("\nmedians")
        for name in names:
            print(rounds.line(name, "s") + f", {contest.cpu(name):.3f} s of CPU")
        for name in (SAME_JOB, PLAIN):
            of_time = ratio(rounds.values[OURS], rounds.values[name])
            print(f"{of_time.value:5.2f} × {name} (at least 1), ± {of_time.spread:.0%}")
            failed |= of_time.value < 1
        if not options.skip_large:
            failed |= not large(ours, Path(temporary))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
