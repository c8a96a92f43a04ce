"""A commit as text for people: Markdown or plain, with dates as the settings say.

Invariant: nothing that a commit holds is taken for markup.
"""

import re
from typing import Final

from codeintel_ls.git import Commit
from codeintel_ls.git.dates import iso_date, relative_date
from codeintel_ls.settings import DateFormat

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&$:@])")
_LONGEST_MESSAGE: Final = 4_000


def _date(commit: Commit, date_format: DateFormat, now: float) -> str:
    if date_format is DateFormat.ISO:
        return iso_date(commit.author.time, commit.author.offset)
    return relative_date(commit.author.time, now)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def _body(commit: Commit) -> str:
    body = commit.message.strip().removeprefix(commit.summary).strip()
    return body if len(body) <= _LONGEST_MESSAGE else body[:_LONGEST_MESSAGE] + "…"


def markdown(commit: Commit, url: str | None, date_format: DateFormat, now: float) -> str:
    """Who, when, what, and a link where the commit has a page."""
    short = f"`{commit.short_id}`"
    link = f"[{short}]({url})" if url else short
    head = f"**{_escaped(commit.author.name)}** · {_date(commit, date_format, now)} · {link}"
    # Two spaces keep the line breaks that the message has.
    body = "  \n".join(_escaped(line) for line in _body(commit).splitlines())
    return "\n\n".join(part for part in (head, _escaped(commit.summary), body) if part)


def plain(commit: Commit, url: str | None, date_format: DateFormat, now: float) -> str:
    """The same without markup."""
    head = f"{commit.author.name} · {_date(commit, date_format, now)} · {commit.short_id}"
    return "\n\n".join(part for part in (head, commit.summary, _body(commit), url or "") if part)
