import json
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import equality
from equality import difference, entry, lake_row, output_of, parsed, records, require_equal


class Differences(unittest.TestCase):
    def test_equal_is_what_means_the_same(self):
        for one, other in (
            ('{"a": 1, "b": [2.50]}', '{"b": [2.5], "a": 1.0}'),
            ('{"a": "\\u00fc"}', '{"a": "ü"}'),
            ('{"a": 100}', '{"a": 1e2}'),
        ):
            self.assertIsNone(difference([parsed(one)], [parsed(other)]), one)

    def test_the_first_difference_is_named_by_its_record_and_path(self):
        for one, other, said in (
            ('{"a": {"b": [1, 2]}}', '{"a": {"b": [1, 3]}}', 'record 2, .a.b[1]: "2" and "3"'),
            ('{"a": 1}', '{"a": "1"}', 'record 2, .a: "1" and "1"'),
            ('{"a": 1}', '{"a": true}', 'record 2, .a: "1" and true'),
            ('{"a": 0}', '{"a": null}', 'record 2, .a: "0" and null'),
            ('{"a": 1}', "{}", 'record 2, .a: "1" and nothing'),
            ("{}", '{"a": null}', "record 2, .a: nothing and null"),
            ('{"a": [1]}', '{"a": [1, 2]}', 'record 2, .a: ["1"] and ["1", "2"]'),
            ('{"a": "Zoë"}', '{"a": "Zoe"}', 'record 2, .a: "Zoë" and "Zoe"'),
            (
                "12345678901234567890.10",
                "12345678901234567890.11",
                'record 2, as a whole: "12345678901234567890.10" and "12345678901234567890.11"',
            ),
        ):
            same = {"same": True}
            self.assertEqual(difference([same, parsed(one)], [same, parsed(other)]), said)

    def test_another_number_of_records_is_a_difference(self):
        self.assertEqual(difference([1], [1, 2]), "1 records and 2")
        self.assertEqual(difference([1], []), "1 records and 0")

    def test_what_is_no_json_is_none_here_either(self):
        for text in ('{"a": NaN}', '{"a": 1, "a": 1}'):
            with self.assertRaises(ValueError):
                parsed(text)


class NestedTexts(unittest.TestCase):
    def row(self, **members) -> str:
        row = {"_types": "sj", "_extra": '{"x": 1}', "id": "1", "sk": "1", "name": "a", "telecom": '[{"value": "1"}]', **members}
        return json.dumps({"partition": "p", "row": row})

    def test_json_in_the_columns_of_a_row_is_compared_as_json(self):
        same = lake_row(self.row(telecom='[ {"value":"1"} ]', _extra='{"x": 1.0}'))
        self.assertIsNone(difference([lake_row(self.row())], [same]))
        for members, path in (
            ({"telecom": '[{"value": "2"}]'}, ".row.telecom[0].value"),
            ({"_extra": '{"x": 2}'}, ".row._extra.x"),
        ):
            self.assertIn(path, difference([lake_row(self.row())], [lake_row(self.row(**members))]))

    def test_a_text_that_looks_like_json_is_a_text(self):
        one, other = (lake_row(self.row(name=name)) for name in ('{"a":1}', '{"a": 1}'))
        self.assertIn(".row.name", difference([one], [other]))

    def test_the_order_of_columns_counts_because_their_types_follow_it(self):
        one = lake_row('{"partition": "p", "row": {"_types": "ss", "a": "1", "b": "2"}}')
        other = lake_row('{"partition": "p", "row": {"_types": "ss", "b": "2", "a": "1"}}')
        self.assertIn(".columns[0]", difference([one], [other]))

    def test_a_detail_is_compared_as_json(self):
        one, same, other = (
            entry(json.dumps({"Source": "s", "Detail": detail})) for detail in ('{"a":[1]}', '{"a": [1.0]}', '{"a": [2]}')
        )
        self.assertIsNone(difference([one], [same]))
        self.assertIn(".Detail.a[0]", difference([one], [other]))


class Order(unittest.TestCase):
    def read(self, job: str, lines: list) -> list:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "made.ndjson"
            file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            return records(job, file)

    def test_partitions_have_no_order_but_their_rows_have(self):
        rows = [{"partition": partition, "row": {"id": id}} for partition, id in (("b", "1"), ("a", "2"), ("b", "0"))]
        self.assertEqual([record["row"]["id"] for record in self.read("lake-writer", rows)], ["2", "1", "0"])

    def test_requests_have_no_order_but_resources_have(self):
        entries = [{"Detail": json.dumps({"meta": {"id": id}})} for id in "cab"]
        ids = lambda job: [record["Detail"]["meta"]["id"] for record in self.read(job, entries)]  # noqa: E731
        self.assertEqual(ids("router"), ["a", "b", "c"])
        self.assertEqual(ids("publisher"), ["c", "a", "b"])


class Reading(unittest.TestCase):
    def read(self, job: str, text: str) -> list:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "made.ndjson"
            file.write_text(text, encoding="utf-8")
            return records(job, file)

    def test_a_line_feed_alone_ends_a_record(self):
        made = self.read("enricher", '{"a": "\u2028\u0085\u2029"}\n{"a": "b"}\n')
        self.assertEqual(made, [{"a": "\u2028\u0085\u2029"}, {"a": "b"}])
        self.assertEqual(self.read("enricher", ""), [])

    def test_whose_output_cannot_be_read_is_said(self):
        for job, text in (
            ("enricher", "no JSON"),
            ("enricher", '{"a": 1}\n\n{"a": 1}\n'),
            ("enricher", '{"a": 1, "a": 1}'),
            ("router", "{}"),
            ("router", '{"Detail": 1}'),
            ("lake-writer", '{"row": 1}'),
            ("lake-writer", '{"row": {"_types": "ss", "a": "1"}}'),
        ):
            with self.assertRaises(SystemExit) as ended, output_of("enricher/b2", "go"):
                self.read(job, text)
            self.assertIn("enricher/b2: what go made cannot be read", str(ended.exception), text)


class Gate(unittest.TestCase):
    def test_nobody_passes_who_made_something_else_or_nothing(self):
        for made, said in (
            ({"tributary": [1, 2], "go": [1, 3]}, "tributary and go differ in record 2"),
            ({"tributary": [1], "go": [1]}, "tributary made 1 records, not 2"),
            ({"tributary": [], "go": []}, "tributary made 0 records, not 2"),
        ):
            with self.assertRaises(SystemExit) as ended:
                require_equal("enricher/b2", 2, made)
            self.assertIn(said, str(ended.exception))
        with unittest.mock.patch.object(equality, "print", create=True):
            require_equal("enricher/b2", 2, {"tributary": [1, 2], "go": [1, 2]})


if __name__ == "__main__":
    unittest.main()
