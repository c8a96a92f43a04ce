"""The settings whose values are a choice of a few words."""

from enum import StrEnum


class WorkspaceSymbols(StrEnum):
    """When `workspace/symbol` answers by meaning."""

    PREFIX = "prefix"
    ALWAYS = "always"
    OFF = "off"


class DeepSearch(StrEnum):
    """Whether the deep model refines searches."""

    AUTO = "auto"
    OFF = "off"


class BlameHover(StrEnum):
    """Where on a line hovering shows its commit."""

    OFF = "off"
    LINE_END = "lineEnd"
    EVERYWHERE = "everywhere"


class BlameHints(StrEnum):
    """Which lines show their commit at their end."""

    OFF = "off"
    LINE = "line"
    VISIBLE = "visible"


class DateFormat(StrEnum):
    """How dates of commits are shown."""

    RELATIVE = "relative"
    ISO = "iso"


class PrimaryIndex(StrEnum):
    """How the vectors of the primary index are kept."""

    AUTO = "auto"
    FLAT = "flat"
    SQ8 = "sq8"
    RABITQ = "rabitq"
    IVF_FLAT = "ivf-flat"
    IVF_SQ8 = "ivf-sq8"
    IVF_RABITQ = "ivf-rabitq"
    OPQ_IVF_PQ = "opq-ivf-pq"


class EmbeddingProvider(StrEnum):
    """Whose shapes of requests an embeddings endpoint speaks."""

    AUTO = "auto"
    OPENAI = "openai"
    VLLM = "vllm"
    OLLAMA = "ollama"
    TEI = "tei"
    VOYAGE = "voyage"


class LogLevel(StrEnum):
    """The least serious messages that are logged."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"
