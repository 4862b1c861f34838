"""A stack for tests: MiniStack through start.py on a free loopback port, everything it writes in one temporary folder."""

import contextlib
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
import zipfile

import botocore.config
import botocore.session

START = pathlib.Path(__file__).parent.parent / "start.py"
START_SECONDS = 30
STOP_SECONDS = 20

# A custom runtime that hands the text of each payload to `answer`, and the text of what that answers to Lambda.
RUNTIME = f"""#!{sys.executable}
import os, sys, urllib.request
invocation = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
{{answer}}
while True:
    with urllib.request.urlopen(invocation + "next") as request:
        request_id, payload = request.headers["Lambda-Runtime-Aws-Request-Id"], request.read().decode()
    urllib.request.urlopen(invocation + request_id + "/response", data=answer(payload).encode()).read()
"""
ECHO = "def answer(payload): return payload"
ROLE = "arn:aws:iam::000000000000:role/any"


class Stack:
    def __init__(self, **environment):
        self._folder = tempfile.TemporaryDirectory(prefix="local-stack-test-")
        self.folder = pathlib.Path(self._folder.name)
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / "ministack.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, START],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment(), **environment},
            )
        self._clients = {}

    def _environment(self):
        port = str(self.port)
        return {
            "GATEWAY_PORT": port,
            "EDGE_PORT": port,
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "localhost",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "TMPDIR": str(self.folder),
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def wait_until_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"MiniStack ended:\n{self.log.read_text()}")
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.endpoint}/_ministack/health"):
                return True
            return False

        eventually(ready, START_SECONDS)
        return self

    def end_input(self):
        self.process.stdin.close()

    def stop(self):
        """Ends the standard input, and waits for the process to follow."""
        self.end_input()
        try:
            self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
            self._folder.cleanup()

    def client(self, service):
        if service not in self._clients:
            self._clients[service] = botocore.session.Session().create_client(
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=botocore.config.Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def create_function(self, name, answer=ECHO, **options):
        """A function whose bootstrap runs `answer`, a Python function from text to text."""
        return self.client("lambda").create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role="arn:aws:iam::000000000000:role/function",
            Code={"ZipFile": zipped_bootstrap(RUNTIME.format(answer=answer))},
            Timeout=10,
            **options,
        )["FunctionArn"]

    def create_queue(self, name):
        """The URL and the ARN of a new queue."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return url, attributes["QueueArn"]

    def receive(self, queue_url, seconds=5):
        """The queue's next messages; none where it stays empty for so long."""
        sqs = self.client("sqs")
        return sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=seconds, MaxNumberOfMessages=10).get("Messages", [])

    def receive_one(self, queue_url):
        """The body of the queue's next message."""
        messages = self.client("sqs").receive_message(QueueUrl=queue_url, WaitTimeSeconds=5).get("Messages", [])
        assert messages, "the queue stayed empty"
        return messages[0]["Body"]

    def create_rule(self, name, pattern, target_arn, bus="default", **target):
        events = self.client("events")
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "target", "Arn": target_arn, **target}])

    def create_machine(self, name, states, **fields):
        """The ARN of a new state machine in JSONata that starts at the first of its states."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **fields}
        created = self.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=ROLE
        )
        return created["stateMachineArn"]

    def start(self, machine_arn, data="{}"):
        """The ARN of a new execution."""
        return self.client("stepfunctions").start_execution(stateMachineArn=machine_arn, input=data)["executionArn"]

    def ended(self, execution_arn, seconds=20):
        """The execution's description, when it has ended."""

        def description():
            described = self.client("stepfunctions").describe_execution(executionArn=execution_arn)
            return described if described["status"] != "RUNNING" else None

        return eventually(description, seconds)

    def run(self, machine_arn, data="{}", seconds=20):
        """The description of a new execution, when it has ended."""
        return self.ended(self.start(machine_arn, data), seconds)

    def history(self, execution_arn):
        """The details of the execution's events, by type: the last where there are several."""
        paginator = self.client("stepfunctions").get_paginator("get_execution_history")
        events = [event for page in paginator.paginate(executionArn=execution_arn) for event in page["events"]]
        return {event["type"]: next((event[key] for key in event if key.endswith("Details")), {}) for event in events}

    def inject(self, *faults):
        """Puts these faults in the place of those before."""
        request = urllib.request.Request(
            f"{self.endpoint}/_local-stack/faults", json.dumps(faults).encode(), method="PUT" if faults else "DELETE"
        )
        urllib.request.urlopen(request).read()

    def deploy(self, stack_name, **resources):
        """Creates or updates the CloudFormation stack of these resources, and waits until that is done."""
        cloudformation = self.client("cloudformation")
        parameters = {"StackName": stack_name, "TemplateBody": json.dumps({"Resources": resources})}
        try:
            cloudformation.create_stack(**parameters)
        except cloudformation.exceptions.AlreadyExistsException:
            cloudformation.update_stack(**parameters)
        return self._settled(stack_name)

    def delete(self, stack_name):
        self.client("cloudformation").delete_stack(StackName=stack_name)
        return self._settled(stack_name)

    def _settled(self, stack_name):
        """The stack's status once it is no longer changing."""

        def status():
            try:
                stacks = self.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
            except self.client("cloudformation").exceptions.ClientError:
                return "DELETE_COMPLETE"
            return None if stacks[0]["StackStatus"].endswith("_IN_PROGRESS") else stacks[0]["StackStatus"]

        return eventually(status, 10)


class OneStack(unittest.TestCase):
    """The tests of a class share a stack; each has names of its own on it."""

    ENVIRONMENT = {}

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(**cls.ENVIRONMENT)
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.wait_until_ready()

    @property
    def name(self):
        """A name of the test's own, for what it creates."""
        return self.id().rpartition(".")[2].replace("_", "-")


def eventually(probe, seconds):
    """The first true answer of `probe`, asked until `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {probe.__qualname__}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def zipped_bootstrap(script):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        files.writestr(bootstrap, script)
    return archive.getvalue()


def is_alive(process_id):
    """Whether a process of this id runs; a zombie does not."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    state = pathlib.Path(f"/proc/{process_id}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
