"""What the measurements side by side have in common."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".tools/python/bin/python"


def built_benches(package_of: dict[str, str]) -> dict[str, Path]:
    """The programs of `cargo bench`, so that they can be run without cargo, by the bench's name as its package is. They are built
    together: one by one, each package would want its dependencies with other features, and all of them anew. In a folder of their own:
    they want more features than functions do, and a function that a bench starts would take the place of the one that is measured."""
    command = ["cargo", "bench", "--locked", "--no-run", "--message-format=json", "--target-dir", str(ROOT / "target/benches")]
    command += [option for bench, package in package_of.items() for option in ("--package", package, "--bench", bench)]
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in printed.splitlines()]
    built = {message["target"]["name"]: Path(message["executable"]) for message in messages if message.get("executable")}
    for bench in package_of.keys() - built.keys():
        sys.exit(f"cargo built no {bench}")
    return built


def require_python_packages() -> None:
    """They are those of `tools/python/requirements.txt`."""
    check = [PYTHON, "-c", "import duckdb, pyarrow"]
    if not PYTHON.exists() or subprocess.run(check, stderr=subprocess.DEVNULL).returncode != 0:
        sys.exit("duckdb and pyarrow are missing: `cargo xtask test format` installs what the tasks need")
