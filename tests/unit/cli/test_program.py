"""The program as a whole: exit statuses, streams, signals, terminals, wrong requests."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.command_line import SECONDS, CommandLine
from tests.unit.cli.conftest import Call
from tests.unit.git.repositories import RepositoryBuilder

HEAVY = ("faiss", "numpy", "pygls", "rich", "git", "tree_sitter")
COMMANDS = ("search", "index", "status", "blame", "history", "config", "doctor", "cache", "serve")


def test_version_and_help_load_nothing_heavy(program: CommandLine) -> None:
    code = (
        "import sys; from codeintel_ls.cli.program import run; status = run(sys.argv[1:]);"
        f"print([name for name in {HEAVY} if name in sys.modules], status)"
    )
    for option in ("--version", "--help"):
        done = subprocess.run(
            [sys.executable, "-c", code, option], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[] 0"


def test_alone_it_prints_help(call: Call) -> None:
    shown = call()
    assert shown.status == 0
    for command in COMMANDS:
        assert f"  {command} " in shown.out
    assert "\n    codeintel-ls serve --stdio\n" in shown.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(call: Call, command: str) -> None:
    shown = call(command, "--help")
    assert (shown.status, shown.err) == (0, "")
    assert f"Usage: codeintel-ls {command}" in shown.out
    assert "\b" not in shown.out
    if command not in {"status", "config", "doctor"}:
        examples = shown.out[shown.out.index("Example") :].splitlines()[1:]
        assert all(line.strip().startswith(f"codeintel-ls {command}") for line in examples)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nosuch",), "There is no command 'nosuch'"),
        (("search",), "Missing argument 'QUERY...'"),
        (("search", "--nope", "x"), "No such option '--nope'"),
        (("search", ""), "The query is empty"),
        (("search", " ", "\n"), "The query is empty"),
        (("search", *["word" * 250] * 1000), "The query has 1,000,999 characters"),
        (("search", "--limit", "0", "x"), "0 is not in the range"),
        (("search", "--limit", "1000000000", "x"), "1000000000 is not in the range"),
        (("search", "--glob", "[", "x"), "The glob '[' is not valid"),
        (("search", "--mode", "magic", "x"), "'magic' is not one of"),
        (("search", "--folder", "nosuch", "x"), "nosuch does not exist"),
        (("search", "--folder", "src/retry.py", "x"), "is not a folder"),
        (("index", "nosuch"), "nosuch does not exist"),
        (("status", ""), "The folder's name is empty"),
        (("blame", ""), "The file's name is empty"),
        (("blame", "missing.py"), "missing.py does not exist"),
        (("blame", "."), "is a folder"),
        (("blame", "picture.png"), "binary"),
        (("blame", ".git/config"), "git"),
        (("blame", "src/retry.py:99"), "has 11 lines; there is no line 99"),
        (("blame", "src/retry.py:99999999999999"), "does not exist"),
        (("blame", "src/retry.py:0"), "Lines are counted from 1"),
        (("blame", "src/retry.py:5-3"), "ends before it begins"),
        (("blame", "/nowhere/at/all.py"), "not inside a git work tree"),
        (("history", "missing.py"), "is not a file tracked by git"),
        (("history", "--limit", "0", "src/retry.py"), "0 is not in the range"),
        (("history", "--cursor", "junk", "src/retry.py"), "cursor"),
        (("serve",), "add --stdio"),
    ],
)
def test_a_wrong_request_is_one_sentence(call: Call, arguments: tuple[str, ...], said: str) -> None:
    refused = call(*arguments)
    assert refused.status == 2
    assert refused.out == ""
    assert said in refused.err
    (line,) = refused.err.splitlines()
    assert line.startswith("error: ")
    as_json = call(*arguments[:1], "--json", *arguments[1:])
    if arguments[0] not in {"nosuch", "serve"}:
        assert said in as_json.document()["error"]["message"]


def test_outside_a_repository_and_before_the_first_commit(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def add(): ...\n")
    for command in ("blame", "history"):
        assert "not inside a git work tree" in call(command, "a.py", folder=tmp_path).err
    RepositoryBuilder(tmp_path)
    for command in ("blame", "history"):
        refused = call(command, "a.py", folder=tmp_path)
        assert (refused.status, "no commits yet" in refused.err) == (2, True)
    assert call("search", "add", folder=tmp_path).out.startswith("a.py:1-1")


def test_an_untracked_file_is_refused(call: Call, tmp_path: Path) -> None:
    RepositoryBuilder(tmp_path).commit_file("a.py", "a = 1\n")
    (tmp_path / "b.py").write_text("b = 1\n")
    for command in ("blame", "history"):
        assert "is not a file tracked by git" in call(command, "b.py", folder=tmp_path).err


def test_a_home_or_the_root_is_indexed_only_when_named(call: Call, person: dict[str, str]) -> None:
    home = Path(person["HOME"])
    for folder in (home, home.parent, Path("/")):
        for command in (("index",), ("search", "x")):
            refused = call(*command, folder=folder)
            assert (refused.status, "hardly meant" in refused.err) == (2, True)
    assert call("index", ".", folder=home).status == 0


@pytest.fixture
def above() -> Iterator[Path]:
    """A folder that anybody can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions of files")
