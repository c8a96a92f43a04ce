"""What is embedded of a file: its chunks, and its path apart from them or within."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from codeintel_ls.embedding import Vectors
from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.preparing import prepare
from codeintel_ls.index.schema import FileRecord
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.tasks import FileToIndex, PrepareTask
from tests.unit.index.records import FakeEncoder

SECONDS = 20
CODE = "def send_mail(client):\n    return client.mail('a purchase was confirmed')\n"
CHUNK = "send_mail\n" + CODE.rstrip()


class FakeNotingEncoder(FakeEncoder):
    """Notes what it was asked to embed."""

    def __init__(self, *, reads_paths: bool) -> None:
        super().__init__()
        self.reads_paths = reads_paths
        self.asked: list[str] = []

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        vectors = super().embed_documents(texts)
        has_words = np.array([bool(text) for text in texts], dtype=np.bool_)
        return np.where(has_words[:, np.newaxis], vectors, 0).astype(np.float32)


class FakeWaitingEncoder(FakeNotingEncoder):
    """Takes its time until it is told to end."""

    def __init__(self, *, reads_paths: bool) -> None:
        super().__init__(reads_paths=reads_paths)
        self.has_begun, self.may_end = Event(), Event()

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.has_begun.set()
        assert self.may_end.wait(SECONDS)
        return super().embed_documents(texts)


@pytest.fixture
def contents(tmp_path: Path):
    with ContentStore(tmp_path / "contents.sqlite3") as contents:
        yield contents


def prepared(
    root: Path, encoder: FakeEncoder, contents: ContentStore, *paths: str
) -> list[FileRecord]:
    task = PrepareTask(
        root=str(root),
        files=tuple(FileToIndex(path, None) for path in paths),
        limits=ReadLimits(1_000_000, 1_000),
        contents="",
        recipe="r",
    )
    done = prepare(task, encoder, contents)
    assert all(isinstance(file, FileRecord) for file in done)
    return [file for file in done if isinstance(file, FileRecord)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in ("src/shop/mail.py", "src/vendor/post.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(CODE)
    return tmp_path


def test_what_stands_in_two_places_is_embedded_once_and_its_paths_apart(root, contents):
    encoder = FakeNotingEncoder(reads_paths=False)
    one, other = prepared(root, encoder, contents, "src/shop/mail.py", "src/vendor/post.py")
    assert sorted(encoder.asked) == sorted([CHUNK, "mail mail src shop", "post post src vendor"])
    assert one.content == other.content
    assert one.path_content != other.path_content


def test_a_model_that_reads_paths_reads_each_place_with_its_own(root, contents):
    encoder = FakeNotingEncoder(reads_paths=True)
    one, other = prepared(root, encoder, contents, "src/shop/mail.py", "src/vendor/post.py")
    placed = [f"src shop mail\n{CHUNK}", f"src vendor post\n{CHUNK}"]
    assert sorted(encoder.asked) == sorted(["", *placed])
    assert one.content != other.content


@pytest.mark.parametrize("reads_paths", [False, True])
def test_a_save_waits_for_no_other_file(root, contents, reads_paths):
    slow = FakeWaitingEncoder(reads_paths=reads_paths)
    bulk = Thread(target=prepared, args=(root, slow, contents, "src/shop/mail.py"))
    bulk.start()
    assert slow.has_begun.wait(SECONDS)
    (root / "src/vendor/post.py").write_text(CODE.replace("purchase", "parcel"))
    prepared(root, FakeNotingEncoder(reads_paths=reads_paths), contents, "src/vendor/post.py")
    assert bulk.is_alive()
    slow.may_end.set()
    bulk.join(SECONDS)
    assert not bulk.is_alive()


@pytest.mark.parametrize("reads_paths", [False, True])
def test_what_is_forgotten_of_one_file_is_kept_of_the_others(root, contents, reads_paths):
    (root / "src/vendor/post.py").write_text(CODE.replace("purchase", "parcel"))
    encoder = FakeNotingEncoder(reads_paths=reads_paths)
    one, other = prepared(root, encoder, contents, "src/shop/mail.py", "src/vendor/post.py")
    contents.forget([one.content, one.path_content])
    assert contents.known([other.content, other.path_content]) == {
        other.content,
        other.path_content,
    }


def test_what_was_read_in_a_place_is_not_read_again(root, contents):
    encoder = FakeNotingEncoder(reads_paths=True)
    prepared(root, encoder, contents, "src/shop/mail.py")
    encoder.asked.clear()
    prepared(root, encoder, contents, "src/shop/mail.py")
    assert not encoder.asked
    # Elsewhere it says something else.
    (root / "src/shop/mail.py").rename(root / "src/shop/letters.py")
    prepared(root, encoder, contents, "src/shop/letters.py")
    assert encoder.asked == [f"src shop letters\n{CHUNK}"]
