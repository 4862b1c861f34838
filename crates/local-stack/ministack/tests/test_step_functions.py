"""State machines run as AWS documents, as a client of Step Functions sees it."""

import json
import sys
import textwrap
import time
import unittest

from botocore.exceptions import ClientError
from stack import ECHO, START, OneStack, eventually

sys.path.insert(0, str(START.parent))
from gaps.step_functions import retries  # noqa: E402  (beside start.py, which is no package)

LIMIT = 262_144
CATCH_ALL = [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}]
CAUGHT = {"Caught": {"Type": "Pass", "End": True}}


def invoke(function, **fields):
    """A task that hands its input to a function and answers what it answered."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
        **fields,
    }


class Callbacks(OneStack):
    """One task, which sends its token to a queue of the test's own."""

    def setUp(self):
        self.states = self.stack.client("stepfunctions")
        self.queue_url, _arn = self.stack.create_queue(self.name)

    def start(self, machine_fields=None, **fields):
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {"QueueUrl": self.queue_url, "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
            "Catch": CATCH_ALL,
            "End": True,
            **fields,
        }
        machine = self.stack.create_machine(self.name, {"Wait": task, **CAUGHT}, **machine_fields or {})
        return self.stack.start(machine)

    def token(self):
        [message] = self.stack.receive(self.queue_url)
        return json.loads(message["Body"])["token"]

    def assert_refused(self, code, token):
        for send in (
            lambda: self.states.send_task_success(taskToken=token, output="{}"),
            lambda: self.states.send_task_failure(taskToken=token, error="Late"),
            lambda: self.states.send_task_heartbeat(taskToken=token),
        ):
            with self.assertRaises(ClientError) as refused:
                send()
            self.assertEqual(refused.exception.response["Error"]["Code"], code)

    def test_answer_ends_the_task_and_its_token(self):
        execution = self.start()
        token = self.token()
        self.states.send_task_success(taskToken=token, output='{"ranges":12}')
        self.assert_refused("TaskTimedOut", token)
        ended = self.stack.ended(execution)
        self.assertEqual((ended["status"], ended["output"]), ("SUCCEEDED", '{"ranges":12}'))
        self.assert_refused("TaskTimedOut", token)

    def test_failure_ends_the_task_and_its_token(self):
        execution = self.start()
        token = self.token()
        self.states.send_task_failure(taskToken=token, error="JobFailed", cause="a reason")
        self.assert_refused("TaskTimedOut", token)
        self.assertEqual(json.loads(self.stack.ended(execution)["output"]), {"Error": "JobFailed", "Cause": "a reason"})

    def test_a_heartbeat_that_does_not_come(self):
        for heartbeat in (1, "{% $number('1') %}"):
            with self.subTest(heartbeat=heartbeat):
                began = time.monotonic()
                execution = self.start(HeartbeatSeconds=heartbeat, TimeoutSeconds=60)
                token = self.token()
                ended = self.stack.ended(execution)
                self.assertEqual(json.loads(ended["output"])["Error"], "States.HeartbeatTimeout")
                self.assertLess(time.monotonic() - began, 20)
                self.assert_refused("TaskTimedOut", token)
            self.states.delete_state_machine(stateMachineArn=ended["stateMachineArn"])

    def test_heartbeats_keep_a_task_alive_until_its_time_is_up(self):
        execution = self.start(HeartbeatSeconds=2, TimeoutSeconds="{% 4 %}")
        token = self.token()
        for _ in range(5):
            self.states.send_task_heartbeat(taskToken=token)
            time.sleep(0.5)
        self.assertEqual(self.states.describe_execution(executionArn=execution)["status"], "RUNNING")
        # This one holds for longer than the task may take.
        self.states.send_task_heartbeat(taskToken=token)
        self.assertEqual(json.loads(self.stack.ended(execution)["output"])["Error"], "States.Timeout")
        self.assert_refused("TaskTimedOut", token)
        self.assertEqual(self.stack.history(execution)["TaskTimedOut"]["error"], "States.Timeout")

    def test_stopped_execution_ends_the_task_and_its_token(self):
        execution = self.start()
        token = self.token()
        self.states.send_task_heartbeat(taskToken=token)
        self.states.stop_execution(executionArn=execution, error="Operator", cause="by hand")
        self.assert_refused("TaskTimedOut", token)
        time.sleep(0.5)
        ended = self.stack.ended(execution)
        self.assertEqual((ended["status"], ended["error"], ended["cause"]), ("ABORTED", "Operator", "by hand"))
        self.assertNotIn("CaughtStateEntered", self.stack.history(execution))

    def test_time_limit_of_the_state_machine(self):
        execution = self.start({"TimeoutSeconds": 1})
        token = self.token()
        self.assertEqual(self.stack.ended(execution)["status"], "TIMED_OUT")
        self.assert_refused("TaskTimedOut", token)
        self.assertIn("ExecutionTimedOut", self.stack.history(execution))

    def test_each_attempt_has_a_token_of_its_own(self):
        retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]
        execution = self.start(Retry=retry)
        first = self.token()
        self.states.send_task_failure(taskToken=first, error="Again")
        second = self.token()
        self.assert_refused("TaskTimedOut", first)
        self.states.send_task_success(taskToken=second, output="{}")
        self.assertEqual(self.stack.ended(execution)["status"], "SUCCEEDED")

    def test_tokens_that_never_were(self):
        self.assert_refused("InvalidToken", "garbage")
        self.assert_refused("TaskDoesNotExist", "00000000-0000-4000-8000-000000000000")

    def test_output_that_is_no_json_is_refused_and_ends_nothing(self):
        execution = self.start()
        token = self.token()
        for output, code in (("{", "InvalidOutput"), (json.dumps("x" * (LIMIT - 1)), "ValidationException")):
            with self.assertRaises(ClientError) as refused:
                self.states.send_task_success(taskToken=token, output=output)
            self.assertEqual(refused.exception.response["Error"]["Code"], code)
        self.states.send_task_success(taskToken=token, output=json.dumps("x" * (LIMIT - 2)))
        self.assertEqual(self.stack.ended(execution)["status"], "SUCCEEDED")

    def test_history(self):
        execution = self.start(HeartbeatSeconds=30, TimeoutSeconds=60)
        token = self.token()
        self.states.send_task_success(taskToken=token, output="{}")
        self.stack.ended(execution)
        history = self.stack.history(execution)
        scheduled = history["TaskScheduled"]
        self.assertEqual((scheduled["resourceType"], scheduled["resource"]), ("sqs", "sendMessage.waitForTaskToken"))
        self.assertEqual((scheduled["heartbeatInSeconds"], scheduled["timeoutInSeconds"]), (30, 60))
        self.assertEqual(json.loads(scheduled["parameters"])["MessageBody"], {"token": token})
        self.assertIn("MessageId", json.loads(history["TaskSubmitted"]["output"]))
        self.assertEqual(history["TaskSucceeded"]["output"], "{}")


