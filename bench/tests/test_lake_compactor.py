import json
import sys
import unittest
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(BENCH / "lake-compactor"))

import lake_columns


class Columns(unittest.TestCase):
    def test_they_are_those_of_the_lake_that_is_written(self):
        declared = json.loads((BENCH / "lake.json").read_text(encoding="utf-8"))["columns"]
        self.assertGreater(len(declared), 3)
        self.assertEqual(sorted(kind for _, kind in lake_columns.declared()), sorted(declared.values()))


if __name__ == "__main__":
    unittest.main()
