"""What the forwarder's start may cost: every window of every editor waits for it."""

import json
import subprocess
import sys

import pytest

HEAVY = [
    "asyncio",
    "attrs",
    "cattrs",
    "click",
    "codeintel_ls.cli.program",
    "codeintel_ls.search",
    "codeintel_ls.server",
    "codeintel_ls.settings",
    "codeintel_ls.workspace",
    "dataclasses",
    "faiss",
    "git",
    "httpx",
    "inspect",
    "logging",
    "lsprotocol",
    "numpy",
    "orjson",
    "platformdirs",
    "psutil",
    "pygls",
    "rich",
]
OUR_OWN = {*sys.stdlib_module_names, "codeintel_ls", "__main__", "__mp_main__"}
LOOK = """
import json, os, sys
end = os._exit
def tell(code):
    sys.__stderr__.write(json.dumps(sorted(sys.modules)))
    sys.__stderr__.flush()
    end(code)
os._exit = tell
"""
STARTS = {
    "console script": "from codeintel_ls.cli import main; main()",
    "module": "import runpy; runpy.run_module('codeintel_ls', run_name='__main__')",
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("options", [[], ["--stdio"], ["--stdio", "--clientProcessId=1"]])
def test_only_the_standard_library_is_imported(start, options):
    done = subprocess.run(
        [sys.executable, "-c", LOOK + STARTS[start], "connect", *options],
        input=b"",
        capture_output=True,
        timeout=30,
    )
    loaded = set(json.loads(done.stderr))
    assert done.returncode == 1, "standard input ended without a shutdown"
    assert "codeintel_ls.daemon.connect" in loaded
    assert not loaded & set(HEAVY)
    foreign = {
        name.partition(".")[0]
        for name in loaded - set(json.loads(_bare()))
        if name.partition(".")[0] not in OUR_OWN
    }
    assert not foreign


def _bare() -> bytes:
    """What any interpreter of this environment has loaded before the first line."""
    code = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout


@pytest.mark.parametrize("options", [["--help"], ["--nope"], ["--stdio", "x"]])
def test_everything_else_is_a_command_line_like_any_other(options):
    done = subprocess.run(
        [sys.executable, "-m", "codeintel_ls", "connect", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    if options == ["--help"]:
        assert (done.returncode, done.stderr) == (0, "")
        assert "Usage: codeintel-ls connect" in done.stdout
    else:
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: ")
