"""A live workspace folder: the one place where index, search, git and watching are put together.

Thread-safe, and everything in it blocks; whoever has an event loop calls it from elsewhere.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import RLock

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import Encoder
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import GitClient
from codeintel_ls.index.errors import (
    CacheUnavailableError,
    DamagedCacheError,
    DamagedSegmentError,
    IndexingError,
)
from codeintel_ls.index.index import Index
from codeintel_ls.index.status import IndexStatus
from codeintel_ls.progress import Progress, no_progress
from codeintel_ls.search import (
    Answer,
    Freshness,
    HitFilter,
    SearchEngine,
    SearchQuery,
    SearchResult,
)
from codeintel_ls.search.filtering import matching_paths
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.commit_search import CommitSearch
from codeintel_ls.workspace.errors import IndexingOffError
from codeintel_ls.workspace.index_keeper import IndexKeeper
from codeintel_ls.workspace.index_report import report
from codeintel_ls.workspace.opening import (
    commit_search,
    discover_git,
    index_folder,
    index_recipe,
    ladder_of,
    load_usable_encoder,
    read_limits,
    repository_folder,
)
from codeintel_ls.workspace.reading import lines_to_compare
from codeintel_ls.workspace.refining import refinement_of, switched
from codeintel_ls.workspace.scope import FolderScope
from codeintel_ls.workspace.symbols import Symbol, find_symbols
from codeintel_ls.workspace.watching import Changes

_log = logging.getLogger(__name__)

StatusListener = Callable[[IndexStatus], None]


class WorkspaceFolder:
    """Made by `WorkspaceFolder.open`."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        git: GitClient | None,
        encoder: Encoder | None,
        index: Index,
        commits: CommitSearch | None,
        *,
        model: str,
        notices: tuple[str, ...],
        watch: bool,
        on_status: StatusListener | None,
    ) -> None:
        """Use `WorkspaceFolder.open`."""
        self.root = root
        self.name = root.name or str(root)
        self.settings = settings
        self.git = git
        self.commits = commits
        self.dimension = encoder.dimension if encoder is not None else 0
        self._encoder = encoder
        self._index = index
        self._notices = notices
        self._opened_with = settings
        self._on_status = on_status
        self._configuring = RLock()
        self._scope = FolderScope(
            root, git, settings.index, watch=watch, on_changes=self._on_changes
        )
        self._keeper = IndexKeeper(
            root,
            index,
            settings,
            model,
            self._scope.discover,
            self._scope.policy,
            self._tell_status,
        )
        self._refine = partial(
            refinement_of,
            root,
            index.shared,
            discover=self._scope.discover,
            policy=self._scope.policy,
            after=self._keeper.first_pass,
            changed=self._tell_status,
            stays_open=watch,
        )
        self.refinement = self._refine(settings)
        limits = read_limits(settings.index)
        self._engine = SearchEngine(root, index, encoder, limits, self.refinement)

    @classmethod
    def open(
        cls,
        root: Path,
        settings: Settings,
        *,
        watch: bool = False,
        on_status: StatusListener | None = None,
    ) -> "WorkspaceFolder":
        """Open the folder with whatever its index holds already; nothing is indexed yet.

        `on_status` is called from background threads when something changes. Raises
        InvalidRequestError, ModelUnavailableError, CacheUnavailableError.
        """
        root = root.resolve()
        if not root.is_dir():
            raise InvalidRequestError(f"{root.name} is not a folder.")
        notices: list[str] = []
        encoder, model = load_usable_encoder(settings.embedding.model, notices)
        git = discover_git(root, settings, notices)
        index = Index.open(
            index_folder(root, settings),
            shared=repository_folder(root, git, settings),
            recipe=index_recipe(encoder),
            dimension=encoder.dimension,
            ladder=ladder_of(settings),
            root=root,
        )
        return cls(
            root,
            settings,
            git,
            encoder,
            index,
            commit_search(root, git, encoder, model, settings),
            model=model,
            notices=tuple(notices),
            watch=watch,
            on_status=on_status,
        )

    def start(self, progress: Progress = no_progress) -> None:
        """Begin to reconcile the index with the disk, and to watch; returns at once."""
        if not self.settings.index.enabled:
            self._keeper.rest()
            return
        self._keeper.begin(self._scope.start_watching, progress)
        self.refinement.start()

    def configure(self, settings: Settings) -> None:
        """Work by other settings from now on.

        Where the cache lies and which model embeds are settled when a folder is opened; a notice
        says so when they differ, and no endpoint is asked until then.
        """
        with self._configuring:
            old, self.settings = self.settings, settings
            refines = switched(self.refinement, old, settings, self._refine)
            if refines is not self.refinement:
                self._engine.refiner = self.refinement = refines
                self._tell_status()
            if old.cache != settings.cache:
                self._keeper.upkeep.check_space_again()
            elif old.index == settings.index:
                return
            self._engine.limits = read_limits(settings.index)
            self._index.configure(ladder_of(settings))
            self._keeper.configure(settings)
            self.refinement.configure(settings)
            self._scope.configure(settings.index)
            if settings.index.enabled:
                self._scope.start_watching()
                self._note_rescan()
            else:
                self.cancel_indexing()
                self._keeper.rest()

    def search(
        self,
        query: SearchQuery,
        cancellation: Cancellation | None = None,
        *,
        only: HitFilter | None = None,
        patient: bool = False,
    ) -> SearchResult:
        """Ranked hits. Raises InvalidQueryError, InvalidGlobError, CancelledError.

        Whoever is `patient` gives half a second where that makes a better answer: `would_read`.
        """
        engine, stop = self._engine, cancellation or Cancellation()
        return self._result(lambda: engine.search(query, stop, only=only, patient=patient))

    def would_read(self, query: SearchQuery) -> bool:
        """Whether a patient search would read the best candidates first. Waits for nothing."""
        with suppress(IndexingError):  # lost, and made anew at this moment
            return self._engine.would_read(query)
        return False

    async def embed_ahead(self, text: str) -> None:
        """Ask for what a search for `text` will need of an endpoint, without holding a thread."""
        await self.refinement.embed_ahead(text, self._index.counts.chunks)

    def find_similar(
        self,
        path: str,
        first_line: int,
        last_line: int,
        *,
        query: SearchQuery,
        text: str | None = None,
        cancellation: Cancellation | None = None,
    ) -> SearchResult:
        """Code like lines `first_line` to `last_line` (0-based, inclusive), without themselves.

        The lines are those of `text` (an editor's buffer), or of the file on disk. Of `query`
        only limits, filter and presentation count. Raises InvalidRequestError for lines that
        are not there.
        """
        most = self.settings.index.max_file_bytes
        like = lines_to_compare(self.root, path, first_line, last_line, text=text, max_bytes=most)
        engine, stop = self._engine, cancellation or Cancellation()
        return self._result(lambda: engine.find_similar(like, query, stop))

    def index_status(self) -> IndexStatus:
        """Counts, state and notices of the index."""
        with suppress(DamagedCacheError):  # made anew by the keeper at this very moment
            if not self._index.is_lost:
                return self._index_status()
        return IndexStatus.of_none(self._keeper.health.last_error)

    def _index_status(self) -> IndexStatus:
        return report(
            self._index,
            self._keeper,
            self._scope,
            self.refinement,
            embedder=self._encoder.identity if self._encoder else "none",
            notices=self._notices,
            opened_with=self._opened_with,
            settings=self.settings,
        )

    def update(
        self,
        paths: Sequence[str] | None = None,
        *,
        progress: Progress = no_progress,
        cancellation: Cancellation | None = None,
    ) -> IndexStatus:
        """Have those files (None: the whole folder) searchable as they are. IndexingOffError."""
        self._require_indexing()
        keeper = self._keeper
        job = keeper.reconcile(progress) if paths is None else keeper.update(paths, progress)
        job.wait(cancellation or Cancellation())
        if paths is None:
            self.refinement.note_rescan()
        else:
            self.refinement.note_changes(paths)
        return self.index_status()

    def changed(self, paths: Sequence[str]) -> None:
        """A hint that these files changed; they are searchable soon after."""
        if not self.settings.index.enabled:
            return
        if any(self._scope.policy().changes_rules(path) for path in paths):
            self._scope.forget_rules()
            self._note_rescan()
        self._keeper.note_changes(paths)
        self.refinement.note_changes(paths)

    def rebuild(
        self, *, progress: Progress = no_progress, cancellation: Cancellation | None = None
    ) -> IndexStatus:
        """Index every file anew; searches see the old generation until then."""
        self._require_indexing()
        self._keeper.rebuild(progress).wait(cancellation or Cancellation())
        return self.index_status()

    def merge(
        self, *, progress: Progress = no_progress, cancellation: Cancellation | None = None
    ) -> IndexStatus:
        """Fold what came since the last merge into the primary; drops tombstones."""
        self._keeper.merge(progress).wait(cancellation or Cancellation())
        return self.index_status()

    def settle(self, *, cancellation: Cancellation | None = None) -> None:
        """Return when what is due is written to disk and merged: the next opening is fast."""
        self._keeper.settle().wait(stop := cancellation or Cancellation())
        self.refinement.settle(stop)

    def list_paths(
        self,
        *,
        under: str = "",
        contains: str = "",
        globs: Sequence[str] = (),
        limit: int = 1000,
    ) -> tuple[list[str], bool]:
        """Indexed paths in order, and whether there are more than `limit`.

        `under` is a folder, `contains` a part of the path in any case. Raises InvalidGlobError.
        """
        found = matching_paths(self._index.store, under=under, contains=contains, globs=globs)
        return found[:limit], len(found) > limit

    def symbols(self, path: str, text: str, cancellation: Cancellation) -> Sequence[Symbol]:
        """The definitions of a file by their lines in `text`, an editor's buffer of it."""
        return find_symbols(self._index.store, self.root, path, text, self.update, cancellation)

    def cancel_indexing(self) -> None:
        """Stop the background indexing; searches go on with what there is."""
        self._keeper.cancel()
        self.refinement.cancel()

    def wait_until_ready(self, timeout: float | None = None) -> bool:
        """Whether the first reconciliation ended, in success or not, within `timeout` seconds."""
        return self._keeper.first_pass.wait(timeout)

    def worker_pids(self) -> list[int]:
        """Process ids of the indexing processes, for `doctor` and debugging."""
        others = self.commits.worker_pids if self.commits else ()
        return [*self._keeper.worker_pids, *others, *self.refinement.worker_pids]

    def close(self) -> None:
        """Stop watching and indexing and end every child process; idempotent."""
        self._scope.close()
        if self.commits is not None:
            self.commits.close()
        self._keeper.close()
        self.refinement.close()
        self._index.close()
        if self.git is not None:
            self.git.close()

    def _result(self, ask: Callable[[], Answer]) -> SearchResult:
        store = self._index.store
        try:
            answer = ask()
        except DamagedSegmentError:
            self._keeper.note_damaged_segments()
            raise
        except DamagedCacheError:
            self._keeper.note_damage(store)
            raise
        self._index.publication.searched()
        if answer.changed:
            self.changed(sorted(answer.changed))
        return SearchResult(
            hits=answer.hits,
            stopped_early=answer.stopped_early,
            evidence=answer.evidence,
            freshness=Freshness(
                generation=answer.generation,
                pending=self._keeper.pending,
                complete=self._keeper.complete,
                refined=self.refinement.share(self._index.counts.chunks),
            ),
        )

    def _require_indexing(self) -> None:
        if not self.settings.index.enabled:
            raise IndexingOffError(self.name)

    def _note_rescan(self) -> None:
        self._keeper.note_rescan()
        self.refinement.note_rescan()

    def _on_changes(self, changes: Changes) -> None:
        if changes.rescan or changes.head_changed:
            self._note_rescan()
        if changes.head_changed and self.commits is not None:
            self.commits.note_head()
        self.changed(sorted(changes.paths))

    def _tell_status(self) -> None:
        if self._on_status is None:
            return
        try:
            self._on_status(self.index_status())
        except CacheUnavailableError:
            return
        # Indexing goes on whatever becomes of those who only look on.
        except Exception:  # noqa: BLE001
            _log.exception("The status of %s could not be told", self.name)
