"""What is asked of the table, which the equality gate cannot see."""

import os
import unittest
from unittest import mock

os.environ.update(AWS_REGION="eu-west-1", ITEMS_TABLE_NAME="items")

import enricher


def record(operation: str, sort_key: str) -> dict:
    return {"eventName": operation, "dynamodb": {"Keys": {"id": {"S": "PATIENT#1"}, "sk": {"S": sort_key}}}}


class Reads(unittest.TestCase):
    def test_of_patients_whom_the_batch_brings_only_the_addresses_are_needed(self):
        changes = [record(operation, "PATIENT#1") for operation in ("INSERT", "MODIFY", "REMOVE")]
        self.assertEqual(enricher.patients_to_read(changes), {"PATIENT#1": False})

    def test_where_an_address_changes_everything_is_needed(self):
        for operation in ("INSERT", "MODIFY", "REMOVE"):
            changes = [record("INSERT", "PATIENT#1"), record(operation, "ADDRESS#1"), record("MODIFY", "PATIENT#1")]
            self.assertEqual(enricher.patients_to_read(changes), {"PATIENT#1": True})

    def test_nothing_is_needed_of_a_patient_who_is_gone_or_for_a_record_that_is_none(self):
        self.assertEqual(enricher.patients_to_read([record("REMOVE", "PATIENT#1"), {}, {"dynamodb": None}]), {})

    def test_a_query_is_consistent_and_asks_for_no_more_than_is_needed(self):
        table = mock.Mock()
        table.query.return_value = {"Items": [{"sk": {"S": "ADDRESS#1"}, "city": {"NULL": True}}]}
        patient, prefix = {":id": {"S": "PATIENT#1"}}, {":prefix": {"S": "ADDRESS#"}}
        for is_whole, condition, values in (
            (True, "id = :id", patient),
            (False, "id = :id AND begins_with(sk, :prefix)", patient | prefix),
        ):
            with mock.patch.object(enricher, "dynamodb", table):
                collection = enricher.read_collection("PATIENT#1", is_whole)
            table.query.assert_called_with(
                TableName="items", KeyConditionExpression=condition, ExpressionAttributeValues=values, ConsistentRead=True
            )
            self.assertEqual(collection.items, {"ADDRESS#1": {"sk": "ADDRESS#1", "city": None}})


if __name__ == "__main__":
    unittest.main()
