"""The file of a repository's contents: found, made, or set aside, whoever else uses it meanwhile.

Invariant: the file is made and moved by one process at a time; those that have it open notice.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock

from codeintel_ls.index.cache_folder import keep_few_aside, new_aside
from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.errors import DamagedCacheError

_NAME: Final = "contents.sqlite3"
_LOCK: Final = "contents.lock"


def open_contents(folder: Path, *, damaged: bool) -> tuple[ContentStore, tuple[str, ...]]:
    """The contents kept in `folder`, and a notice where they had to be set aside.

    `damaged`: something of the cache is, and it may be deep inside this file. Raises
    NewerCacheError, CacheUnavailableError, OSError.
    """
    path = folder / _NAME
    if not path.exists():
        _make(path)
    try:
        return _sound(path, whole=damaged), ()
    except DamagedCacheError as error:
        with FileLock(folder / _LOCK, mode=0o600):
            with suppress(DamagedCacheError):
                return _sound(path, whole=damaged), ()
            aside = new_aside(folder)
            for file in folder.glob(f"{_NAME}*"):
                file.rename(aside / file.name)
            keep_few_aside(folder)
            notice = f"{error} The vectors were set aside and are being made anew."
            return ContentStore(path), (notice,)


def _make(path: Path) -> None:
    with FileLock(path.with_name(_LOCK), mode=0o600):
        if not path.exists():
            # The log of a file that was deleted is not this one's.
            for log in path.parent.glob(f"{_NAME}-*"):
                log.unlink()
            ContentStore(path).close()


def _sound(path: Path, *, whole: bool) -> ContentStore:
    """The contents; `whole`: only if no part of the file is damaged. Raises DamagedCacheError."""
    contents = ContentStore(path)
    if whole and not contents.is_sound():
        contents.close()
        raise DamagedCacheError("The index cache is damaged.")
    return contents
