"""What the equality gate cannot see, because the input has none of it.

    .tools/bench/bin/python -m unittest discover -s bench/peers/python
"""

import json
import unittest

from enrichment import enriched
from fhir import NotFhirError, date_text, date_time_text, id_of_key, text
from patient import Collection
from plain_json import encode, without_sets

PATIENT = {"id": {"S": "PATIENT#1"}, "sk": {"S": "PATIENT#1"}, "itemType": {"S": "Patient"}, "gender": {"S": "female"}}


def record(operation: str = "INSERT", image: dict = PATIENT, **members) -> dict:
    images = {"INSERT": {"NewImage": image}, "MODIFY": {"NewImage": image, "OldImage": image}, "REMOVE": {"OldImage": image}}
    change = {
        "ApproximateCreationDateTime": 1_795_331_640,
        "Keys": {name: image[name] for name in ("id", "sk")},
        "SequenceNumber": "7",
        **images[operation],
    }
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/items/stream/1"
    return {"eventID": "e", "eventName": operation, "eventSourceARN": arn, "dynamodb": change, **members}


def only(outcomes: list[dict]) -> dict:
    (outcome,) = outcomes
    return outcome["event"]


class Records(unittest.TestCase):
    def test_a_change_id_is_the_one_that_tributary_gives(self):
        """The same case stands in crates/domain/src/change/id.rs."""
        self.assertEqual(only(enriched([record()], {}))["meta"]["id"], "f1184d0dc1aabd7db695fb01d0d6b7fc")

    def test_a_record_that_is_none_fails_no_other(self):
        no_image = record()
        del no_image["dynamodb"]["NewImage"]
        bad_code = record(image={**PATIENT, "gender": {"S": "x"}})
        outcomes = enriched([no_image, record(), bad_code], {})
        self.assertEqual(["rejected" in outcome for outcome in outcomes], [True, False, True])
        self.assertIs(outcomes[0]["rejected"]["record"], no_image)

    def test_a_batch_of_such_records_alone_has_an_answer(self):
        outcomes = enriched([record(image={**PATIENT, "gender": {"S": "x"}})], {})
        self.assertIn("rejected", outcomes[0])

    def test_an_expired_item_says_who_removed_it(self):
        identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
        event = only(enriched([record("REMOVE", userIdentity=identity)], {}))
        self.assertEqual(event["meta"]["removedBy"], "ttl")
        self.assertEqual(event["item"], {"id": "PATIENT#1", "sk": "PATIENT#1"})
        self.assertNotIn("fhir", event)

    def test_an_attribute_without_a_value_is_null_and_escapes_stay(self):
        nothing = {"NULL": True}
        image = {**PATIENT, "mrn": nothing, "gender": nothing, 'other "one"': {"L": [nothing, {"S": 'a "b"\\\n'}]}}
        event = json.loads(encode(only(enriched([record(image=image)], {}))))
        self.assertEqual((event["item"]["mrn"], event["item"]['other "one"']), (None, [None, 'a "b"\\\n']))
        self.assertEqual(event["fhir"], {"resourceType": "Patient", "id": "1"})

    def test_the_names_of_an_item_are_short_texts(self):
        for stored, name in (({"S": "Invoice"}, "Invoice"), ({"N": "5"}, "Item"), ({"S": "x" * 255}, "Item")):
            event = only(enriched([record(image={**PATIENT, "itemType": stored})], {}))
            self.assertEqual((event["meta"]["itemType"], event["meta"]["changeType"]), (name, f"{name}Insert"))


class Collections(unittest.TestCase):
    def test_addresses_come_in_the_order_of_their_keys_and_the_records_own_image_wins(self):
        stored = {"ADDRESS#2": {"city": "Second"}, "ADDRESS#1": {"city": "First"}, "PATIENT#1": {"gender": "male"}}
        resource = only(enriched([record()], {"PATIENT#1": Collection(stored, False)}))["fhir"]
        self.assertEqual(resource["address"], [{"city": "First"}, {"city": "Second"}])
        self.assertEqual(resource["gender"], "female")
        self.assertNotIn("meta", resource)

    def test_what_is_not_there_whole_says_so(self):
        for collection in (Collection({}, True), Collection({"ADDRESS#1": {"use": "x"}}, False)):
            resource = only(enriched([record()], {"PATIENT#1": collection}))["fhir"]
            self.assertEqual(resource["meta"]["tag"][0]["code"], "SUBSETTED")

    def test_a_removed_address_is_gone_and_the_patient_stays(self):
        address = {"id": {"S": "PATIENT#1"}, "sk": {"S": "ADDRESS#1"}, "itemType": {"S": "Address"}, "city": {"S": "Old"}}
        stored = {"PATIENT#1": {"id": "PATIENT#1"}, "ADDRESS#1": {"city": "Old"}}
        resource = only(enriched([record("REMOVE", address)], {"PATIENT#1": Collection(stored, False)}))["fhir"]
        self.assertEqual(resource, {"resourceType": "Patient", "id": "1"})


class Values(unittest.TestCase):
    def test_dates_are_fhirs(self):
        for good in ("1980", "1980-03", "1980-03-17", "2024-02-29"):
            self.assertEqual(date_text(good, "date"), good)
        for bad in ("", "80", "1980-3", "1980-13", "1980-02-30", "0000", "17.03.1980", "1980-W01-1", "١٩٨٠"):
            self.assertRaises(NotFhirError, date_text, bad, "date")

    def test_date_times_are_fhirs(self):
        for good in ("1980", "2026-11-22T07:14:00Z", "2026-11-22T07:14:00.123+01:00"):
            self.assertEqual(date_time_text(good, "time"), good)
        for bad in ("2026-11-22T07:14Z", "2026-11-22T07:14:00", "2026-11-31T07:14:00Z", "2026-11-22T25:14:00Z"):
            self.assertRaises(NotFhirError, date_time_text, bad, "time")

    def test_texts_and_ids_are_fhirs(self):
        self.assertIsNone(text("  ", "text"))
        self.assertEqual(text("a\tb\r\nc", "text"), "a\tb\r\nc")
        self.assertRaises(NotFhirError, text, "a\x01b", "text")
        self.assertEqual(id_of_key("ADDRESS#a-b.C9", "id"), "a-b.C9")
        for bad in ("PATIENT", "PATIENT#", "PATIENT#a_b", "PATIENT#a#b", "PATIENT#" + "a" * 65):
            self.assertRaises(NotFhirError, id_of_key, bad, "id")

    def test_numbers_and_sets_have_a_json(self):
        image = {"nested": {"M": {"n": {"N": "1681.68"}, "whole": {"N": "2"}, "set": {"L": [{"SS": ["b", "a"]}]}}}}
        item = only(enriched([record(image={**PATIENT, **image})], {}))["item"]
        self.assertEqual(json.loads(encode(item["nested"])), {"n": 1681.68, "whole": 2, "set": [["a", "b"]]})
        self.assertEqual(without_sets(item["nested"])["set"], [["a", "b"]])


if __name__ == "__main__":
    unittest.main()
