"""The DuckDB catalog of what a query reads."""

import json

from ministack.services import glue

from .column_types import quoted
from .tables import select_table
from .views import View, is_view

# Athena's name of the Glue catalog. DuckDB finds it in any case, as Athena does.
NAME = "AwsDataCatalog"


class Catalog:
    def __init__(self, connection, folder):
        self.connection = connection
        self.folder = folder
        self.relations = set()
        self.tables = {key.lower(): table for key, table in glue._tables.items()}
        connection.execute(f"ATTACH ':memory:' AS {quoted(NAME)}")

    def prepare(self, query, database):
        """Makes all that `query` reads; unqualified names are then those of `database`."""
        self._make_what_is_read(query, database, ())
        self._use(database)

    def _make_what_is_read(self, query, database, inside):
        for schema, name in self._references(query):
            key = f"{schema or database}/{name}".lower()
            if key in inside:
                raise ValueError(f"View is recursive: {key}")
            # A name that Glue does not have may be one of the query's own, or an error that DuckDB names.
            if key in self.tables and key not in self.relations:
                self._make(key, (*inside, key))
                self.relations.add(key)

    def _make(self, key, inside):
        schema, _, name = key.partition("/")
        table = self.tables[key]
        if is_view(table):
            select = self._select_view(View(table), schema, inside)
        else:
            select = select_table(self.connection, table, self.folder)
        self._create_view(schema, name, select)

    def _select_view(self, view, schema, inside):
        """Names in a view are those of the schema that it was made in, in DuckDB those of the schema that it is in."""
        made_in = view.schema or schema
        self._make_what_is_read(view.query, made_in, inside)
        query = self._create_view(made_in, f"$query of {schema}.{view.name}", view.query)
        return view.select(self.connection, query)

    def _create_view(self, schema, name, select):
        """Its full name."""
        full_name = f"{self._schema(schema)}.{quoted(name)}"
        self.connection.execute(f"CREATE VIEW {full_name} AS {select}")
        return full_name

    def _use(self, schema):
        """Names without a schema are from now on those of this one."""
        self.connection.execute(f"USE {self._schema(schema)}")

    def _schema(self, name):
        """Its full name; it exists from now on."""
        schema = f"{quoted(NAME)}.{quoted(name.lower())}"
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        return schema

    def _references(self, query):
        """Schema, or an empty text, and name of each relation that the query names. None where it is no SELECT."""
        [(serialized,)] = self.connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
        return sorted(set(base_tables(json.loads(serialized))))


def base_tables(node):
    """The tables in DuckDB's syntax tree of a query."""
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            yield node["schema_name"], node["table_name"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from base_tables(child)
