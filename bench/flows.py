"""Level 3: a change from its write to a consumer that waits at a queue, on the local stack. `flow-bench` of `crates/demo` measures
it; the functions are dev builds there, and most of the time is the emulator's."""

import json
import sys
import tempfile
from pathlib import Path

from programs import FLOW_BENCH, ended

LIMIT_SECONDS = 1_200


def versions(figures: dict) -> dict[str, str]:
    """Of what the functions of the peers do not run on."""
    return {"ministack": figures["versions"]["ministack"], "aws-cdk": figures["versions"]["awsCdk"]}


def flow() -> dict:
    print("write to queue on the local stack …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "flow.json"
        # It says by itself how far it is.
        code, *_ = ended([FLOW_BENCH, "--json", file], LIMIT_SECONDS)
        if code != 0:
            sys.exit(f"flow-bench failed ({code})")
        return json.loads(file.read_text(encoding="utf-8"))
