"""A commit as text for people: Markdown, plain or one line, with dates as the settings say.

Invariant: nothing that a commit holds is taken for markup.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from codeintel_ls.git import Commit
from codeintel_ls.git.dates import iso_date, relative_date
from codeintel_ls.settings import DateFormat, fill_template

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&$:@])")
_LONGEST_MESSAGE: Final = 4_000
_LONGEST_SUMMARY: Final = 72
_LONGEST_LABEL: Final = 200


def date_text(commit: Commit, date_format: DateFormat, now: float) -> str:
    """When the author wrote the commit."""
    if date_format is DateFormat.ISO:
        return iso_date(commit.author.time, commit.author.offset)
    return relative_date(commit.author.time, now)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def _body(commit: Commit) -> str:
    body = commit.message.strip().removeprefix(commit.summary).strip()
    return _cut(body, _LONGEST_MESSAGE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rstrip() + "…"


def markdown(
    commit: Commit,
    url: str | None,
    date_format: DateFormat,
    now: float,
    actions: Sequence[str] = (),
) -> str:
    """Who, when, what, and a link where the commit has a page; then `actions` in a row."""
    short = f"`{commit.short_id}`"
    link = f"[{short}]({_target(url)})" if url else short
    head = f"**{_escaped(commit.author.name)}** · {date_text(commit, date_format, now)} · {link}"
    # Two spaces keep the line breaks that the message has.
    body = "  \n".join(_escaped(line) for line in _body(commit).splitlines())
    parts = (head, _escaped(commit.summary), body, " · ".join(actions))
    return "\n\n".join(part for part in parts if part)


def command_link(title: str, command: str, argument: Mapping[str, object]) -> str:
    """A link that runs a command, in the form that VS Code gave such links."""
    arguments = quote(json.dumps([argument], separators=(",", ":")), safe="")
    return f"[{title}](command:{command}?{arguments})"


def _target(url: str) -> str:
    # Where a link ends in Markdown must not depend on what is in the URL.
    return quote(url, safe=":/?#[]@!$&'*+,;=%~-._")


def one_line(commit: Commit, template: str, date_format: DateFormat, now: float) -> str:
    """A commit in the template of the settings; what is long is cut."""
    text = fill_template(
        template,
        {
            "author": commit.author.name,
            "email": commit.author.email,
            "date": date_text(commit, date_format, now),
            "summary": _cut(commit.summary, _LONGEST_SUMMARY),
            "id": commit.short_id,
        },
    )
    return _cut(" ".join(text.split()), _LONGEST_LABEL)


def plain(commit: Commit, url: str | None, date_format: DateFormat, now: float) -> str:
    """The same without markup."""
    head = f"{commit.author.name} · {date_text(commit, date_format, now)} · {commit.short_id}"
    return "\n\n".join(part for part in (head, commit.summary, _body(commit), url or "") if part)
