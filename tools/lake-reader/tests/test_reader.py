"""The readers on a lake made by hand: the same answers from both, and every value as it was."""

import gzip
import json
import os
import sys
import tempfile
import unittest
import unittest.mock
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as parquet

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from lake_reader import exact_json, timestamps
from lake_reader.bucket import ORDERS, Bucket
from lake_reader.configuration import Configuration, column_name
from lake_reader.watch import Watch
from lake_reader.with_duckdb import DuckDbReader
from lake_reader.with_pyarrow import PyarrowReader

REPOSITORY = os.path.join(os.path.dirname(__file__), "../../..")
CONFIGURATION = {
    "table": "items",
    "partition": {"attributes": ["ward/Site id"], "time": {"from": "change", "unit": "year"}},
    "columns": {
        "birthDate": "string", "amount": "decimal(38,9)", "visits": "bigint", "active": "boolean", "tags": "json",
        "seenAt": "timestamp", "savedAt": "timestamp_s", "sentAt": "timestamp_ms", "lately": "string",
    },
}
#: One change, as the snapshot `lake_rows__a_line_is_what_the_readers_expect` of the domain has it.
SNAPSHOT = os.path.join(REPOSITORY, "crates/domain/tests/snapshots/lake_rows__a_line_is_what_the_readers_expect.snap")
FOLDER = "ward%2FSite id=a%2Fb%3Dc%25 東京/year=2026"
DEFAULT_FOLDER = "ward%2FSite id=__HIVE_DEFAULT_PARTITION__/year=2026"


def line(event, sequence, operation="MODIFY", key="PATIENT#1", **columns):
    return {
        "_op": operation, "_event_id": event, "_sequence": str(sequence).zfill(40), "_changed_at": "2026-11-22 07:14:00",
        "id": key, "sk": key, **columns,
    }


class Lake:
    """A lake in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.configuration = Configuration(json.dumps(CONFIGURATION))

    def raw(self, name, lines, folder=FOLDER):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        compressed = gzip.compress(text) if name.endswith(".gz") else pa.compress(text, codec="zstd", asbytes=True)
        self._write(f"raw/items/{folder}/{name}", compressed)

    def parquet(self, key, rows, columns):
        fixed = {name: pa.string() for name in ("_op", "_event_id", "_sequence", "_removed_by", "id", "sk", "_extra")}
        fixed["_changed_at"] = pa.timestamp("us")
        types = {column_name(name): arrow for name, (arrow, _) in columns.items()}
        declared = {column_name(name): {"attribute": name, "type": text} for name, (_, text) in columns.items()}
        schema = pa.schema({**fixed, **types}, metadata={"tributary.columns": json.dumps(declared)})
        path = self._path(key)
        parquet.write_table(pa.Table.from_pylist(rows, schema), path, compression="zstd")

    def remove(self, key):
        os.remove(os.path.join(self.folder, key))

    def readers(self, order="raw-first"):
        with tempfile.TemporaryDirectory() as cache:
            files = Bucket(self.folder, cache).lake("items", order)
            for reader in (DuckDbReader, PyarrowReader):
                yield reader(self.configuration, files)

    def _write(self, key, content):
        with open(self._path(key), "wb") as file:
            file.write(content)

    def _path(self, key):
        path = os.path.join(self.folder, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path


class FailingReads:
    """Files that can be listed and opened. They fail when they are read, as S3's do in pyarrow, with an error that names no cause."""

    def __init__(self, files, goes):
        self._files = files
        self._goes = goes

    def get_file_info(self, selector):
        return self._files.get_file_info(selector)

    def open_input_stream(self, path, compression):
        stream = unittest.mock.MagicMock()
        stream.__enter__.return_value.read.side_effect = lambda: self._fail(path)
        stream.__exit__.return_value = False
        return stream

    def _fail(self, path):
        if self._goes:
            os.remove(path)
        raise OSError("GetObject")


def dumped(reader, view):
    return {row[0]: (row[1:5], row[5]) for row in reader.dump(view)}


class ReaderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.lake = Lake(folder.name)

    def test_an_empty_lake_has_no_rows(self):
        for reader in self.lake.readers():
            self.assertEqual((reader.changes(), reader.latest_rows(), reader.stored_rows()), ([], [], 0))
            self.assertEqual(list(reader.dump("changes")) + list(reader.dump("latest")), [])

    def test_each_change_counts_once_and_the_highest_sequence_of_a_key_is_its_state(self):
        a, b = line("a", 9, "INSERT"), line("b", 10, _types="s", lately="new")
        self.lake.raw("1.json.zst", [a, b])
        self.lake.raw("2.json.gz", [b, line("c", 11, "REMOVE", key="PATIENT#2", _types="s", lately="gone")])
        self.lake.raw("3.json.zst", [line("d", 12, "INSERT", key="PATIENT#3")], folder=DEFAULT_FOLDER)
        self.lake.parquet(f"compact/items/{FOLDER}/1.parquet", [parquet_row(a)], {})
        self.lake.parquet("latest/items/bucket=00/1.parquet", [parquet_row(a)], {})
        for order in ORDERS:
            for reader in self.lake.readers(order):
                self.assertEqual(sorted(row[0] for row in reader.changes()), ["a", "b", "c", "d"])
                latest = sorted((row[1], row[0], row[4]) for row in reader.latest_rows())
                self.assertEqual(latest, [("PATIENT#1", "b", "MODIFY"), ("PATIENT#2", "c", "REMOVE"), ("PATIENT#3", "d", "INSERT")])
                self.assertEqual((reader.stored_rows(), reader.default_partition_changes()), (6, 1))
                self.assertEqual(sorted(dumped(reader, "latest")), ["b", "d"])
                self.assertEqual(dumped(reader, "changes")["b"][1], {"id": "PATIENT#1", "sk": "PATIENT#1", "lately": "new"})

    def test_values_come_back_as_they_were(self):
        with open(SNAPSHOT) as snapshot:
            written = json.loads(snapshot.read().split("---\n")[2])
        # Its column is not among those that are declared now, nor in the table of DuckDB.
        del written["_types"], written["_attributes"]
        types = {"active": "b", "amount": "n", "birthdate": "s", "savedat": "e", "seenat": "t", "sentat": "m", "tags": "j", "visits": "n"}
        names = {"birthdate": "birthDate", "savedat": "savedAt", "seenat": "seenAt", "sentat": "sentAt"}
        written |= {"_types": "".join(types[name] for name in written if name in types), "_attributes": json.dumps(names)}
        self.lake.raw("1.json.zst", [written, line("x", 8, _types="me", sentat="0000-01-01 00:00:00", savedat="1969-12-31 23:59:59.999999", _attributes=json.dumps(names))])
        for reader in self.lake.readers():
            rows = dumped(reader, "changes")
            (sequence, operation, changed_at, removed_by), item = rows[written["_event_id"]]
            self.assertEqual((operation, timestamps.rfc3339(changed_at)), ("MODIFY", "2026-11-22T07:14:00Z"))
            self.assertEqual(
                {name: exact_json.dumps(value) for name, value in item.items()} | {"amount": Decimal(item["amount"].text)},
                {
                    "id": '"PATIENT#1 \\"é\\\\"', "sk": '""', "birthDate": '"1990-02-03"', "active": "true", "visits": "3",
                    "amount": Decimal("12345678901234567890.5"), "tags": '["a",11E-1]', "savedAt": "179533164E1",
                    "seenAt": '"2026-11-22T08:14:00+01:00"', "sentAt": "179533164025E1", "unfit": '"yes"', 'other "one"': "null",
                },
            )
            item = rows["x"][1]
            self.assertEqual((item["sentAt"].text, item["savedAt"].text), ("-62167219200000", "-0.000001"))

    def test_files_from_before_a_column_was_declared_are_read_with_those_from_after(self):
        old = parquet_row(line("a", 9)) | {"_extra": '{"lately":"first","größe":1.10}'}
        new = parquet_row(line("b", 10, key="PATIENT#2")) | {
            "lately": "second", "amount": Decimal("-99999999999999999999999999999.000000001"), "active": True, "visits": -5, "tags": '{"a":[1.50]}',
            "seenat": timestamps.of_sql("0000-02-29 00:00:00.5"), "savedat": -1, "sentat": 1795331640250000,
        }
        moment = pa.timestamp("us")
        self.lake.parquet(f"compact/items/{FOLDER}/1.parquet", [old], {})
        self.lake.parquet(f"compact/items/{FOLDER}/2.parquet", [new], {
            "lately": (pa.string(), "string"), "amount": (pa.decimal128(38, 9), "decimal(38,9)"), "active": (pa.bool_(), "boolean"),
            "visits": (pa.int64(), "bigint"), "tags": (pa.string(), "json"), "seenAt": (moment, "timestamp"),
            "savedAt": (moment, "timestamp_s"), "sentAt": (moment, "timestamp_ms"),
        })
        self.lake.raw("3.json.zst", [line("c", 11, _extra='{"lately":null}', key="PATIENT#3")])
        for reader in self.lake.readers():
            rows = {event: row[1] for event, row in dumped(reader, "changes").items()}
            self.assertEqual(exact_json.dumps(rows["a"]), '{"größe":11E-1,"id":"PATIENT#1","lately":"first","sk":"PATIENT#1"}')
            self.assertEqual(rows["c"]["lately"], None)
            texts = {name: exact_json.dumps(value) for name, value in rows["b"].items()}
            self.assertEqual(Decimal(texts.pop("amount")), Decimal("-99999999999999999999999999999.000000001"))
            self.assertEqual(texts, {
                "id": '"PATIENT#2"', "sk": '"PATIENT#2"', "lately": '"second"', "active": "true", "visits": "-5", "tags": '{"a":[15E-1]}',
                "seenAt": '"0000-02-29T00:00:00.5Z"', "savedAt": "-1E-6", "sentAt": "179533164025E1",
            })

    def test_a_query_sees_the_names_and_values_of_partitions_and_exported_resources(self):
        self.lake.raw("1.json.zst", [line("a", 9, _extra='{"ward/Site id":"a/b=c% 東京"}')])
        exported = os.path.join(self.lake.folder, "patients.ndjson")
        with open(exported, "w") as file:
            file.write('{"resourceType": "Patient", "id": "1", "text": "a, \\"b\\"\\t\'"}\n')
        with tempfile.TemporaryDirectory() as cache:
            files = Bucket(self.lake.folder, cache).lake("items", "raw-first")
            reader = DuckDbReader(self.lake.configuration, files, [exported])
            columns, rows = reader.query('SELECT ward_site_id, year FROM changes')
            self.assertEqual((columns, rows), (["ward_site_id", "year"], [("a/b=c% 東京", "2026")]))
            sql = """SELECT CAST(json_extract(resource, '$.text') AS varchar) FROM exported_resources"""
            self.assertEqual(json.loads(reader.query(sql)[1][0][0]), "a, \"b\"\t'")

    def test_a_file_that_goes_between_its_opening_and_its_reading_is_a_file_not_found(self):
        self.lake.raw("1.json.zst", [line("a", 9)])
        for goes, error in [(False, OSError), (True, FileNotFoundError)]:
            with tempfile.TemporaryDirectory() as cache, self.assertRaises(OSError) as caught:
                bucket = Bucket(self.lake.folder, cache)
                bucket._files = FailingReads(bucket._files, goes)
                bucket.lake("items", "raw-first")
            self.assertIs(type(caught.exception), error)

    def test_a_watch_finds_what_is_missing_behind_and_doubled(self):
        watch = Watch()
        self.lake.raw("1.json.zst", [line("a", 9)])
        self.lake.raw("2.json.zst", [line("b", 10)])
        for reader in self.lake.readers():
            look = watch.look(reader)
            self.assertEqual((look["missing"], look["itemsBehind"], look["doubled"], look["itemsDoubled"]), (0, 0, 0, 0))
        self.lake.remove(f"raw/items/{FOLDER}/2.json.zst")
        for reader in self.lake.readers():
            look = watch.look(reader)
            self.assertEqual((look["missing"], look["itemsBehind"], look["missingIds"]), (1, 1, ["b"]))
        # The same change in two partitions, which the lake never writes.
        self.lake.raw("2.json.zst", [line("a", 9), line("b", 10)], folder=DEFAULT_FOLDER)
        readers = self.lake.readers()
        self.assertEqual(watch.look(next(readers))["doubled"], 1)


class NamesTest(unittest.TestCase):
    def test_columns_have_the_names_that_the_catalog_gives_them(self):
        with open(os.path.join(REPOSITORY, "tests/data/lake/column-names.json")) as file:
            vectors = [vector for vector in json.load(file) if "attribute" in vector]
        self.assertGreater(len(vectors), 5)
        for vector in vectors:
            self.assertEqual(column_name(vector["attribute"]), vector["column"])


def parquet_row(line):
    return line | {"_changed_at": timestamps.of_sql(line["_changed_at"])}


if __name__ == "__main__":
    unittest.main()
