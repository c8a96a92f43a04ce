"""What a person sees in a terminal: nothing ever asks for ENTER. `screen` looks at each look."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.editors.nvim.terminal import Terminal

ON = "require('codeintel').setup({ blame = { enabled = true } })"
Show = Callable[..., Terminal]


@pytest.fixture
def show(tmp_path: Path, environment: dict[str, str]) -> Iterator[Show]:
    with ExitStack() as stack:

        def begin(file: Path, lua: str = "", size: tuple[int, int] = (100, 28)) -> Terminal:
            terminal = Terminal(tmp_path / "nvim", environment, lua, [str(file)], size)
            return stack.enter_context(terminal)

        yield begin


def test_a_tour_of_the_subcommands(show: Show, project: Path) -> None:
    terminal = show(project / "src/cache.py", ON)
    terminal.wait_for("Ada Example", "years ago · Add the project")
    terminal.keys("7G")
    terminal.wait_for("def __init__(self, seconds):     Grace Example")
    terminal.command("CodeIntel line")
    terminal.wait_for("Author: Grace Example", "d diff")
    terminal.command("CodeIntel line")
    terminal.keys("d")
    terminal.wait_for("+    def __init__(self, seconds):")
    terminal.command("edit #")
    terminal.wait_for("evict_expired")
    terminal.command("CodeIntel blame!")
    terminal.wait_for("▌", "Grace Example")
    terminal.command("CodeIntel blame!")
    terminal.wait_until_gone("▌")
    terminal.command("CodeIntel status")
    terminal.wait_for("CodeIntel status", "25 files")
    terminal.keys("q")
    terminal.wait_until_gone("- state:")
    terminal.command("CodeIntel merge")
    terminal.wait_for("codeintel: merged, 25 files can be found")
    terminal.command("CodeIntel nonsense")
    terminal.wait_for('there is no subcommand "nonsense"')
    terminal.command("CodeIntel restart")
    terminal.keys("j", "k")
    terminal.wait_for("Grace Example")


def test_the_stock_select_and_input(show: Show, project: Path) -> None:
    terminal = show(project / "src/retry.py")
    terminal.wait_for("retry_with_backoff")
    terminal.command("CodeIntel search")
    terminal.wait_for("Search by meaning:")
    terminal.keys("forget entries that are too old", "Enter")
    terminal.wait_for("1: src/cache.py:1  ExpiringCache", "Type number")
    terminal.keys("1", "Enter")
    screen = terminal.wait_for("class ExpiringCache", "src/cache.py")
    assert "Type number" not in screen
    terminal.command("CodeIntel history")
    terminal.wait_for("1: ", "Call it seconds", "Type number")
    terminal.keys("4", "Enter")
    terminal.wait_for("History of cache.py", "2020-09-13 Grace Example")


def test_a_narrow_terminal_and_long_messages(show: Show, project: Path) -> None:
    terminal = show(
        project / "src/retry.py",
        "require('codeintel').setup({ blame = { delay = ('long '):rep(60) } })",
        size=(50, 12),
    )
    terminal.wait_for("codeintel: setup:", "…")
    terminal.command("CodeIntel search refuse clients that ask too often")
    terminal.wait_for("Type number")
    terminal.keys("q", "Enter")
    terminal.wait_until_gone("Type number")
    terminal.command("CodeIntel diff no-such-branch")
    terminal.wait_for("no-such-branch")


def test_a_missing_server_and_a_file_outside(show: Show, project: Path, tmp_path: Path) -> None:
    lua = "require('codeintel').setup({ cmd = { '/a/long/path/to/a/program/that/is/not/there' } })"
    terminal = show(project / "src/retry.py", lua, size=(60, 15))
    terminal.wait_for("codeintel: there was not found: :check")
    (tmp_path / "alone.py").write_text("alone = 1\n")
    terminal.command(f"edit {tmp_path}/alone.py")
    terminal.wait_for("alone = 1")
    terminal.command("CodeIntel line")
    terminal.wait_for("this file is in no repository")
