"""The items of a patient's collection, as Python values, and the FHIR R4 Patient that they yield together."""

from typing import Any, NamedTuple

from fhir import SUBSETTED, code, date_text, date_time_text, id_of_key, present, text, texts

PATIENT_PREFIX = "PATIENT#"
ADDRESS_PREFIX = "ADDRESS#"

MEDICAL_RECORD_NUMBER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
"""hl7.org/fhir/R4/valueset-identifier-type.html"""

Item = dict[str, Any]


class Collection(NamedTuple):
    """What the table holds of one patient."""

    items: dict[str, Item]
    """By their sort keys."""
    is_truncated: bool
    """There is more than one page of a query gave."""


NOTHING_STORED = Collection({}, False)


def resource_after(sort_key: str, item: Item | None, stored: Collection) -> dict | None:
    """The Patient after a change of one item, None where there is none.

    The changed item is taken from the record, because the table may already hold a later one. An address that only the table
    gave and that is not FHIR is left out, and the resource says so: the address's own change was rejected.
    """
    items = {**stored.items, sort_key: item}
    patient = next((item for key, item in items.items() if key.startswith(PATIENT_PREFIX)), None)
    if patient is None:
        return None
    addresses, is_part = [], stored.is_truncated
    for key in sorted(key for key, item in items.items() if key.startswith(ADDRESS_PREFIX) and item is not None):
        try:
            address = address_of(items[key])
        except (ValueError, TypeError, AttributeError):
            if key == sort_key:
                raise
            is_part = True
        else:
            if address:
                addresses.append(address)
    return patient_of(patient, addresses, SUBSETTED if is_part else None)


def patient_of(item: Item, addresses: list[dict], meta: dict | None) -> dict:
    """hl7.org/fhir/R4/patient.html"""
    identifiers = [identifier_of(stored) for stored in item.get("identifiers", ())]
    if item.get("mrn") is not None:
        identifiers.insert(0, identifier_of(item["mrn"], MEDICAL_RECORD_NUMBER))
    names = [name_of(stored) for stored in item.get("names", ())]
    telecom = [contact_point_of(stored) for stored in item.get("telecom", ())]
    deceased = item.get("deceased")
    is_known = isinstance(deceased, bool)
    return present(
        {
            "resourceType": "Patient",
            "id": id_of_key(item["id"], "Patient.id"),
            "meta": meta,
            "identifier": [identifier for identifier in identifiers if identifier],
            "active": item.get("active"),
            "name": [name for name in names if name],
            "telecom": [point for point in telecom if point],
            "gender": code(item.get("gender"), "gender"),
            "birthDate": date_text(item.get("birthDate"), "Patient.birthDate"),
            "deceasedBoolean": deceased if is_known else None,
            "deceasedDateTime": None if is_known else date_time_text(deceased, "Patient.deceased"),
            "address": addresses,
        }
    )


def identifier_of(stored: Item, identifier_type: dict | None = None) -> dict | None:
    """hl7.org/fhir/R4/datatypes.html#Identifier; None where the number is blank."""
    value = text(stored["value"], "Patient.identifier.value")
    if value is None:
        return None
    system = text(stored.get("system"), "Patient.identifier.system")
    return present({"type": identifier_type, "system": system, "value": value})


def name_of(stored: Item) -> dict:
    """hl7.org/fhir/R4/datatypes.html#HumanName; empty where it says nothing."""
    return present(
        {
            "use": code(stored.get("use"), "name.use"),
            "text": text(stored.get("text"), "name.text"),
            "family": text(stored.get("family"), "name.family"),
            "given": texts(stored.get("given"), "name.given"),
            "prefix": texts(stored.get("prefix"), "name.prefix"),
            "suffix": texts(stored.get("suffix"), "name.suffix"),
        }
    )


def contact_point_of(stored: Item) -> dict | None:
    """hl7.org/fhir/R4/datatypes.html#ContactPoint; None where there is nothing to reach somebody by."""
    value = text(stored["value"], "telecom.value")
    if value is None:
        return None
    system, use = code(stored["system"], "telecom.system"), code(stored.get("use"), "telecom.use")
    return present({"system": system, "value": value, "use": use})


def address_of(item: Item) -> dict:
    """hl7.org/fhir/R4/datatypes.html#Address; empty where it says nothing."""
    period = item.get("period") or {}
    return present(
        {
            "use": code(item.get("use"), "address.use"),
            "type": code(item.get("type"), "address.type"),
            "line": texts(item.get("line"), "Address.line"),
            "city": text(item.get("city"), "Address.city"),
            "district": text(item.get("district"), "Address.district"),
            "state": text(item.get("state"), "Address.state"),
            "postalCode": text(item.get("postalCode"), "Address.postalCode"),
            "country": text(item.get("country"), "Address.country"),
            "period": present({end: date_time_text(period.get(end), "Address.period") for end in ("start", "end")})
            or None,
        }
    )
