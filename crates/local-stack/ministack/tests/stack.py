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

    def receive_one(self, queue_url):
        """The body of the queue's next message."""
        messages = self.client("sqs").receive_message(QueueUrl=queue_url, WaitTimeSeconds=5).get("Messages", [])
        assert messages, "the queue stayed empty"
        return messages[0]["Body"]

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
