"""Level 1: what a function does between what comes in and what goes out, from bytes in memory to bytes in memory."""

from dataclasses import dataclass, field
from pathlib import Path

import inputs
from contests import COMPARISONS, OURS, WITH_GZIP, Contest
from equality import output_of, records, require_equal
from programs import IN_PROCESS, OUR_PUBLISHER, answer, printed

ENRICHERS = {who: who for who in IN_PROCESS}
OF_BYTES = {
    "tributary": "tributary",
    "node": "node-powertools",
    "node-hand-tuned": "node-hand-tuned",
    "python": "python-powertools",
    "go": "go",
}
"""Jobs for which Powertools has nothing: the same programs, under names that do not say so."""


@dataclass(frozen=True)
class Job:
    contest: str
    name: str
    folder: str
    """Of its input."""
    records: int
    """In that input, and made of it."""
    record: str
    """What such a record is called."""
    contestants: dict[str, str]
    """By the contestant's name in the contest, that of the program."""
    beside: dict[str, str] = field(default_factory=dict)
    """By their names in the contest, further jobs of our program."""

    def command(self, who: str) -> list:
        """To be followed by the input's folder, and by what is asked for."""
        ours = OUR_PUBLISHER if self.name == "publisher" else IN_PROCESS[OURS]
        if who in self.beside:
            return [*ours, self.beside[who]]
        return [*(ours if who == OURS else IN_PROCESS[self.contestants[who]]), self.name]

    @property
    def quick(self) -> bool:
        return not self.contest.startswith("enricher/") or self.contest == "enricher/b100"


PARSES = {who: who for who in ("typed-parse", "typed-parse-alone")}

JOBS = [
    *(Job(f"enricher/b{size}", "enricher", f"enricher-{size}", size, "event", ENRICHERS, PARSES) for size in inputs.BATCHES),
    Job("lake-writer/b1000", "lake-writer", "lake-writer-1000", 1_000, "record", OF_BYTES, {WITH_GZIP: "lake-writer-gzip"}),
    Job("publisher", "publisher", "publisher", inputs.RESOURCES, "resource", OF_BYTES, {"line-copy": "line-copy"}),
]


class InProcess:
    def __init__(self, folder: Path, seconds: float):
        """`folder` has the inputs; for so many `seconds` of CPU time a contestant does its job in a round."""
        self._folder = folder
        self._seconds = seconds

    def contests(self) -> list[Contest]:
        return [self._contest(job) for job in JOBS]

    def _contest(self, job: Job) -> Contest:
        measures = {who: self._measure(job, who) for who in (*job.contestants, *job.beside)}
        return Contest(job.contest, f"cpu-us-per-{job.record}", measures, frozenset(measures if job.quick else ()))

    def _measure(self, job: Job, who: str):
        def measure() -> float:
            taken = answer([*job.command(who), self._folder / job.folder, "measure", self._seconds])
            return taken["cpuSeconds"] / taken["iterations"] / job.records * 1e6

        return measure

    def require_equal(self, contests: list[Contest], outputs: Path) -> None:
        """Of these contests' jobs."""
        for job in JOBS:
            contestants = next((contest.measures for contest in contests if contest.name == job.contest), {})
            made = {}
            for who in contestants:
                if who in COMPARISONS:
                    continue
                file = outputs / f"{job.contest.replace('/', '-')}-{who}.ndjson"
                printed([*job.command(who), self._folder / job.folder, "check", file])
                with output_of(job.contest, who):
                    made[who] = records(job.name, file)
            if made:
                require_equal(job.contest, job.records, made)
