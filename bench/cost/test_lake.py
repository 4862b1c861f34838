"""docs/cost-lake.md is what the model prints, and what is claimed of it holds.

    python3 -m unittest discover -s bench/cost
"""

import re
import sys
import unittest
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import lake
import prices
from tributary import INVOCATION_BYTES, Assumptions, Writing, per_million, usage

ROOT = Path(__file__).resolve().parents[2]


class Page(unittest.TestCase):
    def test_the_page_is_what_the_model_prints(self):
        self.assertEqual(lake.PAGE.read_text(encoding="utf-8"), lake.page(Assumptions()), lake.__doc__)


class Claims(unittest.TestCase):
    def test_a_million_changes_cost_at_most_two_cents_at_100_per_second(self):
        self.assertLessEqual(per_million(100, Assumptions()), 0.02)

    def test_firehose_costs_more_from_100_per_second_on(self):
        for name, costs in lake.peers(Assumptions()):
            for rate, cost in zip(lake.RATES, costs):
                if rate >= 100:
                    self.assertGreater(cost, 3 * per_million(rate, Assumptions()), f"{name} at {rate}")

    def test_the_defaults_are_those_of_the_cdk_app(self):
        options = (ROOT / "infra/lib/lake-options.ts").read_text(encoding="utf-8")

        def default(name: str) -> float:
            declared = re.search(rf"\n    {name}: (?:.|\n)*?\.default\(([^)]*)\)", options)
            self.assertIsNotNone(declared, name)
            product = 1
            for factor in declared[1].split("*"):
                product *= int(factor.strip().replace("_", ""))
            return product

        a = Assumptions()
        self.assertEqual(a.window_seconds, default("batchingWindowSeconds"))
        self.assertEqual(a.batch_size, default("batchSize"))
        self.assertEqual(a.latest_buckets, default("latestBuckets"))
        self.assertEqual(a.merge_files, default("mergeFiles"))
        self.assertEqual(a.file_bytes, default("fileBytes"))
        self.assertEqual(a.compactor_mb, default("compactorMemory"))
        self.assertEqual(a.compactor_storage_mb, default("compactorStorage"))
        self.assertEqual(a.kept_days * 86_400, default("keepReplacedSeconds"))


class Model(unittest.TestCase):
    def test_a_batch_is_cut_by_its_window_its_records_and_its_bytes(self):
        a = Assumptions(fewest_shards=1, window_seconds=60)
        self.assertAlmostEqual(Writing.at(10, a).batch, 601)
        self.assertEqual(Writing.at(400, replace(a, record_bytes=100, batch_size=10_000)).batch, 10_000)
        at_most = Writing.at(500, a).batch * a.record_bytes
        self.assertLessEqual(at_most, INVOCATION_BYTES)
        self.assertGreater(at_most, 0.8 * INVOCATION_BYTES)

    def test_a_file_per_partition_and_batch(self):
        a = Assumptions(fewest_shards=4, item_types=5, window_seconds=60)
        writing = Writing.at(100, a)
        self.assertAlmostEqual(writing.objects, 5 * 1e6 / 1501, places=3)
        cost = usage(100, a)["writer: PUT of raw files"]
        self.assertAlmostEqual(cost, writing.objects * 0.005 / 1000)
        # By hand: 4 shards, a batch a minute, 5 files each, of 6,000 changes.
        self.assertAlmostEqual(cost, 4 * 5 / 6000 * 1e6 * 0.005 / 1000, places=4)

    def test_more_of_anything_never_costs_less(self):
        a = Assumptions()
        for change in (
            {"item_types": 50},
            {"window_seconds": 10},
            {"record_bytes": 15_000},
            {"writer_cpu_microseconds": 1000.0},
            {"compactor_cpu_microseconds": 1000.0},
            {"fewest_shards": 40},
            {"bucket_key_share": 1.0},
        ):
            for rate in lake.RATES:
                self.assertGreaterEqual(per_million(rate, replace(a, **change)), per_million(rate, a), f"{change} {rate}")

    def test_every_price_is_listed(self):
        named = {name for name, value in vars(prices).items() if isinstance(value, prices.Price)}
        self.assertGreater(len(named), 15)
        for price in prices.all_prices():
            self.assertTrue(price.page.endswith(("pricing", "on-demand")), price)
            self.assertIn(price.unit, lake.price_list())


if __name__ == "__main__":
    unittest.main()
