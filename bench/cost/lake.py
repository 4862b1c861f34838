#!/usr/bin/env python3
"""Prints docs/cost-lake.md, which is made of nothing but this model; `--write` writes it.

    python3 bench/cost/lake.py --write
"""

import sys
from dataclasses import fields, replace
from pathlib import Path

import firehose
import prices
from markdown import price_table, table, usd
from tributary import INVOCATION_BYTES, Assumptions, Compacting, Storage, Writing, fixed_per_month, per_million, usage

RATES = (1, 100, 1_000, 10_000)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "cost-lake.md"

CHANGES_PER_MONTH = 730 * 3600 / 1e6
"""Millions of changes a month, for each write per second."""


def by_rate(kind: str) -> list[str]:
    return [kind] + [f"{rate:,}/s" for rate in RATES]


def peers(a: Assumptions) -> list[tuple[str, list[float]]]:
    ways = [
        ("Firehose, through Kinesis Data Streams", firehose.through_kinesis),
        ("Firehose, a function puts each change", firehose.through_lambda),
        ("Firehose, a function puts them aggregated", firehose.through_lambda_aggregated),
    ]
    return [(name, [sum(way(rate, a).values()) for rate in RATES]) for name, way in ways]


def side_by_side(a: Assumptions) -> str:
    lake = [per_million(rate, a) for rate in RATES]
    rows = [["**Tributary**, history and current state, merged"] + [f"**{usd(value)}**" for value in lake]]
    rows += [[name + ", JSON"] + [usd(value) for value in values] for name, values in peers(a)]
    rows.append(["… and as Parquet, at the least"] + ["+ " + usd(firehose.parquet(a))] * len(RATES))
    return table(by_rate("USD per million changes, at"), rows)


def breakdown(a: Assumptions) -> str:
    columns = [usage(rate, a) for rate in RATES]
    rows = [[name] + [usd(column[name]) for column in columns] for name in columns[0]]
    rows.append(["**all**"] + [f"**{usd(sum(column.values()))}**" for column in columns])
    return table(by_rate("USD per million changes, at"), rows)


def quantities(a: Assumptions) -> str:
    writing = [Writing.at(rate, a) for rate in RATES]
    compacting = [Compacting.at(rate, a) for rate in RATES]
    rows = [
        ["shards"] + [f"{w.shards}" for w in writing],
        ["records in a batch"] + [f"{w.batch:,.0f}" for w in writing],
        ["partitions in a batch"] + [f"{w.partitions:.1f}" for w in writing],
        ["invocations of the writer per million"] + [f"{w.invocations:,.0f}" for w in writing],
        ["raw files per million"] + [f"{w.objects:,.0f}" for w in writing],
        ["runs of the compactor per million"] + [f"{c.runs:,.1f}" for c in compacting],
    ]
    return table(by_rate("at"), rows)


def firehose_breakdown(a: Assumptions) -> str:
    parts = []
    for name, way in (
        ("Through Kinesis Data Streams for DynamoDB", firehose.through_kinesis),
        ("A function on the table's stream puts each change", firehose.through_lambda),
        ("A function puts many changes as one record", firehose.through_lambda_aggregated),
    ):
        columns = [way(rate, a) for rate in RATES]
        rows = [[part] + [usd(column[part]) for column in columns] for part in columns[0]]
        parts.append(f"{name}:\n\n" + table(by_rate("USD per million changes, at"), rows))
    return "\n\n".join(parts)


def fixed(a: Assumptions) -> str:
    costs = fixed_per_month(a)
    total = sum(costs.values())
    rows = [[name, usd(value)] for name, value in costs.items()] + [["**all**", f"**{usd(total)}**"]]
    spread = table(
        by_rate("divided among the changes, at"),
        [["USD per million"] + [usd(total / (rate * CHANGES_PER_MONTH)) for rate in RATES]],
    )
    return table(["by the month, whatever the rate", "USD"], rows) + "\n\n" + spread


def storage(a: Assumptions) -> str:
    stored = [Storage.at(rate, a) for rate in RATES]
    return table(
        by_rate("USD, at"),
        [
            ["a million changes, while they are raw, once"] + [usd(s.raw) for s in stored],
            ["a million changes, compacted, for each month"] + [usd(s.compact) for s in stored],
            ["the current state with its versions, a month"] + [usd(s.latest_month) for s in stored],
        ],
    )


