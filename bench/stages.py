"""The stages of our jobs, each by itself: `crates/contestant/benches/stages.rs`, which criterion times. It is the time that passes,
and not CPU time as everywhere else."""

import json
import shutil
from pathlib import Path

from programs import printed

SETTINGS = ["--noplot", "--warm-up-time", 1, "--measurement-time", 3]
"""Seconds, of each stage."""


def measure(program: Path, inputs: Path, folder: Path) -> list[dict]:
    """In the order in which they were measured. `folder` is criterion's, for this time alone: nothing is read of an earlier one."""
    print("the stages of our jobs …", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    printed([program, "--bench", *SETTINGS], TRIBUTARY_BENCH_INPUTS=str(inputs), CRITERION_HOME=str(folder))
    return found(folder)


def found(folder: Path) -> list[dict]:
    """What criterion has written: `GROUP/STAGE/new` has the estimates and what they are of."""
    files = sorted(folder.glob("**/new/benchmark.json"), key=lambda file: file.stat().st_mtime_ns)
    if not files:
        raise SystemExit(f"criterion has written nothing to {folder}")
    return [_stage(file.parent) for file in files]


def _stage(folder: Path) -> dict:
    about, estimates = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("benchmark.json", "estimates.json"))
    nanoseconds = estimates["median"]["point_estimate"]
    ((kind, read),) = about["throughput"].items()
    records, read_bytes = (read["elements"], read["bytes"]) if kind == "ElementsAndBytes" else (read, None)
    return {
        "job": about["group_id"],
        "stage": about["function_id"],
        "nsPerRecord": float(f"{nanoseconds / records:.4g}"),
        # Bytes in a nanosecond are gigabytes in a second.
        "megabytesPerSecond": read_bytes and float(f"{read_bytes / nanoseconds * 1e3:.4g}"),
    }
