"""One random thing that a person does to a work tree and its HEAD."""

import os
import random
from typing import TYPE_CHECKING

from tests.equality.edits import edit
from tests.equality.lines import git_lines
from tests.equality.subject import Subject
from tests.equality.trusted import IGNORED_REVISIONS

if TYPE_CHECKING:
    from collections.abc import Callable

AUTHORS = ["Ada", "Brian", "Chloé", "Andr\udce9"]
"""The last one is no UTF-8."""
_RECENT = 50


class Mover:
    """Moves `subject`; `renamed` says where the last move has put files."""

    def __init__(self, subject: Subject) -> None:
        self.renamed: dict[str, str] = {}
        self._subject = subject
        self._git = subject.git
        self._branches: list[str] = []
        self._tip = subject.revisions[0]
        self._at_side = False
        self._moves: dict[str, tuple[int, Callable[[random.Random, list[str], str], None]]] = {
            "edit": (2, self._edit),
            "commit": (6, self._commit),
            "amend": (2, self._amend),
            "rename": (2, self._rename),
            "staged rename": (1, self._staged_rename),
            "delete": (1, self._delete),
            "bring back": (2, self._bring_back),
            "ignore a revision": (1, self._ignore),
            "ignore nothing": (3, self._ignore_nothing),
            "name people": (2, self._name_people),
            "branch": (2, self._branch),
            "check out a branch": (3, self._check_out_branch),
            "check out a revision": (2, self._check_out_revision),
            "go to a side": (8, self._go_to_side),
            "go forward": (5, self._go_forward),
            "merge": (3, self._merge),
            "rebase": (4, self._rebase),
            "cherry-pick": (2, self._cherry_pick),
            "revert": (2, self._revert),
            "reset": (3, self._reset),
            "stash": (1, self._stash),
            "pop": (2, self._pop),
            "pack": (1, self._pack),
        }

    def move(self, chance: random.Random, files: list[str], label: str) -> str:
        """Do one thing, most likely to `files`; its name. What git refuses is undone."""
        self.renamed = {}
        self._git.time += chance.choice([60, 60, 60, -30])
        weights = [weight for weight, _ in self._moves.values()]
        name = chance.choices(list(self._moves), weights)[0]
        if self._at_side and chance.random() < 0.7:
            # What the merge brought in is in the way of what is carried forward.
            name = "go forward"
        self._at_side = False
        self._moves[name][1](chance, files, label)
        return name

    def _edit(self, chance: random.Random, files: list[str], label: str) -> None:
        for path in chance.sample(files, chance.randint(1, min(3, len(files)))):
            place = self._subject.root / path
            if not place.is_file() or place.is_symlink():
                continue
            wide = place.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff")
            encoding = "utf-16-le" if wide else "latin-1"
            lines = git_lines(place.read_bytes().decode(encoding, "surrogatepass").encode("utf-8"))
            for number in range(chance.randint(1, 4)):
                edit(lines, chance, f"move {label} {number}")
            content = b"".join(lines).decode("utf-8").encode(encoding, "surrogatepass")
            place.write_bytes(content)

    def _commit(self, chance: random.Random, files: list[str], label: str) -> None:
        self._edit(chance, files, label)
        self._record(chance, label)

    def _record(self, chance: random.Random, label: str) -> None:
        self._git.tries("add", "-A")
        message = f"Move {label}"
        self._git.tries("commit", "-q", "--no-verify", "-m", message, author=chance.choice(AUTHORS))

    def _amend(self, chance: random.Random, files: list[str], label: str) -> None:
        self._edit(chance, files, f"amended {label}")
        self._git.tries("add", "-A")
        self._git.tries("commit", "-q", "--no-verify", "--amend", "--no-edit")

    def _staged_rename(self, chance: random.Random, files: list[str], label: str) -> None:
        path = chance.choice(files)
        folder, name = os.path.split(path)
        target = os.path.join(folder, f"{label} {name}"[:200])  # noqa: PTH118 - no path to open
        if self._git.tries("mv", "--", path, target):
            self.renamed[path] = target

    def _rename(self, chance: random.Random, files: list[str], label: str) -> None:
        self._staged_rename(chance, files, label)
        if chance.random() < 0.5:
            self._edit(chance, [self.renamed.get(path, path) for path in files], label)
        self._record(chance, label)

    def _delete(self, chance: random.Random, files: list[str], label: str) -> None:
        self._git.tries("rm", "-q", "-f", "--", chance.choice(files))
        self._record(chance, label)

    def _bring_back(self, chance: random.Random, files: list[str], label: str) -> None:
        """A file as it was in another revision: one that was deleted, or an older state."""
        revision = chance.choice(self._recent())
        self._git.tries("checkout", "-q", revision, "--", chance.choice(files))
        if chance.random() < 0.7:
            self._record(chance, label)

    def _ignore(self, chance: random.Random, files: list[str], label: str) -> None:
        with (self._subject.root / IGNORED_REVISIONS).open("a") as file:
            file.write(f"# {label}\n{chance.choice(self._recent())}\n")

    def _ignore_nothing(self, chance: random.Random, files: list[str], label: str) -> None:
        # More is carried from commit to commit without a list.
        (self._subject.root / IGNORED_REVISIONS).unlink(missing_ok=True)

    def _name_people(self, chance: random.Random, files: list[str], label: str) -> None:
        written = self._git.word("log", "-1", "--format=%ae", chance.choice(self._recent()))
        with (self._subject.root / ".mailmap").open("ab") as file:
            for email in sorted({written, "author@example.org"}):
                file.write(os.fsencode(f"Person {label} <person@example.org> <{email}>\n"))

    def _branch(self, chance: random.Random, files: list[str], label: str) -> None:
        name = f"equality-{label}"
        if self._git.tries("checkout", "-q", "-b", name, chance.choice(self._recent())):
            self._branches.append(name)

    def _check_out_branch(self, chance: random.Random, files: list[str], label: str) -> None:
        if self._branches:
            self._settle(chance)
            self._git.tries("checkout", "-q", chance.choice(self._branches))

    def _check_out_revision(self, chance: random.Random, files: list[str], label: str) -> None:
        self._settle(chance)
        far = chance.random() < 0.3
        pool = self._subject.revisions if far else self._recent()
        self._git.tries("checkout", "-q", "--detach", chance.choice(pool))

    def _go_to_side(self, chance: random.Random, files: list[str], label: str) -> None:
        """To a commit that came into the history by a merge, beside the first parents."""
        self._settle(chance)
        listed = self._git.run("rev-list", "--merges", f"--max-count={_RECENT}", self._tip)
        if merges := listed.decode().split():
            side = f"{chance.choice(merges)}^2"
            self._at_side = self._git.tries("checkout", "-q", "--detach", side)

    def _go_forward(self, chance: random.Random, files: list[str], label: str) -> None:
        """To a descendant, as a pull does."""
        self._settle(chance)
        listed = self._git.run("rev-list", "--reverse", "--ancestry-path", f"HEAD..{self._tip}")
        if later := listed.decode().split():
            self._git.tries("checkout", "-q", "--detach", chance.choice(later[:_RECENT]))

    def _merge(self, chance: random.Random, files: list[str], label: str) -> None:
        self._settle(chance)
        other = chance.choice([*self._branches, *self._recent()[:3]])
        side = chance.choice(["ours", "theirs"])
        if not self._git.tries("merge", "-q", "--no-edit", "--no-ff", "-X", side, other):
            self._give_up()
        elif chance.random() < 0.3:
            self._amend(chance, files, f"merge {label}")

    def _rebase(self, chance: random.Random, files: list[str], label: str) -> None:
        self._settle(chance)
        base = f"HEAD~{chance.randint(1, 4)}"
        target = chance.choice([*self._branches, *self._recent()])
        if not self._git.tries("rebase", "-q", "-X", "theirs", "--onto", target, base):
            self._give_up()

    def _cherry_pick(self, chance: random.Random, files: list[str], label: str) -> None:
        self._settle(chance)
        picked = chance.choice([*self._branches, *self._recent()])
        if not self._git.tries("cherry-pick", "-X", "theirs", picked):
            self._give_up()

    def _revert(self, chance: random.Random, files: list[str], label: str) -> None:
        self._settle(chance)
        undone = f"HEAD~{chance.randint(0, 3)}"
        # Without the first commit there would be no file to ask about.
        if not self._git.tries("rev-parse", "-q", "--verify", f"{undone}^"):
            return
        if not self._git.tries("revert", "--no-edit", "-X", "theirs", undone):
            self._give_up()

    def _reset(self, chance: random.Random, files: list[str], label: str) -> None:
        how = chance.choice(["--hard", "--hard", "--soft", "--mixed"])
        self._git.tries("reset", "-q", how, f"HEAD~{chance.randint(1, 4)}")

    def _stash(self, chance: random.Random, files: list[str], label: str) -> None:
        self._edit(chance, files, label)
        self._git.tries("stash", "push", "-q")

    def _pop(self, chance: random.Random, files: list[str], label: str) -> None:
        if not self._git.tries("stash", "pop", "-q"):
            self._give_up()

    def _pack(self, chance: random.Random, files: list[str], label: str) -> None:
        self._git.tries("pack-refs", "--all")
        self._git.tries("repack", "-q", "-d", "-l")

    def _recent(self) -> list[str]:
        """Commits not far from HEAD, newest first."""
        listed = self._git.run("rev-list", f"--max-count={_RECENT}", "HEAD")
        return listed.decode().split()

    def _settle(self, chance: random.Random) -> None:
        """Half of the time, let what is not committed go, so that git refuses less often."""
        if chance.random() < 0.5:
            self._git.run("reset", "-q", "--hard")

    def _give_up(self) -> None:
        for command in ("rebase", "merge", "cherry-pick", "revert"):
            self._git.tries(command, "--abort")
        self._git.run("reset", "-q", "--hard")
