"""A commit as text."""

import pytest
from attrs import evolve

from codeintel_ls.git import Commit, Person
from codeintel_ls.git.dates import iso_date, relative_date
from codeintel_ls.server.commit_text import command_link, markdown, one_line, plain
from codeintel_ls.settings import DateFormat

NOW = 1_700_000_000
PERSON = Person(name="A *B* <c>", email="a@b", time=NOW - 3 * 86_400, offset=120)
COMMIT = Commit(
    id="0123456789" * 4,
    author=PERSON,
    committer=PERSON,
    summary="Fix [this](http://x)",
    message="Fix [this](http://x)\n\nBecause\nof `that`\n",
    parents=(),
)


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (5, "just now"),
        (60, "1 minute ago"),
        (7_200, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
        (86_400 * 14, "2 weeks ago"),
        (86_400 * 800, "2 years ago"),
        (-7_200, "2 hours from now"),
    ],
)
def test_dates_as_people_say_them(age, text):
    assert relative_date(NOW - age, NOW) == text


def test_a_date_is_on_the_authors_calendar():
    assert iso_date(1_700_006_000, 0) == "2023-11-14"
    assert iso_date(1_700_006_000, 120) == "2023-11-15"
    assert iso_date(10**18, 0) == "1970-01-01"
    assert iso_date(0, 10**9) == "1970-01-01"


def test_markdown_shows_everything_and_trusts_nothing():
    text = markdown(COMMIT, "https://example.org/c/0123", DateFormat.RELATIVE, NOW)
    assert text == (
        "**A \\*B\\* \\<c\\>** · 3 days ago · [`0123456789`](https://example.org/c/0123)\n\n"
        "Fix \\[this\\]\\(http\\://x\\)\n\n"
        "Because  \nof \\`that\\`"
    )


def test_plain_text_has_no_markup():
    text = plain(COMMIT, None, DateFormat.ISO, NOW)
    assert (
        text == "A *B* <c> · 2023-11-12 · 0123456789\n\nFix [this](http://x)\n\nBecause\nof `that`"
    )


def test_no_url_ends_its_own_link():
    url = "https://example.org/c/(0123) [x]<y>"
    text = markdown(COMMIT, url, DateFormat.RELATIVE, NOW)
    assert "](https://example.org/c/%280123%29%20[x]%3Cy%3E)" in text


def test_actions_are_links_to_commands_with_their_argument_encoded():
    link = command_link("History", "codeintel.fileHistory", {"uri": "file:///a)b"})
    encoded = "%5B%7B%22uri%22%3A%22file%3A%2F%2F%2Fa%29b%22%7D%5D"
    assert link == f"[History](command:codeintel.fileHistory?{encoded})"
    text = markdown(COMMIT, None, DateFormat.RELATIVE, NOW, [link, link])
    assert text.endswith(f"\n\n{link} · {link}")


def test_a_line_follows_its_template_and_what_is_long_is_cut():
    template = "{{{id}}} {author} <{email}>, {date} · {summary}"
    commit = evolve(COMMIT, summary="word " * 100)
    text = one_line(commit, template, DateFormat.ISO, NOW)
    assert text.startswith("{0123456789} A *B* <c> <a@b>, 2023-11-12 · word word")
    assert text.endswith("word wo…")
    assert len(text.partition(" · ")[2]) <= 73
    wild = evolve(COMMIT, author=evolve(PERSON, name="Eve\n{id} " * 100))
    text = one_line(wild, "{author}", DateFormat.ISO, NOW)
    assert "\n" not in text
    assert text.startswith("Eve {id} Eve")
    assert len(text) <= 201
