"""Commits, checkouts, rebases and more, with warm files before each and all compared after it."""

import random

from codeintel_ls.git import GitError
from tests.equality.answers import MalformedAnswerError, Tally, told_by
from tests.equality.lines import editor_lines, git_lines, is_binary
from tests.equality.mover import Mover
from tests.equality.subject import Subject, for_editor

_FILES = 4


def prove_moves(subject: Subject, count: int, seed: int) -> Tally:
    """Make `count` random moves; `Tally.compared` counts the files compared after them."""
    tally = Tally()
    start = random.Random(f"{seed} moves")
    subject.check_out(start.choice(subject.revisions))
    files = _draw_files(subject, start)
    mover = Mover(subject)
    told = ""
    for number in range(count):
        chance = random.Random(f"{seed} move {number}")
        fresh = _draw_files(subject, chance)
        replaced = _FILES if told == "go to a side" else _FILES // 2 if number % 3 == 0 else 0
        for place, path in enumerate(files):
            if place < replaced or subject.cleaned(path) is None:
                files[place] = fresh[place]
        for path in files:
            _warm(subject, tally, path, chance)
        told = mover.move(chance, files, str(number))
        # A rename takes the file that was warm along.
        files = [mover.renamed.get(path, path) for path in files]
        for path in dict.fromkeys(files):
            what = f"move {number} ({told}), {path!r} at {subject.head[:12]}"
            _compare(subject, tally, what, path)
    return tally


def _draw_files(subject: Subject, chance: random.Random) -> list[str]:
    """Files of HEAD, most of them lately changed: they will differ beyond the next move too."""
    head = subject.head
    changed = subject.lately_changed(head) if not subject.incomplete else []
    return [
        chance.choice(changed)
        if changed and chance.random() < 0.7
        else subject.draw_path(chance, head, [])
        for _ in range(_FILES)
    ]


def _warm(subject: Subject, tally: Tally, path: str, chance: random.Random) -> None:
    """Ask for all lines, for a part, or ahead; who wrote them is compared elsewhere."""
    content = subject.cleaned(path)
    if not content or is_binary(content) or chance.random() < 0.1:
        return
    count = len(git_lines(content))
    first_line = chance.randrange(count)
    try:
        drawn = chance.random()
        if drawn < 0.2:
            subject.client.blame_ahead(path)
        elif drawn < 0.5:
            told_by(subject.client, path, first_line, min(first_line + 20, count))
        else:
            told_by(subject.client, path)
    except GitError:
        return
    except MalformedAnswerError as error:
        tally.differences.append(f"{path!r} at {subject.head[:12]}: {error}")


def _compare(subject: Subject, tally: Tally, what: str, path: str) -> None:
    head = subject.head
    disk = subject.cleaned(path)
    if disk is None:
        tally.skipped += 1
        return
    committed = subject.trusted.content(head, path)
    if is_binary(disk) or (committed is not None and is_binary(committed)):
        tally.skipped += 1
    elif disk == committed:
        expected = for_editor(subject.trusted.blame(head, path), disk)
        subject.compare(tally, what, expected, path)
    elif committed is None and not subject.is_staged(path):
        subject.refuses(tally, what, path)
    elif any(editor_lines(line) > 1 for line in git_lines(disk)):
        # To git a change of one of an editor's lines is one of all lines between two LF.
        tally.skipped += 1
    else:
        expected = for_editor(subject.trusted.blame_contents(head, path, disk), disk)
        subject.compare(tally, f"{what}, edited", expected, path)
