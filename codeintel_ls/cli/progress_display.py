"""How far indexing has come, on standard error: a bar on a terminal, a few lines elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from codeintel_ls.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_STEP: Final = 10
_FEW: Final = 20
_RECENT_SECONDS: Final = 15.0
_SOONEST_SECONDS: Final = 0.3


@contextmanager
def shown_progress(name: str, *, few_too: bool, noun: str = "file") -> Generator["Counted"]:
    """Progress to hand to what indexes the folder `name`; `noun` is what is counted.

    An empty `noun`: it is told how much of a hundred is done, and not of what.
    The plain lines are left out for a few files, unless `few_too`: a search need not tell that it
    looked at the two files that were just saved.
    """
    if sys.stderr.isatty():
        with _bar(name, noun) as counted:
            yield counted
    else:
        plain = PlainProgress(name, 0 if few_too else _FEW, noun)
        yield plain
        plain.finish()


class Pace:
    """How fast files went through in the last seconds, and how long the rest will take so."""

    def __init__(self, noun: str = "file") -> None:
        self._noun = noun
        self._passed: deque[tuple[float, int]] = deque()
        self._left = 0

    def note(self, now: float, done: int, total: int) -> None:
        """At the time `now`, `done` files of `total` were through."""
        if self._passed and done < self._passed[-1][1]:
            # Something else has begun.
            self._passed.clear()
        self._passed.append((now, done))
        while len(self._passed) > 2 and now - self._passed[1][0] >= _RECENT_SECONDS:
            self._passed.popleft()
        self._left = total - done

    @property
    def rate(self) -> float | None:
        """Files in a second; None while that is a guess."""
        if not self._passed:
            return None
        (begun, before), (now, done) = self._passed[0], self._passed[-1]
        if done <= before or now - begun < _SOONEST_SECONDS:
            return None
        return (done - before) / (now - begun)

    @property
    def parts(self) -> list[str]:
        """`140 files/s` and `10 s left`, as far as they are known."""
        rate = self.rate
        if rate is None:
            return []
        speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        left = [f"{duration(self._left / rate)} left"] if self._left else []
        return [f"{speed} {self._noun}s/s", *left] if self._noun else left


def duration(seconds: float) -> str:
    """A length of time in words that are not too exact: `8 s`, `3 min`, `1 h 20 min`."""
    whole = max(1, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


class Counted:
    """Remembers how many files there were to index."""

    total = 0

    def __call__(self, _done: int, total: int | None, _message: str, /) -> None:
        """See `Progress`."""
        self.total = max(self.total, total or 0)


class PlainProgress(Counted):
    """A line at the start, one for about every tenth, and one at the end."""

    def __init__(self, name: str, quiet_up_to: int, noun: str = "file") -> None:
        self._name = name
        self._noun = noun
        self._quiet_up_to = quiet_up_to
        self._started = time.monotonic()
        self._pace = Pace(noun)
        self._next: int | None = None

    def __call__(self, done: int, total: int | None, message: str, /) -> None:
        super().__call__(done, total, message)
        if not total or total <= self._quiet_up_to:
            return
        self._pace.note(time.monotonic(), done, total)
        if self._next is None:
            output.tell(f"{message} {self._counted(total, ' of ')}{self._name}")
            self._next = _STEP
        percent = 100 * done // total
        if self._next <= percent < 100:
            counted = [f"{done:,} of {self._counted(total)}"] if self._noun else []
            parts = ", ".join([*counted, *self._pace.parts])
            output.tell(f"{message}: {percent} %{f' ({parts})' if parts else ''}")
            self._next = percent - percent % _STEP + _STEP

    def finish(self) -> None:
        """The last line, if there was a first one."""
        if self._next is not None:
            seconds = time.monotonic() - self._started
            what = self._counted(self.total) or self._name
            output.tell(f"Indexed {what} in {seconds:.1f} s")

    def _counted(self, number: int, then: str = "") -> str:
        return f"{output.count(number, self._noun)}{then}" if self._noun else ""


class BarProgress(Counted):
    """A bar that appears with the first file."""

    def __init__(self, name: str, bar: "Bar", noun: str = "file") -> None:
        self._name = name
        self._bar = bar
        self._noun = noun
        self._pace = Pace(noun)
        self._task = bar.add_task(name, total=None, visible=False, share="", pace="")

    def __call__(self, done: int, total: int | None, message: str, /) -> None:
        super().__call__(done, total, message)
        self._pace.note(time.monotonic(), done, total or done)
        self._bar.update(
            self._task,
            completed=done,
            total=total,
            visible=bool(total),
            description=f"{message} {self._name}",
            share=f"{done:,}/{total or 0:,}" if self._noun else f"{done} %",
            pace="  ".join(self._pace.parts),
        )


@contextmanager
def _bar(name: str, noun: str) -> Generator[BarProgress]:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[share]}", style="progress.download", markup=False),
        TextColumn("{task.fields[pace]}", style="progress.data.speed", markup=False),
    )
    with Bar(*columns, console=output.console(stderr=True), transient=True) as bar:
        yield BarProgress(output.printable(name), bar, noun)
