"""The lake without SQL: pyarrow reads the files, and what the views do is done here by hand."""

import json

import pyarrow as pa
import pyarrow.parquet as parquet

from . import timestamps
from .bucket import COMPACT, LATEST, RAW
from .configuration import EXTRA_COLUMN, FIXED_COLUMNS
from .items import item

_IDENTITY = ("_event_id", "id", "sk", "_sequence", "_op")
#: What `_types` says of the columns of a raw line.
_KINDS = {"s": "string", "b": "boolean", "n": "number", "j": "json", "t": "timestamp", "e": "timestamp_s", "m": "timestamp_ms"}
_DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"


class PyarrowReader:
    name = "pyarrow"

    def __init__(self, configuration, files):
        self._configuration = configuration
        self._files = files

    def stored_rows(self):
        return sum(1 for _ in self._identities(RAW, COMPACT))

    def default_partition_changes(self):
        of_default = (file for area in (RAW, COMPACT) for file in self._files[area] if _DEFAULT_PARTITION in file.partition)
        ids = set()
        for file in of_default:
            ids.update(row[0] for row in _identities(file))
        return len(ids)

    def changes(self):
        once = {row[0]: row for row in self._identities(RAW, COMPACT)}
        return list(once.values())

    def latest_rows(self):
        return list(_last((row[1:3], (row[3], row[0]), row) for row in self._identities(RAW, LATEST)).values())

    def dump(self, view):
        if view == "changes":
            once = {row["_event_id"]: row for row in self._rows(RAW, COMPACT)}
            kept = once.values()
        else:
            rows = ((row["_key"], (row["_sequence"], row["_event_id"]), row) for row in self._rows(RAW, LATEST))
            kept = (row for row in _last(rows).values() if row["_op"] != "REMOVE")
        for row in kept:
            attributes = item(row["_key"], row["_cells"], row[EXTRA_COLUMN])
            yield row["_event_id"], row["_sequence"], row["_op"], row["_changed_at"], row["_removed_by"], attributes

    def _identities(self, *areas):
        for area in areas:
            for file in self._files[area]:
                yield from _identities(file)

    def _rows(self, *areas):
        for area in areas:
            for file in self._files[area]:
                yield from _rows(file)


def _last(rows):
    """Of each key the row of the highest precedence."""
    last = {}
    for key, precedence, row in rows:
        if key not in last or last[key][0] < precedence:
            last[key] = (precedence, row)
    return {key: row for key, (_, row) in last.items()}


def _identities(file):
    if file.key.endswith(".parquet"):
        columns = parquet.read_table(file.path, columns=list(_IDENTITY), partitioning=None)
        yield from zip(*(columns[name].to_pylist() for name in _IDENTITY))
    else:
        for line in _lines(file):
            yield tuple(line[name] for name in _IDENTITY)


def _rows(file):
    return _rows_of_parquet(file) if file.key.endswith(".parquet") else map(_row_of_line, _lines(file))


def _lines(file):
    with pa.input_stream(file.path, compression="zstd" if file.key.endswith(".zst") else "gzip") as stream:
        for line in stream.read().splitlines():
            yield json.loads(line)


def _row_of_line(line):
    """A line says itself what its columns are, whatever is declared now."""
    renamed = json.loads(line.get("_attributes", "{}"))
    names = [name for name in line if not name.startswith("_") and name not in FIXED_COLUMNS]
    cells = []
    for name, kind in zip(names, line.get("_types", ""), strict=True):
        column_type, value = _KINDS[kind], line[name]
        is_instant = column_type.startswith("timestamp")
        cells.append((renamed.get(name, name), column_type, timestamps.of_sql(value) if is_instant else value))
    row = {name: line.get(name) for name in (*FIXED_COLUMNS, EXTRA_COLUMN)}
    row["_changed_at"] = timestamps.of_sql(row["_changed_at"])
    return row | {"_key": (line["id"], line["sk"]), "_cells": cells}


def _rows_of_parquet(file):
    """A file says itself what its columns are, too."""
    table = parquet.ParquetFile(file.path).read()
    declared = json.loads(table.schema.metadata[b"tributary.columns"])
    types = {name: column["type"] for name, column in declared.items()}
    values = {name: _values(table[name]) for name in table.column_names}
    cells = [(name, declared[name]["attribute"], types[name]) for name in table.column_names if name in declared]
    fixed = (*FIXED_COLUMNS, EXTRA_COLUMN)
    for number in range(table.num_rows):
        row = {name: values[name][number] for name in fixed}
        row["_key"] = (row["id"], row["sk"])
        row["_cells"] = [
            (attribute, column_type, values[name][number])
            for name, attribute, column_type in cells
            if values[name][number] is not None
        ]
        yield row


def _values(column):
    """Microseconds of a timestamp, the text of anything else."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).to_pylist()
    return column.to_pylist() if pa.types.is_string(column.type) else column.cast(pa.string()).to_pylist()
