"""Faults strike what they name, as often as they say, and nothing else."""

import json
import time
import unittest
import urllib.error

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from stack import ECHO, OneStack, eventually


class Faults(OneStack):
    def setUp(self):
        self.addCleanup(self.stack.inject)

    def assert_fails(self, status, code, call, **parameters):
        with self.assertRaises(ClientError) as failed:
            call(**parameters)
        response = failed.exception.response
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], status)
        self.assertEqual(response["Error"]["Code"], code)


class Requests(Faults):
    def test_times_operation_and_resource(self):
        s3 = self.stack.client("s3")
        s3.create_bucket(Bucket="faults")
        for key in ("exports/a", "other"):
            s3.put_object(Bucket="faults", Key=key, Body=b"body")
        fault = {"service": "s3", "operation": "GetObject", "resource": "exports/", "status": 503, "code": "SlowDown"}
        self.stack.inject({**fault, "times": 2})
        s3.get_object(Bucket="faults", Key="other")
        s3.head_object(Bucket="faults", Key="exports/a")
        for _ in range(2):
            self.assert_fails(503, "SlowDown", s3.get_object, Bucket="faults", Key="exports/a")
        s3.get_object(Bucket="faults", Key="exports/a")

    def test_seconds_and_end(self):
        s3 = self.stack.client("s3")
        fault = {"service": "s3", "status": 500, "code": "InternalError"}
        self.stack.inject({**fault, "forSeconds": 1})
        began = time.monotonic()
        self.assert_fails(500, "InternalError", s3.list_buckets)
        eventually(lambda: self.succeeds(s3.list_buckets), 3)
        self.assertGreater(time.monotonic() - began, 0.9)

        self.stack.inject(fault)
        self.assertFalse(self.succeeds(s3.list_buckets))
        self.stack.inject()
        self.assertTrue(self.succeeds(s3.list_buckets))

    def succeeds(self, call):
        try:
            call()
        except ClientError:
            return False
        return True

    def test_every_service(self):
        self.stack.create_function("echo", ECHO)
        queue_url, _arn = self.stack.create_queue("queue")
        token = "00000000-0000-4000-8000-000000000000"
        entry = {"Source": "test", "DetailType": "Any", "Detail": "{}"}
        calls = (
            ("dynamodb", "PutItem", self.stack.client("dynamodb").put_item, {"TableName": "items", "Item": {}}),
            ("events", "PutEvents", self.stack.client("events").put_events, {"Entries": [entry]}),
            ("sqs", "SendMessage", self.stack.client("sqs").send_message, {"QueueUrl": queue_url, "MessageBody": "body"}),
            ("states", "SendTaskHeartbeat", self.stack.client("stepfunctions").send_task_heartbeat, {"taskToken": token}),
            ("lambda", "Invoke", self.stack.client("lambda").invoke, {"FunctionName": "echo", "Payload": "{}"}),
        )
        for service, operation, call, parameters in calls:
            with self.subTest(service):
                fault = {"service": service, "operation": operation, "status": 429, "code": "ThrottlingException"}
                self.stack.inject({**fault, "times": 1})
                self.assert_fails(429, "ThrottlingException", call, **parameters)
                if service in ("sqs", "lambda", "events"):
                    call(**parameters)
        self.assertEqual(len(self.stack.receive(queue_url)), 1)

    def test_what_a_state_machine_invokes(self):
        self.stack.create_function("invoked", ECHO)
        retry = [{"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 1, "MaxAttempts": 1}]
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "invoked", "Payload": {}},
            "Retry": retry,
            "End": True,
        }
        machine = self.stack.create_machine("invokes", {"Work": task})
        fault = {"service": "lambda", "resource": "invoked", "status": 500, "code": "ServiceException"}
        self.stack.inject({**fault, "times": 1})
        self.assertEqual(self.stack.run(machine)["status"], "SUCCEEDED")
        self.stack.inject(fault)
        self.assertEqual(self.stack.run(machine)["error"], "Lambda.ServiceException")

    def test_what_is_no_fault_is_refused_and_changes_nothing(self):
        s3 = self.stack.client("s3")
        self.stack.inject({"service": "s3", "status": 500, "code": "InternalError"})
        for faults in (
            {"service": "s3", "status": 500},
            {"service": "s3", "status": 500, "code": "Any", "tmies": 1},
            {"status": 500, "code": "Any"},
            "fault",
        ):
            with self.subTest(faults), self.assertRaises(urllib.error.HTTPError) as refused:
                self.stack.inject(faults)
            self.assertEqual(refused.exception.code, 400)
            refused.exception.close()
        self.assert_fails(500, "InternalError", s3.list_buckets)


