"""`python -m lake_reader`: counts, queries and dumps a lake; `watch` holds it to its promise while it is written."""

import argparse
import itertools
import json
import select
import sys
import tempfile
import time

from . import exact_json, timestamps
from .bucket import ORDERS, Bucket
from .configuration import Configuration
from .watch import Watch
from .with_duckdb import DuckDbReader
from .with_pyarrow import PyarrowReader

READERS = {"duckdb": DuckDbReader, "pyarrow": PyarrowReader}
#: A file goes hours after it was replaced. Only where the lake was told to hurry do files go faster than they are listed.
PATIENCE_SECONDS = 120


def main():
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="lake-reader-") as cache:
        lake = Lake(arguments, cache)
        for line in arguments.task(lake, arguments):
            # Somebody waits for each line of a watch, and for the last of a dump.
            print(line, flush=arguments.task is watch)


class Lake:
    def __init__(self, arguments, cache):
        self._cache = cache
        self._bucket = Bucket(arguments.lake, cache)
        self._configuration = Configuration(arguments.configuration)

    def read(self, reader, order, use, exports=None):
        """What `use` makes of the lake as it is now, and how often it had to be listed.

        A file that was deleted since it was listed is never left out: all is listed once more.
        """
        give_up = time.monotonic() + PATIENCE_SECONDS
        for attempt in itertools.count(1):
            try:
                files = self._bucket.lake(self._configuration.table, order)
                exported = self._exported(exports)
                break
            except FileNotFoundError:
                if time.monotonic() > give_up:
                    raise
        opened = READERS[reader](self._configuration, files, *exported)
        return use(opened, files), attempt

    def _exported(self, exports):
        if exports is None:
            return ()
        files = Bucket(exports, self._cache).below("exports")
        return ([file.path for file in files],)


def count(lake, arguments):
    yield _json(lake.read(arguments.reader, arguments.order, _counts)[0])


def _counts(reader, files):
    changes, latest = reader.changes(), reader.latest_rows()
    distinct = len({row[0] for row in changes})
    return {
        "rows": reader.stored_rows(),
        "distinct": distinct,
        "doubled": len(changes) - distinct,
        "items": sum(1 for row in latest if row[4] != "REMOVE"),
        "itemsDoubled": len(latest) - len({(row[1], row[2]) for row in latest}),
        "inDefaultPartition": reader.default_partition_changes(),
        "partitions": len({file.partition for area in ("raw", "compact") for file in files[area]}),
        "files": {area: len(files[area]) for area in files},
        "bytes": {area: sum(file.bytes for file in files[area]) for area in files},
    }


def dump(lake, arguments):
    rows = lake.read(arguments.reader, arguments.order, lambda reader, _: reader.dump(arguments.view))[0]
    for event_id, sequence, operation, changed_at, removed_by, item in rows:
        row = {
            "eventId": event_id,
            "sequence": sequence,
            "operation": operation,
            "changedAt": timestamps.rfc3339(changed_at),
            "removedBy": removed_by,
            "item": item,
        }
        yield exact_json.dumps(row)


def query(lake, arguments):
    columns, rows = lake.read("duckdb", arguments.order, lambda reader, _: reader.query(arguments.sql), arguments.exports)[0]
    yield _json({"columns": columns, "rows": rows})


def watch(lake, arguments):
    """Until standard input ends, with both readers and both orders in turn."""
    seen = Watch()
    for (order, reader) in itertools.cycle(itertools.product(ORDERS, READERS)):
        look, lists = lake.read(reader, order, lambda opened, _: seen.look(opened))
        yield _json(look | {"order": order, "lists": lists})
        if select.select([sys.stdin], [], [], arguments.pause)[0]:
            return


def _json(value):
    return json.dumps(value, ensure_ascii=False)


def _arguments():
    parser = argparse.ArgumentParser(prog="lake_reader", description=__doc__)
    parser.add_argument("--lake", required=True, help="the bucket, or a folder with a copy of it")
    parser.add_argument("--configuration", required=True, help="the output LakeConfiguration of the deployment")
    tasks = parser.add_subparsers(required=True, metavar="TASK")

    def task(run, description, reader=True):
        added = tasks.add_parser(run.__name__, help=description, description=description)
        added.set_defaults(task=run)
        added.add_argument("--order", choices=ORDERS, default="raw-first", help="which files are listed first")
        if reader:
            added.add_argument("--reader", choices=READERS, default="duckdb")
        return added

    task(count, "files, rows, distinct changes, items")
    task(dump, "every row of a view with its item, a line of JSON each").add_argument("view", choices=["changes", "latest"])
    querying = task(query, "a query in DuckDB over changes, latest and exported_resources", reader=False)
    querying.add_argument("sql")
    querying.add_argument("--exports", help="the bucket of HealthLake's exports, or a folder with a copy of it")
    watching = task(watch, "look again and again, until standard input ends", reader=False)
    watching.add_argument("--pause", type=float, default=0.5, metavar="SECONDS", help="between two looks")
    return parser.parse_args()


if __name__ == "__main__":
    main()
