"""Whether every contestant made the same records. They are compared as canonical JSON: numbers by their values, members of an
object without their order, and a text that holds JSON as what it holds. Where they differ, the first difference is shown with its
values: what is compared here are samples.
"""

import json
import sys
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Iterator


def parsed(text: str) -> Any:
    return json.loads(text, parse_int=Decimal, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_members)


def _no_number(text: str):
    raise ValueError(f"{text} is no JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def lake_row(line: str) -> Any:
    """`_types` has a letter for each column, in their order: it is a part of the row, and "j" says that a text holds JSON."""
    record = parsed(line)
    row = record["row"]
    columns = [name for name in row if not name.startswith("_") and name not in ("id", "sk")]
    of_json = [name for name, kind in zip(columns, row.get("_types", ""), strict=True) if kind == "j"]
    for name in (*of_json, "_extra", "_attributes"):
        if name in row:
            row[name] = parsed(row[name])
    return {**record, "columns": columns}


def entry(line: str) -> Any:
    """An entry of PutEvents, whose `Detail` is a JSON text."""
    of_bus = parsed(line)
    return {**of_bus, "Detail": parsed(of_bus["Detail"])}


CANONICAL: dict[str, Callable[[str], Any]] = {"enricher": parsed, "lake-writer": lake_row, "publisher": entry, "router": entry}
"""By job."""


def records(job: str, file: Path) -> list:
    """What a contestant wrote. The rows of a partition have an order, and so have resources; partitions and requests have none."""
    made = [CANONICAL[job](line) for line in lines(file.read_text(encoding="utf-8"))]
    if job == "lake-writer":
        made.sort(key=lambda record: record["partition"])
    if job == "router":
        made.sort(key=lambda of_bus: of_bus["Detail"]["meta"]["id"])
    return made


def lines(text: str) -> list[str]:
    """Each that a line feed ends. `splitlines` would also cut at U+2028, which a text in JSON may have as it is."""
    return text.removesuffix("\n").split("\n") if text else []


@contextmanager
def output_of(contest: str, who: str) -> Iterator[None]:
    """Says whose output it is that cannot be read: it is no JSON, or of another form."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError) as error:
        sys.exit(f"{contest}: what {who} made cannot be read: {type(error).__name__}: {error}")


def difference(expected: list, found: list) -> str | None:
    """Of two lists of records, the first, by the record's number, the member's path and both values."""
    for number, (one, other) in enumerate(zip(expected, found), start=1):
        if (where := _first(one, other, "")) is not None:
            path, ours, theirs = where
            return f"record {number}, {path or 'as a whole'}: {_shown(ours)} and {_shown(theirs)}"
    if len(expected) != len(found):
        return f"{len(expected)} records and {len(found)}"
    return None


ABSENT = object()


def _first(one: Any, other: Any, path: str) -> tuple[str, Any, Any] | None:
    # Before they are compared: Python holds that True equals 1.
    if type(one) is not type(other):
        return path, one, other
    if isinstance(one, dict):
        pairs = [(f"{path}.{name}", one.get(name, ABSENT), other.get(name, ABSENT)) for name in {**one, **other}]
    elif isinstance(one, list) and len(one) == len(other):
        pairs = [(f"{path}[{index}]", *both) for index, both in enumerate(zip(one, other))]
    else:
        return None if one == other else (path, one, other)
    differences = (_first(left, right, where) for where, left, right in pairs)
    return next((found for found in differences if found is not None), None)


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:200] + " …"


def require_equal(contest: str, count: int, made: dict[str, list]) -> None:
    """Ends where anybody made other records than the first, or another number of them."""
    first, *others = made
    if len(made[first]) != count:
        sys.exit(f"{contest}: {first} made {len(made[first])} records, not {count}")
    for other in others:
        if (found := difference(made[first], made[other])) is not None:
            sys.exit(f"{contest}: {first} and {other} differ in {found}")
    print(f"equal: {count:,} records of {contest}, by {', '.join(made)}", flush=True)
