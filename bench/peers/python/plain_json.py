"""Items as JSON. DynamoDB's numbers are Decimals in Python and its sets are sets, and `json` knows neither."""

import json
from decimal import Decimal
from typing import Any


def _plain(value: object) -> int | float | list:
    """The usual recipe: a number becomes an int or a float, which keeps 15 of DynamoDB's 38 digits."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


# `json.dumps` would make an encoder at each call. What is encoded here was JSON before and has no circles.
encode = json.JSONEncoder(default=_plain, ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def without_sets(value: Any) -> Any:
    """For what writes Decimals by itself: the client of the Runtime API writes every digit of what a handler answers."""
    if isinstance(value, dict):
        return {name: without_sets(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_sets(member) for member in value]
    return sorted(value) if isinstance(value, set) else value
