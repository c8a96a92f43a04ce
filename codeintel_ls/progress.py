"""How far long work has come, told without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Called from the working thread, at most a few times a second."""

    def __call__(self, done: int, total: int | None, message: str, /) -> None:
        """`done` of `total` units (files) are through; `total` is None while it is not known."""
        ...


def no_progress(_done: int, _total: int | None, _message: str) -> None:
    """Listen to nothing."""
