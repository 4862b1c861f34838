"""Faults on demand, for tests: AWS fails at times, and MiniStack never does.

`PUT /_local-stack/faults` with a JSON array of faults puts them in the place of those before, `DELETE` ends them. A fault strikes for
`forSeconds` from then on, or as many `times`, or both; without either until it is deleted. Of faults that would strike alike, the first
does.

    {"service": "s3", "operation": "GetObject", "resource": "exports/", "status": 503, "code": "SlowDown", "forSeconds": 20}
        A request over HTTP is answered so and not executed; also what a state machine's lambda:invoke asks of Lambda. `operation` and
        `resource`, a part of the path or the body, may be left out. Services: s3, dynamodb, events, sqs, states, lambda.
    {"service": "events", "failEntries": {"oneIn": 3}, "times": 4}
        Of the entries that clients send with PutEvents every third, four in all, is not delivered, and the answer says so.
    {"service": "sqs", "queue": "name", "deliver": 2, "times": 1}
        The next message that is sent to the queue is delivered twice: one message id, one body, a receipt handle for each.
    {"service": "sqs", "queue": "name", "withholdSeconds": 5}
        Messages are delivered so many whole seconds later than their delay says.
"""
