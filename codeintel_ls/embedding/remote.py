"""An encoder whose model is served elsewhere: vLLM and whatever speaks as it does.

Documents are embedded in bulk by the indexing process; questions by the server's, with a deadline
of their own. Thread-safe.
"""

import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Final

import numpy as np

from codeintel_ls.embedding.batching import batches
from codeintel_ls.embedding.coalescing import Coalescer
from codeintel_ls.embedding.encoder import Vectors
from codeintel_ls.embedding.errors import (
    EmbeddingError,
    InputTooLongError,
    TooManyTextsError,
)
from codeintel_ls.embedding.http_client import IN_FLIGHT, HttpEmbedder
from codeintel_ls.embedding.remote_model import RemoteModel
from codeintel_ls.embedding.wire import Side

_log = logging.getLogger(__name__)

_REMEMBERED_QUERIES: Final = 256
_REMEMBERED_FAILURE_SECONDS: Final = 2.0
_SHORTEST_CUT: Final = 64


class RemoteEncoder:
    """Offers what every `Encoder` does, and `embed_ahead` for an event loop."""

    def __init__(
        self,
        model: RemoteModel,
        *,
        environ: Mapping[str, str] = os.environ,
        recovered: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is sent yet. `recovered` is called when an endpoint that was down answers."""
        self._model = model
        self._client = HttpEmbedder(
            model.endpoint, dimension=model.dimension, environ=environ, recovered=recovered
        )
        self._questions = _Questions()
        self._coalescer = Coalescer(self._embed_questions)
        self._hiring = Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._rescued: dict[str, Vectors] = {}
        self._most_texts = model.endpoint.batch_texts

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._model.dimension

    @property
    def identity(self) -> str:
        """Names the model and all that decides its vectors."""
        return self._model.identity

    @property
    def trouble(self) -> str:
        """Why the endpoint is not asked now; empty where it is."""
        return self._client.breaker.reason

    @property
    def reads_paths(self) -> bool:
        """A renamed file sends nothing but its new path."""
        return False

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors; zeros for blank texts, which no endpoint takes. Raises EmbeddingError.

        What was embedded before an error is kept for the next try.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        rescued, self._rescued = self._rescued, {}
        wanted: list[int] = []
        for number, text in enumerate(texts):
            if text in rescued:
                vectors[number] = rescued[text]
            elif text.strip():
                wanted.append(number)
        lots = [
            wanted[lot]
            for lot in batches(
                [texts[number] for number in wanted],
                most_tokens=self._model.endpoint.batch_tokens,
                most_texts=self._most_texts,
            )
        ]
        try:
            self._embed_lots(texts, lots, vectors)
        except EmbeddingError:
            done = vectors.any(axis=1)
            self._rescued = {texts[n]: vectors[n] for n in np.flatnonzero(done).tolist()}
            raise
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions, within their deadline. Raises EmbeddingError."""
        known = [self._questions.get(text) for text in texts]
        missing = [text for text, vector in zip(texts, known, strict=True) if vector is None]
        if missing:
            try:
                vectors = _unit(self._client.embed_batch(missing, Side.QUERY))
            except EmbeddingError as error:
                self._questions.failed(missing, error)
                raise
            self._questions.keep(missing, vectors)
            found = iter(vectors)
            known = [next(found) if vector is None else vector for vector in known]
        return np.stack([vector for vector in known if vector is not None])

    async def embed_ahead(self, text: str) -> None:
        """Have a question's vector ready for `embed_queries`, together with others of its time.

        What goes wrong is found there, too, and not by waiting again.
        """
        try:
            if self._questions.get(text) is not None:
                return
        except EmbeddingError:
            # Of a moment ago: to note it again would renew it for ever.
            return
        try:
            vector = await self._coalescer.ask(text)
        except EmbeddingError as error:
            self._questions.failed([text], error)
        else:
            self._questions.keep([text], vector[np.newaxis])

    def close(self) -> None:
        """Let go of connections and threads."""
        with self._hiring:
            threads, self._threads = self._threads, None
        self._client.close()
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    async def _embed_questions(self, texts: Sequence[str]) -> Vectors:
        return _unit(await self._client.embed_batch_async(texts, Side.QUERY))

    def _embed_lots(
        self, texts: Sequence[str], lots: Sequence[Sequence[int]], vectors: Vectors
    ) -> None:
        """Fill in the rows of these lots, several at a time."""

        def embed(lot: Sequence[int]) -> None:
            vectors[lot] = _unit(self._fitting([texts[number] for number in lot]))

        if len(lots) == 1:
            embed(lots[0])
            return
        futures: list[Future[None]] = [self._pool().submit(embed, lot) for lot in lots]
        done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
        for future in waiting:
            future.cancel()
        # Those that are under way write into the rows still.
        wait(waiting)
        for future in done:
            future.result()

    def _fitting(self, texts: list[str]) -> Vectors:
        """Vectors of texts of which some may be too long for the model: those are cut.

        Where there are too many for one request, they go in several.
        """
        try:
            return self._client.embed_batch(texts, Side.DOCUMENT)
        except (InputTooLongError, TooManyTextsError) as error:
            if isinstance(error, TooManyTextsError) and self._most_texts > len(texts) // 2:
                self._most_texts = len(texts) // 2
                _log.warning("%s Until then, %d are sent.", error, self._most_texts)
            if len(texts) > 1:
                half = len(texts) // 2
                return np.concatenate([self._fitting(texts[:half]), self._fitting(texts[half:])])
            shorter = texts[0][: len(texts[0]) // 2].strip()
            if len(shorter) < _SHORTEST_CUT:
                raise
            return self._fitting([shorter])

    def _pool(self) -> ThreadPoolExecutor:
        with self._hiring:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="embedding")
            return self._threads


class _Questions:
    """Vectors of recent questions, and for a moment that there was none to be had."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[str, Vectors | tuple[float, EmbeddingError]] = OrderedDict()

    def get(self, text: str) -> Vectors | None:
        """The vector, or None where it must be asked for. Raises the error of a moment ago."""
        with self._lock:
            known = self._known.get(text)
            if known is None:
                return None
            if isinstance(known, tuple):
                if time.monotonic() < known[0]:
                    raise known[1]
                del self._known[text]
                return None
            self._known.move_to_end(text)
            return known

    def keep(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Remember vectors (n, d)."""
        with self._lock:
            for text, vector in zip(texts, vectors, strict=True):
                self._known[text] = vector
            self._forget()

    def failed(self, texts: Sequence[str], error: EmbeddingError) -> None:
        """Remember for a moment that these could not be embedded."""
        until = time.monotonic() + _REMEMBERED_FAILURE_SECONDS
        with self._lock:
            self._known.update((text, (until, error)) for text in texts)
            self._forget()

    def _forget(self) -> None:
        while len(self._known) > _REMEMBERED_QUERIES:
            self._known.popitem(last=False)


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
