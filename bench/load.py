"""Who else uses the processors. What others do changes what is measured, the more so where caches and clocks are shared."""

import os
import resource
import sys
import time
from pathlib import Path

BUSY = 0.15
"""Of one processor, used by others: more than that, and nothing is measured."""

BUSY_ROUND = 0.25
"""The same over a whole round, in which the kernel's work that is on no process's account counts, too: what it does in interrupts
for the packets of loopback."""

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


def wait_for_quiet(limit_seconds: float) -> None:
    """For a machine that cannot be had for oneself: waits, and then goes on all the same."""
    started = time.monotonic()
    while (busy := processors_in_use()) > BUSY:
        if time.monotonic() - started > limit_seconds:
            print(
                f"others still use {busy:.2f} processors after {limit_seconds:.0f} s: ratios are taken nevertheless", flush=True
            )
            return


class Others:
    """What others use while a block runs: all that was used, less what this process and those it has waited for used."""

    processors: float | None = None
    """`None` where the system does not tell."""

    def __enter__(self) -> "Others":
        self._before = self._now()
        return self

    def __exit__(self, *_) -> None:
        if self._before is None:
            return
        (used_before, at_before), (used, at) = self._before, self._now()
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