class StatusEvents(OneStack):
    """What the default bus says of an execution's end, and how often."""

    def setUp(self):
        self.queue_url, queue_arn = self.stack.create_queue(self.name)
        pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED", "ABORTED", "TIMED_OUT", "SUCCEEDED"]}}
        self.stack.create_rule(self.name, pattern, queue_arn)
        self.addCleanup(self.stack.client("events").disable_rule, Name=self.name)

    def assert_announced_once(self, execution, status, error, cause):
        ended = self.stack.ended(execution)
        messages = self.stack.receive(self.queue_url) + self.stack.receive(self.queue_url, seconds=1)
        [event] = [json.loads(message["Body"]) for message in messages]
        self.assertEqual(event["detail-type"], "Step Functions Execution Status Change")
        detail = event["detail"]
        self.assertEqual((detail["executionArn"], detail["name"]), (execution, ended["name"]))
        self.assertEqual(detail["stateMachineArn"], ended["stateMachineArn"])
        self.assertEqual(detail["startDate"], round(ended["startDate"].timestamp() * 1000))
        self.assertEqual((detail["status"], detail["error"], detail["cause"]), (status, error, cause))
        self.assertEqual(ended["status"], status)

    def test_failed(self):
        states = {"Fail": {"Type": "Fail", "Error": "Named", "Cause": "{% 'a ' & 'reason' %}"}}
        execution = self.stack.start(self.stack.create_machine(self.name, states))
        self.assert_announced_once(execution, "FAILED", "Named", "a reason")

    def test_stopped_while_it_works(self):
        self.stack.create_function(self.name, "import time\ndef answer(payload):\n    time.sleep(1)\n    return payload")
        states = {"Work": invoke(self.name, Catch=CATCH_ALL, Next="Caught"), **CAUGHT}
        execution = self.stack.start(self.stack.create_machine(self.name, states))
        eventually(lambda: "TaskStarted" in self.stack.history(execution), 5)
        self.stack.client("stepfunctions").stop_execution(executionArn=execution, error="Operator", cause="by hand")
        time.sleep(1.5)
        self.assert_announced_once(execution, "ABORTED", "Operator", "by hand")

    def test_stopped_before_its_time_is_up(self):
        states = {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}
        execution = self.stack.start(self.stack.create_machine(self.name, states, TimeoutSeconds=1))
        self.stack.client("stepfunctions").stop_execution(executionArn=execution)
        time.sleep(1.5)
        self.assert_announced_once(execution, "ABORTED", None, None)

    def test_timed_out(self):
        states = {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}
        execution = self.stack.start(self.stack.create_machine(self.name, states, TimeoutSeconds=1))
        self.assertEqual(self.stack.ended(execution)["status"], "TIMED_OUT")
        time.sleep(1.5)
        self.assert_announced_once(execution, "TIMED_OUT", "States.Timeout", None)

    def test_succeeded(self):
        execution = self.stack.start(self.stack.create_machine(self.name, {"Done": {"Type": "Succeed"}}))
        self.assert_announced_once(execution, "SUCCEEDED", None, None)


