"""A query runs on a catalog that looks like Glue's.

The gap: MiniStack replaces the names of tables in the text of a query by files whose columns DuckDB guesses. So views do not exist, JSON has
the types that its values suggest, and partitions are what paths look like.
"""

import asyncio
import shutil
import tempfile

from ministack.services import athena

from ..replacing import MissingPart, part, replace
from . import functions, results
from .catalog import Catalog

SETTINGS = {
    # What is not in the package does not exist: nothing is loaded from elsewhere.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "true",
}


def apply():
    if not part(athena, "_duckdb_available"):
        raise MissingPart("duckdb is not installed")
    replace(athena, "_run_duckdb", running_on_glue(part(athena, "_run_duckdb")))


def running_on_glue(run_by_ministack):
    async def run(query, database, catalog=None):
        s3_tables = part(athena, "_S3_TABLES_CATALOG_PREFIX")
        if s3_tables in query.lower() or (catalog or "").lower().startswith(s3_tables):
            return await run_by_ministack(query, database, catalog)
        return await asyncio.to_thread(execute, query, database)

    return run


def execute(query, database):
    import duckdb

    folder = tempfile.mkdtemp(prefix="athena-")
    try:
        with duckdb.connect(":memory:", config=SETTINGS) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            functions.define(connection)
            Catalog(connection, folder).prepare(query, database or "default")
            return results.of(connection.execute(query))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
