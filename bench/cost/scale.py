#!/usr/bin/env python3
"""Prints docs/scale.md, which is made of nothing but this model; `--write` writes it, and its plot.

    python3 bench/cost/scale.py --write
"""

import sys
from pathlib import Path

import change_designs as changes
import cpu as measured
import export_designs as exports
import line_plot as plot
import prices
import quotas
import scale_tables as tables
from cpu import Cpu
from design_limits import OF_CHANGE_DESIGNS, OF_EXPORT_BURSTS, OF_EXPORT_DESIGNS
from events import Assumptions
from limits import first_full
from scale_tables import RATES
from tributary import SECONDS_PER_MONTH, VCPU_MB
from tributary import Assumptions as LakeAssumptions
from tributary import per_million as lake_per_million

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "scale.md"
PLOT = DOCS / "scale-cost.svg"

COLOURS = {
    changes.TRIBUTARY: "#c2410c",
    changes.PIPE_BY_TEN: "#0369a1",
    changes.PIPE_BY_ONE: "#0ea5e9",
    changes.FUNCTION: "#4d7c0f",
    exports.MESSAGE: "#4d7c0f",
    changes.EXPRESS: "#7e22ce",
    exports.EXPRESS: "#7e22ce",
    changes.STANDARD: "#525252",
    exports.STATE: "#525252",
    changes.FIREHOSE: "#be185d",
}
"""The same for what is alike among changes and exported resources."""

POINTS = [10 ** (n / 8) for n in range(41)]
"""Changes per second, 8 a decade."""


def drawing(a: Assumptions, cpu: Cpu) -> str:
    def panel(title: str, module, limits: dict) -> plot.Panel:
        lines = []
        for name in module.DESIGNS:
            full = first_full(limits[name], a, cpu)
            points = [(rate, module.per_million(name, rate, a, cpu)) for rate in POINTS]
            lines.append(plot.Line(name, COLOURS[name], points, None if full is None else full[1]))
        return plot.Panel(title, lines)

    panels = [
        panel("USD per million changes", changes, OF_CHANGE_DESIGNS),
        panel("USD per million exported resources", exports, OF_EXPORT_DESIGNS),
    ]
    return plot.svg(panels, (RATES[0], RATES[-1]), (0.1, 100))


WAITS = ("query_seconds", "put_events_seconds", "invoke_seconds", "range_seconds", "step_seconds", "express_seconds")
"""Of AWS and of a function that waits for it, which no bench here can measure."""


def origin(cpu: Cpu) -> str:
    return (
        "The processor time of an event was measured by\n`cargo xtask bench`, on the machine that [bench/RESULTS.md]"
        "(../bench/RESULTS.md) names,\nin front of simulated services and without TLS; what it takes to send an exported resource, "
        f"{cpu.sending:.1f} µs, is Tributary's, whoever\nsends it. Assumed is whatever is waited for, which is\n"
        + ", ".join(f"`{name}`" for name in WAITS)
        + "\namong the [assumptions](#what-is-counted-and-what-is-not)."
    )


