"""JSON whose numbers keep their digits: an item's number may have 38 of them, and a float has 17."""

import json
import re
from dataclasses import dataclass
from json.encoder import encode_basestring

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")


@dataclass(frozen=True)
class Number:
    """A number as it was written."""

    text: str


def loads(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def dumps(value):
    """One text for whatever says the same: members sorted, numbers in their one shortest form with an exponent."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Number):
        return _shortest(value.text)
    if isinstance(value, dict):
        return "{" + ",".join([f"{encode_basestring(name)}:{dumps(value[name])}" for name in sorted(value)]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)


def _shortest(text):
    """`1.10` and `11E-1` are the same number, and both are `11E-1` here."""
    sign, whole, fraction, exponent = _NUMBER.fullmatch(text).groups()
    digits = whole + (fraction or "")
    significant = digits.rstrip("0")
    place = int(exponent or 0) - len(fraction or "") + len(digits) - len(significant)
    significant = significant.lstrip("0")
    if not significant:
        return "0"
    return f"{sign}{significant}E{place}" if place else sign + significant
