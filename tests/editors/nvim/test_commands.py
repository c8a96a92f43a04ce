"""`:CodeIntel` and its subcommands, the fallbacks of the pickers, and the options."""

from pathlib import Path

import pytest

from tests.editors.nvim.conftest import Start
from tests.editors.nvim.embedded import Neovim

SUBCOMMANDS = (
    "search similar blame line history searchhistory diff status rebuild merge restart log".split()
)
FLOAT = "require('codeintel.float').window()"
QUICKFIX = "#vim.fn.getqflist() > 0"
CHOICES = """
vim.ui.select = function(items, options, on_choice)
  local lines = vim.tbl_map(options.format_item, items)
  _G.asked = { lines = lines, prompt = options.prompt, choose = function(index)
    on_choice(items[index], index)
  end }
end
"""


def opened(start: Start, project: Path, lua: str = "") -> Neovim:
    nvim = start(project / "src/retry.py", lua=lua)
    nvim.wait_until_served()
    nvim.wait_until_indexed()
    return nvim


def said(nvim: Neovim, text: str) -> None:
    nvim.wait(
        "vim.api.nvim_exec2('messages', { output = true }).output:find(..., 1, true) ~= nil", text
    )


def completed(nvim: Neovim, line: str) -> list[str]:
    return nvim.lua("return vim.fn.getcompletion(..., 'cmdline')", line)


def test_completion(start: Start, project: Path) -> None:
    nvim = start(project / "src/retry.py")
    assert completed(nvim, "CodeIntel ") == SUBCOMMANDS
    assert completed(nvim, "CodeIntel se") == ["search", "searchhistory"]
    assert completed(nvim, "CodeIntel history ") == ["file", "line"]
    assert completed(nvim, "CodeIntel search a") == ["author:"]
    assert completed(nvim, "CodeIntel status ") == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("CodeIntel serach x", 'codeintel: there is no subcommand "serach"; see :help :CodeIntel'),
        ("CodeIntel status now", "codeintel: status takes no arguments"),
        ("CodeIntel history all", "codeintel: history takes file or line"),
        ("CodeIntel line!", "codeintel: line takes no !"),
        ("CodeIntel", "codeintel: subcommands: search similar blame line history"),
    ],
)
def test_what_is_wrong_is_told(start: Start, project: Path, command: str, message: str) -> None:
    nvim = start(project / "src/retry.py")
    nvim.command(command)
    said(nvim, message)


def test_wrong_options_are_told_in_one_line(start: Start, project: Path) -> None:
    nvim = start(
        project / "src/retry.py",
        lua="require('codeintel').setup({ blame = { delay = 'soon' }, colour = 1 })",
    )
    said(nvim, 'codeintel: setup: "colour" is no option. (and 1 more: :checkhealth codeintel)')
    nvim.wait_until_served()
    nvim.command("checkhealth codeintel")
    nvim.wait("vim.bo.filetype == 'checkhealth'")
    health = "\n".join(nvim.api.current.buffer[:])
    assert '❌ ERROR "blame.delay" must be a whole number, 0 or more, not "soon".' in health
    assert "OK codeintel-ls" in health
    assert f"{project}: 1 buffers" in health


def test_search_through_select_opens_the_place(start: Start, project: Path) -> None:
    nvim = opened(start, project, CHOICES)
    nvim.command("CodeIntel search forget entries that are too old lang:py")
    nvim.wait("_G.asked ~= nil")
    lines = nvim.lua("return _G.asked.lines")
    assert lines[0] == "src/cache.py:1  ExpiringCache"
    assert lines[-1].startswith("all ")
    assert not any(".go" in line for line in lines)
    nvim.lua("_G.asked.choose(1)")
    assert nvim.lua("return vim.api.nvim_buf_get_name(0)") == str(project / "src/cache.py")
    assert nvim.lua("return vim.fn.line('.')") == 1
    nvim.lua("_G.asked.choose(#_G.asked.lines)")
    assert nvim.lua("return #vim.fn.getqflist()") == len(lines) - 1


def test_a_query_is_asked_for_and_filters_hold(start: Start, project: Path) -> None:
    nvim = opened(
        start,
        project,
        CHOICES + "vim.ui.input = function(o, done) done('author:grace seconds') end",
    )
    nvim.command("CodeIntel search")
    nvim.wait("_G.asked ~= nil")
    lines = nvim.lua("return _G.asked.lines")
    assert lines == ["src/cache.py:1  ExpiringCache", "all 1 in the quickfix list"]
    nvim.lua("_G.asked = nil")
    nvim.command('CodeIntel search "twice as long" waiting')
    nvim.wait("_G.asked ~= nil")
    assert nvim.lua("return _G.asked.lines")[:-1] == ["src/retry.py:7  retry_with_backoff"]
    nvim.command("CodeIntel search nothing at all since:tomorrow")
    said(nvim, "codeintel: since:tomorrow is no such filter: :help codeintel-filters")


def test_search_into_the_quickfix_list(start: Start, project: Path) -> None:
    nvim = opened(start, project)
    nvim.command("CodeIntel! search refuse clients that ask too often")
    nvim.wait(QUICKFIX)
    first = nvim.lua("return vim.fn.getqflist()[1]")
    assert nvim.lua("return vim.fn.bufname(...)", first["bufnr"]).endswith("src/server.go")
    assert first["text"].startswith("RateLimiter")
    title = nvim.lua("return vim.fn.getqflist({ title = 1 }).title")
    assert title == "Search by meaning: refuse clients that ask too often"
    assert nvim.lua("return vim.bo.buftype") == "quickfix"
    # Beside the list the workspace is still known.
    nvim.command("CodeIntel status")
    nvim.wait(f"{FLOAT} ~= nil")
    assert str(project) in nvim.screen()