class FailedEntries(Faults):
    def test_every_third_is_not_delivered(self):
        queue_url, queue_arn = self.stack.create_queue("entries")
        self.stack.create_rule("entries", {"source": ["entries"]}, queue_arn)
        events = self.stack.client("events")

        def put(*numbers):
            entry = {"Source": "entries", "DetailType": "Any"}
            return events.put_events(Entries=[{**entry, "Detail": json.dumps({"number": number})} for number in numbers])

        self.stack.inject({"service": "events", "failEntries": {"oneIn": 3}, "times": 2})
        answer = put(1, 2, 3, 4)
        self.assertEqual(answer["FailedEntryCount"], 1)
        self.assertEqual([entry.get("ErrorCode") for entry in answer["Entries"]], [None, None, "InternalFailure", None])
        self.assertTrue(all("EventId" in entry for entry in answer["Entries"] if "ErrorCode" not in entry))
        answers = [put(number)["FailedEntryCount"] for number in (5, 6, 7, 8, 9)]
        self.assertEqual(answers, [0, 1, 0, 0, 0])
        delivered = [json.loads(message["Body"])["detail"]["number"] for message in self.stack.receive(queue_url)]
        self.assertEqual(sorted(delivered), [1, 2, 4, 5, 7, 8, 9])

    def test_all(self):
        self.stack.inject({"service": "events", "failEntries": {}})
        entry = {"Source": "all", "DetailType": "Any", "Detail": "{}"}
        self.assertEqual(self.stack.client("events").put_events(Entries=[entry] * 10)["FailedEntryCount"], 10)


class Messages(Faults):
    def setUp(self):
        super().setUp()
        self.sqs = self.stack.client("sqs")
        self.queue_url, self.queue_arn = self.stack.create_queue(self.name)

    def send(self, body, **parameters):
        return self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body, **parameters)["MessageId"]

    def test_delivered_twice(self):
        self.stack.inject({"service": "sqs", "queue": self.name, "deliver": 2, "times": 1})
        first, second = self.send("first"), self.send("second")
        messages = self.stack.receive(self.queue_url)
        self.assertCountEqual([message["MessageId"] for message in messages], [first, first, second])
        self.assertCountEqual([message["Body"] for message in messages], ["first", "first", "second"])
        handles = {message["ReceiptHandle"] for message in messages}
        self.assertEqual(len(handles), 3)
        for handle in handles:
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=handle)

    def test_delivered_twice_to_a_function(self):
        marks = self.stack.folder / self.name
        marks.mkdir()
        mark = f"open({str(marks)!r} + '/' + str(uuid.uuid4()), 'w').close()"
        self.stack.create_function(self.name, f"import uuid\ndef answer(payload):\n    {mark}\n    return '{{}}'")
        self.stack.client("lambda").create_event_source_mapping(
            FunctionName=self.name, EventSourceArn=self.queue_arn, BatchSize=1
        )
        self.stack.inject({"service": "sqs", "queue": self.name, "deliver": 2, "times": 1})
        self.send("body")
        eventually(lambda: len(list(marks.iterdir())) == 2, 5)

    def test_delivered_late(self):
        self.stack.inject({"service": "sqs", "queue": self.name, "withholdSeconds": 1, "times": 1})
        self.send("late", DelaySeconds=1)
        self.send("in time")
        self.assertEqual(self.stack.receive_one(self.queue_url), "in time")
        began = time.monotonic()
        self.assertEqual(self.stack.receive_one(self.queue_url), "late")
        self.assertGreater(time.monotonic() - began, 1.5)

    def test_other_queues_are_left_alone(self):
        fault = {"service": "sqs", "queue": "another"}
        self.stack.inject({**fault, "deliver": 2}, {**fault, "withholdSeconds": 5})
        self.send("body")
        self.assertEqual(len(self.stack.receive(self.queue_url)), 1)

    def test_what_a_state_machine_sends(self):
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Arguments": {"QueueUrl": self.queue_url, "MessageBody": "body"},
            "End": True,
        }
        self.stack.inject({"service": "sqs", "queue": self.name, "deliver": 2})
        self.stack.run(self.stack.create_machine(self.name, {"Send": task}))
        self.assertEqual([message["Body"] for message in self.stack.receive(self.queue_url)], ["body", "body"])


