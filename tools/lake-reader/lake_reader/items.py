"""An item, put together from its row: the declared columns, and over them what `_extra` says."""

from . import timestamps
from .exact_json import Number, loads


def item(key, cells, extra):
    """`cells`: attribute, type and value of each declared column that is not null."""
    attributes = dict(zip(("id", "sk"), key))
    attributes.update((attribute, plain(column_type, value)) for attribute, column_type, value in cells)
    if extra is not None:
        attributes.update(loads(extra))
    return attributes


def plain(column_type, value):
    """The attribute's value. A timestamp is given as its microseconds, anything else as text."""
    if column_type == "string":
        return value
    if column_type == "json":
        return loads(value)
    if column_type == "boolean":
        return value == "true"
    if column_type == "timestamp":
        return timestamps.rfc3339(value)
    if column_type == "timestamp_s":
        return _shifted(value, 6)
    if column_type == "timestamp_ms":
        return _shifted(value, 3)
    return Number(value)


def _shifted(number, places):
    """The number with its point moved to the left."""
    sign, digits = ("-" if number < 0 else ""), str(abs(number)).zfill(places + 1)
    fraction = digits[-places:].rstrip("0")
    return Number(sign + digits[:-places] + ("." + fraction if fraction else ""))
