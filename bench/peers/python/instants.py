"""Points in time as text."""

from datetime import datetime, timezone


def of_second(second: float) -> datetime:
    """Of seconds since 1970-01-01T00:00:00Z."""
    return datetime.fromtimestamp(second, timezone.utc)


def of_text(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(timezone.utc)


def rfc3339(utc: datetime) -> str:
    """With as many digits after the point as say something: `2026-11-22T07:14:00.5Z`."""
    text = utc.isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0') if utc.microsecond else text}Z"


def nine_digits(utc: datetime) -> str:
    """With nine digits after the point, so that the order of the texts is that of the times."""
    return utc.isoformat(timespec="microseconds").replace("+00:00", "000Z")
