"""What TLS costs a function, on loopback and with a certificate of its own: `crates/lambda-support/benches/first_tls.rs`
measures it."""

import json
import statistics
import tempfile
from pathlib import Path

from programs import printed

STARTS = 51
"""Of which the medians count: a first connection is one of a process."""


def measure(program: Path) -> dict[str, float]:
    """Milliseconds of CPU time."""
    print(f"the first TLS connection of {STARTS} processes …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        starts = [_start(program, Path(folder) / "first-tls.json") for _ in range(STARTS)]
    return {member: statistics.median(start[member] for start in starts) for member in starts[0]}


def _start(program: Path, file: Path) -> dict[str, float]:
    file.unlink(missing_ok=True)
    printed([program, "--bench", "--json", file])
    return json.loads(file.read_text(encoding="utf-8"))
