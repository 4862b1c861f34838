"""Each design against a case that was worked out by hand."""

import sys
import unittest
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import change_designs as changes
import export_designs as exports
from events import Assumptions, Batches, enricher_seconds, invocation_seconds, ours, router_seconds
from sample_cpu import SAMPLE as CPU

A = Assumptions()
GIB = 1024**3


class Batching(unittest.TestCase):
    def test_a_batch_ends_with_its_window_or_when_it_is_full(self):
        # 8 changes a second on 4 shards: 2 in the window of a second, and the one that began it.
        self.assertEqual(ours(8, A), Batches(4, 2.0, 3.0, 1e6 / 3))
        self.assertEqual(ours(100_000, A), Batches(200, 500.0, 100, 10_000))

    def test_without_a_window_a_batch_is_what_came_between_two_polls(self):
        self.assertEqual(Batches.at(80, 10, A.gather_seconds, A).size, 1 + 20 * 0.25)

    def test_a_function_with_less_than_a_processor_takes_longer(self):
        # 16 changes are one round of queries: 25 µs each on 512 of 1,769 MB, and the wait.
        self.assertAlmostEqual(enricher_seconds(16, 25, A), 0.0004 * 1769 / 512 + 0.005)
        # 80 are one of requests.
        self.assertAlmostEqual(router_seconds(80, 15, A), 0.0012 * 1769 / 512 + 0.015)
        whole = replace(A, function_mb=3_538)
        self.assertAlmostEqual(router_seconds(80, 15, whole), 0.0012 + 0.015)

    def test_the_processor_works_while_others_wait(self):
        for rounds, processor, expected in (
            (0, 0.008, 0.008),
            (1, 0.008, 0.013),
            # Waiting takes longer: four waits, and 2 ms of work for the round that nothing hides.
            (4, 0.008, 4 * 0.005 + 0.002),
            # Working takes longer: all of it, and one wait.
            (4, 0.080, 0.080 + 0.005),
        ):
            self.assertAlmostEqual(invocation_seconds(rounds, 0.005, processor), expected, msg=f"{rounds} {processor}")
        self.assertAlmostEqual(enricher_seconds(100, 25, A), 7 * 0.005 + 0.0025 / 7 * 1769 / 512)
        # Nothing to ask for.
        self.assertAlmostEqual(enricher_seconds(100, 25, replace(A, patients_share=0.0)), 0.0025 * 1769 / 512)
        # 10 requests, 8 at once.
        self.assertAlmostEqual(router_seconds(100, 15, A), 2 * 0.015 + 0.0015 / 2 * 1769 / 512)


