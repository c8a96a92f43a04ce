"""What blame obeys beside its options: the revisions to ignore, and `.mailmap`.

`.git-blame-ignore-revs` at the root is used without being configured, as hosting sites do. git ends
with an error where a configured `blame.ignoreRevsFile` is missing or malformed, and no flag can
take the setting back; such a blame runs on a git directory of our own that borrows the
repository's objects. Invariant: a damaged or missing list never hides a blame.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.errors import GitFailedError
from codeintel_ls.git.objects import is_object_id
from codeintel_ls.git.repository import FileState, Repository, file_state
from codeintel_ls.git.runner import GitRunner

CONVENTIONAL_FILE = ".git-blame-ignore-revs"
_LARGEST_LIST = 10_000_000
_IGNORED, _MAILMAP = "blame.ignorerevsfile", "mailmap.file"
_MAILMAP_BLOB, _COMPARING = "mailmap.blob", ("diff.algorithm", "diff.indentheuristic")
_CONFIGURED = r"^(blame\.ignorerevsfile|mailmap\.(file|blob)|diff\.(algorithm|indentheuristic))$"
_HISTORY_CHANGES = ("shallow", "info/grafts", "refs/replace")
"""What makes git see another history from the same commit on."""


@frozen
class BlameRules:
    """Lists of revisions to ignore that are sound, and a digest of all that changes an answer.

    `ignored` are the ids in the lists; `configuration_usable` is whether git can run with what is
    configured; `renames_people` is whether there is a `.mailmap`; `plain` is whether the history is
    as commits have it, and lines are compared as git does by itself.
    """

    lists: tuple[str, ...]
    ignored: frozenset[str]
    configuration_usable: bool
    renames_people: bool
    plain: bool
    digest: str


@frozen
class _Configured:
    """Names of files, relative to the root: lists of revisions to ignore, and who is who.

    `mailmap_blob`: that stands in a blob, too; `comparing`: how to compare lines, if that is set.
    `places` are all files that may hold rules, as text: they are looked at at every hover.
    """

    lists: tuple[str, ...]
    mailmaps: tuple[str, ...]
    mailmap_blob: bool
    comparing: str
    places: tuple[str, ...]


class BlameRuleReader:
    """Reads the rules again only when a file they come from has changed. Thread-safe."""

    def __init__(self, repository: Repository, runner: GitRunner) -> None:
        self._repository = repository
        self._runner = runner
        self._lock = Lock()
        self._configured: tuple[tuple[FileState, ...], _Configured] | None = None
        self._history = [repository.common_dir / name for name in _HISTORY_CHANGES]
        self._rules: tuple[object, BlameRules] | None = None

    def read(self, cancellation: Cancellation | None = None) -> BlameRules:
        """The rules as they are now. Runs git only after the configuration has changed."""
        configured = self._read_configured(cancellation)
        state = (configured, tuple(map(file_state, (*configured.places, *self._history))))
        known = self._rules
        if known is not None and known[0] == state:
            return known[1]
        rules = _read_rules(self._repository.root, configured, self._history)
        self._rules = (state, rules)
        return rules

    def _read_configured(self, cancellation: Cancellation | None) -> _Configured:
        state = self._repository.config_state()
        with self._lock:
            if self._configured is not None and self._configured[0] == state:
                return self._configured[1]
        asked = ("config", "-z", "--path", "--get-regexp", _CONFIGURED)
        try:
            answer = self._runner.output(*asked, cancellation=cancellation)
        except GitFailedError:
            # They are set nowhere.
            answer = b""
        entries = [
            entry.partition("\n")
            for entry in answer.decode("utf-8", "surrogateescape").split("\0")
            if "\n" in entry
        ]
        comparing = [f"{option}={value}" for option, _, value in entries if option in _COMPARING]
        lists = tuple(name for option, _, name in entries if option == _IGNORED and name)
        named = (name for option, _, name in entries if option == _MAILMAP and name)
        mailmaps = (".mailmap", *named)
        root = self._repository.root
        found = _Configured(
            lists,
            mailmaps,
            mailmap_blob=any(option == _MAILMAP_BLOB for option, _, _ in entries),
            comparing="\n".join(comparing),
            places=tuple(str(root / name) for name in (*lists, CONVENTIONAL_FILE, *mailmaps)),
        )
        with self._lock:
            self._configured = (state, found)
        return found


class BorrowedObjects:
    """A git directory of our own, without configuration, over the repository's objects."""

    def __init__(self, repository: Repository) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="codeintel-git-")
        place = Path(self._folder.name)
        for name in ("objects", "refs"):
            (place / name).mkdir()
        (place / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        hashed = repository.config("extensions", "objectformat") or "sha1"
        version = 0 if hashed == "sha1" else 1
        extension = f"[extensions]\n\tobjectformat = {hashed}\n" if version else ""
        (place / "config").write_text(
            f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{extension}",
            encoding="ascii",
        )
        common = repository.common_dir.absolute()
        self.environment = {
            "GIT_DIR": str(place),
            "GIT_WORK_TREE": str(repository.root),
            "GIT_OBJECT_DIRECTORY": str(common / "objects"),
            "GIT_SHALLOW_FILE": str(common / "shallow"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def close(self) -> None:
        """Remove the directory."""
        self._folder.cleanup()


def _read_rules(root: Path, configured: _Configured, history: Sequence[Path]) -> BlameRules:
    digest = hashlib.blake2b(digest_size=16)
    sound: list[str] = []
    ignored: set[str] = set()
    for name in dict.fromkeys((*configured.lists, CONVENTIONAL_FILE)):
        content = _content(root / name)
        ids = None if content is None else _ids_in(content)
        if content is not None and ids is not None:
            sound.append(name)
            ignored |= ids
            digest.update(b"%d:" % len(content) + content)
    digest.update(configured.comparing.encode("utf-8", "surrogateescape"))
    renames_people, plain = configured.mailmap_blob, not configured.comparing
    for name in configured.mailmaps:
        content = _content(root / name) or b""
        renames_people = renames_people or bool(content)
        digest.update(b"mailmap:" + content)
    for place in history:
        changed = file_state(place) if place.is_dir() else None
        plain = plain and file_state(place) is None
        digest.update(repr(changed).encode() + b":" + (_content(place) or b""))
    usable = all(name in sound for name in configured.lists)
    return BlameRules(
        tuple(sound),
        frozenset(ignored),
        usable,
        renames_people=renames_people,
        plain=plain,
        digest=digest.hexdigest(),
    )


def _content(path: Path) -> bytes | None:
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode) or state.st_size > _LARGEST_LIST:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _ids_in(content: bytes) -> set[str] | None:
    """The ids in a list; None where git cannot read it: full object ids, comments, white space."""
    lines = (line.partition(b"#")[0].strip() for line in content.split(b"\n"))
    ids = {line.decode("latin-1").lower() for line in lines if line}
    return ids if all(map(is_object_id, ids)) else None
