"""Random unsaved buffers, compared with `git blame --contents`.

git takes line ends, byte order marks and a missing last line end for changes; an editor's user does
not. So git is given the buffer as the file was committed, and our client the same lines in another
dress.
"""

import random
from collections.abc import Sequence
from pathlib import Path

from tests.equality.answers import Answer, Line, Tally
from tests.equality.edits import edit
from tests.equality.lines import (
    body,
    editor_lines,
    git_lines,
    one_line_end,
    toggled_mark,
    typed,
    with_replacements,
)
from tests.equality.subject import Subject

_DRAWS_PER_BUFFER = 5
_BUFFERS_PER_REVISION = 4


def prove_buffers(subject: Subject, count: int, seed: int, save: Path | None = None) -> Tally:
    """Compare `count` edited buffers. Those that differ are written to the folder `save`."""
    tally = Tally()
    revision = subject.head
    for draw in range(count * _DRAWS_PER_BUFFER):
        if tally.compared == count:
            break
        chance = random.Random(f"{seed} buffer {draw}")
        if draw % _BUFFERS_PER_REVISION == 0:
            revision = chance.choice(subject.revisions)
            subject.check_out(revision)
        path = subject.draw_path(chance, revision, [])
        content = subject.blamable(revision, path)
        if content is None or any(editor_lines(line) > 1 for line in git_lines(content)):
            tally.skipped += 1
            continue
        buffer = _edited(content, chance, str(draw))
        what = f"buffer {draw}, {path!r} at {revision[:12]}"
        _compare_buffer(subject, tally, what, revision, path, content, buffer, chance)
        if save is not None and tally.differences and tally.differences[-1].startswith(what):
            save.mkdir(parents=True, exist_ok=True)
            (save / f"buffer-{draw}-committed").write_bytes(content)
            (save / f"buffer-{draw}-edited").write_bytes(buffer)
    return tally


def is_equal_choice(
    committed: Sequence[bytes],
    blame: Sequence[Line],
    buffer: Sequence[bytes],
    expected: Sequence[Line],
    told: Sequence[Line],
) -> bool:
    """Whether `told` differs from git's `expected` only in which of several equal lines is which.

    It has as many committed lines as git's, and is a right edit script.
    """
    if _uncommitted(told) != _uncommitted(expected):
        return False
    return is_edit_script(committed, blame, buffer, told)


def is_edit_script(
    committed: Sequence[bytes],
    blame: Sequence[Line],
    buffer: Sequence[bytes],
    told: Sequence[Line],
) -> bool:
    """Whether each committed line of `told` is, in order, a line of `committed` with its text."""
    if len(told) != len(buffer):
        return False
    origins = [(line, body(text)) for line, text in zip(blame, committed, strict=True)]
    at = 0
    for line, text in zip(told, buffer, strict=True):
        if line.commit is None:
            continue
        try:
            at = origins.index((line, body(text)), at) + 1
        except ValueError:
            return False
    return True


def _uncommitted(lines: Sequence[Line]) -> int:
    return sum(line.commit is None for line in lines)


def _edited(content: bytes, chance: random.Random, label: str) -> bytes:
    lines = git_lines(content)
    for number in range(chance.choice([0, 1, 1, 2, 3, 5, 8, 30])):
        edit(lines, chance, f"{label} {number}")
    return b"".join(lines)


def _dressed(buffer: bytes, chance: random.Random) -> str:
    """The text of the editor: the same lines, sometimes with other ends or another mark."""
    text = typed(buffer)
    if chance.random() < 0.25:
        text = with_replacements(buffer) or text
    if chance.random() < 0.3:
        text = one_line_end(text, chance.choice(["\n", "\r\n"]))
    if chance.random() < 0.2:
        text = toggled_mark(text)
    if chance.random() < 0.1 and buffer and not buffer.endswith(b"\n"):
        text += "\n"
    return text


def _compare_buffer(
    subject: Subject,
    tally: Tally,
    what: str,
    revision: str,
    path: str,
    content: bytes,
    buffer: bytes,
    chance: random.Random,
) -> None:
    expected = subject.trusted.blame_contents(revision, path, buffer)
    text = _dressed(buffer, chance)
    ours = subject.compare(tally, what, expected, path, text=text)
    accept_equal_choice(subject, tally, revision, path, content, buffer, expected, ours)


def accept_equal_choice(
    subject: Subject,
    tally: Tally,
    revision: str,
    path: str,
    content: bytes,
    buffer: bytes,
    expected: Answer,
    ours: Answer | None,
) -> None:
    """Count the difference just found as an equal choice if it is one. `ours` is None for none."""
    if ours is None or ours.lines == expected.lines:
        return
    whole = subject.trusted.blame(revision, path)
    lines = (git_lines(content), whole.lines, git_lines(buffer))
    if is_equal_choice(*lines, expected.lines, ours.lines):
        tally.differences.pop()
        tally.equal_choices += 1
    elif is_edit_script(*lines, ours.lines) and _uncommitted(ours.lines) < _uncommitted(
        expected.lines
    ):
        tally.differences.pop()
        tally.shorter += 1
    else:
        counts = f"not committed: {_uncommitted(expected.lines)}, we say {_uncommitted(ours.lines)}"
        tally.differences[-1] += f"; lines that are {counts}"