def test_similar_code(start: Start, project: Path) -> None:
    nvim = opened(start, project, CHOICES)
    nvim.edit(project / "steps/step_7.py")
    nvim.wait_until_served()
    nvim.command("1,3CodeIntel similar")
    nvim.wait("_G.asked ~= nil")
    lines = nvim.lua("return _G.asked.lines")
    assert "steps/step_" in lines[0]
    assert "  in common: " in lines[0]
    assert not any("step_7.py" in line for line in lines)


def test_history_of_a_file_and_of_lines(start: Start, project: Path) -> None:
    nvim = opened(start, project, CHOICES)
    nvim.edit(project / "src/cache.py")
    nvim.wait_until_served()
    nvim.command("CodeIntel history")
    nvim.wait("_G.asked ~= nil")
    lines = nvim.lua("return _G.asked.lines")
    assert [line[20:] for line in lines[:-1]] == [
        "Grace Example  Call it seconds  +2 -2",
        "Ada Example  Rename the cache  +0 -0 renamed",
        "Ada Example  Add the project  +15 -0",
    ]
    assert lines[-1] == "all 3 in the quickfix list"
    nvim.lua("_G.asked.choose(3)")
    nvim.wait_for_screen("b/src/old.py")
    nvim.command("buffer src/cache.py")
    nvim.lua("_G.asked = nil")
    nvim.command("7,8CodeIntel history")
    nvim.wait("_G.asked ~= nil")
    assert nvim.lua("return _G.asked.prompt") == "History of lines 7–8"
    assert "Call it seconds" in nvim.lua("return _G.asked.lines[1]")
    # The list of them opens the file as it was.
    nvim.lua("_G.asked.choose(#_G.asked.lines)")
    nvim.command("clast")
    nvim.wait_for_screen("self.ttl = ttl")


def test_history_comes_in_pages(start: Start, project: Path) -> None:
    nvim = opened(
        start, project, CHOICES + "require('codeintel').setup({ history = { limit = 2 } })"
    )
    nvim.edit(project / "src/cache.py")
    nvim.wait_until_served()
    nvim.command("CodeIntel history file")
    nvim.wait("_G.asked ~= nil")
    assert nvim.lua("return _G.asked.lines[3]") == "… older commits"
    nvim.lua("_G.asked.choose(3)")
    nvim.wait("#_G.asked.lines >= 4 and _G.asked.lines[3]:find('Add the project') ~= nil")


def test_commits_by_meaning(start: Start, project: Path) -> None:
    nvim = opened(start, project, CHOICES)
    # The first question has the commits indexed.
    nvim.wait(
        """(function()
          if not _G.asked then vim.cmd("CodeIntel searchhistory rename the cache") end
          vim.wait(500, function() return _G.asked ~= nil end)
          return _G.asked ~= nil
        end)()"""
    )
    assert "Rename the cache" in nvim.lua("return _G.asked.lines[1]")
    nvim.lua("_G.asked.choose(1)")
    nvim.wait_for_screen("rename from src/old.py")


def test_status_rebuild_merge_and_log(start: Start, project: Path) -> None:
    nvim = opened(start, project)
    nvim.command("CodeIntel status")
    nvim.wait(f"{FLOAT} ~= nil")
    assert "25 files" in nvim.screen()
    nvim.keys("q")
    nvim.wait(f"{FLOAT} == nil")
    nvim.lua(
        """_G.progress = {}
        vim.api.nvim_create_autocmd("LspProgress", {
          callback = function(event) table.insert(_G.progress, event.data.params.value.kind) end,
        })"""
    )
    nvim.command("CodeIntel rebuild")
    said(nvim, "codeintel: rebuilt, 25 files can be found")
    kinds = nvim.lua("return _G.progress")
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    nvim.command("CodeIntel merge")
    said(nvim, "codeintel: merged, 25 files can be found")
    nvim.command("CodeIntel log")
    nvim.wait("vim.bo.filetype == 'codeintellog'")
    assert len(nvim.api.current.buffer[:][0]) > 0


def test_the_statusline_and_its_events(start: Start, project: Path) -> None:
    nvim = start(
        project / "src/retry.py",
        lua="""
        _G.seen = {}
        vim.api.nvim_create_autocmd("User", {
          pattern = "CodeIntelStatus",
          callback = function(event) table.insert(_G.seen, event.data) end,
        })
        vim.o.laststatus = 2
        vim.o.statusline = "[%{v:lua.require'codeintel'.statusline()}]"
        """,
    )
    nvim.wait_until_served()
    nvim.wait_until_indexed()
    seen = nvim.lua("return _G.seen[#_G.seen]")
    assert seen["state"] == "ready"
    assert seen["health"] == "ok"
    assert seen["root"] == str(project)
    nvim.wait_for_screen("[CI]")
    nvim.command("enew")
    nvim.wait_for_screen("[]")


def test_commands_of_code_lenses_and_actions_show_their_answers(
    start: Start, project: Path
) -> None:
    nvim = opened(start, project, CHOICES)
    nvim.lua("vim.api.nvim_win_set_cursor(0, { 6, 0 })")
    nvim.lua(
        """vim.lsp.buf.code_action({
          context = { only = { "codeintel.fileHistory" }, diagnostics = {} }, apply = true })"""
    )
    nvim.wait("_G.asked ~= nil")
    assert "Add the project" in nvim.lua("return _G.asked.lines[1]")


def test_hover_is_left_alone_unless_it_is_wanted(start: Start, project: Path) -> None:
    nvim = opened(start, project)
    assert nvim.lua("return vim.fn.maparg('K', 'n')") == ""
    other = opened(start, project, "require('codeintel').setup({ hover = true })")
    other.lua("vim.lsp.buf.hover()")
    other.wait_for_screen("Ada Example")
