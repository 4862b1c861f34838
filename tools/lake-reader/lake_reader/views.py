"""The views `changes` and `latest`, with the SQL that they have in Athena (`infra/lib/lake-views.ts`)."""

import re

from .configuration import EXTRA_COLUMN


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def sql_type(column_type):
    if column_type.startswith("timestamp"):
        return "timestamp"
    return "varchar" if column_type in ("string", "json") else column_type


def changes(configuration):
    """One row for each change: whatever was delivered or compacted twice has the same `_event_id`."""
    columns = (*configuration.columns, *configuration.partitions)
    names = _names(columns)
    window = ", ".join([*(quoted(column.name) for column in configuration.partitions), '"_event_id"'])
    return f"""SELECT {names} FROM (
        SELECT u.*, row_number() OVER (PARTITION BY {window} ORDER BY "_sequence") AS "_row" FROM (
        SELECT {names} FROM "compact"
        UNION ALL
        SELECT {_from_text(columns)} FROM "raw"
        ) u) v WHERE "_row" = 1"""


def latest(configuration):
    """One row for each item that is there."""
    attributes = "".join(
        f""", json_extract_scalar("{EXTRA_COLUMN}", '$.{column.attribute}') AS {quoted(column.name)}"""
        for column in configuration.partitions
        if column.attribute and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", column.attribute)
    )
    return f"""SELECT {_names(configuration.columns)}{attributes} FROM "latest_rows" WHERE "_op" <> 'REMOVE'"""


def latest_rows(configuration):
    """One row for each key that there ever was: what `latest` makes its choice from."""
    names = _names(configuration.columns)
    return f"""SELECT {names} FROM (
        SELECT u.*, row_number() OVER (PARTITION BY "id", "sk" ORDER BY "_sequence" DESC, "_event_id" DESC) AS "_row"
        FROM (
        SELECT {names} FROM "latest_compact"
        UNION ALL
        SELECT {_from_text(configuration.columns)} FROM "raw_unpartitioned"
        ) u) v WHERE "_row" = 1"""


def _names(columns):
    return ", ".join(quoted(column.name) for column in columns)


def _from_text(columns):
    """The values of the raw tables are all text."""
    return ", ".join(
        quoted(column.name)
        if sql_type(column.type) == "varchar"
        else f"CAST({quoted(column.name)} AS {sql_type(column.type)}) AS {quoted(column.name)}"
        for column in columns
    )
