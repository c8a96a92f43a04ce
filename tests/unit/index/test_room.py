"""What a cap lets in, and how seldom it has to be counted."""

from codeintel_ls.index.room import Room


class Counted:
    """Chunks that are in, and how often somebody counted them."""

    def __init__(self, chunks: int = 0) -> None:
        self.chunks = chunks
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.chunks


def test_no_more_is_taken_than_the_cap_allows() -> None:
    room = Room(Counted(10))
    room.most = 30
    assert room.take(12)
    assert room.take(8)
    assert not room.take(1)
    assert room.is_full


def test_what_is_not_committed_yet_counts_too() -> None:
    chunks = Counted(10)
    room = Room(chunks)
    room.most = 30
    assert room.take(15)
    room.freed()
    assert not room.take(8, uncommitted=15)
    assert room.take(5, uncommitted=15)


def test_files_beyond_the_cap_are_not_counted_one_by_one() -> None:
    chunks = Counted(20)
    room = Room(chunks)
    room.most = 30
    assert not any(room.take(20) for _ in range(1_000))
    assert not any(room.take(500) for _ in range(1_000))
    assert room.is_full
    assert chunks.times == 1


def test_a_file_that_is_too_large_by_itself_does_not_make_it_full() -> None:
    room = Room(Counted(20))
    room.most = 300
    assert not room.take(5_000)
    assert not room.is_full
    assert room.take(10)
    assert not room.take(20 * 13 + 15)
    assert not room.is_full


def test_there_is_room_again_when_something_was_removed_or_the_cap_was_raised() -> None:
    chunks = Counted(25)
    room = Room(chunks)
    room.most = 30
    assert not room.take(10)
    assert room.look_again() == 0
    room.most = 29
    assert room.is_full
    chunks.chunks = 12
    assert room.look_again() == 17
    assert not room.is_full
    assert not room.take(18)
    assert room.is_full
    room.freed()
    assert not room.is_full
    assert not room.take(18)
    room.most = 40
    assert not room.is_full
    assert room.take(18)


def test_a_file_that_shrinks_leaves_room() -> None:
    room = Room(Counted(30))
    room.most = 30
    assert room.is_full
    assert room.take(-5)
    assert room.take(5)
    assert not room.take(1)
