"""How the age of a commit looks on a terminal."""

from typing import Final

from codeintel_ls.git.dates import iso_date, relative_date
from codeintel_ls.settings import DateFormat

_DAY: Final = 24 * 60 * 60

_HEAT: Final = (
    (7, "209"),
    (30, "215"),
    (90, "186"),
    (365, "151"),
    (3 * 365, "110"),
)
_COLD: Final = "103"


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
