"""Commit dates for people.

Invariant: any number that a commit may claim as its time has some text.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_DAY: Final = 24 * 60 * 60
_STEPS: Final = (
    ("year", 365 * _DAY),
    ("month", 30 * _DAY),
    ("week", 7 * _DAY),
    ("day", _DAY),
    ("hour", 60 * 60),
    ("minute", 60),
)


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
