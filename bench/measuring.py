"""What the measurements side by side have in common."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".tools/python/bin/python"


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
