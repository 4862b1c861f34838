"""Contestants measured in turn, so that what changes on the machine changes for all of them."""

import statistics
import time
from dataclasses import dataclass
from typing import Callable, NamedTuple

from load import Others, undisturbed


class Taken(NamedTuple):
    """What a measurement answers that looks at the memory, too."""

    value: float
    peak_bytes: float


@dataclass(frozen=True)
class Measurement:
    name: str
    measure: Callable[[], float | Taken]
    unit: str = ""


class Rounds:
    """The values of every measurement by its name, one a round."""

    def __init__(self, again: bool = True, others: Callable[[], Others] = Others):
        """`again`: a group during which others used the processors does not count and is measured once more."""
        self._again = again
        self._others = others
        self.values: dict[str, list[float]] = {}
        self.peaks: dict[str, list[float]] = {}
        """Bytes, of the measurements that look at the memory."""

    def run(self, rounds: int, *groups: list[Measurement]) -> None:
        """All groups in each round."""
        progress = Progress(rounds * sum(len(group) for group in groups))
        for number in range(1, rounds + 1):
            for group in groups:
                for measurement, taken in zip(group, self._undisturbed(group, number, progress)):
                    self._keep(measurement.name, taken)

    def _undisturbed(self, group: list[Measurement], number: int, progress: "Progress") -> list[float | Taken]:
        before = progress.done

        def measure() -> list[float | Taken]:
            progress.done = before
            return [self._measured(measurement, number, progress) for measurement in group]

        return undisturbed(f"round {number} of {group[0].name}", measure, self._again, self._others)

    def _keep(self, name: str, taken: float | Taken) -> None:
        if isinstance(taken, Taken):
            self.peaks.setdefault(name, []).append(taken.peak_bytes)
        self.values.setdefault(name, []).append(_value(taken))

    @staticmethod
    def _measured(measurement: Measurement, number: int, progress: "Progress") -> float | Taken:
        taken = measurement.measure()
        print(
            f"{progress.step()} round {number}: {measurement.name} {_value(taken):,.4g} {measurement.unit}".rstrip(), flush=True
        )
        return taken

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def line(self, name: str, unit: str) -> str:
        values = self.values[name]
        return f"{name:<24}{self.median(name):>14,.6g} {unit}  ({min(values):,.6g} to {max(values):,.6g})"


def _value(taken: float | Taken) -> float:
    return taken.value if isinstance(taken, Taken) else taken


class Progress:
    """How far it is, and how long it will take if what follows takes as long as what was."""

    def __init__(self, steps: int):
        self._steps = steps
        self.done = 0
        self._ran = 0
        self._started = time.monotonic()

    def step(self) -> str:
        self.done += 1
        self._ran += 1
        left = (time.monotonic() - self._started) / self._ran * (self._steps - self.done)
        return f"[{self.done}/{self._steps}, {left / 60:.0f} min left]"
