"""Lines of an exported file to the entries of PutEvents: parsed, an event built around the resource, encoded.

A number passes through a float, so that 1.10 becomes 1.1: its value stays, its precision is lost
(hl7.org/fhir/R4/datatypes.html#decimal).
"""

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice

from digest import digest
from instants import nine_digits, of_text
from plain_json import encode

EVENT_BUS_NAME = "events"
REQUEST_ENTRIES = 10
"""Amazon EventBridge API reference, "PutEvents"."""


def requests(entries: Iterable[dict]) -> Iterator[list[dict]]:
    """So many entries at a time as a request may hold, as they are made: no others are held in memory."""
    entries = iter(entries)
    while request := list(islice(entries, REQUEST_ENTRIES)):
        yield request


def entries(lines: bytes, run: dict) -> Iterator[dict]:
    datastore = run["datastore"]["id"]
    shared = {
        "correlationId": run["id"],
        "datastoreId": datastore,
        "window": run["window"],
        "schemaVersion": "1.0",
    }
    return (entry(line, datastore, shared) for line in BytesIO(lines))


def entry(line: bytes, datastore: str, shared: dict) -> dict:
    resource = json.loads(line)
    detail = {"meta": {**meta_of(resource, datastore), **shared}, "fhir": resource}
    return {
        "Source": "tributary.fhir",
        "DetailType": "FhirResourceChanged",
        "EventBusName": EVENT_BUS_NAME,
        "Detail": encode(detail),
    }


def meta_of(resource: dict, datastore: str) -> dict:
    """Of a resource that says which version it is, as all of the input do."""
    resource_type, resource_id = resource["resourceType"], resource["id"]
    version_id, last_updated = resource["meta"]["versionId"], resource["meta"]["lastUpdated"]
    return {
        "id": digest("resource", datastore, resource_type, resource_id, version_id, last_updated),
        "resourceType": resource_type,
        "resourceId": resource_id,
        "versionId": version_id,
        "lastUpdated": nine_digits(of_text(last_updated)),
    }
