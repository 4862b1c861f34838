"""The requests about faults, and requests that a fault answers instead of the service."""

import json

from ministack import app
from ministack.core import responses
from ministack.services import stepfunctions

from ..replacing import part, replace
from . import injected

PATH = "/_local-stack/faults"
MESSAGE = "A fault that was asked for."
# By method, and whether the path names an object.
S3_OPERATIONS = {
    ("GET", False): "ListObjectsV2",
    ("HEAD", False): "HeadBucket",
    ("GET", True): "GetObject",
    ("HEAD", True): "HeadObject",
    ("PUT", True): "PutObject",
    ("DELETE", True): "DeleteObject",
}


def apply():
    for name in ("detect_service", "_routing_params"):
        part(app, name)
    for name in ("error_response_json", "json_response"):
        part(responses, name)
    part(stepfunctions, "_ExecutionError")
    # MiniStack asks this of every request once it has the body, before it looks for the service.
    replace(app, "_handle_post_body_shortcuts", before_services(part(app, "_handle_post_body_shortcuts")))
    replace(stepfunctions, "_call_lambda", refusing_state_machines(part(stepfunctions, "_call_lambda")))


def before_services(handle):
    async def answer(method, path, headers, body, query, request_id):
        if path == PATH:
            return change_faults(method, body)
        if injected.is_any():
            refused = refusal(method, path, headers, body, query)
            if refused:
                return refused
        return await handle(method, path, headers, body, query, request_id)

    return answer


def change_faults(method, body):
    if method not in ("PUT", "DELETE"):
        return responses.error_response_json("MethodNotAllowed", "PUT or DELETE", 405)
    try:
        injected.inject(json.loads(body) if method == "PUT" else [])
    except ValueError as error:
        return responses.error_response_json("ValidationException", str(error))
    return responses.json_response({})


def refusal(method, path, headers, body, query):
    """The answer of the fault that strikes this request, or None."""
    service = app.detect_service(method, path, headers, app._routing_params(method, path, headers, body, query))
    operation = operation_of(service, method, path, headers, query)

    def matches(settings):
        resource = settings.get("resource", "")
        is_asked_for = settings["service"] == service and settings.get("operation", operation) == operation
        return is_asked_for and (resource in path or resource.encode() in body)

    fault = injected.striking("status", matches)
    if fault is None:
        return None
    if service != "s3":
        return responses.error_response_json(fault["code"], MESSAGE, fault["status"])
    error = f"<Error><Code>{fault['code']}</Code><Message>{MESSAGE}</Message></Error>"
    return fault["status"], {"Content-Type": "application/xml"}, b"" if method == "HEAD" else error.encode()


def operation_of(service, method, path, headers, query):
    """The operation's name in the API, as far as a request shows it: of S3 the operations above, of Lambda `Invoke`."""
    if "x-amz-target" in headers:
        return headers["x-amz-target"].rpartition(".")[2]
    if service == "s3":
        return S3_OPERATIONS.get((method, "/" in path.strip("/")))
    if service == "lambda" and path.endswith("/invocations"):
        return "Invoke"
    return query.get("Action", [None])[0]


def refusing_state_machines(call_lambda):
    """lambda:invoke of a state machine, which does not go over HTTP."""

    def call(function, event):
        def matches(settings):
            resource = settings.get("resource", "")
            is_asked_for = settings["service"] == "lambda" and settings.get("operation", "Invoke") == "Invoke"
            return is_asked_for and (resource in function or resource in json.dumps(event))

        fault = injected.striking("status", matches)
        if fault:
            raise stepfunctions._ExecutionError(f"Lambda.{fault['code']}", MESSAGE)
        return call_lambda(function, event)

    return call
