"""The changes between two texts are those that git finds."""

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codeintel_ls.git.only_change import only_change
from codeintel_ls.git.xdiff import changes

_LINES = st.lists(st.sampled_from([b"a", b"b", b"", b"}", b"\r", b"odd"]), max_size=12)
_TEXTS = st.builds(
    lambda lines, end: b"\n".join(lines) + end, _LINES, st.sampled_from([b"", b"\n"])
)


def hunks(folder: Path, old: bytes, new: bytes) -> list[tuple[int, int, int, int]]:
    """Both spans of each place that `git diff` finds."""
    for name, text in (("old", old), ("new", new)):
        (folder / name).write_bytes(text)
    asked = [
        "git",
        "-c",
        "core.autocrlf=false",
        "diff",
        "--no-index",
        "-U0",
        "--text",
        "old",
        "new",
    ]
    told = subprocess.run(asked, cwd=folder, capture_output=True, check=False).stdout
    found: list[tuple[int, int, int, int]] = []
    for line in told.split(b"\n"):
        if line.startswith(b"@@ "):
            spans = [
                tuple(map(int, (part[1:] + b",1").split(b",")[:2])) for part in line.split()[1:3]
            ]
            # An empty side is told by the line before it.
            (old_at, gone), (new_at, come) = spans
            old_at, new_at = old_at - (gone > 0), new_at - (come > 0)
            found.append((old_at, old_at + gone, new_at, new_at + come))
    return found


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(old=_TEXTS, new=_TEXTS)
@example(old=b"a\nb\n", new=b"a\na\nb\nb\n")
@example(old=b"a\nb", new=b"a\nb\n")
def test_any_change_is_told_as_git_finds_it(tmp_path: Path, old: bytes, new: bytes):
    expected = hunks(tmp_path, old, new)
    assert changes(old, new) == expected
    assert only_change(old, new) in (None, *expected)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=_TEXTS, at=st.integers(0, 12), gone=st.integers(0, 3), come=_LINES)
def test_one_edit_is_told_as_git_finds_it(
    tmp_path: Path, text: bytes, at: int, gone: int, come: list[bytes]
):
    lines = text.split(b"\n")
    new = b"\n".join(lines[:at] + come + lines[at + gone :])
    assert changes(text, new) == hunks(tmp_path, text, new)


@pytest.mark.parametrize("seed", range(12))
def test_long_texts_of_few_lines_are_compared_as_git_compares_them(tmp_path: Path, seed: int):
    """Long enough for its shortcuts: what it leaves out at the end, and lines that occur often."""
    chance = random.Random(seed)
    indents = [b"", b"    ", b"\t"]
    words = [b"%d" % number for number in range(chance.choice([3, 40, 800]))] + [b"", b"}", b"end"]
    old = [chance.choice(indents) + chance.choice(words) for _ in range(chance.randrange(3000))]
    new = list(old)
    for _ in range(chance.choice([1, 3, 10, 200, 2000])):
        at, count = chance.randrange(len(new) + 1), chance.randrange(6)
        come = chance.choice([[], [chance.choice(words)], new[at - count : at], new[:count]])
        new[at : at + chance.choice([0, 0, 1, count])] = come
    texts = [b"\n".join(lines) + chance.choice([b"", b"\n"]) for lines in (old, new)]
    assert changes(texts[0], texts[1]) == hunks(tmp_path, texts[0], texts[1])


def test_what_would_take_long_is_not_compared():
    many = b"".join(b"%d\n" % (number * 7919 % 1000) for number in range(12_000))
    assert changes(many, b"".join(reversed(many.splitlines(keepends=True)))) is None
    large = b"a line that is long enough\n" * 50_000
    assert changes(large, b"b\n" + large + b"c\n") is None
    assert changes(large, large) == []
    assert changes(large, b"b\n" + large) == [(0, 0, 0, 1)]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (b"", b"a\n", (0, 0, 0, 1)),
        (b"a\n", b"", (0, 1, 0, 0)),
        (b"a\nb\nc\n", b"a\nx\ny\nc\n", (1, 2, 1, 3)),
        (b"a\nb\nc\n", b"a\nb\nnew\nc\n", (2, 2, 2, 3)),
        (b"a\nb\nc\n", b"a\nc\n", (1, 2, 1, 1)),
        (b"a\nb", b"a\nb\nc", (1, 2, 1, 3)),
        (b"a\n}\n\nb\n}\n", b"a\n}\n\nnew\n}\n!\nb\n}\n", (3, 3, 3, 6)),
        (b"a\n", b"a\n", None),
        (b"a\nb\n", b"a\na\nb\n", None),
        (b"a\n}\nb\n", b"a\n}\nnew\n}\nb\n", None),
        (b"a\nb\nc\nd\n", b"a\nx\nc\ny\n", None),
    ],
)
def test_only_one_place_is_told(old: bytes, new: bytes, change: tuple[int, int, int, int] | None):
    assert only_change(old, new) == change
