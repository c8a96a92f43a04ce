"""Which text stands for a chunk and for a path when they are embedded, and how it is keyed."""

from hashlib import blake2b

from codeintel_ls.index.chunking import Chunk


def vector_key(identity: str, text: str) -> bytes:
    """The 16-byte key of a vector: what was embedded, and by which model."""
    return blake2b(f"{identity}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def text_digest(body: str) -> bytes:
    """The 16-byte digest by which a chunk's text is found again in a changed file."""
    return blake2b(body.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def document_text(chunk: Chunk, body: str) -> str:
    """What is embedded for a chunk: its symbol, then its lines."""
    return embedded_text(chunk.symbol, body)


def embedded_text(symbol: str | None, body: str) -> str:
    """The same of a chunk as the index holds it."""
    return f"{symbol}\n{body}" if symbol else body


def placed_text(path: str, text: str) -> str:
    """The same with the file's last two folders and stem before it, for models that read both."""
    folders, stem = _folders_and_stem(path)
    return f"{' '.join((*folders, stem))}\n{text}"


def path_text(path: str) -> str:
    """What is embedded for a path: the file's stem twice and its last two folders."""
    folders, stem = _folders_and_stem(path)
    return " ".join((stem, stem, *folders))


def _folders_and_stem(path: str) -> tuple[list[str], str]:
    folders, _, name = path.rpartition("/")
    return folders.split("/")[-2:], name.partition(".")[0] or name
