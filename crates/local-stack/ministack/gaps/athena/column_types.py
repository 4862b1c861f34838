"""Types and names of Glue columns, as DuckDB writes them."""

import re

# Athena user guide, "Data types in Amazon Athena": what Glue declares (Hive's names), and what a view does (Trino's).
DUCKDB_TYPES = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "binary": "BLOB",
    "varbinary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
# Hive's, where a declaration gives none.
DECIMAL = "DECIMAL(10,0)"
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")


def duckdb_type(declared):
    base, _, arguments = declared.lower().replace(" ", "").partition("(")
    if base == "decimal":
        return f"DECIMAL({arguments}" if arguments else DECIMAL
    try:
        return DUCKDB_TYPES[base]
    except KeyError:
        raise ValueError(f"NOT_SUPPORTED: a column of type {declared}") from None


def fits(stored, declared):
    """Whether Athena reads a column that a Parquet file stores as `stored` where the table declares it as `declared`, both DuckDB's."""
    if declared.startswith("DECIMAL"):
        digits, scale = decimal(declared)
        return stored.startswith("DECIMAL") and decimal(stored)[1] <= scale and whole(stored) <= digits - scale
    if declared in INTEGERS:
        return stored in INTEGERS[: INTEGERS.index(declared) + 1]
    if declared == "DOUBLE":
        return stored in ("FLOAT", "DOUBLE")
    if declared == "TIMESTAMP":
        return stored.startswith("TIMESTAMP")
    return stored == declared


def decimal(declared):
    """Precision and scale."""
    return tuple(map(int, re.findall(r"\d+", declared)))


def whole(declared):
    """The digits before the point."""
    precision, scale = decimal(declared)
    return precision - scale


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
