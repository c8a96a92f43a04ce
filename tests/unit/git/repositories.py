"""Real repositories, made by git itself with fixed people and times."""

import os
import random
import subprocess
from pathlib import Path

START = 1_600_000_000


class RepositoryBuilder:
    """A work tree under construction; every commit is a minute later than the one before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.time = START
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, given: bytes | None = None, author: str = "Ada") -> bytes:
        """What git prints; the test fails if git does."""
        date = f"{self.time} +0130"
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": f"{author.lower()}@example.org",
            "GIT_COMMITTER_NAME": "Committer",
            "GIT_COMMITTER_EMAIL": "committer@example.org",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            "LC_ALL": "C",
        }
        done = subprocess.run(
            ["git", "-c", "core.quotepath=off", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.root,
            env=environment,
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def write(self, path: str, content: str | bytes) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def commit(self, message: str = "Change", *, author: str = "Ada") -> str:
        """Commit everything in the work tree; the id."""
        self.time += 60
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, author=author)
        return self.head()

    def commit_file(
        self, path: str, content: str | bytes, message: str = "Change", *, author: str = "Ada"
    ) -> str:
        self.write(path, content)
        return self.commit(message, author=author)

    def merge_of(self, path: str, ours: str, theirs: str) -> str:
        """A merge of two branches that both changed `path`, in places of their own."""
        self.git("checkout", "-q", "-b", "side")
        self.commit_file(path, theirs)
        self.git("checkout", "-q", "main")
        self.commit_file(path, ours)
        self.time += 60
        self.git("merge", "-q", "--no-edit", "side")
        return self.head()

    def head(self) -> str:
        return self.rev("HEAD")

    def rev(self, name: str) -> str:
        return self.git("rev-parse", name).decode().strip()

    def import_commits(self, path: str, count: int) -> None:
        """Commit new contents of `path` onto `main` many times, in one process."""
        stream: list[str] = []
        for number in range(count):
            self.time += 60
            content = f"{self.time} {number}\n"
            begin = f"from {self.head()}\n" if number == 0 else ""
            stream.append(
                "commit refs/heads/main\n"
                f"committer Committer <committer@example.org> {self.time} +0130\n"
                f"data 6\nImport\n{begin}"
                f"M 100644 inline {path}\ndata {len(content)}\n{content}\n"
            )
        self.git("fast-import", "--quiet", given="".join(stream).encode())
        self.git("reset", "-q", "--hard")

    def porcelain_blame(
        self, *arguments: str, given: bytes | None = None
    ) -> list[tuple[str | None, int, str]]:
        """git's own answer: for each line commit, original line and path."""
        told = self.git("blame", "--line-porcelain", *arguments, given=given)
        answer: list[tuple[str | None, int, str]] = []
        commit, line, path = "", 0, ""
        in_header = False
        for row in told.split(b"\n"):
            if row.startswith(b"\t"):
                uncommitted = set(commit) == {"0"}
                answer.append((None, -1, path) if uncommitted else (commit, line, path))
                in_header = False
            elif not in_header and row:
                first, second, *_ = row.split(b" ")
                commit, line, in_header = first.decode(), int(second) - 1, True
            elif row.startswith(b"filename "):
                path = row.removeprefix(b"filename ").decode()
        return answer


def grow(builder: RepositoryBuilder, seed: int, steps: int = 25) -> None:
    """A history of `file.txt` by several authors with branches, merges and a rename of `old.txt`.

    Every line is unique, so that there is one right blame.
    """
    chance = random.Random(seed)
    lines = [f"first {seed} {number}" for number in range(30)]
    name = "old.txt"
    builder.commit_file(name, "\n".join(lines) + "\n", "Begin")
    for step in range(steps):
        author = chance.choice(["Ada", "Brian", "Chloé"])
        if step == steps // 2:
            builder.git("mv", "old.txt", "file.txt")
            name = "file.txt"
            builder.commit("Rename", author=author)
        if step % 7 == 3:
            _merge(builder, name, lines, f"{seed} {step}")
            continue
        edit(lines, chance, f"{seed} {step}")
        builder.commit_file(name, "\n".join(lines) + "\n", f"Step {step}", author=author)


def edit(lines: list[str], chance: random.Random, label: str) -> None:
    """Insert, change or delete a few lines in place."""
    at = chance.randrange(len(lines))
    kind = chance.choice(["insert", "change", "delete"]) if len(lines) > 10 else "insert"
    if kind == "insert":
        lines[at:at] = [f"inserted {label} {chance.random()}" for _ in range(chance.randint(1, 4))]
    elif kind == "change":
        lines[at] = f"changed {label} {chance.random()}"
    else:
        del lines[at : at + chance.randint(1, 3)]


def _merge(builder: RepositoryBuilder, name: str, lines: list[str], label: str) -> None:
    """One side changes the first line, the other the last."""
    builder.git("checkout", "-q", "-b", "side")
    changed = [*lines[:-1], f"side {label}"]
    builder.commit_file(name, "\n".join(changed) + "\n", f"Side {label}", author="Dora")
    builder.git("checkout", "-q", "main")
    lines[0] = f"main {label}"
    builder.commit_file(name, "\n".join(lines) + "\n", f"Main {label}", author="Emil")
    builder.time += 60
    builder.git("merge", "-q", "--no-edit", "side")
    builder.git("branch", "-q", "-D", "side")
    lines[-1] = changed[-1]
