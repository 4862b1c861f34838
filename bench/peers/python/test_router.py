"""What the equality gate cannot see, because the simulator's bus takes everything at once."""

import json
import os
import unittest
from unittest import mock

os.environ.update(AWS_REGION="eu-west-1", EVENT_BUS_NAME="events")

import router


def change(event_id: str, key: str) -> dict:
    return {"eventID": event_id, "key": key, "event": {"meta": {"itemType": "Patient"}, "id": event_id}}


class Bus:
    """Refuses each entry so many times as it is told."""

    def __init__(self, **refusals: int) -> None:
        self.refusals = refusals
        self.taken = []

    def put_events(self, Entries: list[dict]) -> dict:
        return {"Entries": [self.put(entry["Detail"]) for entry in Entries]}

    def put(self, detail: str) -> dict:
        event_id = json.loads(detail)["id"]
        if self.refusals.get(event_id, 0) > 0:
            self.refusals[event_id] -= 1
            return {"ErrorCode": "ThrottlingException"}
        self.taken.append(event_id)
        return {"EventId": event_id}


def failed(changes: list[dict], bus: Bus) -> list[str]:
    with mock.patch.object(router, "events", bus), mock.patch.object(router.time, "sleep"):
        return [change["eventID"] for change in router.route(changes)]


class Routing(unittest.TestCase):
    def test_only_what_failed_is_tried_again(self):
        bus = Bus(b=2)
        self.assertEqual(failed([change(event_id, event_id) for event_id in "abc"], bus), [])
        self.assertEqual(sorted(bus.taken), ["a", "b", "c"])

    def test_the_changes_of_a_key_go_out_in_their_order(self):
        bus = Bus(k1=3)
        changes = [change("k1", "k"), change("k2", "k"), change("other", "o"), change("k3", "k")]
        self.assertEqual(failed(changes, bus), [])
        self.assertEqual([event_id for event_id in bus.taken if event_id != "other"], ["k1", "k2", "k3"])

    def test_nothing_of_a_key_goes_out_behind_what_failed(self):
        bus = Bus(k1=100)
        changes = [change("k1", "k"), change("k2", "k"), change("other", "o")]
        self.assertEqual(failed(changes, bus), ["k1", "k2"])
        self.assertEqual(bus.taken, ["other"])

    def test_a_request_without_an_answer_failed_whole(self):
        bus = mock.Mock()
        bus.put_events.side_effect = router.BotoCoreError()
        with self.assertLogs("service_undefined"):
            self.assertEqual(failed([change("a", "a")], bus), ["a"])

    def test_a_request_has_at_most_ten_entries(self):
        bus = mock.Mock(wraps=Bus())
        self.assertEqual(failed([change(str(number), str(number)) for number in range(25)], bus), [])
        sizes = [len(call.kwargs["Entries"]) for call in bus.put_events.call_args_list]
        self.assertEqual(sorted(sizes), [5, 10, 10])


if __name__ == "__main__":
    unittest.main()
