"""The only change between two texts is the one that git sees, or none."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codeintel_ls.git.only_change import only_change

_LINES = st.lists(st.sampled_from([b"a", b"b", b"", b"}", b"\r", b"odd"]), max_size=12)
_TEXTS = st.builds(
    lambda lines, end: b"\n".join(lines) + end, _LINES, st.sampled_from([b"", b"\n"])
)


def hunks(folder: Path, old: bytes, new: bytes) -> list[tuple[int, int, int]]:
    """First line and both ends of each place that `git diff` finds."""
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
    found: list[tuple[int, int, int]] = []
    for line in told.split(b"\n"):
        if line.startswith(b"@@ "):
            spans = [
                tuple(map(int, (part[1:] + b",1").split(b",")[:2])) for part in line.split()[1:3]
            ]
            # An empty side is told by the line before it.
            (old_at, gone), (new_at, come) = spans
            old_at, new_at = old_at - (gone > 0), new_at - (come > 0)
            found.append((new_at, old_at + gone, new_at + come))
    return found


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(old=_TEXTS, new=_TEXTS)
@example(old=b"a\nb\n", new=b"a\na\nb\nb\n")
@example(old=b"a\nb", new=b"a\nb\n")
def test_what_is_told_is_what_git_finds(tmp_path: Path, old: bytes, new: bytes):
    found = only_change(old, new)
    if found is not None:
        assert hunks(tmp_path, old, new) == [found]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=_TEXTS, at=st.integers(0, 12), gone=st.integers(0, 3), come=_LINES)
def test_one_edit_is_told_as_git_finds_it(
    tmp_path: Path, text: bytes, at: int, gone: int, come: list[bytes]
):
    lines = text.split(b"\n")
    new = b"\n".join(lines[:at] + come + lines[at + gone :])
    found = only_change(text, new)
    if found is not None:
        assert hunks(tmp_path, text, new) == [found]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (b"", b"a\n", (0, 0, 1)),
        (b"a\n", b"", (0, 1, 0)),
        (b"a\nb\nc\n", b"a\nx\ny\nc\n", (1, 2, 3)),
        (b"a\nb\nc\n", b"a\nb\nnew\nc\n", (2, 2, 3)),
        (b"a\nb\nc\n", b"a\nc\n", (1, 2, 1)),
        (b"a\nb", b"a\nb\nc", (1, 2, 3)),
        (b"a\n}\n\nb\n}\n", b"a\n}\n\nnew\n}\n!\nb\n}\n", (3, 3, 6)),
        (b"a\n", b"a\n", None),
        (b"a\nb\n", b"a\na\nb\n", None),
        (b"a\n}\nb\n", b"a\n}\nnew\n}\nb\n", None),
        (b"a\nb\nc\nd\n", b"a\nx\nc\ny\n", None),
    ],
)
def test_what_is_told(old: bytes, new: bytes, change: tuple[int, int, int] | None):
    assert only_change(old, new) == change
