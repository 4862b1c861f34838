"""Results as Athena spells them, where it puts them.

The gap: MiniStack spells them as Python does (`True`, `1E-9`), takes a location without its final slash literally, lets a request override
a workgroup that enforces its location, and writes the file below the location that GetQueryExecution answers instead of there.
"""

import datetime
import decimal
from urllib.parse import urlparse

from ministack.core import responses
from ministack.services import athena, s3

from ..replacing import part, replace


def apply():
    for name in ("_workgroups", "_executions", "_DUCKDB_TYPE_MAP"):
        part(athena, name)
    part(responses, "error_response_json")
    replace(athena, "_start_query_execution", located(part(athena, "_start_query_execution")))
    replace(athena, "_save_query_results", save)


def of(result):
    """Columns, types and rows of a DuckDB result; the values as texts."""
    description = result.description or []
    return {
        "columns": [column[0] for column in description],
        "column_types": [athena._DUCKDB_TYPE_MAP.get(str(column[1]).partition("(")[0], "varchar") for column in description],
        "rows": [[None if value is None else text(value) for value in row] for row in result.fetchall()],
    }


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        # Athena's timestamps have three digits (user guide, "Data types in Amazon Athena").
        rounded = value.replace(tzinfo=None) + datetime.timedelta(microseconds=500)
        return rounded.isoformat(" ", "milliseconds")
    return str(value)


def located(start):
    def started(data):
        name = data.get("WorkGroup", "primary")
        if name not in athena._workgroups:
            return responses.error_response_json("InvalidRequestException", f"WorkGroup {name} is not found.", 400)
        configuration = athena._workgroups[name].get("Configuration") or {}
        locations = [(given.get("ResultConfiguration") or {}).get("OutputLocation") for given in (data, configuration)]
        # Athena's default is to enforce (API reference, WorkGroupConfiguration), but for the workgroup that every account has.
        if is_true(configuration.get("EnforceWorkGroupConfiguration", name != "primary")):
            locations.reverse()
        location = locations[0] or locations[1]
        if location and not location.endswith("/"):
            location += "/"
        return start({**data, "ResultConfiguration": {"OutputLocation": location}})

    return started


def is_true(value):
    return str(value).lower() == "true"


async def save(query_id):
    execution = athena._executions.get(query_id)
    results = execution["_results"]
    content = "".join(map(csv_line, [results["columns"], *results["rows"]])).encode()
    location = urlparse(execution["ResultConfiguration"]["OutputLocation"])
    headers = {"content-type": "application/octet-stream", "content-length": str(len(content))}
    status, _headers, body = s3._put_object(location.netloc, location.path.lstrip("/"), content, headers)
    if status >= 300:
        execution["Status"].update(State="FAILED", StateChangeReason=f"the result could not be written: {body!r}")


def csv_line(values):
    """Athena puts every value into quotes, and nothing where there is none."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values) + "\n"
