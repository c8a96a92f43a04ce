"""Whether searches of a folder are refined, and by what: the settings become an object.

An endpoint goes before the deep model, which needs its runtime and a folder that stays open. Else
there is `NoRefinement`, which adds nothing and loads nothing.
"""

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from threading import Event

from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import (
    DeepModel,
    Endpoint,
    ModelUnavailableError,
    Provider,
    bundled_deep_model,
)
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.store import Store
from codeintel_ls.search.candidates import RankedChunk
from codeintel_ls.search.deep import Reading
from codeintel_ls.search.values import SearchFilter
from codeintel_ls.settings import (
    DeepSearch,
    EmbeddingSettings,
    SearchSettings,
    Settings,
    model_records_directory,
    state_directory,
)
from codeintel_ls.workspace.consent import Consents, Permission
from codeintel_ls.workspace.deepening import Deepening
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.refinement import Refinement

_log = logging.getLogger(__name__)


class NoRefinement:
    """The first model answers alone."""

    asks: str | None = None
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    disk_bytes: int = 0
    worker_pids: Sequence[int] = ()

    def allow(self, allowed: bool) -> None:
        """Nothing was asked."""

    def start(self) -> None:
        """There is nothing to begin."""

    def settle(self, cancellation: Cancellation) -> None:
        """Nothing is under way."""

    def configure(self, settings: Settings) -> None:
        """Which endpoint there is, is settled when a folder is opened."""

    def note_changes(self, paths: Collection[str]) -> None:
        """Nothing is kept here."""

    def note_rescan(self) -> None:
        """Nothing is kept here."""

    def cancel(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is held."""

    def candidates(
        self,
        _text: str,
        _wanted: SearchFilter,
        _k: int,
        first: Sequence[RankedChunk],
        _generation: Generation,
        _store: Store,
    ) -> Sequence[RankedChunk]:
        """Those that there are."""
        return first

    def reads(self, _chunks: int) -> bool:
        """It reads nothing."""
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
        """Nobody is asked."""

    def share(self, _chunks: int) -> float:
        """None of them."""
        return 0.0


Refining = Refinement | Deepening | NoRefinement


def refinement_of(
    root: Path,
    shared: Path,
    settings: Settings,
    *,
    discover: Callable[[Cancellation], Discovered],
    policy: Callable[[], PathPolicy],
    after: Event,
    changed: Callable[[], None],
    stays_open: bool,
    environ: Mapping[str, str] = os.environ,
) -> Refining:
    """What refines searches of a folder; see `Refinement`. Nothing is sent yet."""
    endpoint = endpoint_of(settings.embedding)
    if endpoint is None:
        model = _deep_model(settings.search) if stays_open else None
        if model is None:
            return NoRefinement()
        return Deepening(
            root,
            shared,
            model,
            settings,
            discover=discover,
            policy=policy,
            after=after,
            changed=changed,
        )
    from codeintel_ls.embedding.probe import ModelRecords

    consents = Consents(state_directory(environ))
    refinement = Refinement(
        root,
        shared,
        endpoint,
        settings,
        records=ModelRecords(model_records_directory(settings.cache, environ)),
        permission=Permission(endpoint, consents, allow_remote=settings.embedding.allow_remote),
        discover=discover,
        policy=policy,
        after=after,
        changed=changed,
    )
    refinement.open_known()
    return refinement


def switched(
    before: Refining, old: Settings, settings: Settings, make: Callable[[Settings], Refining]
) -> Refining:
    """What refines from now on: `before`, or what the new settings say, and then that has ended.

    Endpoints are asked once a folder is opened anew.
    """
    if _chosen_by(old) == _chosen_by(settings):
        return before
    before.close()
    if settings.embedding.endpoint or old.embedding != settings.embedding:
        return NoRefinement()
    made = make(settings)
    made.start()
    return made


def _chosen_by(settings: Settings) -> object:
    return settings.embedding, settings.search.deep, settings.search.deep_percent


def _deep_model(settings: SearchSettings) -> DeepModel | None:
    if settings.deep is DeepSearch.OFF:
        return None
    try:
        model = bundled_deep_model()
    except ModelUnavailableError as error:
        _log.warning("%s", error)
        return None
    return evolve(model, share=settings.deep_percent / 100) if model is not None else None


def endpoint_of(settings: EmbeddingSettings) -> Endpoint | None:
    """The endpoint that the user has set, if any."""
    if not settings.endpoint:
        return None
    return Endpoint(
        url=settings.endpoint,
        model=settings.endpoint_model,
        provider=Provider(str(settings.provider)),
        api_key_environment=settings.api_key_environment,
        api_key_file=settings.api_key_file,
        dimensions=settings.dimensions,
        truncate_tokens=settings.truncate_prompt_tokens,
        query_prefix=settings.query_prefix,
        document_prefix=settings.document_prefix,
        batch_tokens=settings.batch_tokens,
        batch_texts=settings.batch_texts,
        query_seconds=settings.query_timeout_milliseconds / 1_000,
        bulk_seconds=settings.bulk_timeout_seconds,
        ca_file=settings.ca_file,
        proxy=settings.proxy,
    )
