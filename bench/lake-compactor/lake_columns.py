"""The columns of the measured lake."""

import json
import re
from pathlib import Path

LAKE = Path(__file__).resolve().parents[1] / "lake.json"
FIXED = ("_op", "_event_id", "_sequence", "_changed_at", "_removed_by", "id", "sk")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def declared() -> list[tuple[str, str]]:
    """Name and type of each declared column."""
    columns = json.loads(LAKE.read_text(encoding="utf-8"))["columns"]
    return sorted((re.sub("[^a-z0-9_]", "_", attribute.lower()), kind) for attribute, kind in columns.items())


def sql_type(kind: str) -> str:
    if kind.startswith("timestamp"):
        return "timestamp"
    return "varchar" if kind in ("string", "json") else kind
