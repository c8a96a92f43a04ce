"""Repositories with random histories, made by one `git fast-import` (git-fast-import(1))."""

import random
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from attrs import define, field, frozen

from codeintel_ls.git import GitClient, HistoryEntry
from tests.unit.git.repositories import START, RepositoryBuilder

NAMES = ("a.txt", "b.txt", "c d.txt", "folder/é.txt", "folder/-x")

Tree = Mapping[str, str]


@frozen
class MadeCommit:
    mark: int
    tree: Tree


@define
class HistoryMaker:
    """Draws commits: lines are edited, files added, deleted, renamed, copied, added again."""

    chance: random.Random
    linear: bool
    lines: count = field(factory=count)
    stream: list[bytes] = field(factory=list)
    commits: list[MadeCommit] = field(factory=list)

    def make(self, commits: int) -> bytes:
        heads = [self._commit([], {NAMES[0]: self._new_text(), NAMES[1]: self._new_text()})]
        for _ in range(commits):
            if not self.linear and len(heads) > 1 and self.chance.random() < 0.4:
                first, second = self.chance.sample(heads, 2)
                merged = self._merged(first, second)
                heads = [head for head in heads if head not in (first, second)]
                heads.append(self._commit([first, second], merged))
                continue
            parent = self.chance.choice(heads)
            child = self._commit([parent], self._changed(parent.tree))
            if self.linear or self.chance.random() < 0.7:
                heads.remove(parent)
            heads.append(child)
        while len(heads) > 1:
            first, second = heads.pop(), heads.pop()
            heads.append(self._commit([first, second], self._merged(first, second)))
        self.stream.append(b"reset refs/heads/main\nfrom :%d\n\n" % heads[0].mark)
        return b"".join(self.stream)

    def _new_text(self) -> str:
        return "".join(f"line {next(self.lines)}\n" for _ in range(self.chance.randint(4, 9)))

    def _edited(self, text: str) -> str:
        lines = text.splitlines(keepends=True) or [""]
        lines[self.chance.randrange(len(lines))] = f"line {next(self.lines)}\n"
        return "".join(lines)

    def _changed(self, tree: Tree) -> Tree:
        new = dict(tree)
        for _ in range(self.chance.choice([1, 1, 2])):
            free = [name for name in NAMES if name not in new]
            held = sorted(new)
            kind = self.chance.choice(["edit", "edit", "add", "delete", "rename", "rename", "copy"])
            if kind == "add" and free:
                new[self.chance.choice(free)] = self.chance.choice([self._new_text(), ""])
            elif kind == "delete" and held:
                del new[self.chance.choice(held)]
            elif kind == "rename" and held and free:
                new[self.chance.choice(free)] = self._maybe_edited(
                    new.pop(self.chance.choice(held))
                )
            elif kind == "copy" and held and free:
                new[self.chance.choice(free)] = self._maybe_edited(new[self.chance.choice(held)])
            elif held:
                name = self.chance.choice(held)
                new[name] = self._edited(new[name])
        return new

    def _maybe_edited(self, text: str) -> str:
        return self._edited(text) if self.chance.random() < 0.5 else text

    def _merged(self, first: MadeCommit, second: MadeCommit) -> Tree:
        """Each file as on one of the sides, or as on neither."""
        merged: dict[str, str] = {}
        for name in sorted({*first.tree, *second.tree}):
            side = self.chance.choice([first, second]).tree
            if name in side:
                changed = self.chance.random() < 0.3
                merged[name] = self._edited(side[name]) if changed else side[name]
        return merged

    def _commit(self, parents: list[MadeCommit], tree: Tree) -> MadeCommit:
        mark = len(self.commits) + 1
        # Some commits are of the same second, as after a rebase.
        time = START + 60 * (mark // 2)
        who = f"A <a@example.org> {time} +0000"
        lines = [f"commit refs/heads/made\nmark :{mark}\nauthor {who}\ncommitter {who}\n"]
        lines.append("data 6\ncommit\n")
        if parents:
            lines.append(f"from :{parents[0].mark}\n")
            lines += [f"merge :{parent.mark}\n" for parent in parents[1:]]
        else:
            self.stream.append(b"reset refs/heads/made\n\n")
        lines.append("deleteall\n")
        for name, text in tree.items():
            lines.append(f'M 100644 inline "{name}"\ndata {len(text.encode())}\n{text}\n')
        self.stream.append("".join(lines).encode() + b"\n")
        made = MadeCommit(mark, tree)
        self.commits.append(made)
        return made


def generated(root: Path, seed: int, *, linear: bool, commits: int = 30) -> RepositoryBuilder:
    """A repository without a work tree's files; its branch `main` is at the end of the history."""
    builder = RepositoryBuilder(root)
    maker = HistoryMaker(random.Random(seed), linear)
    builder.git("fast-import", "--quiet", given=maker.make(commits))
    return builder


def all_pages(client: GitClient, path: str, limit: int, follow: bool = True) -> list[HistoryEntry]:
    entries: list[HistoryEntry] = []
    cursor = None
    while True:
        page = client.file_history(path, limit=limit, cursor=cursor, follow=follow)
        entries += page.entries
        assert len(page.entries) == limit or page.next_cursor is None
        cursor = page.next_cursor
        if cursor is None:
            return entries
