"""What the lake's SQL calls in Athena and DuckDB does not have."""

# Athena user guide, "Extract JSON data from strings": of a text, number or boolean its text, of all else NULL.
JSON_EXTRACT_SCALAR = """CREATE TEMP MACRO json_extract_scalar(value, path) AS
    CASE WHEN json_type(value, path) NOT IN ('NULL', 'ARRAY', 'OBJECT') THEN json_extract_string(value, path) END"""


def define(connection):
    connection.execute(JSON_EXTRACT_SCALAR)
