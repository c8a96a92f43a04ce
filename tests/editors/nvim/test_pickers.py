"""What pickers share, with the real server; and each extension, with a fake of its picker.

`CODEINTEL_PICKERS=FOLDER` names a folder with clones of telescope.nvim, plenary.nvim, snacks.nvim:
with it the extensions are tested with the real ones instead. No registry has them.
"""

import os
from pathlib import Path

import pytest

from tests.editors.nvim.conftest import Start
from tests.editors.nvim.embedded import Neovim

FAKES = Path(__file__).parent / "fakes"
REAL = os.environ.get("CODEINTEL_PICKERS")


def opened(start: Start, project: Path, lua: str = "") -> Neovim:
    nvim = start(project / "src/retry.py", lua=lua)
    nvim.wait_until_served()
    nvim.wait_until_indexed()
    return nvim


def test_a_newer_question_ends_the_older_one(start: Start, project: Path) -> None:
    nvim = opened(start, project)
    nvim.lua(
        """
        local client = require("codeintel.client").of(0)
        _G.sent, _G.cancelled, _G.answers = {}, {}, {}
        local request, cancel = client.request, client.cancel_request
        client.request = function(self, method, params, ...)
          local ok, id = request(self, method, params, ...)
          table.insert(_G.sent, { id = id, query = params.query, token = params.supersedeToken })
          return ok, id
        end
        client.cancel_request = function(self, id)
          table.insert(_G.cancelled, id)
          return cancel(self, id)
        end
        local picker = require("codeintel.picker")
        picker.show = function(source) _G.source = source end
        require("codeintel.search").search("")
        _G.live = require("codeintel.picker.live").new(_G.source)
        function _G.ask(query)
          _G.live.ask(query, function(items) table.insert(_G.answers, { query, #items }) end)
        end
        """
    )
    # Typed without a rest: only the first, which waits for nothing, and the last are asked.
    nvim.lua(
        "for _, query in ipairs({ 'a cache', 'a cache f', 'a cache for' }) do _G.ask(query) end"
    )
    nvim.wait("#_G.answers == 1")
    assert nvim.lua("return _G.answers")[0][0] == "a cache for"
    assert [one["query"] for one in nvim.lua("return _G.sent")] == ["a cache for"]
    # A question under way is cancelled by the next, which has the same token.
    nvim.lua(
        """_G.ask("retry")
        vim.wait(2000, function() return #_G.sent == 2 end, 1)
        _G.ask("rate limit")"""
    )
    nvim.wait("#_G.answers >= 2 and _G.answers[#_G.answers][1] == 'rate limit'")
    sent = nvim.lua("return _G.sent")
    assert [one["query"] for one in sent] == ["a cache for", "retry", "rate limit"]
    assert len({one["token"] for one in sent}) == 1
    if nvim.lua("return #_G.answers") == 2:
        assert nvim.lua("return _G.cancelled") == [sent[1]["id"]]
    # Filters alone are no question; what is half typed filters nothing and says nothing.
    nvim.lua("_G.ask('lang:py')")
    nvim.wait("vim.deep_equal(_G.answers[#_G.answers], { 'lang:py', 0 })")
    nvim.lua("_G.ask('cache since:tomo')")
    nvim.wait("_G.answers[#_G.answers][1] == 'cache since:tomo'")
    assert nvim.lua("return _G.answers[#_G.answers][2]") > 0
    assert nvim.messages() == ""


def test_the_picker_that_is_there_is_taken(start: Start, project: Path) -> None:
    nvim = start(project / "src/retry.py")
    chosen = "return require('codeintel.picker').chosen()"
    assert nvim.lua(chosen) == "select"
    nvim.lua("vim.opt.rtp:append(...)", str(FAKES / "fake_telescope"))
    assert nvim.lua(chosen) == "telescope"
    assert nvim.lua("return package.loaded.telescope == nil")
    nvim.lua("vim.opt.rtp:append(...)", str(FAKES / "fake_snacks"))
    assert nvim.lua(chosen) == "snacks"
    nvim.lua("require('codeintel').setup({ picker = 'quickfix' })")
    assert nvim.lua(chosen) == "quickfix"
    nvim.lua("require('codeintel').setup({ picker = 'fzf-lua' })")
    assert nvim.lua(chosen) == "select"
    nvim.wait("vim.api.nvim_exec2('messages', { output = true }).output ~= ''")
    assert nvim.messages() == "codeintel: fzf-lua is not installed; vim.ui.select is used"


def paths(*names: str) -> str:
    folder = Path(REAL) if REAL else FAKES
    return "".join(f"vim.opt.rtp:append('{folder / name}')\n" for name in names)


def test_telescope(start: Start, project: Path) -> None:
    lua = paths("telescope.nvim", "plenary.nvim") if REAL else paths("fake_telescope")
    nvim = opened(start, project, lua)
    # The real one shows a preview only where there is room.
    nvim.api.ui_try_resize(160, 30)
    nvim.lua("require('telescope').load_extension('codeintel')")
    nvim.lua("require('telescope').extensions.codeintel.search({ query = 'forget old entries' })")
    screen = nvim.wait_for_screen("src/cache.py:1  ExpiringCache")
    assert "Search by meaning" in screen
    nvim.wait_for_screen("Keeps answers for a while")
    nvim.keys("<CR>")
    nvim.wait("vim.fn.expand('%:t') == 'cache.py' and vim.bo.buftype == ''")
    nvim.keys("<Esc>")
    nvim.lua("require('telescope').extensions.codeintel.history()")
    nvim.wait_for_screen("Call it seconds")
    nvim.wait_for_screen("-    def __init__(self, ttl):")


def test_snacks(start: Start, project: Path) -> None:
    lua = (
        paths("snacks.nvim") + "require('snacks').setup({ picker = {} })"
        if REAL
        else paths("fake_snacks")
    )
    nvim = opened(start, project, lua)
    nvim.command("CodeIntel search forget old entries")
    nvim.wait_for_screen("src/cache.py:1  ExpiringCache")
    nvim.keys("<CR>")
    nvim.wait("vim.fn.expand('%:t') == 'cache.py' and vim.bo.buftype == ''")


@pytest.mark.parametrize("name", ["telescope.nvim", "snacks.nvim"])
def test_the_real_pickers_are_there(name: str) -> None:
    if not REAL:
        pytest.skip(f"no registry has {name}: its fake was used; CODEINTEL_PICKERS names clones")
    assert (Path(REAL) / name / "lua").is_dir()
