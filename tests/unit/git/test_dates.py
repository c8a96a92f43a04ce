"""Dates as people type them."""

from datetime import UTC, datetime

import pytest

from codeintel_ls.git.dates import InvalidDateError, parse_date

NOW = 1_700_000_000.0
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12h", 12 * 3_600),
        ("3d", 3 * DAY),
        (" 2W ", 14 * DAY),
        ("6mo", 180 * DAY),
        ("1y", 365 * DAY),
    ],
)
def test_an_age_is_counted_back_from_now(text: str, seconds: int) -> None:
    assert parse_date(text, NOW) == NOW - seconds


@pytest.mark.parametrize("text", ["2026-01-31T18:30:00Z", "2026-01-31T20:30+02:00"])
def test_a_time_with_its_offset_is_the_same_everywhere(text: str) -> None:
    assert parse_date(text, NOW) == datetime(2026, 1, 31, 18, 30, tzinfo=UTC).timestamp()


def test_a_date_is_its_first_moment_here() -> None:
    assert parse_date("2026-01-31", NOW) == datetime(2026, 1, 31).astimezone().timestamp()


@pytest.mark.parametrize("text", ["", "soon", "3", "3m", "-3d", "2026-13-01", "9999999y", "d"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidDateError, match="2026-01-31"):
        parse_date(text, NOW)