class DistributedMaps(OneStack):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.client("s3").create_bucket(Bucket="manifests")
        cls.stack.create_function("echo", ECHO)

    def setUp(self):
        self.states = self.stack.client("stepfunctions")

    def machine(self, items, child, **fields):
        """A map over the items, which lie in S3, behind a state that assigns what the map's fields refer to."""
        self.stack.client("s3").put_object(Bucket="manifests", Key=f"{self.name}.json", Body=json.dumps(items))
        mapping = {
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Arguments": {"Bucket": "manifests", "Key": "{% $manifest.key %}"},
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Item",
                "States": {"Item": {"End": True, **child}},
            },
            "ItemSelector": {"run": "{% $run %}", "item": "{% $states.context.Map.Item.Value %}"},
            "Label": "Items",
            "Catch": CATCH_ALL,
            "Next": "After",
            **fields,
        }
        assigned = {"run": {"id": "run-1"}, "manifest": {"key": f"{self.name}.json"}, "concurrency": 2, "percentage": 50}
        return self.stack.create_machine(self.name, {
            "Before": {"Type": "Pass", "Assign": assigned, "Next": "Items"},
            "Items": mapping,
            "After": {"Type": "Pass", "End": True},
            **CAUGHT,
        })

    def map_run(self, execution):
        [run] = self.states.list_map_runs(executionArn=execution)["mapRuns"]
        return self.states.describe_map_run(mapRunArn=run["mapRunArn"])

    def children(self, execution):
        pages = self.states.get_paginator("list_executions").paginate(mapRunArn=self.map_run(execution)["mapRunArn"])
        return [child for page in pages for child in page["executions"]]

    def test_every_field_in_jsonata(self):
        selector = {
            "run": "{% $run %}",
            "item": "{% $states.context.Map.Item.Value %}",
            "index": "{% $states.context.Map.Item.Index %}",
        }
        machine = self.machine(
            [{"name": "a"}, {"name": "b"}],
            invoke("echo"),
            ItemSelector=selector,
            MaxConcurrency="{% $concurrency %}",
            ToleratedFailurePercentage="{% $percentage %}",
            Output={"count": "{% $count($states.result) %}"},
            Assign={"published": "{% $states.result[1].item.name %}"},
        )
        execution = self.stack.start(machine)
        ended = self.stack.ended(execution)
        self.assertEqual((ended["status"], ended["output"]), ("SUCCEEDED", '{"count":2}'))
        run = self.map_run(execution)
        self.assertEqual((run["status"], run["maxConcurrency"], run["toleratedFailurePercentage"]), ("SUCCEEDED", 2, 50))
        self.assertEqual(run["executionCounts"]["succeeded"], 2)
        inputs = [self.states.describe_execution(executionArn=child["executionArn"]) for child in self.children(execution)]
        self.assertCountEqual(
            [json.loads(child["input"]) for child in inputs],
            [
                {"run": {"id": "run-1"}, "item": {"name": "a"}, "index": 0},
                {"run": {"id": "run-1"}, "item": {"name": "b"}, "index": 1},
            ],
        )
        history = self.stack.history(execution)
        self.assertEqual(history["MapRunStarted"]["mapRunArn"], run["mapRunArn"])
        self.assertIn("MapRunSucceeded", history)

    def test_what_an_item_has_of_its_own(self):
        child = {
            "Type": "Pass",
            "Output": {"hasVariable": "{% $exists($run) %}", "execution": "{% $states.context.Execution.Name %}"},
        }
        execution = self.stack.start(self.machine([1], child))
        [output] = json.loads(self.stack.ended(execution)["output"])
        [only] = self.children(execution)
        self.assertEqual(output, {"hasVariable": False, "execution": only["name"]})
        history = self.stack.history(only["executionArn"])
        self.assertEqual(json.loads(history["PassStateEntered"]["input"])["item"], 1)
        self.assertEqual(json.loads(history["ExecutionSucceeded"]["output"]), output)

    def test_no_items(self):
        ended = self.stack.run(self.machine([], invoke("echo"), Output={}))
        self.assertEqual((ended["status"], ended["output"]), ("SUCCEEDED", "{}"))

    def test_what_cannot_be_read_is_caught(self):
        for items, key in ({"not": "an array"}, "{% $manifest.key %}"), ([], "missing.json"):
            with self.subTest(key=key):
                reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}
                reader["Arguments"] = {"Bucket": "manifests", "Key": key}
                machine = self.machine(items, invoke("echo"), ItemReader=reader)
                self.assertEqual(json.loads(self.stack.run(machine)["output"])["Error"], "States.ItemReaderFailed")
                self.states.delete_state_machine(stateMachineArn=machine)

    def test_a_failed_item_ends_the_map(self):
        """Three of a hundred items fail, and every item takes a while."""
        answer = """
            import json, time
            def answer(payload):
                time.sleep(0.05)
                if json.loads(payload)["item"] in (3, 4, 50): os._exit(1)
                return "{}"
        """
        self.stack.create_function(self.name, textwrap.dedent(answer))
        tolerated = {"none": (0, "Caught"), "three": (3, "After"), "two": (2, "Caught")}
        for case, (percentage, last) in tolerated.items():
            with self.subTest(case):
                machine = self.machine(
                    list(range(100)), invoke(self.name), MaxConcurrency=4, ToleratedFailurePercentage=percentage
                )
                execution = self.stack.start(machine)
                output = json.loads(self.stack.ended(execution, 30)["output"])
                run = self.map_run(execution)
                counts = run["executionCounts"]
                self.assertEqual(self.stack.history(execution)["PassStateExited"]["name"], last)
                if last == "Caught":
                    self.assertEqual(output["Error"], "States.ExceedToleratedFailureThreshold")
                    self.assertEqual((run["status"], counts["failed"]), ("FAILED", percentage + 1))
                    self.assertGreater(counts["aborted"], 0)
                else:
                    self.assertEqual((len(output), counts["failed"], counts["succeeded"]), (100, 3, 97))
                self.states.delete_state_machine(stateMachineArn=machine)

    def test_stopped(self):
        """Forty items of a second each, two at a time, stopped when the first have begun."""
        marks = self.stack.folder / self.name
        marks.mkdir()
        answer = f"""
            import json, time
            def answer(payload):
                item = str(json.loads(payload)["item"])
                open({str(marks)!r} + "/" + item, "w").close()
                time.sleep(1)
                return "{{}}"
        """
        self.stack.create_function(self.name, textwrap.dedent(answer))
        machine = self.machine(list(range(40)), invoke(self.name), MaxConcurrency=2)
        execution = self.stack.start(machine)
        eventually(lambda: len(list(marks.iterdir())) == 2, 10)
        self.states.stop_execution(executionArn=execution)
        for _ in range(2):
            run, children = self.map_run(execution), self.children(execution)
            self.assertEqual(run["status"], "ABORTED")
            counts = {status: count for status, count in run["executionCounts"].items() if count}
            self.assertEqual(counts, {"aborted": 40, "total": 40})
            self.assertEqual([child["status"] for child in children], ["ABORTED", "ABORTED"])
            time.sleep(1.5)
        self.assertEqual(len(list(marks.iterdir())), 2)
        self.assertEqual(self.stack.ended(execution)["status"], "ABORTED")
        self.assertNotIn("CaughtStateEntered", self.stack.history(execution))

    def test_tokens_of_items_end_with_the_map(self):
        queue_url, _arn = self.stack.create_queue(self.name)
        child = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {"QueueUrl": queue_url, "MessageBody": "{% $states.context.Task.Token %}"},
        }
        execution = self.stack.start(self.machine([1], child))
        token = self.stack.receive_one(queue_url)
        self.states.send_task_heartbeat(taskToken=token)
        self.states.stop_execution(executionArn=execution)
        with self.assertRaisesRegex(ClientError, "TaskTimedOut"):
            self.states.send_task_heartbeat(taskToken=token)

    def test_ten_thousand_items(self):
        items = [{"key": f"exports/Patient-{item}.ndjson", "first": item, "last": item + 1} for item in range(10_000)]
        machine = self.machine(items, {"Type": "Pass", "Output": {}}, MaxConcurrency=40, Output={})
        began = time.monotonic()
        execution = self.stack.start(machine)
        self.assertEqual(self.stack.ended(execution, 60)["output"], "{}")
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(self.map_run(execution)["executionCounts"]["succeeded"], 10_000)
        self.assertLess(max(len(json.dumps(details, default=str)) for details in self.stack.history(execution).values()), 1000)


