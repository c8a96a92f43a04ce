"""The vectors of an endpoint's model, made and kept beside those of the bundled one.

A second index, in a cache of its own for each model, is brought up to date by its own keeper at
the endpoint's pace; the first index never waits for it, and answers alone wherever it cannot help.
Invariants: nothing is sent without consent; an endpoint that fails costs searches nothing but its
help; it is asked again by itself until the folder is closed.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, RLock
from typing import TYPE_CHECKING

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding import EmbeddingError, Endpoint, ModelChangedError, RemoteModel
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.errors import IndexingError
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.status import IndexState
from codeintel_ls.index.store import Store
from codeintel_ls.progress import no_progress
from codeintel_ls.search.candidates import RankedChunk
from codeintel_ls.search.deep import Reading
from codeintel_ls.search.values import SearchFilter
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.consent import Permission
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.endpoint_watch import EndpointWatch
from codeintel_ls.workspace.refined_index import RefinedIndex, open_refined

if TYPE_CHECKING:
    from codeintel_ls.embedding.probe import ModelRecords
    from codeintel_ls.embedding.remote import RemoteEncoder

    EndpointIndex = RefinedIndex[RemoteModel, RemoteEncoder]

_log = logging.getLogger(__name__)


class Refinement:
    """What an endpoint adds to one folder. Thread-safe."""

    def __init__(
        self,
        root: Path,
        shared: Path,
        endpoint: Endpoint,
        settings: Settings,
        *,
        records: "ModelRecords",
        permission: Permission,
        discover: Callable[[Cancellation], Discovered],
        policy: Callable[[], PathPolicy],
        after: Event,
        changed: Callable[[], None],
    ) -> None:
        """Nothing is sent yet. Indexing waits for `after`; `changed` is told of news."""
        self._root = root
        self._shared = shared
        self._endpoint = endpoint
        self._settings = settings
        self._records = records
        self._permission = permission
        self._watch = EndpointWatch(
            endpoint,
            records,
            permission,
            use=self._put_to_work,
            is_well=self._is_well,
            stop=self._let_go,
            changed=changed,
        )
        self._discover = discover
        self._policy = policy
        self._after = after
        self._changed = changed
        self._lock = RLock()
        self._live: EndpointIndex | None = None
        self._at_work: EndpointIndex | None = None
        self._may_index = settings.index.enabled

    def allow(self, allowed: bool) -> None:
        """Take a person's answer to whether texts may be sent, and go by it at once.

        Other folders, in whichever process, find it within a second.
        """
        self._permission.record(allowed)
        if allowed:
            self.start()
        else:
            self._let_go()
        self._watch.wake()
        self._changed()

    @property
    def asks(self) -> str | None:
        """The endpoint of which nobody has said yet whether texts may be sent there."""
        return self._permission.asks

    # Its life

    def open_known(self) -> None:
        """Use the vectors that are there already, of the model as it was found before."""
        model = self._records.known(self._endpoint) if self._permission.is_given else None
        if model is None:
            return
        try:
            self._use(model)
        except CodeIntelError as error:
            self._watch.trouble = str(error)

    def start(self) -> None:
        """Find out which model there is, and have everything embedded; returns at once.

        Nothing begins where the folder is not to be indexed; nothing is asked before it is allowed.
        """
        self._may_index = self._settings.index.enabled
        if self._may_index:
            self._watch.start()

    def settle(self, cancellation: Cancellation) -> None:
        """Return when everything is embedded and written, or it is known that it cannot be now."""
        self.start()
        if not self._may_index:
            return
        self._watch.wait(cancellation)
        live = self._live
        if live is None or self._watch.trouble:
            return
        try:
            live.keeper.reconcile().wait(cancellation)
            live.keeper.settle().wait(cancellation)
        except CancelledError:
            raise
        except CodeIntelError as error:
            self._watch.trouble = str(error)

    def configure(self, settings: Settings) -> None:
        """Index by other settings from now on, or not at all."""
        self._settings = settings
        live = self._live
        if live is not None:
            live.configure(settings)
        if settings.index.enabled:
            self.start()
        else:
            self.cancel()

    def note_changes(self, paths: Collection[str]) -> None:
        """A hint that these files may have changed."""
        live = self._kept_up
        if live is not None:
            live.keeper.note_changes(paths)

    def note_rescan(self) -> None:
        """A hint that anything may have changed."""
        self._may_index = self._settings.index.enabled
        live = self._kept_up
        if live is not None:
            live.keeper.note_rescan()

    def cancel(self) -> None:
        """Stop indexing until it is asked for again; what is there goes on to help."""
        self._may_index = False
        live = self._live
        if live is not None:
            live.keeper.cancel()

    def close(self) -> None:
        """Let go of everything."""
        self._watch.close()
        with self._lock:
            live, self._live, self._at_work = self._live, None, None
        if live is not None:
            live.close()
        self._watch.join(2.0)

    # What it adds

    def candidates(
        self,
        text: str,
        wanted: SearchFilter,
        k: int,
        first: Sequence[RankedChunk],
        generation: Generation,
        store: Store,
    ) -> Sequence[RankedChunk]:
        """See `RefinedVectors.candidates`; `first` wherever it cannot help.

        Raises InvalidGlobError, and DamagedCacheError where `store` is damaged.
        """
        live = self._live
        if live is None or not self._permission.is_given:
            return first
        try:
            found = live.told(
                lambda: live.vectors.candidates(text, wanted, k, first, generation, store)
            )
        except ModelChangedError:
            self._watch.wake()
        except EmbeddingError:
            self._changed()
        else:
            return first if found is None else found
        return first

    def reads(self, _chunks: int) -> bool:
        """Nothing is sent for a single question but the question."""
        return False

    def read(
        self,
        _text: str,
        _readings: Sequence[Reading],
        first: Sequence[RankedChunk],
        _cancellation: Cancellation,
    ) -> Sequence[RankedChunk]:
        """Those that there are."""
        return first

    async def embed_ahead(self, text: str, chunks: int) -> None:
        """Have a question's vector ready before a thread searches so many chunks for it."""
        live = self._live
        if live is None or not live.vectors.helps(chunks):
            return
        # An answer is read from a file.
        if await asyncio.to_thread(lambda: self._permission.is_given):
            await live.encoder.embed_ahead(text)

    def share(self, chunks: int) -> float:
        """How much of so many chunks the endpoint's model has seen, 0 to 1."""
        live = self._live
        return live.vectors.share(chunks) if live is not None else 0.0

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know or decide."""
        if self.asks is not None:
            return (
                f"Nothing is sent to the embedding endpoint {self.asks} until you allow it: answer "
                "your editor's question, or set embedding.allowRemote.",
            )
        trouble = self._watch.trouble
        live = self._live
        if live is not None and not trouble:
            trouble = live.encoder.trouble or live.keeper.health.last_error or ""
        told = (f"{trouble} Until then, searches go on with what is there.",) if trouble else ()
        return (*told, *(live.notices("the endpoint's model") if live is not None else ()))

    @property
    def remarks(self) -> tuple[str, ...]:
        """How far it is."""
        origin = self._endpoint.origin
        if not self._permission.is_given:
            refused = self.asks is None
            return (f"The embedding endpoint {origin} is not used: you refused it.",) * refused
        live = self._live
        # It may be lost at this moment, and is then made anew.
        with suppress(IndexingError):
            if live is not None:
                model, chunks = live.model, live.index.counts.chunks
                return (
                    f"{model.endpoint.model or 'The model'} ({model.dimension} dimensions) at "
                    f"{origin} refines searches: {chunks:,} chunks.",
                )
        return ()

    @property
    def disk_bytes(self) -> int:
        """What its index takes of the disk."""
        live = self._live
        return live.index.disk_bytes() if live is not None else 0

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of its indexing processes."""
        live = self._live
        return live.keeper.worker_pids if live is not None else []

    # Behind it

    @property
    def _kept_up(self) -> "EndpointIndex | None":
        return self._at_work if self._permission.is_given else None

    def _put_to_work(self, model: RemoteModel) -> bool:
        """Bring this model's index up to date, at first or after it failed; whether it is."""
        live = self._use(model)
        self._watch.tell("")
        if live is self._at_work:
            # One that is lost is made anew first, which its keeper tries by itself.
            if live.keeper.health.state is IndexState.FAILED and not live.index.is_lost:
                live.keeper.note_rescan()
            return True
        # What needs no endpoint is searchable first.
        self._watch.stay(self._after)
        if not self._watch.may_send:
            return False
        self._at_work = live
        # Cancelling the first pass ends it, too.
        if self._may_index:
            live.keeper.begin(lambda: None, no_progress)
        return True

    def _is_well(self) -> bool:
        live = self._live
        return live is not None and live.keeper.health.is_ready

    def _let_go(self) -> None:
        """Send nothing more, and end what is under way."""
        with self._lock:
            live, self._live, self._at_work = self._live, None, None
        self._watch.forget()
        if live is not None:
            live.close()
            self._changed()

    def _use(self, model: RemoteModel) -> "EndpointIndex":
        """Let this model's vectors help, and no other's. Raises the index's errors."""
        from codeintel_ls.embedding.remote import RemoteEncoder

        with self._lock:
            before = self._live
            if before is not None and before.model == model:
                return before
            if self._watch.closed:
                raise CancelledError
            self._live = open_refined(
                self._root,
                self._shared,
                self._settings,
                model,
                RemoteEncoder(model, recovered=self._watch.wake),
                discover=self._listed,
                policy=self._policy,
                changed=self._keeper_changed,
            )
        if before is not None:
            before.close()
        return self._live

    def _listed(self, cancellation: Cancellation) -> Discovered:
        # Whoever looks at the whole folder, for whatever reason, comes by here.
        if not (self._may_index and self._watch.may_send):
            raise CancelledError
        return self._discover(cancellation)

    def _keeper_changed(self) -> None:
        live = self._live
        if live is not None and live.keeper.health.state is IndexState.FAILED:
            self._watch.wake()
        self._changed()