def test_a_folder_without_permission_is_refused(program: CommandLine, above: Path) -> None:
    closed = above / "closed"
    closed.mkdir(mode=0)
    code = (
        # What is imported once is there, wherever the interpreter lies.
        "import os, sys, codeintel_ls.daemon.client; from codeintel_ls.cli import folders, program;"
        "program.run(['search', 'x', '-n0']);"
        "os.geteuid() or os.setuid(65534); sys.exit(program.run(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "search", "--folder", str(closed), "x"],
        env={**os.environ, **program.environment},
        capture_output=True,
        text=True,
    )
    closed.chmod(0o700)
    assert done.returncode == 2
    _, refusal = done.stderr.splitlines()
    assert "cannot be read: you have no permission" in refusal


def test_the_unexpected_is_one_sentence_and_its_traceback_is_for_debugging(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str | None) -> Path:
        raise KeyError("unforeseen")

    monkeypatch.setattr("codeintel_ls.cli.index.choose_folder", fail)
    plain = call("index")
    assert (plain.status, len(plain.err.splitlines())) == (2, 1)
    assert "KeyError" in plain.err
    assert call("index", "--json").document()["error"]["type"] == "KeyError"
    monkeypatch.setenv("CODEINTEL_LS_DEBUG", "1")
    assert "Traceback" in call("index").err


def test_a_reader_that_has_enough_is_no_error(program: CommandLine) -> None:
    program.run("index")
    for arguments in (("search", "-n", "3", "retry"), ("blame", "src/retry.py"), ("config",)):
        process = program.start(*arguments)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait(SECONDS) == 0
        assert "error" not in said.lower()


def _children(process_id: int) -> list[int]:
    told = Path(f"/proc/{process_id}/task/{process_id}/children").parent.parent
    return [int(child) for task in told.iterdir() for child in _words(task / "children")]


def _indexes(process_id: int) -> bool:
    try:
        return b"codeintel_ls.index.worker" in Path(f"/proc/{process_id}/cmdline").read_bytes()
    except OSError:
        return False


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for child processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_no_process_and_keeps_the_index(
    home: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    for name in range(1500):
        body = "\n".join(f"def function_{name}_{line}(): ..." for line in range(30))
        (tmp_path / f"file_{name}.py").write_text(body)
    program = CommandLine(tmp_path, home)
    process = program.start("index")
    children: list[int] = []
    # The first children are git's, which end by themselves.
    while not any(map(_indexes, children)) and process.poll() is None:
        children = _children(process.pid)
        time.sleep(0.05)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + number
    assert out == b""
    assert b"Traceback" not in err
    assert children
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert program.run("search", "--no-update", "function").status in {0, 1, 2}


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_a_search_on_a_terminal(project: RepositoryBuilder, tmp_path: Path) -> None:
    program = CommandLine(project.root, {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)})
    first = program.on_terminal("search", "-n", "1", "retry", "with", "backoff")
    assert first.status == 0
    bar = "Indexing project"
    assert bar in first.out
    assert "\x1b[" in first.out
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\]8;[^\x1b]*\x1b\\", "", first.out)
    assert " 1  src/retry.py:" in plain
    assert re.search(r"\d+ def retry_with_backoff\(request, attempts\):", plain)
    assert (project.root / "src/retry.py").as_uri() in first.out
    again = program.on_terminal("search", "-n", "1", "retry", NO_COLOR="1")
    assert bar not in again.out
    assert re.search(r"\x1b\[[0-9;]*3[0-9]m", again.out) is None


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_a_blame_on_a_terminal_shows_age_as_heat(
    project: RepositoryBuilder, home: dict[str, str]
) -> None:
    program = CommandLine(project.root, home)
    coloured = program.on_terminal("blame", "src/retry.py:2")
    assert re.match(r"\x1b\[38;5;\d+m[0-9a-f]{10}  Ada", coloured.out)
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in program.on_terminal("blame", "src/retry.py:2", **environment).out
