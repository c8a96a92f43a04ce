"""The README's commands are the ones that work."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def command(heading: str) -> str:
    section = (ROOT / "README.md").read_text().split(f"## {heading}\n")[1]
    found = re.search(r"```sh\n(.+)\n```", section)
    assert found, f"no command under {heading}"
    return found[1]


def test_ci_runs_the_very_command_of_the_readme() -> None:
    assert (ROOT / ".ci/run").read_text().rstrip().endswith(command("Test it"))


@pytest.mark.timeout(600)
def test_the_first_command_answers_in_a_fresh_environment(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    names = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    subprocess.run(["git", "init", "-q", str(clone)], check=True)
    environment = {
        **{
            key: value
            for key, value in os.environ.items()
            if key not in {"PYTHONPATH", "VIRTUAL_ENV"}
        },
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        ["bash", "-c", command("Try it")],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first = next(line for line in done.stdout.splitlines() if line.strip())
    assert "codeintel_ls/index/chunking/" in first, done.stdout
    assert "chunk" in done.stdout
    assert not (clone / ".codeintel").exists()
    assert list((tmp_path / "cache/codeintel-ls").rglob("*.sqlite3"))
