"""A short run for CI, in which a ratio must not have fallen. It cannot have the machine for itself: hence CPU time, ratios alone,
and a second and third look at what seems to have fallen."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import machine
import results
from contests import Contest, groups
from goals import ON_ANOTHER_PROCESSOR, RATIOS
from load import Others, wait_for_quiet
from regression import fallen
from rounds import Rounds

STORED = results.FOLDER / "quick"
"""A file of each processor: ratios carry over from machine to machine, not from model to model."""

ROUNDS = 3
ROUNDS_TO_STORE = 3 * ROUNDS
"""What later runs are compared with is measured more often, and is stored where it is known better than what may be lost of it."""
LOOKS = 2
"""So often what seems to have fallen is measured anew, each time in as many rounds more; the median is then that of all."""

QUIET_WITHIN_SECONDS = 60


def run(contests: list[Contest], versions: dict[str, str], rounds_wanted: int, file: Path, store: bool) -> None:
    """Keeps the results in `file`, and with `store` as those that later runs are compared with, which load must not have changed."""
    if not wait_for_quiet(QUIET_WITHIN_SECONDS) and store:
        sys.exit("refused: later runs would be compared with what was measured under load")
    rounds = Rounds(again=store)
    rounds.run(rounds_wanted, *groups(contests))
    before = earlier()
    said = {} if store else again_until_certain(contests, rounds, before)
    of_run = results.of_run("quick", versions, rounds, contests)
    results.write(of_run, file)
    if not (store or before.same_processor):
        print(
            f"nothing is stored of {machine.processor()}: each ratio is compared with the least of other processors', "
            f"and fails where it fell by more than {ON_ANOTHER_PROCESSOR:.0%}"
        )
    for ratio in of_run["ratios"]:
        was = f"{before.ratios[ratio['name']]:8.2f} before" if ratio["name"] in before.ratios else ""
        print(f"{ratio['name']:<54}{ratio['value']:8.2f} ± {ratio['spread']:4.0%}{was}")
    if store:
        if uncertain := uncertain_ratios(rounds):
            sys.exit(f"refused: the rounds of these lie too far apart to compare with: {', '.join(uncertain)}")
        results.write(of_run, of_processor(machine.processor()))
    if said:
        sys.exit("fallen:\n" + "\n".join(f"  {line}" for line in said.values()))


def uncertain_ratios(rounds: Rounds) -> list[str]:
    """Of those that are watched."""
    measured = [(goal, results.of_goal(rounds, goal)) for goal in RATIOS if goal.may_lose is not None]
    return [
        f"{goal.name} (± {found.known_within:.0%})"
        for goal, found in measured
        if found is not None and found.known_within > goal.may_lose
    ]


@dataclass(frozen=True)
class Earlier:
    """The ratios that this run's are compared with."""

    ratios: dict[str, float]
    same_processor: bool


def earlier() -> Earlier:
    """Those of this processor. Where none are stored, of each ratio the least of other processors'."""
    own = of_processor(machine.processor())
    files = [own] if own.exists() else sorted(STORED.glob("*.json"))
    least: dict[str, float] = {}
    for file in files:
        for ratio in results.read(file)["ratios"]:
            least[ratio["name"]] = min(ratio["value"], least.get(ratio["name"], ratio["value"]))
    return Earlier(least, own.exists())


def of_processor(model: str) -> Path:
    return STORED / f"{re.sub(r'[^a-z0-9]+', '-', model.lower()).strip('-')}.json"


def again_until_certain(contests: list[Contest], rounds: Rounds, before: Earlier) -> dict[str, str]:
    """What has fallen, also after it was measured more often. A busy machine makes a ratio of three rounds fall by itself. What has
    no earlier value, or none now, would have none after that either."""
    of_contests = [goal for goal in RATIOS if goal.contest in {contest.name for contest in contests}]

    def now() -> dict[str, float]:
        return {ratio["name"]: ratio["value"] for ratio in results.ratios(rounds)}

    def said_now() -> dict[str, str]:
        return fallen(before.ratios, now(), of_contests, same_processor=before.same_processor)

    said = said_now()
    for _ in range(LOOKS):
        less = {goal.contest for goal in of_contests if goal.name in said.keys() & before.ratios.keys() & now().keys()}
        if not less:
            break
        doubtful = [contest for contest in contests if contest.name in less]
        print(f"measured again: {', '.join(contest.name for contest in doubtful)}", flush=True)
        wait_for_quiet(QUIET_WITHIN_SECONDS)
        with Others() as others:
            rounds.run(ROUNDS, *groups(doubtful))
        if others.processors is not None:
            print(f"others used {others.processors:.2f} processors meanwhile", flush=True)
        said = said_now()
    return said
