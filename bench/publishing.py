"""How much memory our publisher takes for a whole export: 200,000 resources of 1 KB in ranges of 64 MB, all of them counted at the
other end. `crates/export-publisher/benches/publish_ranges` measures it, and fails by itself where a resource is lost."""

import json
import tempfile
from pathlib import Path

from programs import printed


def publish(program: Path) -> dict:
    print("publishing 200,000 resources …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "publishing.json"
        printed([program, "--bench", "--json", file])
        return json.loads(file.read_text(encoding="utf-8"))
