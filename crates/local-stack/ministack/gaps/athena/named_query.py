"""AWS::Athena::NamedQuery in CloudFormation.

The gap: MiniStack has the API of named queries, but its CloudFormation refuses the resource type.
"""

import json

from ministack.services import athena
from ministack.services.cloudformation import provisioners

from ..replacing import part

RESOURCE_TYPE = "AWS::Athena::NamedQuery"
PROPERTIES = ("Name", "Description", "Database", "QueryString", "WorkGroup")


def apply():
    for name in ("_create_named_query", "_delete_named_query"):
        part(athena, name)
    part(provisioners, "_RESOURCE_HANDLERS")[RESOURCE_TYPE] = {"create": create, "update": update, "delete": delete}
    # Every change makes another query (CloudFormation template reference: update requires replacement).
    part(provisioners, "_REPLACING_PROPERTIES")[RESOURCE_TYPE] = PROPERTIES


def create(_logical_id, properties, _stack_name):
    request = {name: properties[name] for name in PROPERTIES if name in properties}
    _status, _headers, body = athena._create_named_query(request)
    query_id = json.loads(body)["NamedQueryId"]
    return query_id, {"NamedQueryId": query_id}


def update(physical_id, _old_properties, properties, stack_name):
    created = create(None, properties, stack_name)
    delete(physical_id, properties)
    return created


def delete(physical_id, _properties):
    athena._delete_named_query({"NamedQueryId": physical_id})
