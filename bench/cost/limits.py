"""How much of a quota a rate takes, and which of many is full first."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from cpu import Cpu
from events import Assumptions
from quotas import Quota

Demand = Callable[[float, Assumptions, Cpu], float]


@dataclass(frozen=True)
class Limit:
    """A quota, and how much of it a rate takes."""

    name: str
    quota: Quota
    demand: Demand
    turn: str
    """What to do when it is full."""

    def share(self, rate: float, a: Assumptions, cpu: Cpu) -> float:
        return self.demand(rate, a, cpu) / self.quota.value

    def full_at(self, a: Assumptions, cpu: Cpu) -> float | None:
        """The rate at which nothing is left of it; none where there is always some."""
        low, high = 1e-3, 1e9
        if self.share(high, a, cpu) < 1:
            return None
        while high / low > 1.00001:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self.share(middle, a, cpu) >= 1 else (middle, high)
        return high


def fullest(limits: list[Limit], rate: float, a: Assumptions, cpu: Cpu) -> Limit:
    return max(limits, key=lambda limit: limit.share(rate, a, cpu))


def first_full(limits: list[Limit], a: Assumptions, cpu: Cpu) -> tuple[Limit, float] | None:
    full = [(limit, at) for limit in limits if (at := limit.full_at(a, cpu)) is not None]
    return min(full, key=lambda one: one[1]) if full else None
