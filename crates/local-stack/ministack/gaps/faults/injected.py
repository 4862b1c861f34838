"""The faults that are to strike."""

import math
import threading
import time

# By the member that tells a fault's kind: what else such a fault must say, and what it may. Each has `service`, and may limit itself.
KINDS = {
    "status": ({"code"}, {"operation", "resource"}),
    "failEntries": (set(), set()),
    "deliver": ({"queue"}, set()),
    "withholdSeconds": ({"queue"}, set()),
}

_lock = threading.Lock()
_faults = []


class Fault:
    def __init__(self, settings):
        self.kind = kind_of(settings)
        self.settings = settings
        self._until = time.monotonic() + settings.get("forSeconds", math.inf)
        self._times = settings.get("times", math.inf)
        self._one_in = settings["failEntries"].get("oneIn", 1) if self.kind == "failEntries" else 1
        self._met = 0

    def strikes(self):
        """Whether the fault strikes what it has just met, which uses up one of its times."""
        with _lock:
            if self._times < 1 or time.monotonic() > self._until:
                return False
            self._met += 1
            if self._met % self._one_in:
                return False
            self._times -= 1
            return True


def inject(faults):
    """Raises ValueError, and changes nothing, where one of them is no fault."""
    global _faults
    if not isinstance(faults, list):
        raise ValueError("the faults are no array")
    _faults = [Fault(settings) for settings in faults]


def is_any():
    return bool(_faults)


def striking(kind, matches):
    """The settings of the fault of this kind that strikes what `matches` says of settings; None where there is none."""
    for fault in _faults:
        if fault.kind == kind and matches(fault.settings) and fault.strikes():
            return fault.settings
    return None


def kind_of(settings):
    for kind, (needed, optional) in KINDS.items():
        if isinstance(settings, dict) and kind in settings:
            needed = needed | {kind, "service"}
            if needed <= settings.keys() <= needed | optional | {"forSeconds", "times"}:
                return kind
    raise ValueError(f"this is no fault: {settings}")
