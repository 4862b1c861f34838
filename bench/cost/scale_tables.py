"""The tables of docs/scale.md."""

import math
from collections.abc import Callable
from dataclasses import fields, replace

import change_designs as changes
import cpu as measured
import event_prices
import export_designs as exports
import prices as p
import quotas
from change_limits import CHANGES, batch_seconds
from cpu import Cpu
from design_limits import OF_CHANGE_DESIGNS, OF_EXPORT_BURSTS, OF_EXPORT_DESIGNS
from events import Assumptions, enricher_seconds, lambda_usd, ours, router_seconds
from export_limits import EXPORTS, fitting_publishers
from limits import Limit, first_full, fullest
from markdown import price_table, table, usd
from tributary import SECONDS_PER_MONTH

RATES = (1, 10, 100, 1_000, 10_000, 100_000)


def by_rate(kind: str) -> list[str]:
    return [kind] + [f"{rate:,}/s" for rate in RATES]


def designs(module, kind: str, a: Assumptions, cpu: Cpu) -> str:
    """`module`: `change_designs` or `export_designs`."""
    rows = []
    for name in module.DESIGNS:
        values = [usd(module.per_million(name, rate, a, cpu)) for rate in RATES]
        rows.append([name, *values] if name != module.TRIBUTARY else [f"**{cell}**" for cell in (name, *values)])
    return table(by_rate(f"USD per million {kind}, at"), rows)


def breakdown(design: Callable, kind: str, a: Assumptions, cpu: Cpu) -> str:
    columns = [design(rate, a, cpu) for rate in RATES]
    rows = [[name] + [usd(column[name]) for column in columns] for name in columns[0]]
    rows.append(["**all**"] + [f"**{usd(sum(column.values()))}**" for column in columns])
    return table(by_rate(f"USD per million {kind}, at"), rows)


def side_by_side(module, kind: str, rate: float, a: Assumptions, cpu: Cpu) -> str:
    """What each design pays for, at one rate."""
    rows = []
    for name, design in module.DESIGNS.items():
        costs = sorted(design(rate, a, cpu).items(), key=lambda cost: -cost[1])
        largest = ", ".join(f"{part} {usd(cost)}" for part, cost in costs[:4])
        rows.append([name, largest, usd(sum(cost for _, cost in costs))])
    return table([f"at {rate:,}/s", "of which most is", f"USD per million {kind}"], rows, left=2)


def reach(a: Assumptions, cpu: Cpu) -> str:
    """How far each design comes with default quotas."""

    def cell(limits: list[Limit], case: Assumptions) -> str:
        full = first_full(limits, case, cpu)
        return "no limit met" if full is None else f"{rounded(full[1])}/s: {full[0].name}"

    tenfold = replace(a, parallelization_factor=10)
    rows = [[name, cell(limits, a), cell(limits, tenfold)] for name, limits in OF_CHANGE_DESIGNS.items()]
    head = ["changes", "comes to, and stops at", "with ten batches of a shard at once"]
    of_changes = table(head, rows, left=3)
    rows = [[name, cell(limits, a), cell(OF_EXPORT_BURSTS[name], a)] for name, limits in OF_EXPORT_DESIGNS.items()]
    head = ["exported resources", "comes to, and stops at", "an export's busiest second is full from"]
    return of_changes + "\n\n" + table(head, rows, left=3)


def rounded(rate: float) -> str:
    """To three digits, and not up: a limit is never said to be higher than it is. What was found by halving may miss it by a hair."""
    digits = 10 ** max(math.floor(math.log10(rate)) - 2, 0)
    return f"{math.floor(rate * 1.0001 / digits) * digits:,}"


def percent(share: float) -> str:
    value = 100 * share
    return "< 0.1 %" if value < 0.1 else f"{value:.1f} %" if value < 10 else f"{value:,.0f} %"


def shares(limits: list[Limit], a: Assumptions, cpu: Cpu) -> str:
    """How much of each quota a rate takes; the fullest in bold."""
    bold = {rate: fullest(limits, rate, a, cpu) for rate in RATES}
    rows = []
    for limit in limits:
        cells = [percent(limit.share(rate, a, cpu)) for rate in RATES]
        cells = [f"**{cell}**" if bold[rate] is limit else cell for rate, cell in zip(RATES, cells)]
        rows.append([limit.name, *cells])
    return table(by_rate("of the quota, at"), rows)


def turns(limits: list[Limit], a: Assumptions, cpu: Cpu) -> str:
    """From the limit that is reached first to the last."""

    def order(limit: Limit) -> float:
        return limit.full_at(a, cpu) or float("inf")

    rows = []
    for limit in sorted(limits, key=order):
        full_at = limit.full_at(a, cpu)
        at = "not by the rate" if full_at is None else f"{rounded(full_at)}/s"
        quota = f"{limit.quota.value:,} {limit.quota.unit}"
        rows.append([limit.name, quota, "yes" if limit.quota.adjustable else "no", at, limit.turn])
    return table(["limit", "default", "adjustable", "full at", "then"], rows, left=5)


