"""Commit dates for people.

Invariant: any number that a commit may claim as its time has some text.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from codeintel_ls.settings import DateFormat

_DAY: Final = 24 * 60 * 60
_STEPS: Final = (
    ("year", 365 * _DAY),
    ("month", 30 * _DAY),
    ("week", 7 * _DAY),
    ("day", _DAY),
    ("hour", 60 * 60),
    ("minute", 60),
)

_HEAT: Final = (
    (7, "209"),
    (30, "215"),
    (90, "186"),
    (365, "151"),
    (3 * 365, "110"),
)
_COLD: Final = "103"


def relative_date(time: int, now: float) -> str:
    """`time` (Unix seconds) as seen from `now`: `3 days ago`."""
    age = int(now) - time
    for unit, seconds in _STEPS:
        number = abs(age) // seconds
        if number:
            past = "ago" if age > 0 else "from now"
            return f"{number} {unit}{'' if number == 1 else 's'} {past}"
    return "just now"


def iso_date(time: int, offset: int) -> str:
    """`time` (Unix seconds) as the author's calendar had it, `offset` minutes from UTC."""
    try:
        zone = timezone(timedelta(minutes=offset))
        return datetime.fromtimestamp(time, zone).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC).date().isoformat()


def date_text(time: int, offset: int, date_format: DateFormat, now: float) -> str:
    """A commit's date as the settings want it."""
    if date_format is DateFormat.ISO:
        return iso_date(time, offset)
    return relative_date(time, now)


def age_colour(time: int, now: float) -> str:
    """A colour of the 256 of a terminal, from hot (this week) to cold."""
    days = (now - time) / _DAY
    for limit, colour in _HEAT:
        if days < limit:
            return colour
    return _COLD
