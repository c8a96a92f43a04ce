"""Commit dates for people, and dates as people type them.

Invariant: any number that a commit may claim as its time has some text.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from codeintel_ls.errors import InvalidRequestError

_DAY: Final = 24 * 60 * 60
_STEPS: Final = (
    ("year", 365 * _DAY),
    ("month", 30 * _DAY),
    ("week", 7 * _DAY),
    ("day", _DAY),
    ("hour", 60 * 60),
    ("minute", 60),
)
_RELATIVE: Final = re.compile(r"(\d{1,6})\s*(h|d|w|mo|y)")
_UNITS: Final = {"h": 60 * 60, "d": _DAY, "w": 7 * _DAY, "mo": 30 * _DAY, "y": 365 * _DAY}


class InvalidDateError(InvalidRequestError):
    """A date that cannot be understood."""

    def __init__(self) -> None:
        super().__init__(
            "must be a date (2026-01-31), a date and time (2026-01-31T18:30, with Z or +02:00 "
            "where it is not local), or an age (12h, 3d, 2w, 6mo, 1y)."
        )


def parse_date(text: str, now: float) -> float:
    """Unix seconds of an ISO 8601 date or time, or of an age before `now`.

    A date means its first moment; without an offset it is that of this machine. A month counts as
    30 days, a year as 365. Raises `InvalidDateError`, a sentence that wants the field before it.
    """
    age = _RELATIVE.fullmatch(text.strip().lower())
    if age is not None:
        return now - int(age[1]) * _UNITS[age[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidDateError from error


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