class Payloads(OneStack):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Answers a text that is, as JSON, as long as it is told.
        cls.stack.create_function("long", "import json\ndef answer(payload): return json.dumps('x' * (json.loads(payload) - 2))")

    def run_of(self, **states):
        return self.stack.run(self.stack.create_machine(self.name, states))

    def assert_too_large(self, ended):
        """Whatever the state catches."""
        self.assertEqual((ended["status"], ended["error"]), ("FAILED", "States.DataLimitExceeded"))

    def test_result_of_a_task(self):
        # The result is the answer in an envelope.
        envelope = len('{"StatusCode":200,"Payload":}')
        retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5, "IntervalSeconds": 30}]
        states = {"Work": invoke("long", Output="small", Retry=retry, Catch=CATCH_ALL, Next="Caught"), **CAUGHT}
        machine = self.stack.create_machine(self.name, states)
        self.assertEqual(self.stack.run(machine, str(LIMIT - envelope))["status"], "SUCCEEDED")
        self.assert_too_large(self.stack.run(machine, str(LIMIT - envelope + 1)))

    def test_arguments_of_a_task(self):
        self.assert_too_large(self.run_of(
            Assign={"Type": "Pass", "Assign": {"text": "x" * 200_000}, "Next": "Work"},
            Work=invoke("long", Arguments={"FunctionName": "long", "Payload": "{% $text & $text %}"}, Catch=CATCH_ALL, End=True),
            **CAUGHT,
        ))

    def test_output_of_a_state(self):
        for size, status in ((LIMIT, "SUCCEEDED"), (LIMIT + 1, "FAILED")):
            # Characters count as the bytes of UTF-8.
            output = "x" * (size - 4) + "é"
            machine = self.stack.create_machine(f"{self.name}-{size}", {"Pass": {"Type": "Pass", "Output": output, "End": True}})
            self.assertEqual(self.stack.run(machine)["status"], status)

    def test_results_of_a_distributed_map(self):
        child = {"Type": "Pass", "Output": "x" * 100_000, "End": True}
        processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "Item", "States": {"Item": child}}
        mapping = {"Type": "Map", "Items": [1, 2, 3], "ItemProcessor": processor, "Output": {}, "Catch": CATCH_ALL}
        self.assert_too_large(self.run_of(Map={**mapping, "End": True}, **CAUGHT))

    def test_input_of_an_execution(self):
        machine = self.stack.create_machine(self.name, {"Done": {"Type": "Succeed"}})
        self.stack.start(machine, json.dumps("x" * (LIMIT - 2)))
        with self.assertRaisesRegex(ClientError, "ValidationException"):
            self.stack.start(machine, json.dumps("x" * (LIMIT - 1)))


