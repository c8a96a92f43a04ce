"""Random unsaved buffers, compared with `git blame --contents`.

git takes line ends, byte order marks and a missing last line end for changes; an editor's user does
not. So git is given the buffer as the file was committed, and our client the same lines in another
dress.
"""

import random
from pathlib import Path

from tests.equality.answers import Tally
from tests.equality.edits import edit
from tests.equality.lines import (
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
        expected = subject.trusted.blame_contents(revision, path, buffer)
        subject.compare(tally, what, expected, path, text=_dressed(buffer, chance))
        if save is not None and tally.differences and tally.differences[-1].startswith(what):
            save.mkdir(parents=True, exist_ok=True)
            (save / f"buffer-{draw}-committed").write_bytes(content)
            (save / f"buffer-{draw}-edited").write_bytes(buffer)
    return tally


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
