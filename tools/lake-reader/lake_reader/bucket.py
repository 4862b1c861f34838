"""The files of a lake: listed, and fetched into a folder.

Both readers get the same files on disk. So the order in which the areas are listed is ours to choose, the engines need no
extension and no credentials of their own, and a reader that asks again and again fetches no file twice. Who has DuckDB's
`httpfs` or Spark reads `s3://` in place; nothing below depends on the folder.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlparse

from pyarrow import fs

from .configuration import column_name

RAW, COMPACT, LATEST = "raw", "compact", "latest"
#: The lake promises the same to readers in either order.
ORDERS = {"raw-first": (RAW, COMPACT, LATEST), "compact-first": (COMPACT, LATEST, RAW)}
_FETCHES = 8
#: For one answer. Arrow's are 3, each given up after 3 seconds: too few for a local stack under load.
_REQUESTS = 10


@dataclass(frozen=True)
class File:
    #: Below `<area>/<table>/`: the partition and the name.
    key: str
    path: str
    bytes: int

    @property
    def partition(self):
        return self.key.rpartition("/")[0]


class Bucket:
    """A bucket in S3 (`AWS_ENDPOINT_URL`, `AWS_REGION` and the usual credentials), or a folder that holds a copy."""

    def __init__(self, location, cache):
        self._cache = cache
        if os.path.isdir(location):
            self._files, self._root = fs.LocalFileSystem(), os.path.abspath(location)
            return
        endpoint = urlparse(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
        own = {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme} if endpoint.netloc else {}
        retries = fs.AwsStandardS3RetryStrategy(max_attempts=_REQUESTS)
        s3 = fs.S3FileSystem(region=os.environ.get("AWS_REGION"), retry_strategy=retries, **own)
        self._files, self._root = s3, location
        # Otherwise a name that is misspelt would be an empty lake.
        if self._files.get_file_info(location).type == fs.FileType.NotFound:
            raise SystemExit(f"there is no bucket or folder {location}")

    def lake(self, table, order):
        """The files of each area. Fails with FileNotFoundError where one was deleted in between: list them again then."""
        listed = {area: self._list(f"{area}/{table}") for area in ORDERS[order]}
        return {area: self._fetch(area, files) for area, files in listed.items()}

    def below(self, prefix):
        """All files below a prefix."""
        return self._fetch("other", self._list(prefix))

    def _list(self, prefix):
        folder = f"{self._root}/{prefix}"
        found = self._files.get_file_info(fs.FileSelector(folder, allow_not_found=True, recursive=True))
        return [(file, file.path[len(folder) + 1 :]) for file in found if file.type == fs.FileType.File]

    def _fetch(self, area, listed):
        with ThreadPoolExecutor(_FETCHES) as threads:
            fetches = [threads.submit(self._fetch_one, area, *file) for file in listed]
        # All have been tried: after one that was deleted, the next list has little left to fetch.
        return [fetch.result() for fetch in fetches]

    def _fetch_one(self, area, file, key):
        # An object that was written over is another file.
        stamp = f"{file.mtime_ns}-{file.size}"
        path = os.path.join(self._cache, area, stamp, _local(key))
        if not os.path.exists(path):
            content = self._content(file.path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            unfinished = f"{path}.unfinished"
            with open(unfinished, "wb") as local:
                local.write(content)
            os.replace(unfinished, path)
        return File(key, path, file.size)

    def _content(self, path):
        try:
            with self._files.open_input_stream(path, compression=None) as remote:
                return remote.read()
        except OSError as error:
            # Of what goes between its opening and its reading, pyarrow says no more than that S3 refused.
            if self._files.get_file_info(path).type == fs.FileType.NotFound:
                raise FileNotFoundError(path) from error
            raise


def _local(key):
    """The same folders under the names of their columns, as the catalog knows them."""
    *folders, name = key.split("/")
    return os.path.join(*(_folder(folder) for folder in folders), name)


def _folder(folder):
    name, equals, value = folder.partition("=")
    return column_name(unescaped(name)) + equals + value


def unescaped(text):
    """The text that Hive escaped: `%` and two digits for one character."""
    return re.sub("%([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), text)
