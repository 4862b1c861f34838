"""Each gap of MiniStack is closed, as a client of its API sees it.

    python -m unittest discover -s crates/local-stack/ministack/tests
"""

import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

from stack import ECHO, START, OneStack, Stack, eventually, is_alive

sys.path.insert(0, str(START.parent))
from gaps import exact_json  # noqa: E402  (beside start.py, which is no package)

# Nothing in here survives a Python float; the whole is as a client might have spelt it.
NUMBERS = (
    '{"price":1.10,"precise":12345678901234567890.123456789012345678,"large":123456789012345678901234567890,'
    '"exponent":1.5E+2,"small":1e-130,"zero":0.0,"negative":-0,"whole":100.000}'
)
STREAM = {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def table(**properties):
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "items",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            **properties,
        },
    }


class Decimals(OneStack):
    def invoke(self, name, payload):
        return self.stack.client("lambda").invoke(FunctionName=name, Payload=payload)["Payload"].read().decode()

    def put_event(self, detail, **target):
        """Sends `detail` through a bus and a rule of this test's own to the target."""
        events, name = self.stack.client("events"), self.id().rpartition(".")[2]
        events.create_event_bus(Name=name)
        pattern = {"detail": {"price": [{"numeric": [">", 1.0, "<=", 1.1]}]}}
        events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "target", **target}])
        entry = {"Source": "test", "DetailType": "Numbers", "Detail": detail, "EventBusName": name}
        self.assertEqual(events.put_events(Entries=[entry])["FailedEntryCount"], 0)

    def test_payload_and_answer_of_an_invocation(self):
        self.stack.create_function("echo", ECHO)
        for payload in (NUMBERS, f"[{NUMBERS}]", f"[\n {NUMBERS},\r\n 2.50]", "1.10", "null", '"1.10"'):
            with self.subTest(payload=payload):
                self.assertEqual(self.invoke("echo", payload).split(), payload.split())

    def test_what_the_function_really_gets(self):
        self.stack.create_function("quote", "import json\ndef answer(payload): return json.dumps(payload)")
        self.assertEqual(json.loads(self.invoke("quote", NUMBERS)), NUMBERS)

    def test_large_payload_is_not_slow(self):
        self.stack.create_function("large", ECHO)
        payload = "[" + ",".join([NUMBERS] * 30_000) + "]"
        self.assertGreater(len(payload), 5_000_000)
        self.invoke("large", "{}")
        began = time.monotonic()
        self.assertEqual(self.invoke("large", payload), payload)
        self.assertLess(time.monotonic() - began, 5)

    def test_event_to_queue(self):
        queue_url, queue_arn = self.stack.create_queue("whole-event")
        self.put_event(NUMBERS, Arn=queue_arn)
        body = self.stack.receive_one(queue_url)
        self.assertIn(NUMBERS, body)
        self.assertEqual(json.loads(body)["detail-type"], "Numbers")

    def test_part_of_an_event_to_queue(self):
        queue_url, queue_arn = self.stack.create_queue("part-of-event")
        self.put_event('{"price":1.10,"inner":{"value":2.50}}', Arn=queue_arn, InputPath="$.detail.inner")
        self.assertEqual(self.stack.receive_one(queue_url), '{"value": 2.50}')

    def test_event_to_function(self):
        queue_url, _arn = self.stack.create_queue("from-function")
        forward = f"""
            import json, urllib.parse
            def answer(payload):
                form = {{"Action": "SendMessage", "QueueUrl": "{queue_url}", "MessageBody": payload}}
                urllib.request.urlopen("{self.stack.endpoint}", urllib.parse.urlencode(form).encode()).read()
                return "null"
        """
        arn = self.stack.create_function("forward", textwrap.dedent(forward))
        self.put_event(NUMBERS, Arn=arn)
        self.assertIn(NUMBERS, self.stack.receive_one(queue_url))

    def test_a_price_outside_the_pattern_does_not_match(self):
        queue_url, queue_arn = self.stack.create_queue("no-match")
        self.put_event('{"price":1.1000001}', Arn=queue_arn)
        messages = self.stack.client("sqs").receive_message(QueueUrl=queue_url, WaitTimeSeconds=1)
        self.assertNotIn("Messages", messages)


