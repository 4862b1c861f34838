"""A short run for CI, in which a ratio must not have fallen. It cannot have the machine for itself: hence CPU time, ratios alone,
and a second and third look at what seems to have fallen."""

import sys
from pathlib import Path

import results
from contests import Contest, measurements
from goals import RATIOS
from load import wait_for_quiet
from regression import fallen
from rounds import Rounds

STORED = results.FOLDER / "quick.json"

ROUNDS = 3
LOOKS = 2
"""So often what seems to have fallen is measured anew, each time in as many rounds more; the median is then that of all."""

QUIET_WITHIN_SECONDS = 60


def run(contests: list[Contest], rounds_wanted: int | None, file: Path, store: bool) -> None:
    """Keeps the results in `file`, and with `store` as those that later runs are compared with."""
    wait_for_quiet(QUIET_WITHIN_SECONDS)
    rounds = Rounds(again=False)
    rounds.run(rounds_wanted or ROUNDS, measurements(contests))
    said = {} if store else again_until_certain(contests, rounds, earlier())
    of_run = results.of_run("quick", rounds, contests)
    results.write(of_run, file)
    if store:
        results.write(of_run, STORED)
    before = earlier()
    for ratio in of_run["ratios"]:
        was = f"{before[ratio['name']]:8.2f} before" if ratio["name"] in before else ""
        print(f"{ratio['name']:<44}{ratio['value']:8.2f} ± {ratio['spread']:4.0%}{was}")
    if said:
        sys.exit("fallen:\n" + "\n".join(f"  {line}" for line in said.values()))


def earlier() -> dict[str, float]:
    return {ratio["name"]: ratio["value"] for ratio in results.read(STORED)["ratios"]} if STORED.exists() else {}


def again_until_certain(contests: list[Contest], rounds: Rounds, before: dict[str, float]) -> dict[str, str]:
    """What has fallen, also after it was measured more often. A busy machine makes a ratio of three rounds fall by itself."""
    of_contests = [goal for goal in RATIOS if goal.contest in {contest.name for contest in contests}]

    def look() -> dict[str, str]:
        return fallen(before, {ratio["name"]: ratio["value"] for ratio in results.ratios(rounds)}, of_contests)

    said = look()
    for _ in range(LOOKS):
        if not said:
            break
        doubtful = [
            contest for contest in contests if any(goal.contest == contest.name and goal.name in said for goal in of_contests)
        ]
        print(f"measured again: {', '.join(contest.name for contest in doubtful)}", flush=True)
        rounds.run(ROUNDS, measurements(doubtful))
        said = look()
    return said