def page(a: Assumptions, cpu: Cpu) -> str:
    ours, by_ten = (changes.per_million(name, 1_000, a, cpu) for name in (changes.TRIBUTARY, changes.PIPE_BY_TEN))
    of_ours = changes.tributary(1_000, a, cpu)
    lake = lake_per_million(1_000, LakeAssumptions())
    of_slow = changes.tributary(1, a, cpu)
    polled = of_slow["stream: GetRecords"] / sum(of_slow.values())
    slow = sum(of_slow.values()) * SECONDS_PER_MONTH / 1e6 + sum(tables.month_of_changes(a).values())
    files = changes.per_million(changes.FIREHOSE, 1_000, a, cpu)
    more = of_ours["archive"] + of_ours["KMS"] + of_ours["enricher: Query"] - changes.queries(1, a)
    one, ten = (first_full(OF_CHANGE_DESIGNS[name], a, cpu)[1] for name in (changes.PIPE_BY_ONE, changes.PIPE_BY_TEN))
    ends = first_full(OF_CHANGE_DESIGNS[changes.TRIBUTARY], a, cpu)
    burst = first_full(OF_EXPORT_BURSTS[exports.TRIBUTARY], a, cpu)
    run = exports.Run.at(RATES[-1], a, cpu)
    publisher = 1 / run.resource_seconds
    of_exports = exports.tributary(1_000, a, cpu)
    published = exports.published(of_exports)
    states = exports.state_for_each(1_000, a, cpu)
    by_state = states["Step Functions: a state for each resource"] + states["bus"]
    asked = run.publishers * publisher
    unrefused = int(quotas.PUT_EVENTS.value * a.entries_per_request * run.resource_seconds)
    return f"""<!-- Made by `python3 bench/cost/scale.py --write`. Change the model, not this page. -->
# What it costs, and how far it goes

Everything here is computed by `bench/cost/`, and nothing was measured on AWS: for {prices.REGION}, with the prices of
{prices.AS_OF} and default quotas. {origin(cpu)}

{tables.designs(changes, "changes", a, cpu)}

{tables.designs(exports, "exported resources", a, cpu)}

![USD per million over the rate, for changes and for exported resources](scale-cost.svg)

A line is dotted from where the design is full with default quotas: it costs what the line says, once they are raised, if they can be.

- **The bus is the price.** Of {ours:.2f} USD, {of_ours["bus"] + of_ours["queue"]:.2f} are the event and the message to its queue, which every design with events
  pays. The functions are {of_ours["enricher: Lambda"] + of_ours["router: Lambda"]:.3f}.
- **A pipe straight to the bus, by ten, is cheaper than Tributary**: {by_ten:.2f} USD. Tributary's archive, its key and the second query for a
  change of an address are {more:.2f} USD; without them it would cost {ours - more:.2f}. But that pipe is full at {tables.rounded(ten)} changes a second,
  Tributary at {tables.rounded(ends[1])}; and one record that fails takes the pipe's whole batch with it.
- **One change at a time is full at {tables.rounded(one)} a second**, because a shard waits for each. One state for each resource costs
  {by_state / published:.0f} times as much on the way to the bus, {by_state:.2f} USD as against {published:.4f} for a million, and {sum(states.values()) / sum(of_exports.values()):.0f} times in all.
- **Firehose is cheaper, and something else**: {files:.2f} USD for files with FHIR, a minute later, behind Kinesis, each change a record of its own. Nobody
  is told of a change. Whoever needs files without FHIR has the lake, at {lake:.2f}, and [cost-lake.md](cost-lake.md) has further ways through Firehose.
- **At 1 change a second** {polled:.0%} of the cost is polling the stream's shards, and the month is {slow:.0f} USD, with what the
  [month](#by-the-month) costs whatever the rate.

## How far each comes

{tables.reach(a, cpu)}

The pipe by ten has the window of Tributary's; one change at a time needs none. "Ten batches of a shard at once" is `ParallelizationFactor`, Tributary's
option `pipe.parallelizationFactor`. A design is full where one default quota has nothing
left; an account that is new may begin with less (Step Functions developer guide, "Service quotas"; Lambda developer guide, "Lambda quotas").

What is exported comes all at once, every {a.schedule_seconds // 60} minutes. How far each design comes is said as if it came evenly; beside it stands from
where a quota is full in the busiest second of an export: Tributary's from {tables.rounded(burst[1])} a second, which are {burst[1] * a.schedule_seconds:,.0f} resources at once. **A burst
that is too large is late, and not lost**: what PutEvents refuses is sent again, so that the run takes longer, and what is more than the
invocations EventBridge delays (EventBridge user guide, "Amazon EventBridge quotas"). The changes share both quotas, and wait with it.

## Changes: what is full first

{tables.shares(tables.CHANGES, a, cpu)}

In bold what is fullest. A shard of the table has one batch under way, which takes {tables.batch_milliseconds(1_000, a, cpu):.0f} ms: that is what is used first, while the rate is low, and
what a hot key fills. At high rates it is EventBridge, which hands {quotas.INVOCATIONS.value:,} events a second to targets; what comes faster is late, and the
rules' retries end after 24 hours in the queues' DLQs. PutEvents is counted in requests, of {a.entries_per_request} events each. An on-demand table grows along, to
twice its last peak in half an hour (DynamoDB developer guide, "On-demand capacity mode"); one that is new takes {1_000 * a.fewest_shards:,} writes a second.

{tables.turns(tables.CHANGES, a, cpu)}

The options are those of `infra/lib/options.ts` and `lake-options.ts`. A shard has two readers at most, the pipe and the lake writer: a third
consumer is a rule on the bus. How many requests to KMS a bus makes is not documented; if it is one for each event, KMS is full at
{quotas.KMS_REQUESTS.value / 2:,.0f} a second (two for each, with the queue). Nor is it documented whether the archive, which is fed by a rule that EventBridge manages, counts
as an invocation: then they are full at half the rate.

## Exports: what is full first

{tables.shares(tables.EXPORTS, a, cpu)}

The rate is that of the changed resources, exported every {a.schedule_seconds // 60} minutes. HealthLake runs one export at a time, and how fast is not
documented: that limit is not here, and may be the first one. A publisher sends {tables.rounded(publisher)} resources a second, if PutEvents answers in
{1000 * a.put_events_seconds:.0f} ms: it has {a.publisher_requests} requests of {a.entries_per_request} under way.

**One publisher is already more than the default quota of invocations**, in every region: rules hand {quotas.INVOCATIONS.value:,} events a second to targets in us-east-1.
The default of `datastores.<name>.publishConcurrency`, {a.publish_concurrency}, asks for {tables.rounded(asked)} events a second, which is {tables.percent(asked / a.entries_per_request / quotas.PUT_EVENTS.value)} of PutEvents, too. No value
of it keeps a large export from delaying changes: each million resources fills the invocations for {1e6 / quotas.INVOCATIONS.value:.0f} s, however many publish
them. **Before a large export, raise both quotas**, to what the publishers ask for and the changes beside it. Turned down to {unrefused}, they leave the
changes their part of PutEvents in us-east-1, so that nothing is refused and the delivery alone is late. Exports of several datastores at the
same time add up.

{tables.turns(tables.EXPORTS, a, cpu)}

## By region

{tables.regions(a, cpu)}

Standard workflows and KMS have lower quotas outside the largest regions, too, which are not listed here. Events a second is what the first two let through with one rule for each event, and the last column how many publishers of exports put as
many; both quotas are adjustable. Their page names a newer Custom Event Bus with 500,000 events a second and 100 entries a request. Tributary's
is the other one, which that page calls classic; the newer was not tried.

## Of what

Tributary's changes:

{tables.breakdown(changes.tributary, "changes", a, cpu)}

Tributary's exports:

{tables.breakdown(exports.tributary, "exported resources", a, cpu)}

All designs:

{tables.side_by_side(changes, "changes", 1_000, a, cpu)}

{tables.side_by_side(exports, "exported resources", 1_000, a, cpu)}

What each does is said beside it in `bench/cost/change_designs.py` and `export_designs.py`. The pipe by one or by ten, the state for each
resource and the message for each resource are the ways of the articles that Tributary began from. The others are taken well:
in Go, with one query for a change, no archive, no key of their own, every file within the {a.payload_bytes // 1024} KB that a state may hand on. Of the state for each
resource, {by_state:.2f} USD are the states and the events; the rest are the files and the queue.

## What would change it

{tables.what_if(a, cpu)}

Of exports, it is the number of runs: with a schedule of an hour, what a run costs beside its resources is spread over four times as many.

## The language

{tables.languages(1_000, a, cpu)}

If the same two functions were written in it, with {a.function_mb} MB: a fraction of a processor, so that processor time counts {VCPU_MB / a.function_mb:.1f} times. The enricher's
figure has one query for each change in it, and nothing for the second one of an address. The bus is most of the bill in every language.
What the language decides is how much of a shard's time a batch takes.

## By the month

{tables.fixed(a)}

## What is counted, and what is not

Counted is what a change or a resource causes from the stream, or the exported file, to the message in its queue, without free tiers, discounts,
taxes and retries. Not counted: writing and storing the table, HealthLake and its exports, the consumer's own requests and functions,
claim checks and dead letters, data that leaves the region, and the lake ([cost-lake.md](cost-lake.md)). Reading the stream is free to Lambda and
to global tables; pipes are not named, so that their reads are counted.

The processor time of an event is that in a batch as large as the rate makes it, interpolated between the bench's batches.

What each assumption is, and where it comes from, stands beside it in `bench/cost/events.py`.

{tables.assumptions(a)}

## Prices

They were read where others quote AWS's pages, which are written by scripts: look again before a decision hangs on a number. Those of Lambda, S3, SQS, KMS, CloudWatch, Firehose and Kinesis are in [cost-lake.md](cost-lake.md#prices).

{tables.price_list()}

## Limits, and where they are from

{tables.sources()}

The page is written by `python3 bench/cost/scale.py --write`, which a full run of `cargo xtask bench` calls when it has written
`bench/results/latest.json`. Its tests are `python3 -m unittest discover -s bench/cost`, which `cargo xtask test costs` runs.
"""


def main() -> None:
    a, cpu = Assumptions(), measured.read()
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(a, cpu), encoding="utf-8")
        PLOT.write_text(drawing(a, cpu), encoding="utf-8")
    else:
        sys.stdout.write(page(a, cpu))


if __name__ == "__main__":
    main()
