"""What everybody is measured on, the same at every run: `python3 bench/inputs.py FOLDER` writes it.

    enricher-N/event.json     N stream records of 1.5 KB, as a pipe hands them to its enrichment: N patients
    lake-writer-1000/         1,000 of them as Lambda hands them to a reader of the stream, of 20 sites, and the lake's configuration
    publisher/                lines.ndjson: 1,000 resources of 1 KB as HealthLake exports them; run.json: what their events share
"""

import json
import random
import shutil
import sys
from pathlib import Path

BATCHES = (1, 10, 100, 1_000)
PARTITIONS = 20
RESOURCES = 1_000

HERE = Path(__file__).resolve().parent
STREAM_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/items/stream/2026-11-22T07:14:00.000"
FIRST_SECOND = 1_795_331_640
"""2026-11-22T07:14:00Z"""
FIRST_SEQUENCE = 400_000_000_000_000_000_000

FAMILIES = ("Okafor", "Sample-Ünal", "Lindqvist", "O'Hara", "Nakamura", "Silva", "Ivanova", "Ng")
GIVEN = ("Zoë", "José", "Amara", "Linh", "Noah", "Ingrid", "Mateo", "Sana")

CELL = '<td class="v">Sample</td>'
"""Of a narrative, with quotes that JSON escapes."""

DATASTORE = "0123456789abcdef0123456789abcdef"
RESOURCE_BYTES = 1_024


def stream_records(count: int) -> list[dict]:
    """Eight updates, an insertion and a removal of ten, each of another patient."""
    draw = random.Random(7)
    return [stream_record(number, draw) for number in range(count)]


def stream_record(number: int, draw: random.Random) -> dict:
    key = {"S": f"PATIENT#{number:06}"}
    old = image(number, draw)
    new = json.loads(json.dumps(old))
    new["revision"] = {"N": "2"}
    new["updatedAt"] = {"S": f"2026-11-22T07:14:{number % 60:02}Z"}
    new["telecom"]["L"][0]["M"]["value"]["S"] = phone(draw)
    operation, images = {
        0: ("INSERT", {"NewImage": new}),
        5: ("REMOVE", {"OldImage": old}),
    }.get(number % 10, ("MODIFY", {"NewImage": new, "OldImage": old}))
    return {
        "eventID": f"{draw.getrandbits(128):032x}",
        "eventName": operation,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": FIRST_SECOND + number // 20,
            "Keys": {"id": key, "sk": key},
            **images,
            "SequenceNumber": str(FIRST_SEQUENCE + number * 997),
            "SizeBytes": 640,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": STREAM_ARN,
    }


def image(number: int, draw: random.Random) -> dict:
    key = {"S": f"PATIENT#{number:06}"}
    birth_date = f"{draw.randrange(1930, 2020)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
    family = draw.choice(FAMILIES)
    # One in ten is written with escapes, and has an attribute without a value.
    unusual = {"maidenName": {"NULL": True}} if number % 10 == 3 else {}
    if unusual:
        family = f'{family} "{family[:2]}"'
    name = {"use": {"S": "official"}, "family": {"S": family}, "given": {"L": [{"S": draw.choice(GIVEN)}]}}
    return {
        "id": key,
        "sk": key,
        "itemType": {"S": "Patient"},
        "siteId": {"N": str(number % PARTITIONS)},
        "active": {"BOOL": True},
        "revision": {"N": "1"},
        "balance": {"N": f"{draw.randrange(2_000)}.{draw.randrange(100):02}"},
        "updatedAt": {"S": "2026-11-20T16:02:11Z"},
        "mrn": {"M": {"system": {"S": "urn:example:mrn"}, "value": {"S": f"{number:06}"}}},
        "names": {"L": [{"M": name}]},
        "birthDate": {"S": birth_date},
        "gender": {"S": draw.choice(("female", "male"))},
        "telecom": {"L": [{"M": {"system": {"S": "phone"}, "value": {"S": phone(draw)}, "use": {"S": "home"}}}]},
        "consents": {"SS": ["research", "portal"]},
        **unusual,
    }


def phone(draw: random.Random) -> str:
    return f"555-{draw.randrange(10_000):04}"


def resource(number: int) -> dict:
    """A Patient, an Observation and an Encounter in turn, with as much narrative as makes it 1 KB."""
    subject = {"reference": f"Patient/sample-{number // 3}"}
    meta = {"versionId": str(1 + number % 7), "lastUpdated": f"2026-11-22T07:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z"}
    made = [
        {
            "resourceType": "Patient",
            "identifier": [{"use": "usual", "system": "urn:example:mrn", "value": f"{number:06}"}],
            "active": True,
            "name": [{"use": "official", "family": FAMILIES[number % 8], "given": [GIVEN[number // 8 % 8]]}],
            "telecom": [{"system": "phone", "value": "555-0100", "use": "home"}],
            "gender": "female",
            "birthDate": "1980-03-17",
            "address": [{"use": "home", "line": ["1 Sample Street"], "city": "Sampleton", "postalCode": "00001", "country": "US"}],
        },
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2", "display": "Body height"}], "text": "Body height"},
            "subject": subject,
            "effectiveDateTime": "2026-11-22T07:10:00+01:00",
            "issued": "2026-11-22T07:10:00.000+01:00",
            "valueQuantity": {"value": 171.5, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"},
        },
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "185347001"}], "text": "Encounter for problem"}],
            "subject": subject,
            "participant": [{"individual": {"reference": "Practitioner/sample-1"}}],
            "period": {"start": "2026-11-22T07:00:00+01:00", "end": "2026-11-22T07:15:00+01:00"},
        },
    ][number % 3]
    head = {"resourceType": made.pop("resourceType"), "id": f"sample-{number:06}", "meta": meta}
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"></div>'}
    whole = {**head, "text": text, **made}
    missing = RESOURCE_BYTES - 1 - len(line(whole).encode())
    cells, rest = divmod(missing, len(line(CELL)) - 2)
    text["div"] = text["div"].replace("></", ">" + CELL * cells + "x" * rest + "</")
    return whole


def line(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def run() -> dict:
    """What the steps of a run hand on to each other, `domain::export::run::Run`."""
    return {
        "startedAt": "2026-11-22T08:00:00Z",
        "id": "sample-run",
        "datastore": {
            "id": DATASTORE,
            "scope": {"kind": "system"},
            "resourceTypes": [],
            "tags": [],
            "overlapSeconds": 120,
            "leaseSeconds": 900,
            "rangeBytes": 64 * 1024 * 1024,
            "poll": {"firstDelaySeconds": 10, "longestDelaySeconds": 120, "runningLimitSeconds": 21_600},
        },
        "mode": "incremental",
        "window": {"since": "2026-11-22T06:58:00Z", "until": "2026-11-22T08:00:00Z"},
    }


def write(folder: Path) -> None:
    def put(path: str, text: str) -> None:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    for count in BATCHES:
        put(f"enricher-{count}/event.json", line(stream_records(count)))
    put("lake-writer-1000/event.json", line({"Records": stream_records(1_000)}))
    shutil.copy(HERE / "lake.json", folder / "lake-writer-1000/lake.json")
    put("publisher/lines.ndjson", "".join(line(resource(number)) + "\n" for number in range(RESOURCES)))
    put("publisher/run.json", line(run()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: inputs.py FOLDER")
    write(Path(sys.argv[1]))
