import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import functions
import inputs
from functions import INVOCATIONS, Functions
from rounds import Taken


class Requests(unittest.TestCase):
    """Of ten changes nine bring an image, and one removes its patient."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        inputs.write(Path(cls.folder.name))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def measured(self, contest: str, **requests: int) -> Taken:
        taken = {
            "cpuUsPerEvent": 40.0,
            "peakRssBytes": 7_000_000,
            "requests": {"Query": 0, "GetItem": 0, "PutEvents": 0, **requests},
        }
        with mock.patch.object(functions, "answer", return_value=taken):
            (found,) = (one for one in Functions(Path(self.folder.name)).contests() if one.name == contest)
            return found.measures["go"]()

    def test_those_of_the_timed_invocations_are_counted(self):
        timed = INVOCATIONS[10][1]
        self.assertEqual(self.measured("enricher-function/b10", Query=9 * timed), Taken(40.0, 7_000_000))
        self.assertEqual(self.measured("router-function/b10", PutEvents=timed), Taken(40.0, 7_000_000))

    def test_neither_fewer_nor_more_nor_others_are_sent(self):
        timed = INVOCATIONS[10][1]
        for requests in ({"Query": 9 * timed - 1}, {"Query": 10 * timed}, {"Query": 9 * timed, "GetItem": 1}, {}):
            with self.assertRaises(SystemExit) as ended:
                self.measured("enricher-function/b10", **requests)
            self.assertIn(f"they take {{'Query': {9 * timed}}}", str(ended.exception), json.dumps(requests))


if __name__ == "__main__":
    unittest.main()
