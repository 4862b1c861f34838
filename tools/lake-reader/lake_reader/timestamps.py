"""Instants, as microseconds since 1970 in UTC, in the years 0 to 9999."""

from datetime import datetime, timedelta

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
#: After 400 years the calendar begins again, so that the year 400 can stand for the year 0, which Python does not have.
_CYCLE = timedelta(days=146_097)


def of_sql(text):
    """Of `YYYY-MM-DD HH:MM:SS[.ffffff]`."""
    whole, _, fraction = text.partition(".")
    is_year_0 = whole.startswith("0000")
    since = datetime.fromisoformat("0400" + whole[4:] if is_year_0 else whole) - _EPOCH
    return (since - _CYCLE if is_year_0 else since) // _MICROSECOND + int(fraction.ljust(6, "0"))


def rfc3339(micros):
    """The shortest text, in UTC."""
    since = micros * _MICROSECOND
    is_year_0 = since < datetime.min - _EPOCH
    text = (_EPOCH + (since + _CYCLE if is_year_0 else since)).isoformat()
    if "." in text:
        text = text.rstrip("0")
    return ("0000" + text[4:] if is_year_0 else text) + "Z"
