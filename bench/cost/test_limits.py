"""How much of each quota a rate takes, by hand, and which is full first."""

import sys
import unittest
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import change_designs as changes
import change_limits as limits
import design_limits
import export_designs as exports
import quotas
from events import Assumptions
from export_limits import DELIVERING, EXPORTS, PUBLISHING, fitting_publishers
from limits import Limit, first_full, fullest
from sample_cpu import SAMPLE as CPU

A = Assumptions()
BATCH_SECONDS = 0.020 + 0.035 + 0.030 + (0.0025 / 7 + 0.0015 / 2) * 1769 / 512
"""Of a batch of 100: two calls, seven rounds of queries, two of PutEvents, and of the processor's time what one round of each takes."""


def export_limit(name: str) -> Limit:
    return next(limit for limit in EXPORTS if limit.name == name)


class OfChanges(unittest.TestCase):
    def assert_share(self, limit: Limit, rate: float, expected: float, a: Assumptions = A):
        self.assertAlmostEqual(limit.share(rate, a, CPU), expected, places=6, msg=limit.name)

    def test_a_partition(self):
        self.assert_share(limits.PARTITION, 1_000, 250 / 1_000)
        # Above 500 a shard the table divides.
        self.assert_share(limits.PARTITION, 100_000, 500 / 1_000)

    def test_the_table(self):
        self.assert_share(limits.WRITES, 10_000, 10_000 / 40_000)
        # Of ten changes eight bring their patient, and two have it queried beside its addresses.
        self.assert_share(limits.READS, 10_000, 1.2 * 10_000 / 40_000)
        self.assert_share(limits.READS, 10_000, 1.2 * 5_000 / 40_000, replace(A, patients_share=0.5))
        self.assert_share(limits.READS, 10_000, 2 * 10_000 / 40_000, replace(A, patient_items_share=0.0))

    def test_the_time_of_a_shard(self):
        self.assert_share(limits.BUSY, 10_000, 5 * BATCH_SECONDS)
        self.assert_share(limits.BUSY, 10_000, 5 * BATCH_SECONDS / 4, replace(A, parallelization_factor=4))

    def test_executions_of_pipes(self):
        self.assert_share(limits.EXECUTIONS, 100_000, 200 / 3_000)
        self.assert_share(limits.EXECUTIONS, 100_000, 2_000 / 3_000, replace(A, parallelization_factor=10))

    def test_the_concurrency_of_functions(self):
        # The lake writer's batch is 90 % of 6 MB: 3,686 records, in 0.15 s and 6 µs of a processor each.
        records = 0.9 * 6 * 1024**2 / 1_536
        writer = 0.15 + records * 6e-6 * 1769 / 512
        expected = 1_000 * (BATCH_SECONDS - 0.020) + 100_000 / records * writer
        self.assert_share(limits.CONCURRENCY, 100_000, expected / 1_000)

    def test_the_bus(self):
        self.assert_share(limits.PUTS, 10_000, 1_000 / 10_000)
        # 11 changes in a batch are two requests: 40 a second and shard, a window of a quarter of a second.
        self.assert_share(limits.PUTS, 160, 160 * 2 / 11 / 10_000, replace(A, window_seconds=0))
        self.assert_share(limits.MATCHES, 10_000, 10_000 / 18_750)

    def test_what_is_behind_and_beside(self):
        self.assert_share(limits.IN_FLIGHT, 10_000, 10_000 / 120_000)
        self.assert_share(limits.KEY, 10_000, 200 / 100_000)
        self.assert_share(limits.LOGS, 10_000, 200 / 5_000)
        # 10,000 a second are 2.7 batches of the lake writer, a file each of a type.
        self.assert_share(limits.FILES, 10_000, 10_000 / 3_686.4 / 3_500)

    def test_what_is_fullest_at_a_rate(self):
        self.assertIs(fullest(limits.CHANGES, 10, A, CPU), limits.BUSY)
        self.assertIs(fullest(limits.CHANGES, 1_000, A, CPU), limits.PARTITION)
        self.assertIs(fullest(limits.CHANGES, 10_000, A, CPU), limits.MATCHES)
        self.assertIs(fullest(limits.CHANGES, 100_000, A, CPU), limits.MATCHES)

    def test_when_a_limit_is_full(self):
        self.assertAlmostEqual(limits.MATCHES.full_at(A, CPU), 18_750, delta=1)
        self.assertAlmostEqual(limits.READS.full_at(A, CPU), 40_000 / 1.2, delta=1)
        self.assertIsNone(limits.PARTITION.full_at(A, CPU))
        limit, rate = first_full(limits.CHANGES, A, CPU)
        self.assertIs(limit, limits.MATCHES)
        self.assertAlmostEqual(rate, 18_750, delta=1)