def regions(a: Assumptions, cpu: Cpu) -> str:
    rows = []
    for names, put_events, invocations, executions in quotas.REGIONS:
        events = min(put_events * a.entries_per_request, invocations)
        publishers = fitting_publishers(put_events, invocations, a, cpu)
        rows.append([names, f"{put_events:,}", f"{invocations:,}", f"{executions:,}", f"{events:,}", f"{publishers:.2f}"])
    head = ["region", "PutEvents/s", "invocations/s", "executions of pipes", "events/s", "publishers that fill them"]
    return table(head, rows)


def what_if(a: Assumptions, cpu: Cpu) -> str:
    cases = [
        ("**the defaults**", a),
        ("batches of 10", replace(a, batch_size=10)),
        ("batches of 200", replace(a, batch_size=200)),
        ("a window of 10 s", replace(a, window_seconds=10)),
        ("no change of a patient or an address", replace(a, patients_share=0.0)),
        ("a provisioned table: one shard per 500 writes a second", replace(a, fewest_shards=1)),
        ("records of 6 KB", replace(a, record_bytes=6_144, change_event_bytes=6_400)),
        ("reading the stream free to pipes", replace(a, polls_per_second=0)),
        ("the bus and the queue ask KMS for every event", replace(a, key_share=1.0)),
        ("queries and PutEvents take five times as long", replace(a, query_seconds=0.025, put_events_seconds=0.075)),
    ]
    rows = [[name] + [usd(changes.per_million(changes.TRIBUTARY, rate, case, cpu)) for rate in RATES] for name, case in cases]
    return table(by_rate("USD per million changes, at"), rows)


def languages(rate: float, a: Assumptions, cpu: Cpu) -> str:
    b = ours(rate, a)
    rows = []
    for runtime, name in measured.RUNTIMES.items():
        microseconds = [cpu.of_event(work, b.size, runtime) for work in (measured.ENRICHER, measured.ROUTER)]
        seconds = [
            enricher_seconds(b.size, microseconds[0], a),
            router_seconds(b.size, microseconds[1], a),
        ]
        cost = sum(lambda_usd(b.per_million, each, a.function_mb) for each in seconds)
        whole = sum(changes.tributary(rate, a, cpu, runtime).values())
        batch = 2 * a.invoke_seconds + sum(seconds)
        shown = [f"{float(f'{value:.3g}'):,g}" for value in microseconds]
        rows.append([name, *shown, usd(cost), usd(whole), rounded(b.size / batch)])
    head = [
        f"at {rate:,}/s",
        "enricher, µs a change",
        "router, µs a change",
        "Lambda, USD per million",
        "all of it",
        "changes/s of one shard",
    ]
    return table(head, rows)


def by_the_month(alarms: int, metrics: int, queues: int, a: Assumptions) -> dict[str, float]:
    return {
        "alarms": alarms * p.ALARM_MONTH.usd,
        "custom metrics": metrics * p.METRIC_MONTH.usd,
        "polling of queues": queues * a.queue_pollers * SECONDS_PER_MONTH / 20 * p.SQS_REQUEST.usd,
    }


def month_of_changes(a: Assumptions) -> dict[str, float]:
    of_resources = by_the_month(a.change_alarms, a.change_metrics, a.change_queues_polled, a)
    return {**of_resources, "the key": event_prices.KEY_MONTH.usd}


def fixed(a: Assumptions) -> str:
    of_exports = by_the_month(a.export_alarms, a.export_metrics, a.export_queues_polled, a)
    columns = [month_of_changes(a), {**of_exports, "the key": 0.0}]
    rows = [[name] + [usd(column[name]) for column in columns] for name in columns[0]]
    rows.append(["**all**"] + [f"**{usd(sum(column.values()))}**" for column in columns])
    return table(["USD by the month, whatever the rate", "changes", "exports, one datastore"], rows)


def assumptions(a: Assumptions) -> str:
    rows = [[f"`{field.name}`", f"{getattr(a, field.name):,}"] for field in fields(a)]
    return table(["assumption", "value"], rows)


def price_list() -> str:
    return price_table(event_prices.all_prices())


def sources() -> str:
    of_ours = {limit.quota: None for limit in (*CHANGES, *EXPORTS)}
    of_designs = (quotas.STANDARD_STARTS, quotas.EXPRESS_STARTS, quotas.FIREHOSE_BYTES)
    rows = [[f"{quota.value:,} {quota.unit}", quota.page] for quota in (*of_ours, *of_designs)]
    return table(["limit", "page"], rows, left=2)


def batch_milliseconds(rate: float, a: Assumptions, cpu: Cpu) -> float:
    return 1000 * batch_seconds(ours(rate, a).size, a, cpu)
