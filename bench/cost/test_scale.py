"""docs/scale.md is what the model prints, from what is deployed and from what was measured.

    python3 -m unittest discover -s bench/cost
"""

import json
import re
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parent))

import change_designs as changes
import cpu
import event_prices
import export_designs as exports
import scale
import scale_tables as tables
from change_limits import BUSY, CHANGES, CONCURRENCY
from design_limits import OF_CHANGE_DESIGNS, OF_EXPORT_DESIGNS
from events import Assumptions
from export_limits import EXPORTS
from prices import Price
from sample_cpu import SAMPLE as CPU
from tributary import Assumptions as LakeAssumptions

ROOT = Path(__file__).resolve().parents[2]
A = Assumptions()

BY_100 = "enricher-function/b100/cpu-us-per-event"
BY_RESOURCE = "publisher/cpu-us-per-resource"


def source(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


class Page(unittest.TestCase):
    def assert_current(self, file: Path, made: str):
        if file.read_text(encoding="utf-8") != made:
            self.fail(f"{file.name} is not what the model makes of bench/results/latest.json: `python3 bench/cost/scale.py --write`")

    def test_the_page_is_what_the_model_prints(self):
        self.assert_current(scale.PAGE, scale.page(A, cpu.read()))

    def test_the_plot_is_what_the_model_draws(self):
        drawing = scale.drawing(A, cpu.read())
        self.assert_current(scale.PLOT, drawing)
        lines = [element for element in ElementTree.fromstring(drawing).iter() if element.tag.endswith("polyline")]
        self.assertEqual(len(lines), 2 * (len(changes.DESIGNS) + len(exports.DESIGNS)))

    def test_one_limit_of_each_rate_is_in_bold(self):
        for limits in (CHANGES, EXPORTS):
            rows = tables.shares(limits, A, CPU).split("\n")[2:]
            columns = list(zip(*(row.split("|")[2:-1] for row in rows)))
            self.assertEqual(len(columns), len(tables.RATES))
            for column in columns:
                self.assertEqual(sum("**" in cell for cell in column), 1)

    def test_every_price_and_every_assumption_is_listed(self):
        named = {name for name, value in vars(event_prices).items() if isinstance(value, Price)}
        self.assertGreater(len(named), 10)
        for name in named:
            self.assertIn(vars(event_prices)[name].unit, tables.price_list())
        for name in vars(A):
            self.assertIn(f"`{name}`", scale.page(A, CPU))


class Deployed(unittest.TestCase):
    def default(self, text: str, name: str) -> int:
        declared = re.search(rf"\n    {name}: (?:.|\n)*?\.default\(([^)]*)\)", text) or re.search(
            rf"\n  {name}: (?:.|\n)*?\.default\(([^)]*)\)", text
        )
        self.assertIsNotNone(declared, name)
        product = 1
        for factor in declared[1].split("*"):
            product *= int(factor.strip().replace("_", ""))
        return product

    def test_the_defaults_are_those_of_the_cdk_app(self):
        options = source("infra/lib/options.ts")
        self.assertEqual(A.batch_size, self.default(options, "batchSize"))
        self.assertEqual(A.window_seconds, self.default(options, "batchingWindowSeconds"))
        self.assertEqual(A.parallelization_factor, self.default(options, "parallelizationFactor"))
        self.assertEqual(A.archive_days, self.default(options, "archiveRetentionDays"))
        datastore = source("infra/lib/datastore-options.ts")
        self.assertEqual(A.range_bytes, self.default(datastore, "rangeBytes"))
        self.assertEqual(A.publish_concurrency, self.default(datastore, "publishConcurrency"))
        self.assertIn(f"default('rate({A.schedule_seconds // 60} minutes)')", datastore)
        for function, megabytes in (
            ("stream-enricher", A.function_mb),
            ("item-router", A.function_mb),
            ("export-coordinator", A.function_mb),
            ("export-publisher", A.publisher_mb),
        ):
            self.assertIn(f"memorySize: {megabytes},", source(f"infra/lib/{function}.ts"), function)

    def test_the_constants_are_those_of_the_code(self):
        for path, constant in (
            ("crates/domain/src/items/mod.rs", "(true, Some(_)) => Needed::Addresses,"),
            ("crates/stream-enricher/src/collections.rs", f"CONCURRENT_PATIENTS: usize = {A.patients_at_once};"),
            ("crates/lambda-support/src/put_events.rs", f"REQUEST_ENTRIES: usize = {A.entries_per_request};"),
            ("crates/lambda-support/src/put_events.rs", f"CONCURRENCY: usize = {A.router_requests};"),
            ("crates/export-publisher/src/publish.rs", f"REQUESTS: usize = {A.publisher_requests};"),
        ):
            self.assertIn(constant, source(path))

    def test_the_table_is_that_of_the_lake(self):
        lake = LakeAssumptions()
        for name in ("record_bytes", "fewest_shards", "writes_per_shard", "log_bytes", "queue_pollers"):
            self.assertEqual(getattr(A, name), getattr(lake, name), name)

    def test_what_is_to_be_turned_are_options(self):
        declared = {
            "pipe": source("infra/lib/options.ts"),
            "lake": source("infra/lib/lake-options.ts"),
            "datastores": source("infra/lib/datastore-options.ts"),
        }
        named = [option for limit in (*CHANGES, *EXPORTS) for option in re.findall(r"`([^`]+)`", limit.turn)]
        self.assertGreater(len(named), 10)
        for option in named:
            group, *_, name = option.split(".")
            self.assertRegex(declared[group], rf"\n +{name}: ", option)


class Measured(unittest.TestCase):
    def read(self, measured: dict) -> cpu.Cpu:
        publishing = {"cpuUsPerResource": 20.0, "barePutEventsShare": 0.75}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "latest.json"
            path.write_text(json.dumps({"measured": measured, "publishing": publishing}), encoding="utf-8")
            return cpu.read(path)

    def test_what_was_measured_is_taken(self):
        read = self.read({BY_100: {"tributary": 30.5, "go": 61}, BY_RESOURCE: {"tributary": 2.5, "go": 6.5}})
        self.assertEqual((read.of_event(cpu.ENRICHER, 100), read.of_event(cpu.ENRICHER, 100, "go")), (30.5, 61))
        self.assertEqual((read.of_resource(), read.of_resource("go")), (2.5, 6.5))
        # Three quarters of what the whole publisher takes for a resource.
        self.assertEqual(read.sending, 15)

    def test_the_page_says_what_an_event_takes_and_to_send_one(self):
        page = scale.page(A, CPU)
        self.assertIn("| Rust, Tributary | 25 | 15 |", page)
        self.assertIn("to send an exported resource, 10.0 µs", page)
        assumed = page.partition("Assumed is")[2].partition("\n\n")[0]
        for name in scale.WAITS:
            self.assertIn(name, vars(A))
            self.assertIn(f"`{name}`", assumed)

    def test_between_two_batches_it_is_interpolated(self):
        measured = {"enricher-function/b1/cpu-us-per-event": {"tributary": 1_000.0}, BY_100: {"tributary": 10.0}}
        # Of what happens in memory nothing is taken.
        measured["enricher/b10/cpu-us-per-event"] = {"tributary": 1.0}
        read = self.read(measured)
        for batch, expected in ((1, 1_000), (10**0.5, 1_000 / 10**0.5), (10, 100), (100, 10), (0.5, 1_000), (682, 10)):
            self.assertAlmostEqual(read.of_event(cpu.ENRICHER, batch), expected, msg=batch)

    def test_a_design_takes_what_an_event_takes_in_its_batches(self):
        even = {work: {who: {100: 50.0} for who in (cpu.OURS, "go")} for work in cpu.MEASURED_AS}
        both = {cpu.ENRICHER, cpu.ROUTER}
        for module, design, rate, of_batch in (
            (changes, changes.TRIBUTARY, 1, both),
            (changes, changes.TRIBUTARY, 10_000, set()),
            (changes, changes.PIPE_BY_TEN, 10_000, {cpu.ENRICHER}),
            (changes, changes.FUNCTION, 10_000, both),
            (changes, changes.FIREHOSE, 10_000, set()),
            (exports, exports.TRIBUTARY, 1, set()),
            (exports, exports.MESSAGE, 10_000, {cpu.ROUTER}),
        ):
            self.assert_dearer(lambda of: module.per_million(design, rate, A, of), even, of_batch, f"{design} {rate}")
        for limits, name, of_batch in (
            (OF_CHANGE_DESIGNS[changes.TRIBUTARY], BUSY.name, both),
            (OF_CHANGE_DESIGNS[changes.FUNCTION], BUSY.name, both),
            (OF_CHANGE_DESIGNS[changes.PIPE_BY_ONE], BUSY.name, {cpu.ENRICHER}),
            (OF_EXPORT_DESIGNS[exports.MESSAGE], CONCURRENCY.name, {cpu.ROUTER}),
        ):
            limit = next(limit for limit in limits if limit.name == name)
            self.assert_dearer(lambda of: limit.share(10, A, of), even, of_batch, name)

    def assert_dearer(self, value, even: dict, of_batch: set, said: str):
        """More is needed if a function takes more of an event in a small batch: of those functions that are in `of_batch`."""
        for work in (cpu.ENRICHER, cpu.ROUTER):
            steep = {who: {1: 500.0, 100: 50.0} for who in even[work]}
            more = value(cpu.Cpu({**even, work: steep}, 10.0)) - value(cpu.Cpu(even, 10.0))
            self.assertEqual(more > 1e-9, work in of_batch, f"{said}: {work}")


if __name__ == "__main__":
    unittest.main()
