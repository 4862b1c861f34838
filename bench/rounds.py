"""Contestants measured in turn, so that what changes on the machine changes for all of them."""

import statistics
import sys
import time
from dataclasses import dataclass
from typing import Callable

from load import BUSY_ROUND, Others


@dataclass(frozen=True)
class Measurement:
    name: str
    measure: Callable[[], float]
    unit: str = ""


class Rounds:
    """The values of every measurement by its name, one a round."""

    def __init__(self, again: bool = True, others: Callable[[], Others] = Others):
        """`again`: a round in which others used the processors does not count and is done once more."""
        self._again = again
        self._others = others
        self.values: dict[str, list[float]] = {}

    def run(self, rounds: int, measurements: list[Measurement]) -> None:
        """Gives up where as many rounds had to be done again as were asked for."""
        progress = Progress(rounds * len(measurements))
        kept = lost = 0
        while kept < rounds:
            with self._others() as others:
                values = [self._measured(measurement, kept + 1, progress) for measurement in measurements]
            if self._again and others.processors is not None and others.processors > BUSY_ROUND:
                lost += 1
                print(f"round {kept + 1} does not count: others used {others.processors:.2f} processors", flush=True)
                if lost >= rounds:
                    sys.exit(f"given up: others used the processors in {lost} rounds")
                progress.back(len(measurements))
                continue
            kept += 1
            for measurement, value in zip(measurements, values):
                self.values.setdefault(measurement.name, []).append(value)

    @staticmethod
    def _measured(measurement: Measurement, number: int, progress: "Progress") -> float:
        value = measurement.measure()
        print(f"{progress.step()} round {number}: {measurement.name} {value:,.4g} {measurement.unit}".rstrip(), flush=True)
        return value

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def line(self, name: str, unit: str) -> str:
        values = self.values[name]
        return f"{name:<24}{self.median(name):>14,.6g} {unit}  ({min(values):,.6g} to {max(values):,.6g})"


class Progress:
    """How far it is, and how long it will take if what follows takes as long as what was."""

    def __init__(self, steps: int):
        self._steps = steps
        self._done = 0
        self._ran = 0
        self._started = time.monotonic()

    def step(self) -> str:
        self._done += 1
        self._ran += 1
        left = (time.monotonic() - self._started) / self._ran * (self._steps - self._done)
        return f"[{self._done}/{self._steps}, {left / 60:.0f} min left]"

    def back(self, steps: int) -> None:
        self._done -= steps
