"""The commits that blames name, with their people as `.mailmap` has them.

A commit object says who made it before any `.mailmap`. What that makes of somebody is learned from
git's answers, and used for whatever else the same person did under the same rules.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.blame_cache import BoundedCache
from codeintel_ls.git.blame_rules import BlameRules
from codeintel_ls.git.commit_log import CommitText
from codeintel_ls.git.objects import ObjectReader
from codeintel_ls.git.values import Commit, Person

_BYTES: Final = 32_000_000
_BYTES_PER_COMMIT: Final = 1_000
_NAMES: Final = 10_000

_UNREADABLE: Final = "\ufffd"

People = tuple[Person, Person]
"""Author and committer."""


class KnownCommits:
    """Reads commits once. Thread-safe."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects
        self._commits = BoundedCache[tuple[str, str], Commit](_BYTES)
        self._names = BoundedCache[tuple[str, str, str], tuple[str, str]](_NAMES)

    def named(
        self,
        ids: Iterable[str],
        people: Mapping[str, People],
        rules: BlameRules,
        cancellation: Cancellation,
    ) -> dict[str, Commit]:
        """The commits of full `ids`; `people` are what git said of some of them under the rules."""
        found: dict[str, Commit] = {}
        missing: list[str] = []
        for identity in ids:
            known = self._commits.get((rules.digest, identity))
            if known is None:
                missing.append(identity)
            else:
                found[identity] = known
        texts = self._objects.commit_texts(missing, cancellation) if missing else {}
        new: dict[str, Commit] = {}
        for identity, text in texts.items():
            both = people.get(identity) or self._renamed(text, rules)
            if both is not None:
                new[identity] = text.commit(identity, both)
        left = [identity for identity in missing if identity not in new]
        new |= self._objects.commits(left, cancellation)
        for identity, commit in new.items():
            weight = _BYTES_PER_COMMIT + len(commit.message)
            self._commits.put((rules.digest, identity), commit, weight)
            self._learn(texts.get(identity), (commit.author, commit.committer), rules)
        return found | new

    def _renamed(self, text: CommitText, rules: BlameRules) -> People | None:
        """Whom a commit names, after `.mailmap`; None where git has to be asked."""
        if text.people is None or not rules.renames_people:
            return text.people
        author, committer = (self._known(person, rules) for person in text.people)
        return (author, committer) if author is not None and committer is not None else None

    def _known(self, person: Person, rules: BlameRules) -> Person | None:
        called = self._names.get((rules.digest, person.name, person.email))
        return evolve(person, name=called[0], email=called[1]) if called is not None else None

    def _learn(self, text: CommitText | None, people: People, rules: BlameRules) -> None:
        if text is None or text.people is None or not rules.renames_people:
            return
        for before, after in zip(text.people, people, strict=True):
            # Different bytes may have become the same text.
            if _UNREADABLE not in before.name + before.email:
                key = (rules.digest, before.name, before.email)
                self._names.put(key, (after.name, after.email), 1)
