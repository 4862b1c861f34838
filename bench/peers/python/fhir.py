"""FHIR R4's primitive types and required codes: what is checked before it is written (hl7.org/fhir/R4/datatypes.html)."""

import re
from datetime import date, datetime

ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)

CODES = {
    "gender": frozenset({"male", "female", "other", "unknown"}),
    "name.use": frozenset({"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"}),
    "address.use": frozenset({"home", "work", "temp", "old", "billing"}),
    "address.type": frozenset({"postal", "physical", "both"}),
    "telecom.system": frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"}),
    "telecom.use": frozenset({"home", "work", "temp", "old", "mobile"}),
}

SUBSETTED = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]}
"""`meta` of a resource that does not hold all that is known (hl7.org/fhir/R4/resource.html#simple-tags)."""


class NotFhirError(ValueError):
    """A value that FHIR does not allow. Its text names the element and holds no value."""


def present(members: dict) -> dict:
    """FHIR has no element without a value or children (hl7.org/fhir/R4/element.html, `ele-1`)."""
    return {name: value for name, value in members.items() if value is not None and value != []}


def id_of_key(key: str, element: str) -> str:
    """The id in a key of the form `PATIENT#<id>`."""
    found = key.partition("#")[2]
    if not ID.fullmatch(found):
        raise NotFhirError(element)
    return found


def code(stored: str | None, element: str) -> str | None:
    if stored is not None and stored not in CODES[element]:
        raise NotFhirError(element)
    return stored


def text(stored: str | None, element: str) -> str | None:
    """None for a blank text, which FHIR does not allow and which says nothing."""
    if stored is None:
        return None
    if CONTROL.search(stored):
        raise NotFhirError(element)
    return stored if stored.strip() else None


def texts(stored: list[str] | None, element: str) -> list[str]:
    return [checked for each in stored or () if (checked := text(each, element)) is not None]


def date_text(stored: str | None, element: str) -> str | None:
    """A year, a month or a day, that exists."""
    if stored is not None and not is_date(stored):
        raise NotFhirError(element)
    return stored


def date_time_text(stored: str | None, element: str) -> str | None:
    """A date, or a day with a time and an offset."""
    if stored is not None and not is_date(stored) and not is_instant(stored):
        raise NotFhirError(element)
    return stored


def is_date(stored: str) -> bool:
    if not DATE.fullmatch(stored):
        return False
    try:
        date.fromisoformat(stored + "-01-01"[len(stored) - 4 :])
    except ValueError:
        return False
    return True


def is_instant(stored: str) -> bool:
    if not INSTANT.fullmatch(stored):
        return False
    try:
        datetime.fromisoformat(stored)
    except ValueError:
        return False
    return True
