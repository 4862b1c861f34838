"""Whether a ratio fell since the results of a quick run were stored last."""

from goals import ON_ANOTHER_PROCESSOR, RATIOS, RatioGoal


def fallen(
    earlier: dict[str, float], now: dict[str, float], goals: list[RatioGoal] = RATIOS, *, same_processor: bool = True
) -> dict[str, str]:
    """By name of the ratio, what is to be said of it. A ratio that was not measured any more has fallen, too."""
    said = {}
    for goal in goals:
        before, found = earlier.get(goal.name), now.get(goal.name)
        if goal.may_lose is None:
            continue
        may_lose = goal.may_lose if same_processor else max(goal.may_lose, ON_ANOTHER_PROCESSOR)
        if found is None:
            said[goal.name] = f"{goal.name} was not measured"
        elif before is None:
            said[goal.name] = f"{goal.name} has no earlier value: store one by --quick --write"
        elif found < (1 - may_lose) * before:
            said[goal.name] = f"{goal.name} was {before:.2f} and is {found:.2f}: {1 - found / before:.0%} less"
    return said
