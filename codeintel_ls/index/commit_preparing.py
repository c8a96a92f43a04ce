"""Commits become rows of the commit store: their words are counted, and their meaning embedded.

What a commit means is what its message says, together with the names of what it touched, as a
chunk's meaning is its text together with its file's path.
"""

import re
from pathlib import Path
from typing import Final

from codeintel_ls.embedding import Encoder
from codeintel_ls.index.commit_store import CommitRecord, CommitStore
from codeintel_ls.index.embedded_text import path_text
from codeintel_ls.index.tasks import CommitToIndex, PrepareCommitsTask
from codeintel_ls.index.terms import pack_terms
from codeintel_ls.index.vectors import join_vectors, pack_vector

COMMITS_VERSION: Final = 1
"""Part of the recipe: raised when a commit's vector or terms change."""

_MESSAGE_CHARACTERS: Final = 4_000
_NAMED_PATHS: Final = 30
# Who signed and which tool wrote it says nothing of what was done. See git-interpret-trailers(1).
_TRAILER: Final = re.compile(
    r"^(?:[A-Z][\w-]*-by|Change-Id|git-svn-id|Cc|PiperOrigin-RevId): .*$", re.MULTILINE
)


def prepare_commits(task: PrepareCommitsTask, encoder: Encoder) -> int:
    """Embed the commits that are not in the store yet, and write them; returns how many.

    Raises the store's errors.
    """
    with CommitStore.existing(Path(task.database)) as store:
        known = store.known([commit.id for commit in task.commits])
        new = [commit for commit in task.commits if commit.id not in known]
        messages = [_message(commit) for commit in new]
        names = [_names(commit) for commit in new]
        vectors = join_vectors(encoder.embed_documents(messages), encoder.embed_documents(names))
        store.write(
            [
                CommitRecord(
                    id=commit.id,
                    parents=commit.parents,
                    name=commit.name,
                    email=commit.email,
                    time=commit.time,
                    paths=commit.paths,
                    terms=pack_terms(f"{message}\n{named}", message.partition("\n")[0]),
                    vector=pack_vector(vector),
                )
                for commit, message, named, vector in zip(
                    new, messages, names, vectors, strict=True
                )
            ]
        )
        return len(new)


def _message(commit: CommitToIndex) -> str:
    return _TRAILER.sub("", commit.message[:_MESSAGE_CHARACTERS]).strip()


def _names(commit: CommitToIndex) -> str:
    paths = (path_text(path) for path in commit.paths[:_NAMED_PATHS])
    return "\n".join((*paths, *commit.symbols))