class OfExports(unittest.TestCase):
    def test_a_run_asks_for_more_than_the_bus_takes(self):
        # 8 publishers with 64 requests under way, each answered in 15 ms.
        self.assertAlmostEqual(PUBLISHING.share(1_000, A, CPU), 8 * 64 / 0.015 / 10_000)
        self.assertLess(PUBLISHING.share(1_000, replace(A, publish_concurrency=2), CPU), 1)
        # 900 resources are 90 requests, however fast.
        self.assertAlmostEqual(PUBLISHING.share(1, A, CPU), 90 / 10_000)

    def test_a_run_publishes_more_than_rules_hand_on(self):
        # PutEvents lets 10,000 requests of ten through.
        self.assertAlmostEqual(DELIVERING.share(1_000, A, CPU), 100_000 / 18_750)
        one = replace(A, publish_concurrency=1)
        self.assertAlmostEqual(DELIVERING.share(1_000, one, CPU), 64 * 10 / 0.015 / 18_750)
        self.assertAlmostEqual(DELIVERING.share(1, A, CPU), 900 / 18_750)

    def test_how_many_publishers_fit_is_said_of_the_smaller_quota(self):
        each = 64 * 10 / 0.015
        self.assertAlmostEqual(fitting_publishers(10_000, 18_750, A, CPU), 18_750 / each)
        self.assertAlmostEqual(fitting_publishers(1_000, 18_750, A, CPU), 10_000 / each)
        for names, put_events, invocations, _ in quotas.REGIONS:
            # docs/scale.md says so.
            self.assertLess(fitting_publishers(put_events, invocations, A, CPU), 1, names)

    def test_a_run_has_to_be_done_before_the_next(self):
        # 900,000 resources at 100,000 a second, and two rounds of ranges.
        time = export_limit("run: time to publish, of its interval")
        self.assertAlmostEqual(time.share(1_000, A, CPU), (9 + 2 * 0.5) / 900)

    def test_ranges_functions_and_states(self):
        seconds = 900_000 / 14 * 0.015 / 640 + 0.5
        for name, expected in (
            ("bus: PutEvents", 100 / 10_000),
            ("bus: invocations of targets", 1_000 / 18_750),
            ("run: ranges of the map", 14 / 87_000),
            ("Lambda: concurrency", 8 / 1_000),
            ("Step Functions: transitions", 2 * 8 / seconds / 5_000),
            ("queue: messages in flight", 1_000 / 120_000),
        ):
            self.assertAlmostEqual(export_limit(name).share(1_000, A, CPU), expected, msg=name)

    def test_every_limit_is_tested(self):
        self.assertEqual((len(limits.CHANGES), len(EXPORTS)), (12, 9))


