"""A receiver that waits at a queue is answered when a message comes.

The gap: MiniStack looks for it ten times a second, so a message waits for 50 ms on average, and for 100 at worst. SQS answers as soon as
a message is available (SQS developer guide, "Amazon SQS short and long polling").

Every part of MiniStack that puts a message into a queue tells the poller of event sources. Here it tells the receivers too: all of them,
because it does not say which queue it was.
"""

import asyncio
import contextlib
import time

from ministack.services import eventbridge, lambda_svc, s3, sns, sqs

from .replacing import part, replace

# A message also becomes visible by a delay or a visibility timeout that ends, of which nobody tells: looked for as often as before.
LOOK_SECONDS = 0.1


def apply():
    for name in ("_get_q", "_HANDLERS"):
        part(sqs, name)
    arrivals = Arrivals()
    for service in (eventbridge, lambda_svc, s3, sns, sqs):
        replace(service, "esm_wake", Wake(part(service, "esm_wake"), arrivals))
    receive = waiting(part(sqs, "_act_receive_message"), arrivals)
    replace(sqs, "_act_receive_message", receive)
    sqs._HANDLERS["ReceiveMessage"] = receive


class Arrivals:
    """Messages that come, in whichever thread, for receivers that wait in the event loop."""

    def __init__(self):
        self._loop = None
        self._next = None

    def next(self):
        """A future that is done when the next message has come. Called in the event loop."""
        if self._next is None:
            self._loop = asyncio.get_running_loop()
            self._next = self._loop.create_future()
        return self._next

    def tell(self):
        # Without a loop nobody has waited yet; who begins to wait looks into the queue first.
        if self._loop is not None:
            # A loop that is closed refuses the call: the stack ends, and nobody waits any more. Who asked before would not know, since
            # it may close in between.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end)

    def _end(self):
        if self._next is not None:
            self._next.set_result(None)
            self._next = None


class Wake:
    """Stands where a service has the event that wakes the poller of event sources, of which it uses nothing but `set`."""

    def __init__(self, event, arrivals):
        self._event = event
        self._arrivals = arrivals

    def set(self):
        self._event.set()
        self._arrivals.tell()


def waiting(receive, arrivals):
    async def received(request, url):
        deadline = time.monotonic() + wait_seconds(request, url)
        while True:
            # Before the look, so that a message between the two is not missed.
            arrival = arrivals.next()
            answer = await receive({**request, "WaitTimeSeconds": 0}, url)
            left = deadline - time.monotonic()
            if answer or left <= 0:
                return answer
            await asyncio.wait([arrival], timeout=min(LOOK_SECONDS, left))

    return received


def wait_seconds(request, url):
    seconds = request.get("WaitTimeSeconds")
    if seconds is None:
        seconds = sqs._get_q(request.get("QueueUrl", url))["attributes"].get("ReceiveMessageWaitTimeSeconds", 0)
    return int(seconds)
