"""The part of the `json` module that MiniStack uses, writing every number digit for digit as it was read.

`json` reads 1.10 as the float 1.1 and a decimal of 38 digits as the nearest of 17. Here what was read remembers its text:

* an object or array that was a whole document is written as that text, which also spares encoding it again;
* a number inside is a float, so that comparing and calculating work, which knows how it was spelt.
"""

import json
from json import JSONDecodeError

__all__ = ["JSONDecodeError", "dumps", "loads"]


class ExactNumber(float):
    """A float that remembers its spelling, because Python would spell it in another way."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __deepcopy__(self, _memo):
        return self


class ReadObject(dict):
    """A JSON object that was a whole document, and its `text`."""


class ReadArray(list):
    """A JSON array that was a whole document, and its `text`."""


def loads(document, **options):
    """`json.loads`; the answer remembers how it was written."""
    text = document if isinstance(document, str) else document.decode("utf-8")
    value = json.loads(text, parse_float=_number, **options)
    if not isinstance(value, (dict, list)):
        return value
    whole = ReadObject(value) if isinstance(value, dict) else ReadArray(value)
    whole.text = _on_one_line(text)
    return whole


def dumps(value, **options):
    """`json.dumps`; what `loads` read, at any depth of `value`, is written as it was read."""
    if isinstance(value, (ReadObject, ReadArray)) and _still_says(value.text, value):
        return value.text
    if isinstance(value, ExactNumber):
        return value.text
    item_separator, key_separator = options.get("separators") or (", ", ": ")
    if isinstance(value, dict):
        members = (json.dumps(key, **options) + key_separator + dumps(item, **options) for key, item in value.items())
        return "{" + item_separator.join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + item_separator.join(dumps(item, **options) for item in value) + "]"
    return json.dumps(value, **options)


def _number(text):
    """The float that `text` says, exact where Python would spell it in another way."""
    number = float(text)
    return number if repr(number) == text else ExactNumber(text)


def _on_one_line(text):
    """The document without line breaks, which JSON has only between tokens: MiniStack's worker protocol is one document a line."""
    return text.replace("\r", " ").replace("\n", " ")


def _still_says(text, value):
    """Whether nobody changed `value` since it was read: a state machine, for one, writes into what a function answered."""
    return json.loads(text) == value
