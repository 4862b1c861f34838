"""What the lake is divided by and which columns were declared: the output `LakeConfiguration` of the deployment."""

import json
import string
from dataclasses import dataclass

#: The columns that every row has, before the declared ones.
FIXED_COLUMNS = ("_op", "_event_id", "_sequence", "_changed_at", "_removed_by", "id", "sk")
#: One JSON object with all that the declared columns do not hold.
EXTRA_COLUMN = "_extra"

_UNITS = ("year", "month", "day", "hour", "minute")
_PLAIN = frozenset(string.ascii_lowercase + string.digits + "_")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True)
class Column:
    name: str
    #: `string`, `boolean`, `bigint`, `decimal(p,s)`, `timestamp`, `timestamp_s`, `timestamp_ms` or `json`.
    type: str
    #: Of the item; a column that every row has is made from none.
    attribute: str | None = None


def column_name(attribute):
    """The column of an attribute."""
    return "".join(character if character in _PLAIN else "_" for character in attribute.translate(_LOWER))


class Configuration:
    def __init__(self, text):
        wire = json.loads(text)
        self.table = wire["table"]
        spec = wire["partition"]
        time = spec.get("time")
        units = _UNITS[: _UNITS.index(time["unit"]) + 1] if time else ()
        attributes = [Column(column_name(name), "string", name) for name in spec.get("attributes", [])]
        self.partitions = (*attributes, *(Column(unit, "string") for unit in units))
        self.declared = tuple(
            Column(column_name(attribute), column_type, attribute)
            for attribute, column_type in wire.get("columns", {}).items()
        )
        fixed = (Column(name, "timestamp" if name == "_changed_at" else "string") for name in FIXED_COLUMNS)
        #: In the order of the tables.
        self.columns = (*fixed, *self.declared, Column(EXTRA_COLUMN, "string"))