class ExactJson(unittest.TestCase):
    def test_what_was_changed_since_it_was_read_is_written_as_it_is_now(self):
        document = exact_json.loads('{"price":1.10,"inner":{"value":2.50}}')
        document["inner"]["added"] = True
        self.assertEqual(exact_json.dumps(document), '{"price": 1.10, "inner": {"value": 2.50, "added": true}}')

    def test_documents_stand_inside_others(self):
        document = exact_json.loads(b'[1.10,\n"\xc3\xa9"]')
        self.assertEqual(exact_json.dumps({"event": document}), '{"event": [1.10, "\u00e9"]}')


class Archives(OneStack):
    BUS = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "archived"}}

    def archive(self, **properties):
        return {
            "Type": "AWS::Events::Archive",
            "Properties": {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}, **properties},
        }

    def archives(self):
        return self.stack.client("events").list_archives()["Archives"]

    def test_template_creates_updates_and_deletes(self):
        events = self.stack.client("events")
        pattern = {"source": ["kept"]}
        status = self.stack.deploy("archives", Bus=self.BUS, Archive=self.archive(RetentionDays=3, EventPattern=pattern))
        self.assertEqual(status, "CREATE_COMPLETE")
        [summary] = self.archives()
        archive = events.describe_archive(ArchiveName=summary["ArchiveName"])
        self.assertEqual(archive["RetentionDays"], 3)
        self.assertEqual(json.loads(archive["EventPattern"]), pattern)
        self.assertTrue(archive["EventSourceArn"].endswith(":event-bus/archived"))

        entry = {"DetailType": "Any", "Detail": "{}", "EventBusName": "archived"}
        events.put_events(Entries=[{**entry, "Source": "kept"}, {**entry, "Source": "other"}])
        status = self.stack.deploy("archives", Bus=self.BUS, Archive=self.archive(RetentionDays=5))
        self.assertEqual(status, "UPDATE_COMPLETE")
        [updated] = self.archives()
        self.assertEqual((updated["ArchiveName"], updated["RetentionDays"]), (summary["ArchiveName"], 5))
        self.assertEqual(updated["EventCount"], 1)

        self.stack.delete("archives")
        self.assertEqual(self.archives(), [])


