"""Event source mappings of DynamoDB streams are kept whole, and executed by somebody else.

The gap: MiniStack's own poller of these streams knows no partial failures, no bisection, no limit on retries and no bucket as a
destination, and CloudFormation's mapping is enabled even where its template says otherwise. Here the poller leaves these streams alone,
and GetEventSourceMapping answers all that was given, with AWS's defaults for what was not, so that another process can execute the
mapping. Mappings of other sources stay as they are.
"""

import json

from ministack.core import responses
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from .replacing import part, replace, resource_handler

# AWS Lambda developer guide, "Lambda parameters for Amazon DynamoDB event source mappings".
DEFAULTS = {
    "BatchSize": 100,
    "MaximumBatchingWindowInSeconds": 0,
    "ParallelizationFactor": 1,
    "MaximumRetryAttempts": -1,
    "MaximumRecordAgeInSeconds": -1,
    "BisectBatchOnFunctionError": False,
    "TumblingWindowInSeconds": 0,
    "FunctionResponseTypes": [],
    "DestinationConfig": {"OnFailure": {}},
    "FilterCriteria": None,
}
# The same, and the API reference of CreateEventSourceMapping.
RANGES = {
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "ParallelizationFactor": (1, 10),
    "MaximumRetryAttempts": (-1, 10_000),
    "MaximumRecordAgeInSeconds": (-1, 604_800),
    "TumblingWindowInSeconds": (0, 900),
}


class OutOfRange(ValueError):
    """A number that AWS refuses."""


def apply():
    part(responses, "error_response_json")
    part(lambda_svc, "_esms")
    replace(lambda_svc, "_poll_dynamodb_streams", lambda: False)
    replace(lambda_svc, "_create_esm", keeping_created(part(lambda_svc, "_create_esm")))
    replace(lambda_svc, "_update_esm", keeping_updated(part(lambda_svc, "_update_esm")))
    handler = resource_handler(provisioners, "AWS::Lambda::EventSourceMapping")
    handler["create"] = keeping_template_created(handler["create"])
    handler["update"] = keeping_template_updated(handler["update"])


def is_of_stream(source_arn):
    return source_arn.startswith("arn:aws:dynamodb:") and "/stream/" in source_arn


def fields(given, defaults):
    """The mapping's fields as they are given, else as in `defaults`, in the types that the API answers: a template's may be texts."""
    named = {**defaults, **{name: given[name] for name in DEFAULTS if given.get(name) is not None}}
    for name, (least, most) in RANGES.items():
        if name in named:
            named[name] = int(named[name])
            if not least <= named[name] <= most:
                raise OutOfRange(f"Value {named[name]} at {name} is not between {least} and {most}.")
    if "BisectBatchOnFunctionError" in named:
        named["BisectBatchOnFunctionError"] = is_true(named["BisectBatchOnFunctionError"])
    return named


def is_true(value):
    return str(value).lower() == "true"


def keep(mapping, named):
    mapping.update(named)
    if mapping.get("FilterCriteria") is None:
        mapping.pop("FilterCriteria", None)


def refused(error):
    return responses.error_response_json("InvalidParameterValueException", str(error), 400)


def keeping_created(create):
    def kept(data):
        if not is_of_stream(data.get("EventSourceArn", "")):
            return create(data)
        try:
            named = fields(data, DEFAULTS)
        except OutOfRange as error:
            return refused(error)
        answer = create(data)
        return answering(answer, lambda uuid: keep(lambda_svc._esms[uuid], named))

    return kept


def keeping_updated(update):
    """UpdateEventSourceMapping changes what the request names and nothing else."""

    def kept(uuid, data):
        if not is_of_stream(lambda_svc._esms.get(uuid, {}).get("EventSourceArn", "")):
            return update(uuid, data)
        try:
            named = fields(data, {})
        except OutOfRange as error:
            return refused(error)
        return answering(update(uuid, data), lambda uuid: keep(lambda_svc._esms[uuid], named))

    return kept


def answering(answer, change):
    """Changes the mapping that was answered, and answers it as it is now."""
    status, headers, body = answer
    if status >= 300:
        return answer
    uuid = json.loads(body)["UUID"]
    change(uuid)
    return responses.json_response(lambda_svc._esm_response(lambda_svc._esms[uuid]), status)


def keeping_template_created(create):
    def kept(logical_id, properties, stack_name):
        named = template_fields(properties)
        uuid, attributes = create(logical_id, properties, stack_name)
        keep_template(uuid, named, properties)
        return uuid, attributes

    return kept


def keeping_template_updated(update):
    def kept(physical_id, old_properties, properties, stack_name, *logical_id):
        named = template_fields(properties)
        uuid, attributes = update(physical_id, old_properties, properties, stack_name, *logical_id)
        keep_template(uuid, named, properties)
        return uuid, attributes

    return kept


def template_fields(properties):
    """A template says all that a mapping has: what it leaves out is as by default. `None` where it is none of a stream."""
    return fields(properties, DEFAULTS) if is_of_stream(properties.get("EventSourceArn", "")) else None


def keep_template(uuid, named, properties):
    if named is None:
        return
    mapping = lambda_svc._esms[uuid]
    keep(mapping, named)
    mapping["Enabled"] = is_true(properties.get("Enabled", True))
    mapping["State"] = "Enabled" if mapping["Enabled"] else "Disabled"
