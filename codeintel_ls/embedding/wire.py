"""The shapes of requests and replies, which differ from server to server.

Invariant: what passes `read_reply` is one finite vector for each text, in the texts' order, all of
one length; nothing else is let through, whatever a server sends.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, cast

import numpy as np
import orjson

from codeintel_ls.embedding.encoder import Vectors
from codeintel_ls.embedding.endpoint import Endpoint, Provider
from codeintel_ls.embedding.errors import (
    BadReplyError,
    EmbeddingError,
    EncodingRefusedError,
    EndpointBusyError,
    EndpointDownError,
    EndpointMisconfiguredError,
    EndpointRefusedError,
    InputTooLongError,
    ModelChangedError,
    TooManyTextsError,
)

TRANSIENT: Final = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may well be answered."""

_TOO_LONG: Final = (
    "maximum context length",
    "context length",
    "maximum input length",
    "too long",
    "too many tokens",
    "must have less than",
    "input length exceeds",
)
_REFUSALS: Final = frozenset({400, 413, 422})
_TOO_LARGE: Final = 413
_KEY_STATUSES: Final = frozenset({401, 403})
_REDIRECTS: Final = range(300, 400)
_LARGEST_DIMENSION: Final = 65_536
_LONGEST_QUOTE: Final = 200


class Side(StrEnum):
    """What texts are: questions, or what is searched."""

    QUERY = "query"
    DOCUMENT = "document"


def request_body(endpoint: Endpoint, texts: Sequence[str], side: Side, *, packed: bool) -> bytes:
    """The JSON that asks for vectors of these texts; `packed`: as base64, where that is known."""
    prefix = endpoint.query_prefix if side is Side.QUERY else endpoint.document_prefix
    inputs = [prefix + text for text in texts] if prefix else list(texts)
    # Text from files may hold half a surrogate pair, which no JSON may.
    body = _fields(endpoint, inputs, side, packed=packed)
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        clean = [text.encode("utf-8", "replace").decode() for text in inputs]
        return orjson.dumps(_fields(endpoint, clean, side, packed=packed))


def _fields(
    endpoint: Endpoint, inputs: list[str], side: Side, *, packed: bool
) -> dict[str, object]:
    kind, dimensions = endpoint.kind, endpoint.dimensions
    if kind is Provider.TEI:
        body: dict[str, object] = {"inputs": inputs, "truncate": True, "normalize": True}
        return {**body, "dimensions": dimensions} if dimensions else body
    body = {"input": inputs}
    if endpoint.model:
        body["model"] = endpoint.model
    if kind is Provider.OLLAMA:
        body["truncate"] = True
    elif packed:
        body["encoding_format"] = "base64"
    elif kind is not Provider.VOYAGE:
        body["encoding_format"] = "float"
    if kind is Provider.VOYAGE:
        body["input_type"] = str(side)
        body["truncation"] = True
    if dimensions:
        body["output_dimension" if kind is Provider.VOYAGE else "dimensions"] = dimensions
    if endpoint.truncate_tokens and kind in {Provider.VLLM, Provider.OPENAI}:
        body["truncate_prompt_tokens"] = endpoint.truncate_tokens
    return body


def can_pack(endpoint: Endpoint) -> bool:
    """Whether its kind of server may know base64; a server that does not is found out."""
    return endpoint.kind not in {Provider.OLLAMA, Provider.TEI}


def read_reply(endpoint: Endpoint, body: bytes, count: int, dimension: int | None) -> Vectors:
    """The vectors of `count` texts, float32 (count, dimension), as they came: of any norm.

    Raises BadReplyError; ModelChangedError where they are not `dimension` long.
    """
    entries = _entries(endpoint, _json(endpoint, body))
    if len(entries) != count:
        raise _bad(endpoint, f"answered {count} texts with {len(entries)} vectors")
    rows = [_row(endpoint, entry) for entry in entries]
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise _bad(endpoint, "sent vectors of different lengths")
    (length,) = lengths
    if not 1 <= length <= _LARGEST_DIMENSION:
        raise _bad(endpoint, f"sent vectors with {length} dimensions")
    if dimension is not None and length != dimension:
        raise ModelChangedError(
            f"The embedding endpoint {endpoint.origin} sent vectors with {length} dimensions "
            f"instead of {dimension}: it has another model now."
        )
    vectors = np.stack(rows)
    if not np.isfinite(vectors).all():
        raise _bad(endpoint, "sent vectors that hold no numbers (NaN or infinity)")
    return vectors


