"""How servers begin, are shared, die and come back."""

import os
import shutil
import signal
from pathlib import Path

import psutil

from codeintel_ls.daemon.place import place_of
from tests.e2e.project import make_project
from tests.editors.nvim.conftest import Start
from tests.editors.nvim.embedded import Neovim

ON = "require('codeintel').setup({ blame = { enabled = true, format = '{author}: {summary}' } })"
ADA = "Ada Example: Add the project"
CLIENTS = "#vim.lsp.get_clients({ name = 'codeintel' })"


def opened(start: Start, file: Path, lua: str = ON) -> Neovim:
    nvim = start(file, lua=lua)
    nvim.wait_until_served()
    return nvim


def connection_of(nvim: Neovim) -> int:
    """The process that the editor started for its server."""
    editor = psutil.Process(nvim.lua("return vim.fn.getpid()"))
    (connection,) = [child for child in editor.children() if "connect" in child.cmdline()]
    return connection.pid


def daemon_of(folder: Path, environment: dict[str, str]) -> int | None:
    note = place_of(str(folder), environment).note()
    return note.pid if note else None


def test_buffers_of_a_root_share_one_client_and_roots_have_their_own(
    start: Start, project: Path, tmp_path: Path
) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.edit(project / "src/retry.py")
    nvim.wait_until_served()
    assert nvim.lua(f"return {CLIENTS}") == 1
    make_project(tmp_path / "other")
    nvim.edit(tmp_path / "other/src/retry.py")
    nvim.wait_until_served()
    assert nvim.lua(f"return {CLIENTS}") == 2
    assert nvim.lua("return require('codeintel.client').of(0).root_dir") == str(tmp_path / "other")


def test_a_file_outside_a_repository_is_left_alone_quietly(start: Start, tmp_path: Path) -> None:
    (tmp_path / "alone.py").write_text("x = 1\n")
    nvim = start(tmp_path / "alone.py", lua=ON)
    nvim.wait("package.loaded['codeintel.attach'] ~= nil")
    nvim.keys("ix<Esc>")
    assert nvim.lua(f"return {CLIENTS}") == 0
    assert nvim.messages() == ""
    nvim.command("CodeIntel line")
    nvim.wait("vim.api.nvim_exec2('messages', { output = true }).output ~= ''")
    assert nvim.messages() == "codeintel: this file is in no repository"


def test_a_server_that_is_missing_is_told_once(start: Start, project: Path) -> None:
    nvim = start(
        project / "src/cache.py",
        lua="require('codeintel').setup({ cmd = { 'no-such-server', 'connect' } })",
    )
    nvim.wait("vim.api.nvim_exec2('messages', { output = true }).output ~= ''")
    nvim.edit(project / "src/retry.py")
    nvim.wait("vim.fn.expand('%:t') == 'retry.py'")
    sentence = "codeintel: no-such-server was not found: :checkhealth codeintel"
    assert nvim.messages() == sentence
    # Whoever asks is told again.
    nvim.command("CodeIntel line")
    nvim.wait_for(lambda: nvim.messages() == f"{sentence}\n{sentence}", "told again")


def test_a_server_that_fails_at_once_is_not_started_for_ever(start: Start, project: Path) -> None:
    nvim = start(project / "src/cache.py", lua="require('codeintel').setup({ cmd = { 'false' } })")
    nvim.wait("vim.api.nvim_exec2('messages', { output = true }).output ~= ''")
    assert "codeintel: the server did not start (exit code 1)" in nvim.messages()
    nvim.wait(f"{CLIENTS} == 0")


def test_a_killed_connection_comes_back_quietly(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.wait_for_row(0, ADA)
    first = connection_of(nvim)
    nvim.keys("ggOnew<Esc>")
    os.kill(first, signal.SIGKILL)
    nvim.wait("(require('codeintel.client').of(0) or {}).id == 2")
    assert connection_of(nvim) != first
    # The new one knows the unsaved text.
    nvim.wait_for_row(0, "Not committed yet")
    nvim.keys("j")
    nvim.wait_for_row(1, ADA)
    assert nvim.messages() == ""


def test_a_question_to_a_killed_connection_is_answered_by_a_word(
    start: Start, project: Path
) -> None:
    nvim = opened(start, project / "src/cache.py", lua="")
    os.kill(connection_of(nvim), signal.SIGSTOP)
    nvim.command("CodeIntel status")
    os.kill(connection_of(nvim), signal.SIGKILL)
    nvim.wait("vim.api.nvim_exec2('messages', { output = true }).output ~= ''")
    assert nvim.messages() == "codeintel: the server ended before it answered; try again"


def test_a_killed_daemon_is_replaced(
    start: Start, tmp_path: Path, environment: dict[str, str]
) -> None:
    make_project(tmp_path / "app")
    nvim = opened(start, tmp_path / "app/src/cache.py")
    nvim.wait_for_row(0, ADA)
    first = daemon_of(tmp_path / "app", environment)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    nvim.keys("ggOnew<Esc>")
    nvim.wait_for_row(0, "Not committed yet")
    nvim.keys("j")
    nvim.wait_for_row(1, ADA)
    nvim.wait_for(
        lambda: daemon_of(tmp_path / "app", environment) not in (None, first), "another daemon"
    )
    assert nvim.messages() == ""


def test_two_editors_share_one_daemon_and_not_their_unsaved_text(
    start: Start, project: Path, environment: dict[str, str]
) -> None:
    one = opened(start, project / "src/cache.py")
    two = opened(start, project / "src/cache.py")
    one.keys("ggOnew<Esc>")
    one.wait_for_row(0, "Not committed yet")
    two.wait_for_row(0, ADA)
    assert connection_of(one) != connection_of(two)
    daemon = daemon_of(project, environment)
    assert daemon is not None
    assert psutil.pid_exists(daemon)
    one.api.command("quitall!", async_=True)
    two.keys("j")
    two.wait_for_row(1, ADA)
    assert daemon_of(project, environment) == daemon


def test_restarting(start: Start, project: Path, environment: dict[str, str]) -> None:
    nvim = opened(start, project / "src/cache.py")
    first = connection_of(nvim)
    nvim.command("CodeIntel restart")
    nvim.wait("(require('codeintel.client').of(0) or {}).id == 2")
    nvim.wait(f"{CLIENTS} == 1")
    assert connection_of(nvim) != first
    daemon = daemon_of(project, environment)
    nvim.command("CodeIntel! restart")
    nvim.wait("(require('codeintel.client').of(0) or {}).id == 3")
    assert daemon is not None
    nvim.wait_for(lambda: daemon_of(project, environment) not in (None, daemon), "another daemon")
    nvim.wait_for_row(0, ADA)
    assert nvim.messages() == ""


def test_a_workspace_that_is_no_repository_is_searched(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    make_project(folder)
    shutil.rmtree(folder / ".git")
    (folder / ".codeintel.toml").write_text("")
    nvim = opened(start, folder / "src/cache.py")
    nvim.wait_until_indexed()
    nvim.command("CodeIntel! search forget entries that are too old")
    nvim.wait("#vim.fn.getqflist() > 0")
    nvim.command("cclose")
    nvim.command("CodeIntel line")
    nvim.wait("vim.api.nvim_exec2('messages', { output = true }).output ~= ''")
    assert nvim.messages().startswith("codeintel: ")
