"""The lake in SQL: DuckDB over its files, with the tables and views that Athena has."""

import duckdb

from . import athena_functions, views
from .bucket import COMPACT, LATEST, RAW
from .items import item


class DuckDbReader:
    name = "duckdb"

    def __init__(self, configuration, files, exported_resources=()):
        """`files`: those of each area. `exported_resources`: NDJSON files of exports from HealthLake."""
        self._configuration = configuration
        self._connection = duckdb.connect()
        # Nothing is fetched from anywhere: what the queries need is part of the package.
        self._connection.execute("SET autoinstall_known_extensions = false")
        athena_functions.define(self._connection)
        partitioned = (*configuration.columns, *configuration.partitions)
        self._raw("raw", files[RAW], configuration.partitions)
        self._raw("raw_unpartitioned", files[RAW], ())
        self._parquet("compact", files[COMPACT], partitioned)
        self._parquet("latest_compact", files[LATEST], configuration.columns)
        self._lines("exported_resources", exported_resources)
        for view in ("changes", "latest_rows", "latest"):
            self._create(view, getattr(views, view)(configuration))

    def query(self, sql):
        """The names of the columns, and the rows with their values as texts."""
        result = self._connection.execute(sql)
        return [column[0] for column in result.description], [tuple(map(_shown, row)) for row in result.fetchall()]

    def stored_rows(self):
        """How many rows the files hold, repeats too."""
        return self._one('SELECT (SELECT count(*) FROM "raw") + (SELECT count(*) FROM "compact")')

    def default_partition_changes(self):
        is_default = " OR ".join(f"{views.quoted(column.name)} IS NULL" for column in self._configuration.partitions)
        return self._one(f'SELECT count(*) FROM "changes" WHERE {is_default}')

    def changes(self):
        """(event id, id, sk, sequence, operation) of each row of the view `changes`."""
        return self._identities("changes")

    def latest_rows(self):
        """The same of each key's last row, a removal too."""
        return self._identities("latest_rows")

    def _identities(self, view):
        sql = f'SELECT "_event_id", "id", "sk", "_sequence", "_op" FROM {views.quoted(view)}'
        return self._connection.execute(sql).fetchall()

    def dump(self, view):
        """Each row of a view with the item in it."""
        declared = self._configuration.declared
        cells = "".join(f", {_lossless(column)}" for column in declared)
        sql = f'SELECT "_event_id", "id", "sk", "_sequence", "_op", epoch_us("_changed_at"), "_removed_by", "_extra"{cells}'
        result = self._connection.execute(f"{sql} FROM {views.quoted(view)}")
        while rows := result.fetchmany(10_000):
            for row in rows:
                event_id, key, sort_key, sequence, operation, changed_at, removed_by, extra = row[:8]
                values = ((c.attribute, c.type, v) for c, v in zip(declared, row[8:]) if v is not None)
                yield event_id, sequence, operation, changed_at, removed_by, item((key, sort_key), values, extra)

    def _raw(self, name, files, partitions):
        columns = [column.name for column in self._configuration.columns]
        types = ", ".join(f"{_text(column)}: 'VARCHAR'" for column in columns)
        hive = str(bool(partitions)).lower()
        self._table(
            name,
            files,
            (*columns, *(column.name for column in partitions)),
            # A line may hold an item of 400 KB twice, escaped.
            f"read_json({_paths(files)}, format = 'newline_delimited', columns = {{{types}}}, "
            f"hive_partitioning = {hive}, hive_types_autocast = false, maximum_object_size = 67108864)",
        )

    def _parquet(self, name, files, columns):
        hive = str(columns is not self._configuration.columns).lower()
        relation = (
            f"read_parquet({_paths(files)}, union_by_name = true, hive_partitioning = {hive}, "
            f"hive_types_autocast = false)"
        )
        there = set()
        if files:
            there = {row[0] for row in self._connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
        # No file may have a column that was declared since they were written.
        selected = ", ".join(
            views.quoted(column.name)
            if column.name in there
            else f"CAST(NULL AS {views.sql_type(column.type)}) AS {views.quoted(column.name)}"
            for column in columns
        )
        self._create(name, f"SELECT {selected} FROM {relation}" if files else f"SELECT {selected} WHERE false")

    def _table(self, name, files, columns, relation):
        names = ", ".join(map(views.quoted, columns))
        nothing = ", ".join(f"CAST(NULL AS varchar) AS {views.quoted(column)}" for column in columns)
        self._create(name, f"SELECT {names} FROM {relation}" if files else f"SELECT {nothing} WHERE false")

    def _lines(self, name, paths):
        # The quote and the delimiter are characters that JSON cannot contain.
        lines = (
            f"SELECT resource FROM read_csv([{', '.join(map(_text, paths))}], header = false, auto_detect = false, "
            "delim = '\x01', quote = '', escape = '', columns = {'resource': 'VARCHAR'}, max_line_size = 67108864)"
        )
        self._create(name, lines if paths else "SELECT CAST(NULL AS varchar) AS resource WHERE false")

    def _create(self, name, sql):
        self._connection.execute(f"CREATE VIEW {views.quoted(name)} AS {sql}")

    def _one(self, sql):
        return self._connection.execute(sql).fetchone()[0]


def _shown(value):
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lossless(column):
    """A value as text, or as its microseconds: what Python would make of it has other limits."""
    name = views.quoted(column.name)
    sql_type = views.sql_type(column.type)
    if sql_type == "timestamp":
        return f"epoch_us({name})"
    return name if sql_type == "varchar" else f"CAST({name} AS varchar)"


def _text(text):
    return "'" + text.replace("'", "''") + "'"


def _paths(files):
    return "[" + ", ".join(_text(file.path) for file in files) + "]"
