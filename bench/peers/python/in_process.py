"""What Tributary's functions do between what comes in and what goes out, in Python: repeated on the same input.

    python in_process.py JOB FOLDER check FILE        does the job once and writes what came out, one record a line
    python in_process.py JOB FOLDER measure SECONDS   does it for so many seconds of CPU time and prints how often

The jobs are enricher, lake-writer and publisher. Each goes from the bytes of FOLDER's files to bytes or texts.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import enrichment
import lake_writer
import plain_json
import publisher


class Enricher:
    """From the pipe's batch to the enrichment's answer, of patients of whom the table holds nothing else."""

    def __init__(self, folder: Path) -> None:
        self.event = (folder / "event.json").read_bytes()

    def run(self) -> bytes:
        return plain_json.encode(enrichment.enriched(json.loads(self.event), {})).encode()

    def records(self) -> list:
        return json.loads(self.run())


class LakeWriter:
    """From Lambda's batch to the compressed files of its partitions."""

    def __init__(self, folder: Path) -> None:
        self.event = (folder / "event.json").read_bytes()
        self.lake = lake_writer.Lake(json.loads((folder / "lake.json").read_bytes()))

    def run(self) -> list[lake_writer.File]:
        return self.lake.files(self.event)

    def records(self) -> Iterator[dict]:
        for file in self.run():
            for line in lake_writer.decompressed(file.body).splitlines():
                yield {"partition": file.partition, "row": json.loads(line)}


class Publisher:
    """From the lines of an exported file to the entries of PutEvents, of which one request's are held at a time."""

    def __init__(self, folder: Path) -> None:
        self.lines = (folder / "lines.ndjson").read_bytes()
        self.shared = json.loads((folder / "run.json").read_bytes())

    def run(self) -> int:
        return sum(len(request) for request in publisher.requests(publisher.entries(self.lines, self.shared)))

    def records(self) -> Iterator[dict]:
        return publisher.entries(self.lines, self.shared)


JOBS = {"enricher": Enricher, "lake-writer": LakeWriter, "publisher": Publisher}


def measure(run: Callable[[], Any], seconds: float) -> dict:
    repeat(run, max(seconds / 5, 1.0))
    iterations, taken = repeat(run, seconds)
    return {"iterations": iterations, "cpuSeconds": taken}


def repeat(run: Callable[[], Any], seconds: float) -> tuple[int, float]:
    """CPU time of all threads of the process, user's and system's."""
    started, iterations = time.process_time(), 0
    while True:
        run()
        iterations += 1
        taken = time.process_time() - started
        if taken >= seconds:
            return iterations, taken


def main() -> None:
    match sys.argv[1:]:
        case [name, folder, "check", file] if name in JOBS:
            with Path(file).open("w", encoding="utf-8") as lines:
                for record in JOBS[name](Path(folder)).records():
                    lines.write(json.dumps(record, ensure_ascii=False) + "\n")
        case [name, folder, "measure", seconds] if name in JOBS:
            print(json.dumps(measure(JOBS[name](Path(folder)).run, float(seconds))))
        case _:
            sys.exit(f"usage: in_process.py {'|'.join(JOBS)} FOLDER check FILE | measure SECONDS")


if __name__ == "__main__":
    main()
