"""How far indexing has come, on standard error: a bar on a terminal, a few lines elsewhere."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from codeintel_ls.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_STEP: Final = 10
_FEW: Final = 20


@contextmanager
def shown_progress(name: str, *, few_too: bool) -> Generator["Counted"]:
    """Progress to hand to what indexes the folder `name`.

    The plain lines are left out for a few files, unless `few_too`: a search need not tell that it
    looked at the two files that were just saved.
    """
    if sys.stderr.isatty():
        with _bar(name) as counted:
            yield counted
    else:
        plain = PlainProgress(name, 0 if few_too else _FEW)
        yield plain
        plain.finish()


class Counted:
    """Remembers how many files there were to index."""

    total = 0

    def __call__(self, _done: int, total: int | None, _message: str, /) -> None:
        """See `Progress`."""
        self.total = max(self.total, total or 0)


class PlainProgress(Counted):
    """A line at the start, one for about every tenth, and one at the end."""

    def __init__(self, name: str, quiet_up_to: int) -> None:
        self._name = name
        self._quiet_up_to = quiet_up_to
        self._started = time.monotonic()
        self._next: int | None = None

    def __call__(self, done: int, total: int | None, message: str, /) -> None:
        super().__call__(done, total, message)
        if not total or total <= self._quiet_up_to:
            return
        if self._next is None:
            output.tell(f"{message} {output.count(total, 'file')} of {self._name}")
            self._next = _STEP
        percent = 100 * done // total
        if self._next <= percent < 100:
            output.tell(f"{message}: {percent} % ({done:,} of {output.count(total, 'file')})")
            self._next = percent - percent % _STEP + _STEP

    def finish(self) -> None:
        """The last line, if there was a first one."""
        if self._next is not None:
            seconds = time.monotonic() - self._started
            output.tell(f"Indexed {output.count(self.total, 'file')} in {seconds:.1f} s")


class BarProgress(Counted):
    """A bar that appears with the first file."""

    def __init__(self, name: str, bar: "Bar") -> None:
        self._name = name
        self._bar = bar
        self._task = bar.add_task(name, total=None, visible=False)

    def __call__(self, done: int, total: int | None, message: str, /) -> None:
        super().__call__(done, total, message)
        self._bar.update(
            self._task,
            completed=done,
            total=total,
            visible=bool(total),
            description=f"{message} {self._name}",
        )


@contextmanager
def _bar(name: str) -> Generator[BarProgress]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Rate(ProgressColumn):
        """Files per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f} files/s" if speed else "", style="progress.data.speed")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=output.console(stderr=True), transient=True) as bar:
        yield BarProgress(output.printable(name), bar)