class Changes(unittest.TestCase):
    """At 10,000 a second: 20 shards, every batch full."""

    def costs(self, design: str) -> dict[str, float]:
        return changes.DESIGNS[design](10_000, A, CPU)

    def test_tributary(self):
        costs = self.costs(changes.TRIBUTARY)
        # 20 shards, polled 4 times a second.
        self.assertAlmostEqual(costs["stream: GetRecords"], 80 / 10_000 * 1e6 * 0.02 / 1e5)
        # 150 KB are three requests.
        self.assertAlmostEqual(costs["pipe"], 10_000 * 3 * 0.40 / 1e6)
        # Two for the change of an address, one for that of a patient.
        self.assertAlmostEqual(costs["enricher: Query"], (0.2 * 2 + 0.8 * 1) * 0.125)
        seconds = 10_000 * (0.0025 / 7 * 1769 / 512 + 0.035)
        self.assertAlmostEqual(costs["enricher: Lambda"], 10_000 * 0.20 / 1e6 + seconds * 0.5 * 0.0000133334)
        seconds = 10_000 * (0.0015 / 2 * 1769 / 512 + 0.030)
        self.assertAlmostEqual(costs["router: Lambda"], 10_000 * 0.20 / 1e6 + seconds * 0.5 * 0.0000133334)
        self.assertAlmostEqual(costs["bus"], 1.00)
        self.assertAlmostEqual(costs["queue"], 0.40)
        self.assertAlmostEqual(costs["archive"], 1600e6 / GIB * (0.10 + 14 / 30 * 0.023))
        self.assertAlmostEqual(costs["KMS"], 2 * 0.01 * 3.00)
        self.assertAlmostEqual(costs["logs"], 20_000 * 1200 / GIB * 0.50)

    def test_a_pipe_to_the_bus(self):
        by_ten, by_one = self.costs(changes.PIPE_BY_TEN), self.costs(changes.PIPE_BY_ONE)
        self.assertAlmostEqual(by_ten["pipe"], 0.04)
        self.assertAlmostEqual(by_one["pipe"], 0.40)
        self.assertAlmostEqual(by_one["enricher: Query"], 0.125)
        self.assertAlmostEqual(by_one["bus"] + by_one["queue"], 1.40)
        seconds = 100e-6 * 1769 / 512 + 0.005
        self.assertAlmostEqual(by_one["enricher: Lambda"], 0.20 + 1e6 * seconds * 0.5 * 0.0000133334)

    def test_a_function_for_each_change_costs_a_function_more(self):
        more = changes.per_million(changes.FUNCTION, 10_000, A, CPU) - changes.per_million(changes.PIPE_BY_ONE, 10_000, A, CPU)
        seconds = 50e-6 * 1769 / 512 + 0.015
        self.assertAlmostEqual(more, 0.20 + 1e6 * seconds * 0.5 * 0.0000133334 + 1e6 * 1200 / GIB * 0.50)

    def test_a_workflow_for_each_change_costs_a_workflow_more(self):
        by_one = changes.per_million(changes.PIPE_BY_ONE, 10_000, A, CPU)
        self.assertAlmostEqual(changes.per_million(changes.STANDARD, 10_000, A, CPU) - by_one, 25.00)
        express = 1.00 + 1e6 * 0.1 / 16 * 0.00001667
        self.assertAlmostEqual(changes.per_million(changes.EXPRESS, 10_000, A, CPU) - by_one, express)

    def test_firehose(self):
        costs = self.costs(changes.FIREHOSE)
        self.assertAlmostEqual(costs["DynamoDB: change data capture"], 0.10)
        # Each record of 1.5 KB is taken in as 5 KB.
        self.assertAlmostEqual(costs["Firehose: taken in"], 5 * 1024 * 1e6 / GIB * 0.029)
        # 21 shards: 15.4 MB a second, at 70 % of a MB each.
        self.assertAlmostEqual(costs["Kinesis: shards"], 21 * 0.015 / 3600 / 10_000 * 1e6)
        self.assertNotIn("bus", costs)


