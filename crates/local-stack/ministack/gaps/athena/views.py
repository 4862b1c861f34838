"""Views, which Athena keeps in Glue as JSON in a comment (Trino, `ViewReaderUtil`)."""

import base64
import json

from .column_types import duckdb_type, quoted

BEGIN, END = "/* Presto View: ", " */"


def is_view(table):
    return table.get("TableType") == "VIRTUAL_VIEW"


class View:
    def __init__(self, table):
        self.name = table["Name"]
        text = table.get("ViewOriginalText") or ""
        is_athenas = (table.get("Parameters") or {}).get("presto_view") == "true"
        if not is_athenas or not (text.startswith(BEGIN) and text.endswith(END)):
            raise ValueError(f"View '{self.name}' is no view of Athena")
        try:
            definition = json.loads(base64.b64decode(text[len(BEGIN) : -len(END)], validate=True))
            self.query = definition["originalSql"]
            self.columns = [(column["name"], column["type"]) for column in definition["columns"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"View '{self.name}' cannot be decoded: {error!r}") from None
        self.schema = definition.get("schema")

    def select(self, connection, query):
        """What is selected from `query`, which is the relation of the view's query.

        The columns have the types that the view declares; one whose query has other columns by now is refused, as by Athena.
        """
        found = [column for column, *_ in connection.execute(f"DESCRIBE {query}").fetchall()]
        declared = [name for name, _ in self.columns]
        if [name.lower() for name in found] != [name.lower() for name in declared]:
            raise ValueError(f"View '{self.name}' is stale or in invalid state: its query has {found}, it declares {declared}")
        columns = (f"CAST({quoted(name)} AS {duckdb_type(kind)}) AS {quoted(name)}" for name, kind in self.columns)
        return f"SELECT {', '.join(columns)} FROM {query}"
