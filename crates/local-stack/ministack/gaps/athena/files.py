"""The objects of a location, as files."""

import os
import tempfile
from urllib.parse import urlparse

from ministack.services import athena, s3


def fetch(location, folder):
    """Copies every object below `location` into a folder of its own inside `folder`, under names that say nothing but the format.

    Athena reads a location recursively, but for what is hidden; a location that does not exist has no files.
    """
    parsed = urlparse(location)
    bucket_name, prefix = parsed.netloc, parsed.path.lstrip("/")
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    bucket = s3._buckets.get(bucket_name)
    keys = sorted(key for key in list(bucket["objects"]) if is_data(key, prefix)) if bucket else []
    files = []
    inside = tempfile.mkdtemp(dir=folder)
    for number, key in enumerate(keys):
        content = s3._get_object_data(bucket_name, key)
        # Deleted since it was listed.
        if content is None:
            continue
        path = os.path.join(inside, str(number) + os.path.splitext(key)[1])
        with open(path, "wb") as file:
            file.write(content)
        files.append(path)
    return files


def is_data(key, prefix):
    return key.startswith(prefix) and not key.endswith("/") and not athena._hidden(key[len(prefix) :])
