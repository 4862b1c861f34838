import copy
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import quick
import results
from contests import OURS, WITH_GZIP, Contest
from goals import RATIOS, RatioGoal
from results_sample import RESULTS
from rounds import Rounds


class Form(unittest.TestCase):
    def test_what_is_stored_is_read_again(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "results" / "latest.json"
            results.write(RESULTS, file)
            self.assertEqual(results.read(file), RESULTS)

    def test_what_is_wrong_is_named_and_not_stored(self):
        def broken(change) -> dict:
            run = copy.deepcopy(RESULTS)
            change(run)
            return run

        for change, fault in (
            (lambda run: run.pop("machine"), "machine is missing or no dict"),
            (lambda run: run["machine"].pop("kernel"), "machine has no kernel"),
            (lambda run: run["versions"].pop("go"), "versions has no go"),
            (lambda run: run.update(mode="short"), "mode is short"),
            (lambda run: run.update(stages={}), "stages is no list"),
            (lambda run: run["stages"].append(run["stages"][1]), "enricher, a batch of 100: map is there twice in stages"),
            (lambda run: run["stages"][0].update(nsPerRecord=0), "lake-writer, a batch of 1,000: compress has no time"),
            (lambda run: run["stages"][1].pop("megabytesPerSecond"), "enricher, a batch of 100: map has no rate"),
            (lambda run: run["ratios"][0].update(value=0), "enricher/b100/node-powertools has no value"),
            (lambda run: run["ratios"][0].update(value=True), "enricher/b100/node-powertools has no value"),
            (lambda run: run["ratios"][0].pop("goal"), "enricher/b100/node-powertools has no goal"),
            (lambda run: run["ratios"][0].pop("spread"), "enricher/b100/node-powertools has no spread"),
            (lambda run: run["ratios"].append(run["ratios"][0]), "enricher/b100/node-powertools is there twice in ratios"),
            (lambda run: run["absolutes"][0].update(value=None), "first-poll/item-router has no value"),
            (lambda run: run["absolutes"][0].pop("unit"), "first-poll/item-router has no unit"),
            (lambda run: run["absolutes"][0].pop("limit"), "first-poll/item-router has no limit"),
            (lambda run: run["measured"]["first-poll/cpu-ms"].update(python="slow"), "first-poll/cpu-ms of python is no time"),
        ):
            self.assertEqual(results.faults(broken(change)), [fault])
        with self.assertRaises(ValueError):
            results.write(broken(lambda run: run.pop("date")), Path("nowhere"))

    def test_stored_results_have_it(self):
        stored = sorted(results.FOLDER.rglob("*.json"))
        self.assertTrue(stored)
        for file in stored:
            self.assertEqual(results.faults(json.loads(file.read_text(encoding="utf-8"))), [], file.name)

    def test_a_quick_runs_file_has_the_name_of_its_processor(self):
        stored = list(quick.STORED.iterdir())
        self.assertTrue(stored)
        for file in stored:
            self.assertEqual(quick.of_processor(results.read(file)["machine"]["cpu"]), file)


class OfRounds(unittest.TestCase):
    def test_ratios_are_those_of_the_goals_and_medians_those_of_all(self):
        goal = RATIOS[0]
        rounds = Rounds()
        rounds.values = {f"{goal.contest}/{OURS}": [1.0, 2.0, 1.0], f"{goal.contest}/{goal.other}": [6.0, 14.0, 6.6]}
        self.assertEqual(results.ratios(rounds), [{"name": goal.name, "value": 6.6, "goal": goal.goal, "spread": 0.076}])
        contest = Contest(goal.contest, "cpu-us-per-event", {OURS: float, goal.other: float})
        rounds.peaks = {f"{goal.contest}/{OURS}": [1e6, 3e6, 2e6], f"{goal.contest}/{goal.other}": [5e6, 5e6, 4e6]}
        self.assertEqual(results.measured(rounds, [contest]), {f"{goal.contest}/cpu-us-per-event": {OURS: 1.0, goal.other: 6.6}})
        self.assertEqual(results.peak_bytes(rounds, [contest]), {f"{goal.contest}/peak-bytes": {OURS: 2e6, goal.other: 5e6}})

    def test_a_ratio_is_over_the_one_of_ours_that_it_names(self):
        goal = RatioGoal("lake-writer/b1000", "node", ours=WITH_GZIP)
        self.assertIn(goal, RATIOS)
        rounds = Rounds()
        rounds.values = {f"lake-writer/b1000/{who}": [value] for who, value in ((OURS, 1.0), (WITH_GZIP, 4.0), ("node", 8.0))}
        ratios = {ratio["name"]: ratio["value"] for ratio in results.ratios(rounds)}
        self.assertEqual(ratios, {"lake-writer/b1000/node": 8.0, "lake-writer/b1000/node over tributary-gzip": 2.0})


if __name__ == "__main__":
    unittest.main()
