"""What a user can set of embeddings: the model, and the endpoint that refines it.

Invariant: all of it has the scope `MACHINE`. A workspace's own file must never say where source
text is sent, nor with which key.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from codeintel_ls.settings.choices import EmbeddingProvider
from codeintel_ls.settings.spec import Scope, about, is_absolute_or_empty

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _is_variable_or_empty(text: str) -> bool:
    return not text or _VARIABLE.fullmatch(text) is not None


def _url_problem(text: str) -> str | None:
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return "does not begin with http:// or https:// and a host"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "holds a character that must be percent-encoded in a URL"
    if parts.query or parts.fragment:
        return "has a part behind ? or #"
    return None


def _endpoint_problem(text: str) -> str | None:
    if text and "@" in text:
        return "holds a user or a password: set embedding.apiKeyFile or apiKeyEnvironment instead"
    return _url_problem(text)


def _proxy_problem(text: str) -> str | None:
    if text and "@" in text:
        return "holds a user or a password: they may stand in the variable HTTPS_PROXY alone"
    return _url_problem(text)


def _anything(_: str) -> bool:
    return True


@frozen(kw_only=True)
class EmbeddingSettings:
    """What turns text into vectors."""

    model: str = field(
        default="",
        metadata=about(
            "The folder of a static model in model2vec's format; empty for the bundled one.",
            scope=Scope.MACHINE,
            expected="an absolute path of a folder, or empty",
            accepts=is_absolute_or_empty,
        ),
    )
    endpoint: str = field(
        default="",
        metadata=about(
            "An embeddings endpoint that refines searches, e.g. `http://localhost:8000/v1` (vLLM); "
            "chunks of source text and questions are sent there. Empty: nothing is sent anywhere.",
            scope=Scope.MACHINE,
            expected="an http or https URL, or empty",
            problem=_endpoint_problem,
        ),
    )
    endpoint_model: str = field(
        default="",
        metadata=about(
            "The model's name at the endpoint.",
            scope=Scope.MACHINE,
            expected="a name",
            accepts=str.isprintable,
        ),
    )
    provider: EmbeddingProvider = field(
        default=EmbeddingProvider.AUTO,
        metadata=about(
            "Whose requests the endpoint understands; `auto` guesses from its address.",
            scope=Scope.MACHINE,
        ),
    )
    allow_remote: bool = field(
        default=False,
        metadata=about(
            "Send to an endpoint on another machine without asking first; for where nobody can "
            "be asked.",
            scope=Scope.MACHINE,
        ),
    )
    api_key_environment: str = field(
        default="",
        metadata=about(
            "The environment variable that holds the endpoint's API key.",
            scope=Scope.MACHINE,
            expected="the name of an environment variable, or empty",
            accepts=_is_variable_or_empty,
        ),
    )
    api_key_file: str = field(
        default="",
        metadata=about(
            "The file that holds the endpoint's API key.",
            scope=Scope.MACHINE,
            expected="an absolute path of a file, or empty",
            accepts=is_absolute_or_empty,
        ),
    )
    dimensions: int = field(
        default=0,
        metadata=about(
            "Ask for vectors of this length, of models that can shorten them; 0: the model's own.",
            scope=Scope.MACHINE,
            minimum=0,
            maximum=16_384,
        ),
    )
    truncate_prompt_tokens: int = field(
        default=0,
        metadata=about(
            "Have vLLM cut longer texts after so many tokens; -1: where the model ends; 0: do not "
            "ask, and halve what it refuses.",
            scope=Scope.MACHINE,
            minimum=-1,
            maximum=1_000_000,
        ),
    )
    query_prefix: str = field(
        default="",
        metadata=about(
            "What the model wants before a question, e.g. `query: `.",
            scope=Scope.MACHINE,
            expected="a text",
            accepts=_anything,
        ),
    )
    document_prefix: str = field(
        default="",
        metadata=about(
            "What the model wants before a piece of code, e.g. `passage: `.",
            scope=Scope.MACHINE,
            expected="a text",
            accepts=_anything,
        ),
    )
    batch_tokens: int = field(
        default=8_192,
        metadata=about(
            "About how many tokens are sent in one request.",
            scope=Scope.MACHINE,
            minimum=64,
            maximum=1_000_000,
        ),
    )
    batch_texts: int = field(
        default=64,
        metadata=about(
            "At most how many texts are sent in one request.",
            scope=Scope.MACHINE,
            minimum=1,
            maximum=2_048,
        ),
    )
    query_timeout_milliseconds: int = field(
        default=1_500,
        metadata=about(
            "After so long a search goes on without the endpoint.",
            scope=Scope.MACHINE,
            minimum=10,
            maximum=60_000,
        ),
    )
    bulk_timeout_seconds: int = field(
        default=60,
        metadata=about(
            "After so long a batch of an index is given up, and tried again later.",
            scope=Scope.MACHINE,
            minimum=1,
            maximum=3_600,
        ),
    )
    ca_file: str = field(
        default="",
        metadata=about(
            "Certificates (PEM) of private authorities that the endpoint may be signed by.",
            scope=Scope.MACHINE,
            expected="an absolute path of a file, or empty",
            accepts=is_absolute_or_empty,
        ),
    )
    proxy: str = field(
        default="",
        metadata=about(
            "The proxy for the endpoint; empty: what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say, "
            "and none on this machine.",
            scope=Scope.MACHINE,
            expected="an http or https URL, or empty",
            problem=_proxy_problem,
        ),
    )
