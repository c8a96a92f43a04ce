"""The Lua modules that need no server, and what is generated from the plugin's own words."""

import subprocess
from pathlib import Path

from tests.editors.nvim.embedded import NVIM, PLUGIN

SPECS = Path(__file__).parent / "specs"
CASES = PLUGIN.parent / "search_filters.json"
LONGEST = 400


def run(*arguments: object, folder: Path = PLUGIN) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(argument) for argument in arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_pure_modules() -> None:
    done = run(NVIM, "--clean", "-l", SPECS / "pure.lua", PLUGIN, CASES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_help_and_the_types_are_what_the_plugin_says() -> None:
    done = run(NVIM, "--clean", "-l", "scripts/help.lua", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_help_has_every_tag_once_and_every_link_a_target(tmp_path: Path) -> None:
    text = (PLUGIN / "doc/codeintel.txt").read_text()
    (tmp_path / "codeintel.txt").write_text(text)
    # `:helptags` fails where a tag is there twice.
    done = run(
        *(NVIM, "--clean", "--headless", "-c", f"helptags {tmp_path}", "-c", "qa"),
    )
    assert done.returncode == 0
    assert "E15" not in done.stderr, done.stderr
    tags = {line.split("\t")[0] for line in (tmp_path / "tags").read_text().splitlines()}
    assert {"codeintel", ":CodeIntel", ":CodeIntel-search", "codeintel.setup()"} <= tags
    ours = {word.strip("|") for word in text.split() if word.startswith("|codeintel")}
    missing = {word.rstrip("|.,") for word in ours} - tags
    assert not missing


def test_files_are_short() -> None:
    for path in PLUGIN.rglob("*.lua"):
        assert len(path.read_text().splitlines()) <= LONGEST, path


def test_loading_the_plugin_requires_nothing(tmp_path: Path) -> None:
    script = tmp_path / "look.lua"
    script.write_text(
        "vim.cmd.runtime('plugin/codeintel.lua')\n"
        "assert(vim.fn.exists(':CodeIntel') == 2)\n"
        "for name in pairs(package.loaded) do assert(not name:match('^codeintel'), name) end\n"
    )
    done = run(NVIM, "--clean", "--cmd", f"set rtp^={PLUGIN}", "-l", script)
    assert done.returncode == 0, done.stderr