def what_if(a: Assumptions) -> str:
    cases = [
        ("**the defaults**", a),
        ("a window of 60 s", replace(a, window_seconds=60)),
        ("a window of 300 s", replace(a, window_seconds=300)),
        ("partitioned by day alone", replace(a, item_types=1)),
        ("20 partitions at a time", replace(a, item_types=20)),
        ("100 partitions at a time", replace(a, item_types=100)),
        ("a provisioned table: one shard per 500 writes a second", replace(a, fewest_shards=1)),
        ("records of 400 bytes", replace(a, record_bytes=400, raw_bytes=120, parquet_bytes=60)),
        ("records of 6 KB", replace(a, record_bytes=6144, raw_bytes=900, parquet_bytes=600)),
        ("no bucket keys", replace(a, bucket_key_share=1.0)),
        ("the writer needs ten times the CPU", replace(a, writer_cpu_microseconds=10 * a.writer_cpu_microseconds)),
    ]
    rows = [[name] + [usd(per_million(rate, case)) for rate in RATES] for name, case in cases]
    return table(by_rate("USD per million changes, at"), rows)


def cut_by_size(a: Assumptions) -> float:
    """Writes per second at which a shard has 6 MB before its window is over."""
    return a.fewest_shards * (a.batch_fill * INVOCATION_BYTES / a.record_bytes - 1) / a.window_seconds


def assumptions(a: Assumptions) -> str:
    rows = [[f"`{field.name}`", f"{getattr(a, field.name):,}"] for field in fields(a)]
    return table(["assumption", "value"], rows)


def price_list() -> str:
    return price_table(prices.all_prices())


def page(a: Assumptions) -> str:
    at_100 = per_million(100, a)
    aggregated = dict(peers(a))["Firehose, a function puts them aggregated"]
    cheaper_from = next((f"{r:,}" for r, peer in zip(RATES, aggregated) if per_million(r, a) < peer), "no rate shown")
    return f"""<!-- Made by `python3 bench/cost/lake.py --write`. Change the model, not this page. -->
# What the lake costs

Computed by `bench/cost/`, for {prices.REGION}, with the prices of {prices.AS_OF} listed below, without free tiers, discounts and taxes. It
counts what a change causes beyond the table itself: reading the stream is free to Lambda (DynamoDB developer guide, "Evaluate your DynamoDB
streams usage"). What is the same at every rate, and storage, are stated apart.

At 100 writes per second a million changes cost **{at_100:.4f} USD**, and the month's {100 * CHANGES_PER_MONTH:,.0f} million {at_100 * 100 * CHANGES_PER_MONTH:.2f} USD. Metrics, alarms and polling
come to another {sum(fixed_per_month(a).values()):.2f} USD a month, at any rate; storage, too, is [apart](#storage).

{side_by_side(a)}

Firehose delivers JSON or small Parquet files, repeats included; nobody merges them, and the current state is for the reader to work out. Its
rows leave out what is not known, in its favour (`bench/cost/firehose.py`), and flush at the same {a.window_seconds} s. It gathers all shards in
one buffer, and so writes fewer files of a table with few writes: the cheapest way to use it costs more than the lake from {cheaper_from} writes
per second on. At 1 write per second all of it is a few dollars a month, and the first thing to do is to lengthen the window.

## Of what

{breakdown(a)}

Most of it is the PUT of raw files, which is why the number of files decides: shards × partitions in a batch ÷ records in a batch.

{quantities(a)}

A batch ends when its window does, or at 6 MB or {a.batch_size:,} records, per shard. From some {cut_by_size(a):,.0f} writes per second on,
batches are cut by their size, and neither window nor rate matters any more.

## What would change it

{what_if(a)}

## By the month

{fixed(a)}

Metrics and alarms are what it costs to be woken. The key, the bus and the rest of the deployment are not the lake's.

## Storage

{storage(a)}

A deleted file stays for {a.version_days:g} days as a version. Each row of the current state is rewritten a few times, and what it was rewritten
from stays for that long: with many changes the versions are larger than the state. The items of the table are taken as
{a.items_per_write_per_second:,} for each write per second, and at most {a.most_items:,}.

## Firehose, in detail

{firehose_breakdown(a)}

A record is billed as 5 KB if it has 1.5 ("Amazon Data Firehose pricing"); one that holds many changes is not, if the function between packs
them and Firehose takes them apart again.

## Assumptions

What each is, and where it comes from, stands beside it in `bench/cost/tributary.py`.

{assumptions(a)}

## Prices

{price_list()}
"""


def main() -> None:
    text = page(Assumptions())
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
