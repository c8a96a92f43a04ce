"""The Lua is formatted, and luacheck has nothing to say."""

import shutil

import pytest

from tests.editors.nvim.__main__ import TOOLS
from tests.editors.nvim.test_modules import SPECS, run
from tests.editors.nvim.test_pickers import FAKES


def test_luacheck() -> None:
    if not shutil.which("luacheck"):
        pytest.skip("there is no luacheck: `apt-get install lua-check`")
    done = run("luacheck", "--codes", "-q", "lua", "plugin", "scripts", SPECS, FAKES)
    assert done.returncode == 0, done.stdout


def test_stylua() -> None:
    node = shutil.which("node")
    if not node or not (TOOLS / "node_modules").is_dir():
        pytest.skip("there is no StyLua: `python -m tests nvim` installs it with npm")
    done = run(node, "scripts/format.mjs", TOOLS / "node_modules", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
