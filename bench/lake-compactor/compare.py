"""Whether two folders of Parquet hold the same rows, value by value, in whatever order, and of the same types.

    python compare.py FOLDER FOLDER
"""

import json
import sys

import duckdb

from lake_columns import FIXED, declared, quoted


def main() -> None:
    connection = duckdb.connect()
    names = ", ".join(quoted(name) for name in (*FIXED, *(name for name, _ in declared()), "_extra"))
    for view, folder in zip("ab", sys.argv[1:]):
        files = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = false)"
        connection.execute(f"CREATE VIEW {view} AS SELECT {names} FROM {files}")
    types = [connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {view})").fetchall() for view in "ab"]
    other_types = [pair for pair in zip(*types) if pair[0] != pair[1]]

    def count(query: str) -> int:
        return connection.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]

    different = count("FROM a EXCEPT ALL FROM b") + count("FROM b EXCEPT ALL FROM a")
    result = {"rows": count("FROM a"), "different": different + len(other_types), "otherTypes": other_types}
    result["distinct"] = connection.execute('SELECT count(DISTINCT "_event_id") FROM a').fetchone()[0]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
