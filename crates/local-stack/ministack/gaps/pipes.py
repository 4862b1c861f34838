"""Pipes are kept whole, and executed by somebody else.

The gap: MiniStack drops a pipe's enrichment and all its parameters, and its own poller runs what is left: stream to SNS or Step
Functions, without filter or enrichment. Here DescribePipe answers all that was given, so that another process can execute the pipe, and
the poller never starts.
"""

from ministack.services import pipes
from ministack.services.cloudformation import provisioners

from .replacing import part, replace, resource_handler

# CloudFormation and the API spell these alike, down to their members.
KEPT = (
    "SourceParameters",
    "Enrichment",
    "EnrichmentParameters",
    "TargetParameters",
    "LogConfiguration",
    "KmsKeyIdentifier",
)


def apply():
    part(pipes, "_pipes")
    replace(pipes, "_ensure_poller", lambda: None)
    replace(pipes, "_create_pipe", keeping_request(part(pipes, "_create_pipe")))
    replace(pipes, "_update_pipe", keeping_request(part(pipes, "_update_pipe")))
    replace(pipes, "_describe_response", describing_kept(part(pipes, "_describe_response")))
    handler = resource_handler(provisioners, "AWS::Pipes::Pipe")
    handler["create"] = keeping_created(handler["create"])
    handler["update"] = keeping_updated(handler["update"])


def keeping_request(operation):
    """CreatePipe and UpdatePipe, which change what the request names and nothing else."""

    def kept(name, body):
        answer = operation(name, body)
        if answer[0] < 300:
            keep(name, {field: body[field] for field in KEPT if field in body})
        return answer

    return kept


def keeping_created(create):
    def kept(logical_id, properties, stack_name):
        name, attributes = create(logical_id, properties, stack_name)
        keep(name, template_fields(properties))
        return name, attributes

    return kept


def keeping_updated(update):
    def kept(physical_id, old_properties, properties, stack_name, logical_id=None):
        name, attributes = update(physical_id, old_properties, properties, stack_name, logical_id)
        keep(name, template_fields(properties))
        return name, attributes

    return kept


def template_fields(properties):
    """A template says all that a pipe has: what it leaves out, the pipe loses."""
    return {field: properties.get(field) for field in KEPT}


def keep(name, fields):
    pipe = pipes._pipes[name]
    earlier = pipe.get("SourceParameters") or {}
    pipe.update(fields)
    if fields.get("SourceParameters"):
        pipe["SourceParameters"] = with_starting_position(fields["SourceParameters"], earlier)


def with_starting_position(parameters, earlier):
    """UpdatePipe cannot name what is fixed at creation: where in the stream the pipe starts."""
    completed = dict(parameters)
    for group, members in parameters.items():
        fixed = {key: value for key, value in (earlier.get(group) or {}).items() if key.startswith("StartingPosition")}
        if fixed:
            completed[group] = {**fixed, **members}
    return completed


def describing_kept(describe):
    def described(pipe):
        return {**describe(pipe), **{field: pipe[field] for field in KEPT if pipe.get(field)}}

    return described
