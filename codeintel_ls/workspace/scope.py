"""Which files belong to a folder now, and a watcher that goes by the same rules.

Invariant: whoever changes the rules is followed by a listing that tells the watcher of them; once
closed, nothing watches.
"""

import time
from collections.abc import Callable
from pathlib import Path
from threading import RLock

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git import GitClient
from codeintel_ls.settings import IndexSettings
from codeintel_ls.workspace.discovery import Discovered, PathPolicy, discover_files
from codeintel_ls.workspace.watching import Changes, FolderWatcher


class FolderScope:
    """Lists, judges and watches the files of one folder. Thread-safe."""

    def __init__(
        self,
        root: Path,
        git: GitClient | None,
        settings: IndexSettings,
        *,
        watch: bool,
        on_changes: Callable[[Changes], None],
    ) -> None:
        """`watch` lets `start_watching` do so; `on_changes` is told what the watcher sees."""
        self._root = root
        self._git = git
        self._settings = settings
        self._watch = watch
        self._on_changes = on_changes
        self._lock = RLock()
        self._closed = False
        self._watcher: FolderWatcher | None = None
        self._policy: PathPolicy | None = None
        self._rules, self._watched_rules = 0, 0
        self._listing_notices: tuple[str, ...] = ()

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know of the listing and of the watching."""
        watcher = self._watcher
        trouble = watcher.trouble if watcher is not None else None
        return (*self._listing_notices, *((trouble,) if trouble else ()))

    @property
    def remarks(self) -> tuple[str, ...]:
        """How the folder is watched, where that is not as usual."""
        watcher = self._watcher
        remark = watcher.remark if watcher is not None else None
        return (remark,) if remark else ()

    def policy(self) -> PathPolicy:
        """Judges single paths as the last listing did."""
        policy = self._policy
        if policy is None:
            policy = self._policy = PathPolicy(self._root, self._git, self._settings)
        return policy

    def discover(self, cancellation: Cancellation) -> Discovered:
        """The files to index. Raises CancelledError."""
        rules, began = self._rules, time.monotonic()
        found = discover_files(self._root, self._git, self._settings, cancellation)
        self._listing_notices = found.notices
        # Rules that changed meanwhile are for the listing that follows.
        if rules == self._rules:
            self._policy = found.policy
        watcher = self._watcher
        if watcher is not None:
            watcher.scanned(time.monotonic() - began)
            if rules != self._watched_rules:
                self._watched_rules = rules
                watcher.renew(found.policy.skips_directory)
        return found

    def forget_rules(self) -> None:
        """An ignore file changed: what is asked from now on goes by what it says now."""
        self._rules += 1
        self._policy = None

    def configure(self, settings: IndexSettings) -> None:
        """Go by other settings, and stop watching until that is begun again."""
        self.stop_watching()
        self._settings = settings
        self.forget_rules()

    def start_watching(self) -> None:
        """Watch, where that is wanted."""
        with self._lock:
            if self._closed or self._watcher or not (self._watch and self._settings.watch):
                return
            git = self._git
            self._watched_rules = self._rules
            self._watcher = FolderWatcher(
                self._root,
                self._on_changes,
                skip_directory=self.policy().skips_directory,
                git_directories=[git.git_dir, git.common_dir] if git else [],
            )
            self._watcher.start()

    def stop_watching(self) -> None:
        """Watch no more; nothing is told when this returns."""
        with self._lock:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()

    def close(self) -> None:
        """Stop watching for good."""
        with self._lock:
            self._closed = True
        self.stop_watching()