class Retries(OneStack):
    def test_pauses(self):
        retrier = {"IntervalSeconds": 1, "BackoffRate": 2, "MaxDelaySeconds": 30}
        self.assertEqual([retries.pause_seconds(retrier, retry) for retry in range(7)], [1, 2, 4, 8, 16, 30, 30])
        self.assertEqual([retries.pause_seconds({}, retry) for retry in range(3)], [1, 2, 4])
        drawn = [retries.pause_seconds({**retrier, "JitterStrategy": "FULL"}, 3) for _ in range(1000)]
        self.assertTrue(0 <= min(drawn) < 1 and 7 < max(drawn) <= 8)

    def test_an_error_that_nothing_catches(self):
        states = {
            "Work": {
                "Type": "Task",
                "Resource": "arn:aws:states:::unknown:service",
                "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30}],
                "Catch": CATCH_ALL,
                "End": True,
            },
            **CAUGHT,
        }
        ended = self.stack.run(self.stack.create_machine(self.name, states), seconds=5)
        self.assertEqual((ended["status"], ended["error"]), ("FAILED", "States.Runtime"))

    def test_retries_pause_no_longer_than_they_say(self):
        """Without the longest pause the two retries would take 40 s."""
        retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 20, "BackoffRate": 1, "MaxDelaySeconds": 1, "MaxAttempts": 2}]
        states = {"Work": invoke("missing", Retry=retry, Catch=CATCH_ALL, Next="Caught"), **CAUGHT}
        ended = self.stack.run(self.stack.create_machine(self.name, states), seconds=20)
        self.assertEqual(json.loads(ended["output"])["Error"], "Lambda.ResourceNotFoundException")
        self.assertGreater((ended["stopDate"] - ended["startDate"]).total_seconds(), 1.9)


class Data(OneStack):
    def test_numbers_keep_their_digits(self):
        numbers = '{"price":1.10,"precise":12345678901234567890.123456789012345678,"long":123456789012345678901234567890}'
        self.stack.create_function("echo", ECHO)
        queue_url, _arn = self.stack.create_queue(self.name)
        states = {
            "Work": invoke("echo", Assign={"kept": "{% $states.result.Payload %}"}, Next="Send"),
            "Send": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Arguments": {"QueueUrl": queue_url, "MessageBody": {"numbers": "{% $kept %}"}},
                "Output": {"numbers": "{% $states.input %}"},
                "End": True,
            },
        }
        ended = self.stack.run(self.stack.create_machine(self.name, states), numbers)
        self.assertEqual(ended["output"], f'{{"numbers":{numbers}}}')
        self.assertIn(numbers, self.stack.receive_one(queue_url))

    def test_output_of_a_succeed_state(self):
        states = {"Done": {"Type": "Succeed", "Output": {"said": "{% $states.input.word %}"}}}
        ended = self.stack.run(self.stack.create_machine(self.name, states), '{"word":"done"}')
        self.assertEqual(ended["output"], '{"said":"done"}')


if __name__ == "__main__":
    unittest.main()
