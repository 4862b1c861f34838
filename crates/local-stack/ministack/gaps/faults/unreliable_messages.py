"""Messages of SQS that come twice, or late."""

from ministack.services import sqs

from ..replacing import part, replace
from . import injected


def apply():
    for name in ("_get_q", "_queues_lock", "queue_delay"):
        part(sqs, name)
    send = unreliable(part(sqs, "_act_send_message"))
    replace(sqs, "_act_send_message", send)
    part(sqs, "_HANDLERS")["SendMessage"] = send


def unreliable(send_message):
    def send(request, url):
        if not injected.is_any():
            return send_message(request, url)
        url = request.get("QueueUrl", url)
        queue = sqs._get_q(url)

        def matches(settings):
            return settings["queue"] == url.rstrip("/").rpartition("/")[2]

        late = injected.striking("withholdSeconds", matches)
        if late:
            request = {**request, "DelaySeconds": delay_seconds(request, queue) + late["withholdSeconds"]}
        repeated = injected.striking("deliver", matches)
        if not repeated:
            return send_message(request, url)
        # An event source takes no message while this is held, so that there are as many as asked for when it does.
        with sqs._queues_lock:
            answer = send_message(request, url)
            [message] = [message for message in queue["messages"] if message["id"] == answer["MessageId"]]
            queue["messages"].extend(dict(message) for _ in range(repeated["deliver"] - 1))
        return answer

    return send


def delay_seconds(request, queue):
    delay = request.get("DelaySeconds")
    return sqs.queue_delay(queue) if delay is None else int(delay)
