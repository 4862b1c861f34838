"""The lake writer's job, as a user of pyarrow writes it: the event parsed, the images made plain, the rows gathered by
partition, lines of JSON compressed by pyarrow. (pyarrow reads JSON and has no writer for it.)

Where the lake writer is stricter, this is not: numbers pass through floats, and nothing is checked that the input of the
measurement does not have. Powertools' deserializer, which makes a Decimal of each number, is slower than `plain`.
"""

import json
import re
import time
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from digest import digest
from instants import of_second, of_text, rfc3339
from plain_json import encode

UNITS = ("year", "month", "day", "hour", "minute")
ZSTD = pa.Codec("zstd", compression_level=3)
"""The level that Tributary writes; without one pyarrow takes 1."""
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class File(NamedTuple):
    partition: str
    key: str
    body: pa.Buffer


class Lake:
    """What is written where, as `lake.json` says."""

    def __init__(self, configuration: dict) -> None:
        self.table = configuration["table"]
        self.partition = configuration["partition"]
        self.declared = frozenset(configuration["columns"])
        columns = [(attribute, kind, column_name(attribute)) for attribute, kind in configuration["columns"].items()]
        self.columns = sorted(columns, key=lambda column: column[2])

    def files(self, event: bytes) -> list[File]:
        return [self.file(partition, rows) for partition, rows in self.grouped(event).items()]

    def grouped(self, event: bytes) -> dict[str, list[dict]]:
        groups = {}
        for record in json.loads(event)["Records"]:
            row, item = self.row(record)
            second = record["dynamodb"]["ApproximateCreationDateTime"]
            groups.setdefault(self.partition_of(item, second), []).append(row)
        return groups

    def file(self, partition: str, rows: list[dict]) -> File:
        sequences = [row["_sequence"] for row in rows]
        name = digest("raw file", *[row["_event_id"] for row in rows])
        body = ZSTD.compress("".join([encode(row) + "\n" for row in rows]).encode())
        key = f"raw/{self.table}/{partition}/{min(sequences)}-{max(sequences)}-{name}.json.zst"
        return File(partition, key, body)

    def row(self, record: dict) -> tuple[dict, dict]:
        """The row and the item that it is of."""
        change, operation = record["dynamodb"], record["eventName"]
        image = change["OldImage" if operation == "REMOVE" else "NewImage"]
        item = {name: plain(attribute) for name, attribute in image.items()}
        row = {
            "_op": operation,
            "_event_id": digest("change", record["eventSourceARN"], record["eventID"], change["SequenceNumber"]),
            "_sequence": change["SequenceNumber"].zfill(40),
            "_changed_at": sql_timestamp(of_second(change["ApproximateCreationDateTime"])),
        }
        if record.get("userIdentity", {}).get("principalId") == "dynamodb.amazonaws.com":
            row["_removed_by"] = "ttl"
        row["id"], row["sk"] = item["id"], item["sk"]
        row.update(self.cells(item))
        return row, item

    def cells(self, item: dict) -> dict[str, str]:
        """The columns, and what is needed to have the item back from them."""
        kinds, cells, renamed, extra = [], {}, {}, {}
        for attribute, column_type, name in self.columns:
            if attribute not in item:
                continue
            fit = cell(column_type, item[attribute])
            if fit is not None:
                kinds.append(fit[0])
                cells[name] = fit[1]
                if name != attribute:
                    renamed[name] = attribute
            if fit is None or not fit[2]:
                extra[attribute] = item[attribute]
        for attribute, value in item.items():
            if attribute not in self.declared and attribute not in ("id", "sk"):
                extra[attribute] = value
        members = {}
        if kinds:
            members["_types"] = "".join(kinds)
        if renamed:
            members["_attributes"] = encode(renamed)
        members.update(cells)
        if extra:
            members["_extra"] = encode(extra)
        return members

    def partition_of(self, item: dict, second: float) -> str:
        folders = []
        for name in self.partition.get("attributes", ()):
            value = item.get(name)
            if isinstance(value, bool):
                value = "true" if value else "false"
            is_missing = value is None or value == "" or isinstance(value, (list, dict))
            folders.append(f"{escaped(name)}={NO_VALUE if is_missing else escaped(str(value))}")
        if "time" in self.partition:
            last_unit = UNITS.index(self.partition["time"]["unit"])
            for unit, part in zip(UNITS[: last_unit + 1], time.gmtime(second)[:5], strict=False):
                folders.append(f"{unit}={part:04}" if unit == "year" else f"{unit}={part:02}")
        return "/".join(folders)


def decompressed(body: pa.Buffer) -> bytes:
    with pa.input_stream(pa.BufferReader(body), compression="zstd") as stream:
        return stream.read()


def column_name(attribute: str) -> str:
    return re.sub("[^a-z0-9_]", "_", attribute.lower())


def cell(column_type: str, value: Any) -> tuple[str, str, bool] | None:
    """Kind, text, and whether the column gives the value back as it was; None where it does not fit."""
    if column_type == "string":
        return ("s", value, True) if isinstance(value, str) else None
    if column_type == "boolean":
        return ("b", "true" if value else "false", True) if isinstance(value, bool) else None
    if column_type == "json":
        return "j", encode(value), True
    if column_type == "timestamp":
        try:
            instant = of_text(value)
        except (TypeError, ValueError):
            return None
        return "t", sql_timestamp(instant), rfc3339(instant) == value
    if isinstance(value, bool) or not isinstance(value, int if column_type == "bigint" else (int, float)):
        return None
    text = str(value)
    return "n", text.removesuffix(".0"), True


def plain(attribute: dict) -> Any:
    """An attribute value as JSON has it (Amazon DynamoDB API reference, "AttributeValue")."""
    ((kind, value),) = attribute.items()
    if kind in ("S", "B", "BOOL"):
        return value
    if kind == "N":
        return number(value)
    if kind == "M":
        return {name: plain(member) for name, member in value.items()}
    if kind == "L":
        return [plain(member) for member in value]
    if kind == "NULL":
        return None
    return sorted(value) if kind in ("SS", "BS") else sorted(map(number, value))


def number(text: str) -> int | float:
    return float(text) if "." in text or "e" in text.lower() else int(text)


def sql_timestamp(instant: datetime) -> str:
    return rfc3339(instant)[:-1].replace("T", " ")


def escaped(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\"#%'*/:=?\\{\[\]^]", lambda match: f"%{ord(match[0]):02X}", text)