def _json(endpoint: Endpoint, body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        what = "a web page" if body.lstrip()[:1] == b"<" else "something that is no JSON"
        # The decoder's own error holds the whole reply.
        raise _bad(endpoint, f"answered with {what}") from None


def _entries(endpoint: Endpoint, reply: object) -> Sequence[object]:
    """What stands for each text, in the order of the texts."""
    if isinstance(reply, list) and endpoint.kind is Provider.TEI:
        return cast("list[object]", reply)
    if not isinstance(reply, Mapping):
        raise _bad(endpoint, "answered with no embeddings")
    fields = cast("Mapping[str, object]", reply)
    vectors = fields.get("embeddings")
    if isinstance(vectors, list):
        return cast("list[object]", vectors)
    data = fields.get("data")
    if not isinstance(data, list):
        raise _bad(endpoint, "answered with no embeddings")
    return _in_order(endpoint, cast("list[object]", data))


def _in_order(endpoint: Endpoint, data: list[object]) -> list[object]:
    """The vectors of numbered entries; servers may send them in any order."""
    placed: dict[int, object] = {}
    for position, entry in enumerate(data):
        if not isinstance(entry, Mapping):
            raise _bad(endpoint, "answered with no embeddings")
        fields = cast("Mapping[str, object]", entry)
        index = fields.get("index", position)
        if not isinstance(index, int) or not 0 <= index < len(data) or index in placed:
            raise _bad(endpoint, "numbered its vectors in a way that fits no texts")
        placed[index] = fields.get("embedding")
    return [placed[index] for index in range(len(data))]


def _row(endpoint: Endpoint, value: object) -> Vectors:
    try:
        if isinstance(value, str):
            row = np.frombuffer(b64decode(value, validate=True), dtype="<f4")
        elif isinstance(value, list):
            numbers = cast("list[object]", value)
            # orjson reads a bare NaN as an error, and servers that mean one write null.
            row = np.array([np.nan if n is None else n for n in numbers], dtype=np.float32)
        else:
            raise _bad(endpoint, "answered with no embeddings")
    except (binascii.Error, ValueError, TypeError):
        raise _bad(endpoint, "sent a vector that cannot be read") from None
    if row.ndim != 1:
        raise _bad(endpoint, "sent a vector that cannot be read")
    return row.astype(np.float32, copy=False)


def refusal(
    endpoint: Endpoint,
    status: int,
    body: bytes,
    *,
    count: int,
    retry_after: float | None,
    target: str,
) -> EmbeddingError:
    """The error that a status other than 200 means, to a request with `count` texts.

    `target` is where a redirect leads.
    """
    origin = endpoint.origin
    if status in TRANSIENT:
        return EndpointBusyError(
            f"The embedding endpoint {origin} has no time now (status {status}).", retry_after
        )
    if status in _REDIRECTS:
        return EndpointMisconfiguredError(
            f"The embedding endpoint {origin} redirects to {target}, which is not followed: "
            "put the right address into the setting embedding.endpoint."
        )
    if status in _KEY_STATUSES:
        return EndpointMisconfiguredError(
            f"The embedding endpoint {origin} refuses the API key (status {status}): see the "
            "settings embedding.apiKeyEnvironment and embedding.apiKeyFile."
        )
    said = _said(body)
    if status in _REFUSALS and any(phrase in said.lower() for phrase in _TOO_LONG):
        return InputTooLongError(
            f"The embedding endpoint {origin} refuses a text that is too long for its model."
        )
    if count > 1 and (status == _TOO_LARGE or (status in _REFUSALS and "batch size" in said)):
        return TooManyTextsError(
            f"The embedding endpoint {origin} refuses {count} texts in one request (status "
            f"{status}): lower the setting embedding.batchTexts."
        )
    if status in {400, 422} and "encoding_format" in said:
        return EncodingRefusedError(f"The embedding endpoint {origin} does not know base64.")
    if status >= 500:
        return EndpointDownError(f"The embedding endpoint {origin} failed (status {status}).")
    return EndpointRefusedError(
        f"The embedding endpoint {origin} refuses the request (status {status})"
        + (f": {_quotable(said)}" if status == 404 and _quotable(said) else ".")
    )


def _said(body: bytes) -> str:
    """The sentence in an error's body, in any of the servers' shapes."""
    try:
        reply: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    for _ in range(3):
        if isinstance(reply, str):
            return reply
        if isinstance(reply, list) and reply:
            reply = cast("list[object]", reply)[0]
        if not isinstance(reply, Mapping):
            return ""
        fields = cast("Mapping[str, object]", reply)
        named = (fields.get(name) for name in ("error", "message", "detail", "msg"))
        reply = next((value for value in named if value), None)
    return reply if isinstance(reply, str) else ""


def _quotable(said: str) -> str:
    # Only for a model that is not there: other sentences may quote the texts that were sent.
    return said[:_LONGEST_QUOTE] if said.isprintable() else ""


def _bad(endpoint: Endpoint, what: str) -> BadReplyError:
    return BadReplyError(f"The embedding endpoint {endpoint.origin} {what}.")
