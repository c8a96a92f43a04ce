"""The blame of a whole file, the float of a line, and files at a commit."""

import re
from pathlib import Path

from tests.editors.nvim.conftest import Start
from tests.editors.nvim.embedded import Neovim

FLOAT = "require('codeintel.float').window()"


def opened(start: Start, file: Path, lua: str = "") -> Neovim:
    nvim = start(file, lua=lua)
    nvim.wait_until_served()
    return nvim


def test_the_blame_of_a_file_stands_beside_it(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    width = nvim.lua("return vim.wo.wrap")
    nvim.command("CodeIntel blame!")
    row = nvim.wait_for_row(0, "Ada Example")
    assert re.match(r'▌ [0-9a-f]{8} Ada Example +\d+y +│"""Keeps answers', row)
    assert re.match(r"▌ [0-9a-f]{8} Grace Example +\d+y +│    def __init__", nvim.row(6))
    assert re.match(r"▌ +│        self.seconds", nvim.row(7))
    assert nvim.lua("return vim.wo.scrollbind")
    nvim.command("CodeIntel blame!")
    assert nvim.lua("return #vim.api.nvim_tabpage_list_wins(0)") == 1
    assert not nvim.lua("return vim.wo.scrollbind")
    assert nvim.lua("return vim.wo.wrap") == width


def test_it_scrolls_with_the_file_and_follows_edits(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.api.ui_try_resize(100, 10)
    nvim.command("CodeIntel! blame")
    nvim.wait_for_row(0, "Ada Example")
    nvim.keys("6<C-e>")
    assert "Grace Example" in nvim.wait_for_row(0, "def __init__")
    nvim.keys("ggOnew<Esc>")
    nvim.wait_for_row(0, "Not committed")
    assert "new" in nvim.row(0)


def test_it_goes_with_its_file(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.command("CodeIntel blame!")
    nvim.wait_for_row(0, "Ada Example")
    nvim.edit(project / "src/retry.py")
    nvim.wait("#vim.api.nvim_tabpage_list_wins(0) == 1")
    nvim.wait_until_served()
    nvim.command("CodeIntel blame!")
    nvim.wait_for_row(0, "Ada Example")
    nvim.command("wincmd h")
    nvim.keys("<CR>")
    nvim.wait(f"{FLOAT} ~= nil")
    assert "Add the project" in nvim.screen()
    nvim.keys("j")
    nvim.wait(f"{FLOAT} == nil")
    nvim.keys("q")
    nvim.wait("#vim.api.nvim_tabpage_list_wins(0) == 1")
    assert nvim.messages() == ""


def test_the_commit_of_a_line(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.keys("7G")
    nvim.command("CodeIntel line")
    nvim.wait(f"{FLOAT} ~= nil")
    screen = nvim.screen()
    assert "Author: Grace Example <author@example.org>" in screen
    assert "Date:   2020-09-13 14:30 +0200" in screen
    assert "Call it seconds" in screen
    # The cursor is where it was until one asks again.
    assert nvim.lua("return vim.fn.line('.')") == 7
    nvim.keys("j")
    nvim.wait(f"{FLOAT} == nil")
    nvim.keys("k")
    nvim.command("CodeIntel line")
    nvim.wait(f"{FLOAT} ~= nil")
    nvim.command("CodeIntel line")
    assert nvim.lua(f"return vim.api.nvim_get_current_win() == {FLOAT}")
    nvim.keys("y")
    nvim.wait(f"{FLOAT} == nil")
    assert re.fullmatch("[0-9a-f]{40}", nvim.lua("return vim.fn.getreg('\"')"))


def test_a_line_that_is_not_committed_says_so(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.keys("onew<Esc>")
    nvim.command("CodeIntel line")
    nvim.wait("vim.api.nvim_exec2('messages', { output = true }).output ~= ''")
    assert nvim.messages() == "codeintel: this line is not committed yet"


def test_what_a_commit_did_and_the_file_as_it_was(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.keys("7G")
    nvim.command("CodeIntel line")
    nvim.wait(f"{FLOAT} ~= nil")
    nvim.command("CodeIntel line")
    nvim.keys("d")
    nvim.wait_for_screen("-    def __init__(self, ttl):")
    assert nvim.lua("return { vim.bo.filetype, vim.bo.modifiable, vim.bo.buftype }") == [
        "git",
        False,
        "nowrite",
    ]
    nvim.command("buffer 1")
    nvim.command("normal! 1G")
    nvim.command("CodeIntel line")
    nvim.wait(f"{FLOAT} ~= nil")
    nvim.command("CodeIntel line")
    nvim.keys("f")
    # The commit had it under another name, and the line is where it was then.
    nvim.wait_for_screen("self.ttl = ttl")
    name = nvim.lua("return vim.api.nvim_buf_get_name(0)")
    assert name.startswith("codeintel-git://")
    assert name.endswith("/src/old.py")
    assert nvim.lua("return vim.bo.filetype") == "python"
    assert nvim.messages() == ""


def test_comparing_with_a_revision(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.command("CodeIntel diff HEAD~1")
    nvim.wait_for_screen("def __init__(self, ttl):")
    assert nvim.lua("return vim.wo.diff")
    nvim.wait("vim.fn.diff_hlID(7, 20) ~= 0")
    assert nvim.lua("return vim.bo.filetype") == "python"
    nvim.command("wincmd l")
    assert nvim.lua("return vim.wo.diff and vim.fn.diff_hlID(7, 20) ~= 0")
    nvim.command("only | diffoff")
    nvim.command("CodeIntel diff no-such-branch")
    nvim.wait("vim.api.nvim_exec2('messages', { output = true }).output:find('no%-such%-branch')")


def test_an_address_of_the_server_opens_through_show_document(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.wait_until_indexed()
    nvim.lua(
        """local client = require("codeintel.client").of(0)
        client:exec_cmd({
          title = "", command = "codeintel.openFileAtRevision",
          arguments = { { uri = vim.uri_from_bufnr(0), commit = "HEAD~1" } },
        })"""
    )
    nvim.wait("vim.api.nvim_buf_get_name(0):find('^codeintel%-git://') ~= nil")
    nvim.wait_for_screen("self.ttl = ttl")
