"""AWS::Events::Archive in CloudFormation.

The gap: MiniStack has the archive API of EventBridge, but its CloudFormation refuses the resource type.
"""

import json

from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from .replacing import part

RESOURCE_TYPE = "AWS::Events::Archive"


def apply():
    for name in ("_create_archive", "_update_archive", "_delete_archive", "_archives"):
        part(eventbridge, name)
    part(provisioners, "_physical_name")
    part(provisioners, "_RESOURCE_HANDLERS")[RESOURCE_TYPE] = {"create": create, "update": update, "delete": delete}
    # CloudFormation's own machinery replaces an archive for these, and refuses to where the template gives the name.
    part(provisioners, "_REPLACING_PROPERTIES")[RESOURCE_TYPE] = ("ArchiveName", "SourceArn")
    part(provisioners, "_CUSTOM_NAME_REPLACEMENT")[RESOURCE_TYPE] = {"name": "ArchiveName"}


def create(logical_id, properties, stack_name):
    name = properties.get("ArchiveName") or provisioners._physical_name(stack_name, logical_id, max_len=48)
    call(eventbridge._create_archive, request(name, properties))
    return name, attributes(name)


def update(physical_id, _old_properties, properties, _stack_name):
    call(eventbridge._update_archive, request(physical_id, properties))
    return physical_id, attributes(physical_id)


def delete(physical_id, _properties):
    if physical_id in eventbridge._archives:
        call(eventbridge._delete_archive, {"ArchiveName": physical_id})


def request(name, properties):
    """The API's request: it has another name for the source, and takes the pattern as text. What a template leaves out is cleared."""
    pattern = properties.get("EventPattern", "")
    return {
        "ArchiveName": name,
        "EventSourceArn": properties.get("SourceArn", ""),
        "Description": properties.get("Description", ""),
        "EventPattern": pattern if isinstance(pattern, str) else json.dumps(pattern),
        "RetentionDays": int(properties.get("RetentionDays", 0)),
        "KmsKeyIdentifier": properties.get("KmsKeyIdentifier", ""),
    }


def attributes(name):
    return {"Arn": eventbridge._archives[name]["ArchiveArn"], "ArchiveName": name}


def call(operation, parameters):
    status, _headers, body = operation(parameters)
    if status >= 300:
        raise ValueError(f"{RESOURCE_TYPE}: {body!r}")
