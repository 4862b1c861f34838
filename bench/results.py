"""What a run found, as `results/latest.json` and the files of `results/quick/` keep it.

    machine     cpu, cores, memory, kernel, os
    versions    of Tributary, of every runtime, and of every library that a peer names, as they were when the run began
    date, mode  YYYY-MM-DD; "full" or "quick"
    ratios      [{name, value, goal or null, spread}]         ours over the other's, larger is better; `ratios.py` has the spread
    absolutes   [{name, value, unit, limit or null}]          less is better where there is a limit
    measured    {contest/unit: {contestant: median}}          CPU time and peak memory, less is better
    stages      [{job, stage, nsPerRecord, megabytesPerSecond or null}]
                                                              the time that passes; a full run has them
"""

import datetime
import json
import statistics
from pathlib import Path

import machine
from contests import Contest
from goals import RATIOS, RatioGoal
from ratios import Ratio, ratio
from rounds import Rounds

FOLDER = Path(__file__).resolve().parent / "results"

MEMBERS = {"machine": dict, "versions": dict, "date": str, "mode": str, "ratios": list, "absolutes": list, "measured": dict}
OF_MACHINE = ("cpu", "cores", "memory", "kernel", "os")
OF_VERSIONS = ("tributary", "rustc", "node", "python", "go")


def of_run(mode: str, versions: dict[str, str], rounds: Rounds, contests: list[Contest]) -> dict:
    return {
        "machine": machine.machine(),
        "versions": versions,
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "mode": mode,
        "ratios": ratios(rounds),
        "absolutes": [],
        "measured": measured(rounds, contests),
    }


def of_goal(rounds: Rounds, goal: RatioGoal) -> Ratio | None:
    """`None` where one of the two was not measured."""
    ours, other = (rounds.values.get(f"{goal.contest}/{who}") for who in (goal.ours, goal.other))
    return ratio(ours, other) if ours and other else None


def ratios(rounds: Rounds) -> list[dict]:
    of_goals = [(goal, of_goal(rounds, goal)) for goal in RATIOS]
    return [
        {"name": goal.name, "value": round(found.value, 3), "goal": goal.goal, "spread": round(found.spread, 3)}
        for goal, found in of_goals
        if found is not None
    ]


def measured(rounds: Rounds, contests: list[Contest]) -> dict[str, dict[str, float]]:
    return {
        contest.measured_name: {who: float(f"{rounds.median(f'{contest.name}/{who}'):.4g}") for who in contest.measures}
        for contest in contests
    }


def peak_bytes(rounds: Rounds, contests: list[Contest]) -> dict[str, dict[str, float]]:
    """Of the contests whose memory was looked at."""
    return {
        f"{contest.name}/peak-bytes": {who: statistics.median(rounds.peaks[f"{contest.name}/{who}"]) for who in contest.measures}
        for contest in contests
        if all(f"{contest.name}/{who}" in rounds.peaks for who in contest.measures)
    }


def faults(results: dict) -> list[str]:
    """What is wrong with the form of it; empty where nothing is."""
    found = [
        f"{name} is missing or no {kind.__name__}" for name, kind in MEMBERS.items() if not isinstance(results.get(name), kind)
    ]
    if found:
        return found
    found += [f"machine has no {name}" for name in OF_MACHINE if not results["machine"].get(name)]
    found += [f"versions has no {name}" for name in OF_VERSIONS if not results["versions"].get(name)]
    if results["mode"] not in ("full", "quick"):
        found.append(f"mode is {results['mode']}")
    for list_name, goal_name in (("ratios", "goal"), ("absolutes", "limit")):
        names = [entry.get("name") for entry in results[list_name]]
        found += [f"{name} is there twice in {list_name}" for name in sorted(set(names)) if names.count(name) > 1]
        for entry in results[list_name]:
            # A rate that was kept up with may be none; a ratio cannot be.
            if not (_positive if list_name == "ratios" else _number)(entry.get("value")):
                found.append(f"{entry.get('name')} has no value")
            if goal_name not in entry or not (entry[goal_name] is None or _positive(entry[goal_name])):
                found.append(f"{entry.get('name')} has no {goal_name}")
    found += [f"{entry['name']} has no spread" for entry in results["ratios"] if not _number(entry.get("spread"))]
    found += [f"{entry['name']} has no unit" for entry in results["absolutes"] if not entry.get("unit")]
    for name, of_contest in results["measured"].items():
        found += [f"{name} of {who} is no time" for who, value in of_contest.items() if not _positive(value)]
    return found + _faults_of_stages(results.get("stages", []))


def _faults_of_stages(stages) -> list[str]:
    if not isinstance(stages, list):
        return ["stages is no list"]
    names = [f"{stage.get('job')}: {stage.get('stage')}" for stage in stages]
    found = [f"{name} is there twice in stages" for name in sorted(set(names)) if names.count(name) > 1]
    for name, stage in zip(names, stages):
        if not (stage.get("job") and stage.get("stage")):
            found.append(f"{name} has no name")
        if not _positive(stage.get("nsPerRecord")):
            found.append(f"{name} has no time")
        rate = stage.get("megabytesPerSecond", 0)
        if not (rate is None or _positive(rate)):
            found.append(f"{name} has no rate")
    return found


def _number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _positive(value) -> bool:
    return _number(value) and value > 0


def read(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8"))


def write(results: dict, file: Path) -> None:
    if found := faults(results):
        raise ValueError("; ".join(found))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
