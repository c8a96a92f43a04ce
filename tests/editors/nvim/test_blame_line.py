"""The commit of the cursor's line: drawn where it belongs, and right while somebody types."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.project import ADDED, commit, git, make_project, write
from tests.editors.nvim.conftest import Start
from tests.editors.nvim.embedded import Neovim

ON = "require('codeintel').setup({ blame = { enabled = true, format = '{author}: {summary}' } })"
ADA, GRACE, NOBODY = (
    "Ada Example: Add the project",
    "Grace Example: Call it seconds",
    "Not committed",
)
MARK = """(function()
  local at = vim.api.nvim_buf_get_extmark_by_id(
    0, vim.api.nvim_create_namespace('codeintel.blame'), 1, { details = true })
  return at[3] and { at[1], vim.trim(at[3].virt_text[1][1]), at[3].virt_text[1][2] } or false
end)()"""


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """The project, for a test that changes it."""
    folder = tmp_path / "copy"
    shutil.copytree(project, folder)
    return folder


def opened(start: Start, file: Path, lua: str = ON) -> Neovim:
    nvim = start(file, lua=lua)
    nvim.wait_until_served()
    return nvim


def shown(nvim: Neovim) -> object:
    """The line, the text and the group of what is drawn; False for nothing."""
    return nvim.lua(f"return {MARK}")


def wait_for(nvim: Neovim, line: int, text: str) -> None:
    nvim.wait(
        f"(function() local m = {MARK} return m and m[1] == {line} and m[2] end)() == '{text}'"
    )


def test_it_follows_the_cursor(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    assert ADA in nvim.wait_for_row(0, ADA)
    nvim.keys("6j")
    row = nvim.wait_for_row(6, GRACE)
    assert row.startswith("    def __init__(self, seconds):    ")
    assert ADA not in nvim.row(0)
    nvim.keys("gg")
    nvim.wait_for_row(0, ADA)
    assert nvim.lua("return vim.b.codeintel_blame") == ADA
    assert nvim.lua("return vim.api.nvim_get_hl(0, { name = 'CodeIntelBlame' }).link") == "Comment"


def test_what_is_known_is_drawn_without_asking(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.wait_for_row(0, ADA)
    # Nobody can answer any more, and still each line has its commit.
    nvim.lua("vim.lsp.get_clients({ name = 'codeintel' })[1].request = function() return false end")
    nvim.lua("vim.api.nvim_win_set_cursor(0, { 7, 0 })")
    nvim.lua("vim.cmd.doautocmd('CursorMoved')")
    assert shown(nvim) == [6, GRACE, "CodeIntelBlame"]


def test_it_is_right_while_somebody_types(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.keys("7G")
    wait_for(nvim, 6, GRACE)
    nvim.keys("A  # now")
    wait_for(nvim, 6, "Not committed yet")
    nvim.keys("<Esc>u")
    wait_for(nvim, 6, GRACE)
    # A line that was opened above moves the others, and has no commit itself.
    nvim.keys("ggOfirst<Esc>")
    wait_for(nvim, 0, "Not committed yet")
    nvim.keys("j")
    wait_for(nvim, 1, ADA)
    nvim.keys("7j")
    wait_for(nvim, 8, GRACE)
    assert nvim.lua("return vim.bo.modified")


def test_deleted_lines_take_their_commits_with_them(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.keys("7G")
    wait_for(nvim, 6, GRACE)
    nvim.keys("dd")
    wait_for(nvim, 6, GRACE)
    nvim.keys("dd")
    wait_for(nvim, 6, ADA)
    nvim.keys("ggdG")
    nvim.wait("vim.api.nvim_buf_line_count(0) == 1")
    nvim.keys("iagain<Esc>")
    wait_for(nvim, 0, "Not committed yet")


def test_reading_the_file_again_forgets_the_edits(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    nvim.keys("7GA  # now<Esc>")
    wait_for(nvim, 6, "Not committed yet")
    nvim.command("edit!")
    wait_for(nvim, 6, GRACE)
    assert not nvim.lua("return vim.bo.modified")


def test_a_file_that_was_changed_outside(start: Start, copy: Path) -> None:
    nvim = opened(start, copy / "src/cache.py")
    nvim.keys("7G")
    wait_for(nvim, 6, GRACE)
    text = (copy / "src/cache.py").read_text()
    (copy / "src/cache.py").write_text("# above\n" + text)
    nvim.command("checktime | edit")
    nvim.keys("8G")
    wait_for(nvim, 7, GRACE)
    nvim.keys("gg")
    wait_for(nvim, 0, "Not committed yet")


def test_a_commit_made_meanwhile_shows_by_itself(start: Start, copy: Path) -> None:
    nvim = opened(start, copy / "src/cache.py")
    nvim.keys("7GA  # now<Esc>")
    wait_for(nvim, 6, "Not committed yet")
    nvim.command("write")
    commit(copy, "Say now", author="Mary Example", time=ADDED + 500)
    wait_for(nvim, 6, "Mary Example: Say now")


def test_another_name_is_another_file(start: Start, copy: Path) -> None:
    nvim = opened(start, copy / "src/cache.py")
    wait_for(nvim, 0, ADA)
    nvim.command("saveas " + str(copy / "src/other.py"))
    nvim.wait("require('codeintel.blame.cache').is_settled(vim.api.nvim_get_current_buf(), 0)")
    assert shown(nvim) in (False, [0, "Not committed yet", "CodeIntelUncommitted"])
    nvim.command("edit " + str(copy / "src/cache.py"))
    wait_for(nvim, 0, ADA)


def test_a_renamed_file_keeps_its_commits(start: Start, copy: Path) -> None:
    git(copy, "mv", "src/cache.py", "src/moved.py")
    commit(copy, "Move it", time=ADDED + 600)
    nvim = opened(start, copy / "src/moved.py")
    wait_for(nvim, 0, ADA)
    nvim.keys("7G")
    wait_for(nvim, 6, GRACE)


def test_an_untracked_file_and_special_buffers_show_nothing(start: Start, project: Path) -> None:
    nvim = opened(start, project / "untracked.py")
    nvim.wait("require('codeintel.blame.cache').is_settled(vim.api.nvim_get_current_buf(), 0)")
    assert nvim.row(0) in (
        "def nobody_committed_this():",
        "def nobody_committed_this():    Not committed yet",
    )
    nvim.command("help")
    assert shown(nvim) is False
    nvim.command("enew | setlocal buftype=nofile")
    assert shown(nvim) is False
    assert nvim.messages() == ""


def test_toggling(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py", lua="")
    nvim.wait_until_indexed()
    assert shown(nvim) is False
    nvim.command("CodeIntel blame")
    nvim.wait(f"{MARK} ~= false")
    nvim.command("CodeIntel blame")
    assert shown(nvim) is False
    assert nvim.lua("return #vim.api.nvim_get_autocmds({ group = 'codeintel.blame' })") == 0


def test_a_person_chooses_format_place_and_colour(start: Start, project: Path) -> None:
    nvim = opened(
        start,
        project / "src/cache.py",
        lua="""
        vim.api.nvim_set_hl(0, "CodeIntelBlame", { fg = "#123456" })
        require("codeintel").setup({
          blame = {
            enabled = true,
            position = "right_align",
            date = "%Y",
            format = function(commit) return "<" .. commit.author.name .. ">" end,
          },
        })""",
    )
    row = nvim.wait_for_row(0, "<Ada Example>")
    assert row.endswith(" <Ada Example>")
    assert len(row) == nvim.lua("return vim.o.columns")
    assert nvim.lua("return vim.api.nvim_get_hl(0, { name = 'CodeIntelBlame' }).fg") == 0x123456


def test_it_is_hidden_in_insert_mode_where_it_is_so_chosen(start: Start, project: Path) -> None:
    lua = "require('codeintel').setup({ blame = { enabled = true, insert = false } })"
    nvim = opened(start, project / "src/cache.py", lua=lua)
    nvim.wait(f"{MARK} ~= false")
    nvim.keys("i")
    nvim.wait(f"{MARK} == false")
    nvim.keys("<Esc>")
    nvim.wait(f"{MARK} ~= false")


def test_big_buffers(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "big"
    make_project(folder)
    write(folder, {"big.py": "".join(f"line_{number} = {number}\n" for number in range(50_000))})
    commit(folder, "Add a big file", author="Big Example", time=ADDED + 700)
    nvim = opened(start, folder / "big.py")
    nvim.keys("G")
    wait_for(nvim, 49_999, "Big Example: Add a big file")
    nvim.keys("25000GA  # here<Esc>")
    wait_for(nvim, 24_999, "Not committed yet")
    nvim.keys("j")
    wait_for(nvim, 25_000, "Big Example: Add a big file")
    nvim.lua("require('codeintel').setup({ blame = { enabled = true, max_lines = 49999 } })")
    nvim.keys("k")
    nvim.wait(f"{MARK} == false")


def test_a_closed_fold_shows_nothing(start: Start, project: Path) -> None:
    nvim = opened(start, project / "src/cache.py")
    wait_for(nvim, 0, ADA)
    nvim.command("4,15fold")
    nvim.keys("4G")
    nvim.wait(f"{MARK} == false")
