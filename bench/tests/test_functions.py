import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import absolutes
import functions
import inputs
from functions import INVOCATIONS, Functions
from rounds import Rounds, Taken


class Outcomes(unittest.TestCase):
    def test_a_line_separator_within_an_outcome_does_not_part_it(self):
        outcomes = ['{"a":"\u2028"}', '{"b":1}']

        def enriched(command: list) -> str:
            command[-1].write_text("".join(outcome + "\n" for outcome in outcomes), encoding="utf-8")

        with tempfile.TemporaryDirectory() as name, mock.patch.object(functions, "printed", side_effect=enriched):
            folder = Path(name)
            inputs.write(folder)
            Functions(folder).write_inputs()
            event = json.loads((folder / "router-10/event.json").read_text(encoding="utf-8"))
        self.assertEqual(event, [json.loads(outcome) for outcome in outcomes])


class Starts(unittest.TestCase):
    def test_our_enricher_is_measured_once(self):
        ours = ("stream-enricher", "item-router")
        with mock.patch.object(functions, "OUR_FUNCTIONS", ours), tempfile.TemporaryDirectory() as name:
            inputs.write(Path(name))
            starts = [one for one in Functions(Path(name)).contests() if one.name.startswith("first-poll")]
        self.assertEqual([start.name for start in starts], ["first-poll", "first-poll/item-router"])
        rounds = Rounds()
        rounds.values = {"first-poll/tributary": [6.0], "first-poll/item-router/tributary": [7.0]}
        with mock.patch.object(absolutes, "OUR_FUNCTIONS", ours):
            found = {entry["name"]: entry["value"] for entry in absolutes.first_polls(rounds)}
        self.assertEqual(found, {"first-poll/stream-enricher": 6.0, "first-poll/item-router": 7.0})


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
