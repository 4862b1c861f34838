"""Event source mappings of DynamoDB streams, as a client of Lambda's API sees them."""

import time
import unittest

from stack import OneStack, eventually

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
# Writes down that it was invoked.
MARK = "def answer(payload):\n    open({marker!r}, 'w').write(payload)\n    return 'null'"


class StreamMappings(OneStack):
    DETAILS = {
        "BatchSize": 5000,
        "MaximumBatchingWindowInSeconds": 60,
        "ParallelizationFactor": 2,
        "MaximumRetryAttempts": 0,
        "MaximumRecordAgeInSeconds": 3600,
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]},
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::dead"}},
    }
    DEFAULTS = {
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": -1,
        "BisectBatchOnFunctionError": False,
        "FunctionResponseTypes": [],
        "DestinationConfig": {"OnFailure": {}},
    }

    def setUp(self):
        self.functions = self.stack.client("lambda")
        self.marker = self.stack.folder / self.name
        self.function = self.stack.create_function(self.name, MARK.format(marker=str(self.marker)))
        created = self.stack.client("dynamodb").create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=STREAM,
        )
        self.stream = created["TableDescription"]["LatestStreamArn"]

    def create(self, **details):
        return self.functions.create_event_source_mapping(
            EventSourceArn=self.stream, FunctionName=self.function, StartingPosition="TRIM_HORIZON", **details
        )

    def details(self, uuid):
        mapping = self.functions.get_event_source_mapping(UUID=uuid)
        return {name: mapping[name] for name in self.DETAILS if name in mapping}

    def test_api(self):
        created = self.create(**self.DETAILS)
        self.assertEqual({name: created[name] for name in self.DETAILS}, self.DETAILS)
        uuid = created["UUID"]
        self.assertEqual(self.details(uuid), self.DETAILS)

        self.functions.update_event_source_mapping(UUID=uuid, BatchSize=7, BisectBatchOnFunctionError=False)
        updated = {**self.DETAILS, "BatchSize": 7, "BisectBatchOnFunctionError": False}
        self.assertEqual(self.details(uuid), updated)
        self.functions.update_event_source_mapping(UUID=uuid, Enabled=False)
        mapping = self.functions.get_event_source_mapping(UUID=uuid)
        self.assertEqual((mapping["State"], mapping["StartingPosition"]), ("Disabled", "TRIM_HORIZON"))

    def test_what_is_not_given_is_as_on_aws(self):
        self.assertEqual(self.details(self.create()["UUID"]), self.DEFAULTS)

    def test_numbers_out_of_range_are_refused(self):
        for numbers in ({"BatchSize": 10_001}, {"MaximumBatchingWindowInSeconds": 301}, {"MaximumRetryAttempts": 10_001}):
            with self.subTest(numbers), self.assertRaises(self.functions.exceptions.InvalidParameterValueException):
                self.create(**numbers)
        self.assertEqual(self.functions.list_event_source_mappings(EventSourceArn=self.stream)["EventSourceMappings"], [])

    def template(self, **properties):
        return {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": self.stream,
                "FunctionName": self.name,
                "StartingPosition": "TRIM_HORIZON",
                **properties,
            },
        }

    def deployed(self, **properties):
        self.stack.deploy(self.name, Mapping=self.template(**properties))
        [mapping] = self.functions.list_event_source_mappings(EventSourceArn=self.stream)["EventSourceMappings"]
        return mapping

    def test_template(self):
        created = self.deployed(**self.DETAILS, Enabled=False)
        self.assertEqual(created["State"], "Disabled")
        self.assertEqual(self.details(created["UUID"]), self.DETAILS)

        updated = self.deployed(BatchSize="7")
        self.assertEqual((updated["UUID"], updated["State"]), (created["UUID"], "Enabled"))
        self.assertEqual(self.details(updated["UUID"]), {**self.DEFAULTS, "BatchSize": 7})

        status = self.stack.deploy(self.name, Mapping=self.template(BatchSize=10_001))
        self.assertEqual((status, self.details(updated["UUID"])["BatchSize"]), ("UPDATE_ROLLBACK_COMPLETE", 7))

        self.stack.delete(self.name)
        self.assertEqual(self.functions.list_event_source_mappings(EventSourceArn=self.stream)["EventSourceMappings"], [])

    def test_nobody_but_the_other_process_executes_it(self):
        """MiniStack's poller would invoke the function within a second of the change."""
        self.create()
        self.stack.client("dynamodb").put_item(TableName=self.name, Item={"id": {"S": "1"}})
        time.sleep(2.5)
        self.assertFalse(self.marker.exists())

    def test_queues_stay_with_ministack(self):
        queue_url, queue_arn = self.stack.create_queue(self.name)
        mapping = self.functions.create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=self.function)
        self.assertEqual(mapping["BatchSize"], 10)
        self.stack.client("sqs").send_message(QueueUrl=queue_url, MessageBody="1")
        eventually(self.marker.exists, 10)


if __name__ == "__main__":
    unittest.main()
