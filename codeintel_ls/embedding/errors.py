"""What can go wrong between here and an embeddings endpoint.

Invariant: a message names the endpoint's host at the most, never a key, a header or a text that
was sent; an error can be pickled and means the same on the other side.
"""

from codeintel_ls.errors import CodeIntelError


class EmbeddingError(CodeIntelError):
    """The root of what an endpoint can do to those who ask it."""


class EndpointMisconfiguredError(EmbeddingError):
    """The settings cannot be right: no key, no certificate, an address that leads elsewhere."""


class EndpointDownError(EmbeddingError):
    """It does not answer, or has no time, now; it may later. Nothing that was sent was wrong."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type, tuple[str, float | None]]:
        return type(self), (str(self), self.retry_after)


class EndpointBusyError(EndpointDownError):
    """It has no time at this moment: the same request may well be answered soon."""


class EndpointRefusedError(EmbeddingError):
    """It understood, and said no: the same request would be refused again."""


class InputTooLongError(EndpointRefusedError):
    """A text has more tokens than the model takes."""


class TooManyTextsError(EndpointRefusedError):
    """So many texts are too much for one request."""


class EncodingRefusedError(EndpointRefusedError):
    """It does not know the encoding that was asked for."""


class BadReplyError(EmbeddingError):
    """What came back is no embeddings of what was sent."""


class ModelChangedError(BadReplyError):
    """Vectors have another length than those of the model that was asked before."""
