"""Contents that nothing refers to are deleted, once they were not used for long.

Invariant: what any workspace of the repository names stays; where that cannot be found out,
everything stays.
"""

from pathlib import Path

from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.errors import IndexingError
from codeintel_ls.index.store import Store
from codeintel_ls.index.tasks import CollectTask


def collect(task: CollectTask) -> int:
    """How many rows were deleted; 0 where one of the databases cannot be read."""
    with ContentStore.existing(Path(task.contents)) as contents:
        try:
            return contents.collect(lambda: _named(task, contents), unused_days=task.unused_days)
        except _UnreadableError:
            return 0


class _UnreadableError(Exception):
    """One of the databases cannot be read: what it names is not known."""


def _named(task: CollectTask, contents: ContentStore) -> set[bytes]:
    """The contents that any of the workspaces names. Raises _UnreadableError."""
    named: set[bytes] = set()
    for path in map(Path, task.databases):
        try:
            path.stat()
            with Store(path, contents) as store:
                named |= store.contents_named()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, IndexingError) as error:
            raise _UnreadableError from error
    return named
