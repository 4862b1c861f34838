"""The lake writer's job in Python, as a user of pyarrow writes it: the event parsed, the images made plain, the rows gathered
by partition, lines of JSON into pyarrow's compressed streams. (pyarrow reads JSON and has no writer for it.)

    python write_batch.py EVENT LAKE [--write-output FOLDER | --iterations N]

Where the lake writer is stricter, this is not: numbers pass through doubles, and nothing is checked that the input of the
measurement does not have. boto3's TypeDeserializer, which makes a Decimal of each number, is slower than `plain`.
"""

import hashlib
import json
import re
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa

UNITS = ("year", "month", "day", "hour", "minute")
dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def column_name(attribute):
    return re.sub("[^a-z0-9_]", "_", attribute.lower())


def digest(kind, parts):
    sha = hashlib.sha256(kind.encode())
    for part in parts:
        part = part.encode()
        sha.update(len(part).to_bytes(8, "big"))
        sha.update(part)
    return sha.hexdigest()[:32]


def number(text):
    return float(text) if "." in text or "e" in text.lower() else int(text)


def plain(attribute):
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


def rfc3339(instant):
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{instant.microsecond:06}".rstrip("0") + "Z" if instant.microsecond else text + "Z"


def sql_timestamp(instant):
    return rfc3339(instant)[:-1].replace("T", " ")


def cell(column_type, value):
    """Kind, text, and whether the column gives the value back as it was; None where it does not fit."""
    if column_type == "string":
        return ("s", value, True) if isinstance(value, str) else None
    if column_type == "boolean":
        return ("b", "true" if value else "false", True) if isinstance(value, bool) else None
    if column_type == "json":
        return "j", dumps(value), True
    if column_type == "timestamp":
        try:
            instant = datetime.fromisoformat(value).astimezone(timezone.utc)
        except (TypeError, ValueError):
            return None
        return "t", sql_timestamp(instant), rfc3339(instant) == value
    if isinstance(value, bool) or not isinstance(value, int if column_type == "bigint" else (int, float)):
        return None
    text = str(value)
    return "n", text[:-2] if text.endswith(".0") else text, True


def row(record, columns, declared):
    change, operation = record["dynamodb"], record["eventName"]
    image = change["OldImage" if operation == "REMOVE" else "NewImage"]
    item = {name: plain(attribute) for name, attribute in image.items()}
    line = {
        "_op": operation,
        "_event_id": digest("change", (record["eventSourceARN"], record["eventID"], change["SequenceNumber"])),
        "_sequence": change["SequenceNumber"].zfill(40),
        "_changed_at": sql_timestamp(datetime.fromtimestamp(change["ApproximateCreationDateTime"], timezone.utc)),
    }
    if record.get("userIdentity", {}).get("principalId") == "dynamodb.amazonaws.com":
        line["_removed_by"] = "ttl"
    line["id"], line["sk"] = item["id"], item["sk"]
    types, cells, renamed, extra = [], {}, {}, {}
    for attribute, column_type, name in columns:
        if attribute not in item:
            continue
        fit = cell(column_type, item[attribute])
        if fit is not None:
            types.append(fit[0])
            cells[name] = fit[1]
            if name != attribute:
                renamed[name] = attribute
        if fit is None or not fit[2]:
            extra[attribute] = item[attribute]
    for attribute, value in item.items():
        if attribute not in declared and attribute not in ("id", "sk"):
            extra[attribute] = value
    if types:
        line["_types"] = "".join(types)
    if renamed:
        line["_attributes"] = dumps(renamed)
    line.update(cells)
    if extra:
        line["_extra"] = dumps(extra)
    return line, item


def escaped(text):
    return re.sub(r"[\x00-\x1f\x7f\"#%'*/:=?\\{\[\]^]", lambda match: f"%{ord(match[0]):02X}", text)


def partition(spec, item, second):
    folders = []
    for name in spec.get("attributes", ()):
        value = item.get(name)
        if isinstance(value, bool):
            value = "true" if value else "false"
        is_missing = value is None or value == "" or isinstance(value, (list, dict))
        folders.append(f"{escaped(name)}={'__HIVE_DEFAULT_PARTITION__' if is_missing else escaped(str(value))}")
    if spec.get("time"):
        parts = time.gmtime(second)[:5]
        for unit, part in zip(UNITS[: UNITS.index(spec["time"]["unit"]) + 1], parts):
            folders.append(f"{unit}={part:04}" if unit == "year" else f"{unit}={part:02}")
    return "/".join(folders)


def grouped(event, lake, columns, declared):
    groups = {}
    for record in json.loads(event)["Records"]:
        line, item = row(record, columns, declared)
        folder = partition(lake["partition"], item, record["dynamodb"]["ApproximateCreationDateTime"])
        groups.setdefault(folder, []).append(line)
    return groups


def lines(rows):
    return "".join([dumps(line) + "\n" for line in rows]).encode()


def files(event, lake, columns, declared):
    written = []
    for folder, rows in grouped(event, lake, columns, declared).items():
        sequences = [line["_sequence"] for line in rows]
        name = digest("raw file", [line["_event_id"] for line in rows])
        key = f"raw/{lake['table']}/{folder}/{min(sequences)}-{max(sequences)}-{name}.json.zst"
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(lines(rows))
        written.append((key, sink.getvalue()))
    return written


def main():
    event_path, lake_path, option, value = sys.argv[1:]
    event, lake = Path(event_path).read_bytes(), json.loads(Path(lake_path).read_text())
    columns = sorted(((a, t, column_name(a)) for a, t in lake["columns"].items()), key=lambda column: column[2])
    job = event, lake, columns, set(lake["columns"])
    if option == "--write-output":
        for folder, rows in grouped(*job).items():
            (Path(value) / folder).mkdir(parents=True, exist_ok=True)
            (Path(value) / folder / "rows.json").write_bytes(lines(rows))
        return
    iterations = int(value)
    for _ in range(iterations // 10 + 1):
        files(*job)
    before = time.process_time()
    for _ in range(iterations):
        written = files(*job)
    taken = time.process_time() - before
    records = len(json.loads(event)["Records"]) * iterations
    size = sum(len(body) for _, body in written)
    print(json.dumps({"recordsPerCpuSecond": records / taken, "bytes": size, "files": len(written)}))


if __name__ == "__main__":
    main()
