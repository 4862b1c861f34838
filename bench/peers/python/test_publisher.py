"""What the equality gate cannot see: how much is held at a time."""

import json
import unittest

import publisher

RUN = {"id": "r", "datastore": {"id": "d"}, "window": None}
LINE = (
    rb'{"resourceType":"Patient","id":"1","meta":{"versionId":"2","lastUpdated":"2026-11-22T07:14:00Z"},'
    rb'"text":{"div":"<p class=\"v\">1</p>"}}' + b"\n"
)


class Requests(unittest.TestCase):
    def test_a_request_holds_ten_entries_and_the_last_one_the_rest(self):
        sizes = [len(request) for request in publisher.requests(publisher.entries(LINE * 23, RUN))]
        self.assertEqual(sizes, [10, 10, 3])

    def test_entries_are_made_as_they_are_asked_for(self):
        entries = publisher.entries(LINE + b"no resource\n", RUN)
        self.assertEqual(json.loads(next(entries)["Detail"])["fhir"], json.loads(LINE))
        self.assertRaises(ValueError, next, entries)


if __name__ == "__main__":
    unittest.main()
