"""Random (file, revision, range) triples, each asked with HEAD at the revision."""

import random

from codeintel_ls.git import BlameOptions
from tests.equality.answers import EVERYTHING, Answer, Tally
from tests.equality.lines import editor_lines, git_lines
from tests.equality.subject import Subject, for_editor

_DRAWS_PER_TRIPLE = 5
_SHARE_ASKED_WHOLE = 0.25


def prove_triples(subject: Subject, count: int, seed: int) -> Tally:
    """Compare `count` triples, and after some the whole file."""
    tally, wholes = Tally(), Tally()
    known: list[str] = []
    for draw in range(count * _DRAWS_PER_TRIPLE):
        if tally.compared == count:
            break
        chance = random.Random(f"{seed} triple {draw}")
        revision = chance.choice(subject.revisions)
        subject.check_out(revision)
        path = subject.draw_path(chance, revision, known)
        content = subject.blamable(revision, path)
        if not content:
            tally.skipped += 1
            continue
        known.append(path)
        options = _draw_options(chance)
        what = f"triple {draw}, {path!r} at {revision[:12]}, {options}"
        lines = git_lines(content)
        if options == BlameOptions() or options.ignore_whitespace:
            asked = _draw_range(chance, len(lines))
            _compare_range(subject, tally, what, revision, path, lines, asked, options)
            if chance.random() >= _SHARE_ASKED_WHOLE:
                continue
        # What moved where depends on the lines asked, so with -M and -C only the whole is.
        answer = for_editor(subject.trusted.blame(revision, path, options), content)
        into = wholes if options == BlameOptions() or options.ignore_whitespace else tally
        subject.compare(into, f"{what}, whole", answer, path, options=options)
    wholes.compared = 0
    tally.add(wholes)
    return tally


def _compare_range(
    subject: Subject,
    tally: Tally,
    what: str,
    revision: str,
    path: str,
    lines: list[bytes],
    asked: range,
    options: BlameOptions,
) -> None:
    answer = subject.trusted.blame(revision, path, options, asked)
    first_line = sum(map(editor_lines, lines[: asked.start]))
    part = b"".join(lines[asked.start : asked.stop])
    last_line = first_line + sum(map(editor_lines, lines[asked.start : asked.stop])) - 1
    expected: Answer = for_editor(answer, part)
    if asked.stop == len(lines):
        last_line = EVERYTHING
    shown = f"{what}, lines {first_line} to {last_line}"
    subject.compare(tally, shown, expected, path, first_line, last_line, options=options)


def _draw_options(chance: random.Random) -> BlameOptions:
    drawn = chance.random()
    return BlameOptions(
        ignore_whitespace=drawn < 0.1,
        detect_moves=0.1 <= drawn < 0.15,
        detect_copies=0.15 <= drawn < 0.17,
    )


def _draw_range(chance: random.Random, count: int) -> range:
    """One line, about a screen, or any range."""
    start = chance.randrange(count)
    length = chance.choice([1, 10, 60, chance.randint(1, count - start)])
    return range(start, min(start + length, count))