class TimeToLive(OneStack):
    ENVIRONMENT = {"LOCAL_STACK_TTL_SECONDS": "0.2"}

    def setUp(self):
        self.dynamodb = self.stack.client("dynamodb")
        self.streams = self.stack.client("dynamodbstreams")
        self.addCleanup(self.stack.delete, "table")

    def deploy(self, **properties):
        return self.stack.deploy("table", Table=table(StreamSpecification=STREAM, **properties))

    def put(self, identity, expires_at, kind="N"):
        item = {"id": {"S": identity}, "expiresAt": {kind: str(int(expires_at))}}
        self.dynamodb.put_item(TableName="items", Item=item)
        return item

    def records(self, event_name):
        [stream] = self.streams.list_streams(TableName="items")["Streams"]
        shards = self.streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
        iterator = self.streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shards[0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = self.streams.get_records(ShardIterator=iterator)["Records"]
        return [record for record in records if record["eventName"] == event_name]

    def test_expiry_is_a_removal_by_the_service(self):
        self.deploy(TimeToLiveSpecification={"AttributeName": "expiresAt", "Enabled": True})
        expired = self.put("expired", time.time() - 10)
        self.put("by-a-user", time.time() + 1000)
        self.put("to-come", time.time() + 1000)
        self.put("no-number", time.time() - 10, kind="S")
        self.put("long-past", 1)
        self.dynamodb.delete_item(TableName="items", Key={"id": {"S": "by-a-user"}})

        by_service = eventually(lambda: [record for record in self.records("REMOVE") if "userIdentity" in record], 5)
        self.assertEqual(len(by_service), 1)
        self.assertEqual(by_service[0]["userIdentity"], {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"})
        self.assertEqual(by_service[0]["dynamodb"]["OldImage"], expired)
        self.assertEqual(len(self.records("REMOVE")), 2)
        left = self.dynamodb.scan(TableName="items")["Items"]
        self.assertEqual({item["id"]["S"] for item in left}, {"to-come", "no-number", "long-past"})

    def test_template_switches_it_on_and_off(self):
        def setting():
            return self.dynamodb.describe_time_to_live(TableName="items")["TimeToLiveDescription"]

        self.deploy()
        self.assertEqual(setting(), {"TimeToLiveStatus": "DISABLED"})
        self.deploy(TimeToLiveSpecification={"AttributeName": "expiresAt", "Enabled": True})
        self.assertEqual(setting(), {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"})
        self.deploy()
        self.assertEqual(setting(), {"TimeToLiveStatus": "DISABLED"})


class Pipes(OneStack):
    SOURCE = "arn:aws:dynamodb:us-east-1:000000000000:table/items/stream/2026-01-01T00:00:00.000"
    TARGET = "arn:aws:lambda:us-east-1:000000000000:function:target"
    ENRICHMENT = "arn:aws:lambda:us-east-1:000000000000:function:enrichment"
    ROLE = "arn:aws:iam::000000000000:role/pipe"
    DETAILS = {
        "SourceParameters": {
            "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]},
            "DynamoDBStreamParameters": {
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": 100,
                "MaximumBatchingWindowInSeconds": 1,
                "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
                "MaximumRetryAttempts": 3,
                "MaximumRecordAgeInSeconds": 43200,
                "ParallelizationFactor": 2,
                "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"},
            },
        },
        "Enrichment": ENRICHMENT,
        "EnrichmentParameters": {"InputTemplate": '{"id": <$.eventID>}'},
        "TargetParameters": {"LambdaFunctionParameters": {"InvocationType": "REQUEST_RESPONSE"}},
        "LogConfiguration": {
            "Level": "ERROR",
            "IncludeExecutionData": ["ALL"],
            "CloudwatchLogsLogDestination": {"LogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:pipe"},
        },
    }

    def setUp(self):
        self.pipes = self.stack.client("pipes")

    def details(self, name):
        """What botocore, which drops what AWS's model does not know, reads of the pipe."""
        pipe = self.pipes.describe_pipe(Name=name)
        return {field: pipe[field] for field in self.DETAILS if field in pipe}

    def test_api(self):
        self.pipes.create_pipe(Name="by-api", Source=self.SOURCE, Target=self.TARGET, RoleArn=self.ROLE, **self.DETAILS)
        self.assertEqual(self.details("by-api"), self.DETAILS)
        listed = {pipe["Name"]: pipe for pipe in self.pipes.list_pipes()["Pipes"]}
        self.assertEqual(listed["by-api"]["Enrichment"], self.ENRICHMENT)

        parameters = {"DynamoDBStreamParameters": {"BatchSize": 7}}
        self.pipes.update_pipe(Name="by-api", RoleArn=self.ROLE, SourceParameters=parameters)
        updated = self.details("by-api")
        self.assertEqual(
            updated["SourceParameters"],
            {"DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 7}},
        )
        self.assertEqual(updated["Enrichment"], self.ENRICHMENT)

    def pipe(self, **properties):
        return {
            "Type": "AWS::Pipes::Pipe",
            "Properties": {
                "Name": "by-template",
                "Source": self.SOURCE,
                "Target": self.TARGET,
                "RoleArn": self.ROLE,
                **properties,
            },
        }

    def test_template(self):
        self.stack.deploy("pipes", Pipe=self.pipe(**self.DETAILS))
        created = self.pipes.describe_pipe(Name="by-template")
        self.assertEqual(self.details("by-template"), self.DETAILS)

        changed = {**self.DETAILS, "Enrichment": self.ENRICHMENT + "-2"}
        del changed["LogConfiguration"]
        self.assertEqual(self.stack.deploy("pipes", Pipe=self.pipe(**changed)), "UPDATE_COMPLETE")
        self.assertEqual(self.details("by-template"), changed)
        self.assertEqual(self.pipes.describe_pipe(Name="by-template")["CreationTime"], created["CreationTime"])

    def test_nobody_but_the_other_process_executes_it(self):
        """MiniStack's poller would start this state machine within a second of the change."""
        states, dynamodb = self.stack.client("stepfunctions"), self.stack.client("dynamodb")
        definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        machine = states.create_state_machine(name="target", definition=json.dumps(definition), roleArn=self.ROLE)
        self.stack.deploy("polled", Table=table(StreamSpecification=STREAM))
        source = dynamodb.describe_table(TableName="items")["Table"]["LatestStreamArn"]
        self.pipes.create_pipe(Name="polled", Source=source, Target=machine["stateMachineArn"], RoleArn=self.ROLE)
        dynamodb.put_item(TableName="items", Item={"id": {"S": "1"}})
        time.sleep(2.5)
        self.assertEqual(states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"], [])


class SizedRequests(OneStack):
    """PutEvents on a bus of each test's own, under the limit of the class's stack."""

    LIMIT = 262_144

    def setUp(self):
        self.events, self.bus = self.stack.client("events"), self.id().rpartition(".")[2]
        self.events.create_event_bus(Name=self.bus)

    def entry(self, size, **members):
        """An entry of `size` bytes in all, as AWS counts them."""
        members = {"Source": "test", "DetailType": "Sized", "EventBusName": self.bus, **members}
        counted = [members["Source"], members["DetailType"], *members.get("Resources", [])]
        others = sum(len(text.encode()) for text in counted) + (14 if "Time" in members else 0)
        return {**members, "Detail": json.dumps({"filler": "x" * (size - others - len('{"filler": ""}'))})}

    def assert_refused(self, *entries):
        with self.assertRaises(self.events.exceptions.ClientError) as refused:
            self.events.put_events(Entries=entries)
        response = refused.exception.response
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], 400)
        self.assertEqual(
            response["Error"],
            {"Code": "ValidationException", "Message": "Total size of the entries in the request is over the limit."},
        )

    def assert_accepted(self, *entries):
        self.assertEqual(self.events.put_events(Entries=entries)["FailedEntryCount"], 0)


class Limits(SizedRequests):
    def test_the_size_of_a_request_is_that_of_all_its_entries(self):
        self.assert_accepted(self.entry(self.LIMIT))
        self.assert_refused(self.entry(self.LIMIT + 1))
        self.assert_accepted(self.entry(100_000), self.entry(self.LIMIT - 100_000))
        self.assert_refused(self.entry(100_000), self.entry(self.LIMIT - 100_000 + 1))

    def test_every_part_of_an_entry_counts_in_bytes(self):
        for members in ({"Time": 0}, {"Resources": ["one", "other"]}, {"Source": "t\u00e9st"}, {"DetailType": "\u6f22\u5b57"}):
            with self.subTest(members=members):
                self.assert_accepted(self.entry(self.LIMIT, **members))
                self.assert_refused(self.entry(self.LIMIT + 1, **members))

    def test_nothing_of_a_refused_request_arrives(self):
        queue_url, queue_arn = self.stack.create_queue("refused")
        self.events.put_rule(Name="refused", EventBusName=self.bus, EventPattern='{"source":["test"]}')
        self.events.put_targets(Rule="refused", EventBusName=self.bus, Targets=[{"Id": "queue", "Arn": queue_arn}])
        self.assert_refused(self.entry(200), self.entry(self.LIMIT))
        self.assert_accepted(self.entry(100))
        self.assertLess(len(self.stack.receive_one(queue_url)), 500)
        self.assertNotIn("Messages", self.stack.client("sqs").receive_message(QueueUrl=queue_url, WaitTimeSeconds=1))

    def test_eleven_entries_are_refused(self):
        entries = [self.entry(100)] * 10
        self.assert_accepted(*entries)
        with self.assertRaisesRegex(self.events.exceptions.ClientError, "ValidationException.*less than or equal to 10"):
            self.events.put_events(Entries=[*entries, self.entry(100)])


class RaisedLimit(SizedRequests):
    LIMIT = 1_048_576
    ENVIRONMENT = {"LOCAL_STACK_PUT_EVENTS_BYTES": str(LIMIT)}

    def test_the_environment_sets_the_limit(self):
        self.assert_accepted(self.entry(self.LIMIT))
        self.assert_refused(self.entry(self.LIMIT + 1))


class LoweredLimit(SizedRequests):
    LIMIT = 1000
    ENVIRONMENT = {"LOCAL_STACK_PUT_EVENTS_BYTES": str(LIMIT)}

    def test_events_of_services_are_no_requests(self):
        """A status event carries the execution's input, which is over the limit."""
        queue_url, queue_arn = self.stack.create_queue("status")
        self.stack.create_rule("status", {"source": ["aws.states"], "detail": {"status": ["SUCCEEDED"]}}, queue_arn)
        self.stack.run(self.stack.create_machine("status", {"Done": {"Type": "Succeed"}}), json.dumps("x" * self.LIMIT))
        self.assertGreater(len(self.stack.receive_one(queue_url)), self.LIMIT)


class InvocationSpeed(OneStack):
    # A connection that is kept open, unlike that of the stack's other functions.
    KEPT_OPEN = """
import http.client
connection, path = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"]), "/2018-06-01/runtime/invocation/"
while True:
    connection.request("GET", path + "next")
    invocation = connection.getresponse()
    payload = invocation.read()
    connection.request("POST", path + invocation.headers["Lambda-Runtime-Aws-Request-Id"] + "/response", body=payload)
    connection.getresponse().read()
"""

    def assert_quick(self, name):
        client = self.stack.client("lambda")

        def seconds():
            began = time.monotonic()
            client.invoke(FunctionName=name, Payload="{}")
            return time.monotonic() - began

        seconds()
        self.assertLess(min(seconds() for _ in range(10)), 0.04)

    def test_quiet_function_answers_well_within_fifty_milliseconds(self):
        self.stack.create_function("quiet", ECHO)
        self.assert_quick("quiet")

    def test_payload_is_not_held_back_on_a_connection_that_is_kept_open(self):
        self.stack.create_function("kept-open", self.KEPT_OPEN)
        self.assert_quick("kept-open")


class LongPolls(OneStack):
    # Between two of the looks that MiniStack would take by itself, every 100 ms.
    PAUSE = 0.15

    def setUp(self):
        self.queue_url, self.queue_arn = self.stack.create_queue(self.name)
        self.sqs = self.stack.client("sqs")

    def seconds_until_received(self, send):
        """From the sending of a message to the answer for a receiver that has waited for it."""
        with concurrent.futures.ThreadPoolExecutor() as others:
            receiving = others.submit(lambda: (self.stack.receive(self.queue_url), time.monotonic()))
            time.sleep(self.PAUSE)
            began = time.monotonic()
            send()
            [message], ended = receiving.result()
        self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return ended - began

    def assert_received_at_once(self, send):
        self.assertLess(min(self.seconds_until_received(send) for _ in range(6)), 0.03)

    def test_a_message_that_is_sent(self):
        self.assert_received_at_once(lambda: self.sqs.send_message(QueueUrl=self.queue_url, MessageBody="body"))

    def test_a_message_of_a_rule(self):
        self.stack.create_rule(self.name, {"source": ["test"]}, self.queue_arn)
        entry = {"Source": "test", "DetailType": "Any", "Detail": "{}"}
        self.assert_received_at_once(lambda: self.stack.client("events").put_events(Entries=[entry]))

    def test_a_message_that_is_delayed(self):
        def send():
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody="body", DelaySeconds=1)

        self.assertAlmostEqual(min(self.seconds_until_received(send) for _ in range(3)), 1.1, delta=0.15)

    def test_an_empty_queue_is_waited_at_for_as_long_as_was_said(self):
        default_url = self.sqs.create_queue(
            QueueName=f"{self.name}-default", Attributes={"ReceiveMessageWaitTimeSeconds": "2"}
        )["QueueUrl"]
        cases = (
            ({"QueueUrl": self.queue_url}, 0),
            ({"QueueUrl": self.queue_url, "WaitTimeSeconds": 1}, 1),
            ({"QueueUrl": default_url}, 2),
            ({"QueueUrl": default_url, "WaitTimeSeconds": 0}, 0),
        )
        for request, seconds in cases:
            with self.subTest(seconds=seconds):
                began = time.monotonic()
                self.assertNotIn("Messages", self.sqs.receive_message(**request))
                waited = time.monotonic() - began
                self.assertTrue(seconds - 0.1 < waited < seconds + 0.9, waited)

    def test_a_queue_that_is_deleted_is_not_waited_at(self):
        """For up to a minute SQS may answer either way (API reference, "DeleteQueue"). Here it is an error, and soon."""
        with concurrent.futures.ThreadPoolExecutor() as others:
            receiving = others.submit(self.stack.receive, self.queue_url)
            time.sleep(self.PAUSE)
            self.sqs.delete_queue(QueueUrl=self.queue_url)
            with self.assertRaises(self.sqs.exceptions.QueueDoesNotExist):
                # Who goes on waiting waits for 5 seconds.
                receiving.result(timeout=4)


class LifeCycle(unittest.TestCase):
    PROCESS_ID = "def answer(payload): return str(os.getpid())"

    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.stack.wait_until_ready()

    def warm_function(self):
        """The process id of a function that waits for its next invocation."""
        self.stack.create_function("warm", self.PROCESS_ID)
        process_id = int(self.stack.client("lambda").invoke(FunctionName="warm", Payload="{}")["Payload"].read())
        self.assertTrue(is_alive(process_id))
        return process_id

    def busy_function(self):
        """The process id of a function in the midst of an invocation."""
        marker = self.stack.folder / "busy"
        sleeping = f"import time\ndef answer(payload):\n    open({str(marker)!r}, 'w').write(str(os.getpid()))\n    time.sleep(60)"
        self.stack.create_function("busy", sleeping)
        self.stack.client("lambda").invoke(FunctionName="busy", InvocationType="Event", Payload="{}")
        return int(eventually(lambda: marker.exists() and marker.read_text(), 5))

    def assert_ended(self, *functions):
        self.assertEqual(self.stack.process.wait(10), 0)
        for process_id in functions:
            self.assertFalse(is_alive(process_id))

    def test_end_of_input_ends_stack_and_functions(self):
        functions = self.warm_function(), self.busy_function()
        self.stack.end_input()
        self.assert_ended(*functions)

    def test_termination_ends_stack_and_functions(self):
        functions = self.warm_function(), self.busy_function()
        self.stack.process.send_signal(signal.SIGTERM)
        self.assert_ended(*functions)


class Start(unittest.TestCase):
    """What start.py answers to a MiniStack that it was not written for."""

    def start(self, *, version, prelude=""):
        with tempfile.TemporaryDirectory() as folder:
            metadata = pathlib.Path(folder, "ministack-0.dist-info", "METADATA")
            metadata.parent.mkdir()
            metadata.write_text(f"Metadata-Version: 2.1\nName: ministack\nVersion: {version}\n")
            pathlib.Path(folder, "sitecustomize.py").write_text(prelude)
            return subprocess.run(
                [sys.executable, START],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=20,
                env={**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            )

    def test_another_version_is_refused(self):
        answer = self.start(version="1.5.34")
        self.assertEqual(answer.returncode, 1)
        self.assertEqual(answer.stderr, "cannot start the local stack: ministack is 1.5.34, not 1.5.33\n")

    def test_a_missing_part_is_named(self):
        answer = self.start(version="1.5.33", prelude="from ministack.services import pipes\ndel pipes._ensure_poller\n")
        self.assertEqual(answer.returncode, 1)
        self.assertEqual(
            answer.stderr.splitlines()[-1],
            "cannot start the local stack: ministack 1.5.33 lacks a part: ministack.services.pipes has no _ensure_poller",
        )


if __name__ == "__main__":
    unittest.main()
