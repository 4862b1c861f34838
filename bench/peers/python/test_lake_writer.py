"""What the equality gate cannot see, because the input has none of it."""

import json
import unittest

from lake_writer import Lake


class Cells(unittest.TestCase):
    def test_what_has_no_value_or_no_column_is_kept_beside_the_columns(self):
        columns = {"Born On": "string", "none": "string", "when": "timestamp", "any": "json"}
        item = {"id": "1", "Born On": 'a "b"', "none": None, "when": None, "any": None, 'other "one"': None}
        cells = Lake({"table": "items", "partition": {}, "columns": columns}).cells(item)
        self.assertEqual(json.loads(cells.pop("_extra")), {"none": None, "when": None, 'other "one"': None})
        self.assertEqual(
            cells, {"_types": "js", "_attributes": '{"born_on":"Born On"}', "any": "null", "born_on": 'a "b"'}
        )

    def test_a_value_that_is_none_names_the_folder_of_none(self):
        lake = Lake({"table": "items", "partition": {"attributes": ["site"]}, "columns": {}})
        for item in ({}, {"site": None}, {"site": ""}, {"site": []}):
            self.assertEqual(lake.partition_of(item, 0), "site=__HIVE_DEFAULT_PARTITION__")


if __name__ == "__main__":
    unittest.main()
