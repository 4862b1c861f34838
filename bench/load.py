"""Who else uses the processors. What others do changes what is measured, the more so where caches and clocks are shared."""

import os
import resource
import sys
import time
from pathlib import Path
from typing import Callable, TypeVar

Answer = TypeVar("Answer")

BUSY = 0.15
"""Of one processor, used by others: more than that, and nothing is measured."""

BUSY_ROUND = 0.25
"""The same while something is measured. The kernel's work that is on no process's account counts, too: what it does in interrupts
for the packets of loopback."""

TRIES = 3
"""What others disturb is measured so often, and then given up."""

QUIET_AGAIN_SECONDS = 300
"""So long it is waited for quiet before that, at most: who comes for a minute does not end a run of an hour."""

TELLING_SECONDS = 1.0
"""proc_stat(5) counts hundredths of a second, each kind of use by itself: of less than this it tells nothing."""

PROC_STAT = Path("/proc/stat")


def processors_in_use(seconds: float = 2.0) -> float:
    """By whomever. Linux tells; elsewhere it is the load average of a minute."""
    if not PROC_STAT.exists():
        return os.getloadavg()[0]
    before = _used_seconds()
    time.sleep(seconds)
    return (_used_seconds() - before) / seconds


def refuse_under_load(anyway: bool) -> None:
    busy = processors_in_use()
    if busy <= BUSY:
        return
    if not anyway:
        sys.exit(f"refused: others use {busy:.2f} processors; wait until they have ended, or say --anyway for a trial")
    print(f"UNDER LOAD: others use {busy:.2f} processors; these numbers count for nothing")


def undisturbed(what: str, measure: Callable[[], Answer], again: bool, others: Callable[[], "Others"] | None = None) -> Answer:
    """The answer of `measure` where others left the processors alone meanwhile; without `again` the first, whatever they did."""
    for left in reversed(range(TRIES)):
        with (others or Others)() as of_others:
            answer = measure()
        if not again or of_others.processors is None or of_others.processors <= BUSY_ROUND:
            return answer
        print(f"{what} does not count: others used {of_others.processors:.2f} processors", flush=True)
        if left:
            wait_for_quiet(QUIET_AGAIN_SECONDS)
    sys.exit(f"given up: others used the processors {TRIES} times in {what}")


def wait_for_quiet(limit_seconds: float) -> bool:
    """For a machine that cannot be had for oneself: waits, and then goes on all the same. Whether it became quiet."""
    started = time.monotonic()
    while (busy := processors_in_use()) > BUSY:
        if time.monotonic() - started > limit_seconds:
            print(f"others still use {busy:.2f} processors after {limit_seconds:.0f} s: it goes on nevertheless", flush=True)
            return False
    return True


class Others:
    """What others use while a block runs: all that was used, less what this process and those it has waited for used."""

    processors: float | None = None
    """`None` where the system does not tell, and of a block that was over too soon."""

    def __enter__(self) -> "Others":
        self._before = self._now()
        return self

    def __exit__(self, *_) -> None:
        if self._before is None:
            return
        (used_before, at_before), (used, at) = self._before, self._now()
        if at - at_before >= TELLING_SECONDS:
            self.processors = (used - used_before) / (at - at_before)

    @staticmethod
    def _now() -> tuple[float, float] | None:
        if not PROC_STAT.exists():
            return None
        return _used_seconds() - _own_seconds(), time.monotonic()


def _used_seconds() -> float:
    """Of all processors since the system started; proc_stat(5)."""
    fields = [int(field) for field in PROC_STAT.read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, soft_irq, steal = fields[:8]
    return (user + nice + system + irq + soft_irq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """Of this process, and of those that it started and that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