class ServiceEvents(OneStack):
    def put(self, access_key_id):
        events = botocore.session.Session().create_client(
            "events",
            endpoint_url=self.stack.endpoint,
            region_name="us-east-1",
            aws_access_key_id=access_key_id,
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}),
        )
        return events.put_events(Entries=[{"Source": "aws.healthlake", "DetailType": access_key_id, "Detail": "{}"}])

    def test_only_services_send_events_of_services(self):
        queue_url, queue_arn = self.stack.create_queue("services")
        self.stack.create_rule("services", {"source": ["aws.healthlake"]}, queue_arn)
        self.assertEqual(self.put("local-service")["FailedEntryCount"], 0)
        [refused] = self.put("test")["Entries"]
        self.assertEqual(refused["ErrorCode"], "NotAuthorizedForSourceException")
        [event] = [json.loads(message["Body"]) for message in self.stack.receive(queue_url)]
        self.assertEqual((event["source"], event["detail-type"]), ("aws.healthlake", "local-service"))


class RuleInvocations(OneStack):
    ENVIRONMENT = {"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1"}

    def test_retries_and_destination(self):
        """The input transformer is what clears up after an execution; the function always fails."""
        attempts = self.stack.folder / "attempts"
        attempt = f"open({str(attempts)!r}, 'a').write(payload + chr(10))"
        function = self.stack.create_function("failing", f"def answer(payload):\n    {attempt}\n    os._exit(1)")
        queue_url, queue_arn = self.stack.create_queue("failures")
        self.stack.client("lambda").put_function_event_invoke_config(
            FunctionName="failing", MaximumRetryAttempts=2, DestinationConfig={"OnFailure": {"Destination": queue_arn}}
        )
        paths = {"name": "$.detail.name", "started": "$.detail.startDate", "status": "$.detail.status"}
        template = '{"step":"clean-up","run":{"id":<name>,"startedAt":<started>},"status":<status>,"rule":<aws.events.rule-name>}'
        pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED"]}}
        transformer = {"InputPathsMap": paths, "InputTemplate": template}
        self.stack.create_rule("cleaning", pattern, function, InputTransformer=transformer)

        machine = self.stack.create_machine("fails", {"Fail": {"Type": "Fail", "Error": "Named", "Cause": "a reason"}})
        ended = self.stack.run(machine)
        expected = {
            "step": "clean-up",
            "run": {"id": ended["name"], "startedAt": round(ended["startDate"].timestamp() * 1000)},
            "status": "FAILED",
            "rule": "cleaning",
        }
        failure = json.loads(self.stack.receive_one(queue_url))
        self.assertEqual(failure["requestPayload"], expected)
        self.assertEqual(failure["requestContext"]["condition"], "RetriesExhausted")
        self.assertEqual(failure["responsePayload"]["errorType"], "Runtime.ExitError")
        self.assertEqual([json.loads(line) for line in attempts.read_text().splitlines()], [expected] * 3)


if __name__ == "__main__":
    unittest.main()
