"""Functions of Athena that DuckDB does not have."""

FUNCTIONS = [
    # Athena user guide, "Extract JSON data from strings": of a text, number or boolean its text, of all else NULL.
    """CREATE TEMP MACRO json_extract_scalar(value, path) AS
    CASE WHEN json_type(value, path) NOT IN ('NULL', 'ARRAY', 'OBJECT') THEN json_extract_string(value, path) END""",
]


def define(connection):
    for function in FUNCTIONS:
        connection.execute(function)
