"""An embeddings endpoint as the user configured it: where it is, which model, how to talk to it.

A plain value that travels to the indexing process. Invariant: it holds no secret; the API key is
read from the environment or a file by whoever sends a request, at that moment.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from codeintel_ls.embedding.errors import EndpointMisconfiguredError

_LONGEST_KEY: Final = 4_096
_OLLAMA_PORT: Final = 11434


class Provider(StrEnum):
    """Whose shapes of requests and replies an endpoint speaks."""

    AUTO = "auto"
    OPENAI = "openai"
    VLLM = "vllm"
    OLLAMA = "ollama"
    TEI = "tei"
    VOYAGE = "voyage"


_PATHS: Final = {Provider.OLLAMA: "/api/embed", Provider.TEI: "/embed"}
_OPENAI_PATH: Final = "/v1/embeddings"


@frozen(kw_only=True)
class Endpoint:
    """Where texts are sent. `dimensions` and `truncate_tokens` of 0 leave it to the model."""

    url: str
    model: str
    provider: Provider = Provider.AUTO
    api_key_environment: str = ""
    api_key_file: str = ""
    dimensions: int = 0
    truncate_tokens: int = 0
    query_prefix: str = ""
    document_prefix: str = ""
    batch_tokens: int = 8_192
    batch_texts: int = 64
    query_seconds: float = 1.5
    bulk_seconds: float = 60.0
    ca_file: str = ""
    proxy: str = ""

    @property
    def kind(self) -> Provider:
        """The provider, guessed from the URL where none is set."""
        if self.provider is not Provider.AUTO:
            return self.provider
        parts = urlsplit(self.url)
        if (parts.hostname or "").endswith("voyageai.com"):
            return Provider.VOYAGE
        if parts.path.endswith("/api/embed") or (
            parts.port == _OLLAMA_PORT and "/v1" not in parts.path
        ):
            return Provider.OLLAMA
        return Provider.OPENAI

    @property
    def address(self) -> str:
        """The URL that requests are posted to: the setting names it whole or only its beginning."""
        url = self.url.rstrip("/")
        wanted = _PATHS.get(self.kind, _OPENAI_PATH)
        if url.endswith((wanted, "/embeddings", "/embed")):
            return url
        return url + (wanted.removeprefix("/v1") if url.endswith("/v1") else wanted)

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a person is asked about, and what errors name."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"

    @property
    def is_on_this_machine(self) -> bool:
        """Whether requests end on the loopback interface and no proxy carries them elsewhere."""
        host = urlsplit(self.url).hostname or ""
        if self.proxy:
            return False
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def api_key(self, environ: Mapping[str, str] = os.environ) -> str:
        """The key, or nothing where none is configured. Raises EndpointMisconfiguredError."""
        if self.api_key_environment:
            key = environ.get(self.api_key_environment, "").strip()
            if not key:
                raise EndpointMisconfiguredError(
                    f"The environment variable {self.api_key_environment}, named by the setting "
                    "embedding.apiKeyEnvironment, is not set where the server runs."
                )
            return _sound(key, "embedding.apiKeyEnvironment")
        if self.api_key_file:
            return _sound(_read_key(Path(self.api_key_file).expanduser()), "embedding.apiKeyFile")
        return ""


def _read_key(path: Path) -> str:
    try:
        with path.open("rb") as file:
            key = file.read(_LONGEST_KEY + 1).decode("ascii").strip()
    except OSError as error:
        raise EndpointMisconfiguredError(
            f"The file of the setting embedding.apiKeyFile cannot be read: {error.strerror}."
        ) from error
    except UnicodeDecodeError:
        # That one shows the bytes.
        raise _no_key("embedding.apiKeyFile") from None
    if not key:
        raise EndpointMisconfiguredError("The file of the setting embedding.apiKeyFile is empty.")
    return key


def _sound(key: str, setting: str) -> str:
    """The key, if it can stand in a header."""
    if len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise _no_key(setting)
    return key


def _no_key(setting: str) -> EndpointMisconfiguredError:
    return EndpointMisconfiguredError(f"What the setting {setting} leads to is no API key.")