class OfDesigns(unittest.TestCase):
    def end(self, of_design: list[Limit], a: Assumptions = A) -> tuple[str, float]:
        limit, rate = first_full(of_design, a, CPU)
        return limit.name, round(rate)

    def test_one_change_at_a_time_fills_the_time_of_its_shard(self):
        # 10 ms of the call, 5 of the query, 15 of PutEvents, and 100 µs of 512 MB, on each of four shards.
        seconds = 0.010 + 0.005 + 0.015 + 100e-6 * 1769 / 512
        of_pipe = design_limits.OF_CHANGE_DESIGNS[changes.PIPE_BY_ONE]
        self.assertEqual(self.end(of_pipe), (limits.BUSY.name, round(4 / seconds)))
        self.assertEqual(self.end(of_pipe, replace(A, parallelization_factor=10)), (limits.BUSY.name, round(40 / seconds)))
        of_function = design_limits.OF_CHANGE_DESIGNS[changes.FUNCTION]
        seconds += 0.010 + 50e-6 * 1769 / 512
        self.assertEqual(self.end(of_function), (limits.BUSY.name, round(4 / seconds)))

    def test_batches_of_ten(self):
        of_pipe = design_limits.OF_CHANGE_DESIGNS[changes.PIPE_BY_TEN]
        seconds = 0.010 + 0.005 + 0.015 + 1_000e-6 * 1769 / 512
        self.assertEqual(self.end(of_pipe), (limits.BUSY.name, round(40 / seconds)))
        self.assertEqual(self.end(of_pipe, replace(A, parallelization_factor=10)), (limits.MATCHES.name, 18_750))

    def test_workflows(self):
        tenfold = replace(A, parallelization_factor=10)
        standard = design_limits.OF_CHANGE_DESIGNS[changes.STANDARD]
        self.assertEqual(self.end(standard, tenfold), (design_limits.STARTS, 300))
        express = design_limits.OF_CHANGE_DESIGNS[changes.EXPRESS]
        starts = next(limit for limit in express if limit.name == design_limits.STARTS)
        self.assertAlmostEqual(starts.full_at(A, CPU), 6_000, delta=1)

    def test_of_exports(self):
        of = design_limits.OF_EXPORT_DESIGNS
        self.assertEqual(self.end(of[exports.STATE]), (design_limits.TRANSITIONS, 5_000))
        self.assertEqual(self.end(of[exports.MESSAGE])[1], 10_000)
        self.assertEqual(self.end(of[exports.EXPRESS]), (design_limits.STARTS, 6_000))
        self.assertEqual(self.end(of[exports.TRIBUTARY]), ("bus: invocations of targets", 18_750))
        self.assertEqual(self.end(of[exports.FIREHOSE]), ("Firehose: Direct PUT", round(5 * 1024**2 / 1_400)))

    def test_of_a_burst(self):
        # 15 minutes' resources in one second.
        of = design_limits.OF_EXPORT_BURSTS
        self.assertEqual(of.keys(), design_limits.OF_EXPORT_DESIGNS.keys())
        for design, name, resources in (
            (exports.TRIBUTARY, DELIVERING.name, 18_750),
            (exports.MESSAGE, design_limits.ONE_ENTRY_REQUESTS.name, 10_000),
            (exports.EXPRESS, design_limits.STARTS, 6_000),
            (exports.FIREHOSE, "Firehose: Direct PUT", 5 * 1024**2 / 1_400),
            (exports.STATE, design_limits.TRANSITIONS, 5_000),
        ):
            limit, rate = first_full(of[design], A, CPU)
            self.assertEqual(limit.name, name)
            self.assertAlmostEqual(rate, resources / 900, delta=0.01)

    def test_every_design_is_of_even_resources_alike(self):
        # Each puts a resource on the bus as one event, by ten or alone, and has it handed on once.
        for design, limits_of in design_limits.OF_EXPORT_DESIGNS.items():
            taken = {limit.name: limit.demand(1_000, A, CPU) for limit in limits_of if limit.name.startswith("bus: ")}
            requests = {exports.TRIBUTARY: 100, exports.FIREHOSE: 0}.get(design, 1_000)
            self.assertEqual(sum(taken.values()), requests + (1_000 if requests else 0), design)

    def test_firehose(self):
        self.assertEqual(self.end(design_limits.OF_CHANGE_DESIGNS[changes.FIREHOSE]), (limits.WRITES.name, 40_000))


class Regions(unittest.TestCase):
    def test_the_first_is_the_one_that_the_limits_are_of(self):
        names, put_events, invocations, executions = quotas.REGIONS[0]
        self.assertIn("us-east-1", names)
        self.assertEqual(
            (put_events, invocations, executions),
            (quotas.PUT_EVENTS.value, quotas.INVOCATIONS.value, quotas.PIPE_EXECUTIONS.value),
        )


if __name__ == "__main__":
    unittest.main()