class Exports(unittest.TestCase):
    """At 1,000 a second: 900,000 resources a run, 14 ranges of 64 MB, 8 of them at once."""

    def costs(self, design: str) -> dict[str, float]:
        return exports.DESIGNS[design](1_000, A, CPU)

    def test_a_run(self):
        run = exports.Run.at(1_000, A, CPU)
        self.assertEqual((run.resources, run.ranges, run.publishers), (900_000, 14, 8))
        # 64 requests of ten are answered in 15 ms; the processor would take 14 µs.
        self.assertAlmostEqual(run.resource_seconds, 0.015 / 640)
        self.assertAlmostEqual(run.range_seconds, 900_000 / 14 * 0.015 / 640 + 0.5)
        slow = replace(CPU, sending=96.0)
        self.assertAlmostEqual(exports.Run.at(1_000, A, slow).resource_seconds, 100e-6)

    def test_tributary(self):
        costs = self.costs(exports.TRIBUTARY)
        seconds = 900_000 * 0.015 / 640 + 14 * 0.5
        function = 14 * 0.20 / 1e6 + seconds * 1769 / 1024 * 0.0000133334
        self.assertAlmostEqual(costs["publisher: Lambda"], function / 0.9)
        self.assertAlmostEqual(costs["run: Step Functions"], (9 + 2 * 14) * 0.025 / 1000 / 0.9)
        self.assertAlmostEqual(costs["run: other functions"], 7 * (0.20 / 1e6 + 0.2 * 0.5 * 0.0000133334) / 0.9)
        others = 15 * 0.40 / 1e6 + 20 * 0.005 / 1000 + 43 * 0.0004 / 1000 + 12 * 0.625 / 1e6
        self.assertAlmostEqual(costs["run: SQS, S3, DynamoDB"], others / 0.9)
        self.assertAlmostEqual(costs["archive"], 1400e6 / GIB * (0.10 + 14 / 30 * 0.023))
        self.assertAlmostEqual(costs["bus"] + costs["queue"], 1.40)

    def test_to_the_bus_it_is_26_dollars_by_state_and_1_by_batches_of_ten(self):
        states = self.costs(exports.STATE)
        self.assertAlmostEqual(states["Step Functions: a state for each resource"] + states["bus"], 26.00)
        self.assertAlmostEqual(exports.published(self.costs(exports.TRIBUTARY)), 1.00, places=2)

    def test_a_state_for_each_resource(self):
        costs = self.costs(exports.STATE)
        # 187 events of 1,400 bytes fit into 256 KB.
        self.assertAlmostEqual(costs["Step Functions: files"], 2 * 1e6 / 187 * 0.025 / 1000)
        seconds = 187 * 8e-6 * 1769 / 512 + 0.2
        self.assertAlmostEqual(costs["reader: Lambda"], 1e6 / 187 * (0.20 / 1e6 + seconds * 0.5 * 0.0000133334))

    def test_a_workflow_and_a_message_for_each_resource(self):
        express = sum(self.costs(exports.EXPRESS).values())
        self.assertAlmostEqual(express, 1.00 + 1e6 * 0.1 / 16 * 0.00001667 + 1.40)
        message = self.costs(exports.MESSAGE)
        # A tenth of a request to send, one to receive, one to delete.
        self.assertAlmostEqual(message["first queue"], 2.1 * 0.40)
        seconds = 50e-6 * 1769 / 512 + 0.015
        self.assertAlmostEqual(message["sender: Lambda"], 0.20 + 1e6 * seconds * 0.5 * 0.0000133334)

    def test_firehose(self):
        costs = self.costs(exports.FIREHOSE)
        self.assertAlmostEqual(costs["Firehose: taken in"], 5 * 1024 * 1e6 / GIB * 0.029)
        self.assertAlmostEqual(costs["PUT of the files"], 1e6 / (64 * 1024**2 / 1400) * 0.005 / 1000)


class Sizes(unittest.TestCase):
    def test_each_64_kb_that_were_begun_are_billed(self):
        large = replace(A, change_event_bytes=65_537, record_bytes=200_000)
        costs = changes.pipe_to_bus(10_000, large, CPU, 1)
        self.assertAlmostEqual(costs["bus"], 2.00)
        self.assertAlmostEqual(costs["queue"], 0.80)
        self.assertAlmostEqual(costs["pipe"], 4 * 0.40)

    def test_more_of_anything_never_costs_less(self):
        for change in (
            {"record_bytes": 15_000},
            {"change_event_bytes": 70_000, "resource_event_bytes": 70_000},
            {"fewest_shards": 400},
            {"archive_days": 90},
            {"patient_items_share": 0.5},
            {"query_seconds": 0.1},
            {"put_events_seconds": 0.2},
            {"key_share": 1.0},
            {"log_bytes": 10_000},
            {"resource_types": 50},
        ):
            for module in (changes, exports):
                for rate in (1, 1_000, 100_000):
                    more = module.per_million(module.TRIBUTARY, rate, replace(A, **change), CPU)
                    self.assertGreaterEqual(more, module.per_million(module.TRIBUTARY, rate, A, CPU), f"{change} {rate}")


if __name__ == "__main__":
    unittest.main()
