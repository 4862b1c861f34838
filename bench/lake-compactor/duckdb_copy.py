"""Compacts raw files with DuckDB's COPY, on one thread.

    python duckdb_copy.py same|plain --input FOLDER --output FOLDER --iterations N
"""

import json
import sys
import time
from pathlib import Path

import duckdb

from lake_columns import FIXED, declared, quoted, sql_type


def statement(way: str, source: str, target: str) -> str:
    types = {name: sql_type(column_type) for name, column_type in declared()}
    texts = ", ".join(f"'{name}': 'VARCHAR'" for name in (*FIXED, *types, "_extra"))
    columns = [quoted(name) if name != "_changed_at" else 'CAST("_changed_at" AS timestamp) AS "_changed_at"' for name in FIXED]
    columns += [quoted(n) if t == "varchar" else f"CAST({quoted(n)} AS {t}) AS {quoted(n)}" for n, t in types.items()]
    select = f"""SELECT {", ".join(columns)}, "_extra" FROM read_json('{source}/**/*.json.zst', format = 'newline_delimited',
        columns = {{{texts}}}, hive_partitioning = false, maximum_object_size = 67108864)"""
    if way == "same":
        select += ' QUALIFY row_number() OVER (PARTITION BY "_event_id") = 1 ORDER BY "id", "sk", "_sequence"'
    return f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"


def main() -> None:
    way, _, source, _, folder, _, iterations = sys.argv[1:]
    target = str(Path(folder) / "rows.parquet")
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute("SET TimeZone = 'UTC'")
    sql = statement(way, source, target)
    began, cpu = time.monotonic(), time.process_time()
    for _ in range(int(iterations)):
        (rows,) = connection.execute(sql).fetchone()
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu
    print(json.dumps({"rows": rows, "seconds": seconds / int(iterations), "cpuSeconds": cpu_seconds / int(iterations)}))


if __name__ == "__main__":
    main()
