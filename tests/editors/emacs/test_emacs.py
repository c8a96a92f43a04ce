"""`codeintel.el` in a real Emacs: it compiles without a warning, and does what it says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.editors.nvim.conftest import environment, project

__all__ = ["environment", "project"]

HERE = Path(__file__).parent
EL = HERE.parents[2] / "editors/emacs/codeintel.el"


@pytest.fixture(autouse=True)
def emacs() -> None:
    if not shutil.which("emacs"):
        pytest.skip("there is no emacs: `apt-get install emacs-nox elpa-eglot`")


def batch(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    # The packages of Debian's elpa-eglot are found by the site's start file, which -Q leaves out.
    command = ["emacs", "--batch", "-q", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=150
    )


def test_it_compiles_without_a_warning(environment: dict[str, str], tmp_path: Path) -> None:
    copy = tmp_path / "codeintel.el"
    shutil.copy(EL, copy)
    done = batch(
        environment,
        *("--eval", "(setq byte-compile-error-on-warn t)", "-f", "batch-byte-compile", copy),
    )
    assert done.returncode == 0, done.stderr
    assert copy.with_suffix(".elc").is_file()


def test_in_batch(environment: dict[str, str], project: Path) -> None:
    given = {**environment, "CODEINTEL_PROJECT": str(project), "CODEINTEL_EL": str(EL)}
    done = batch(given, "-l", HERE / "codeintel-test.el")
    assert done.returncode == 0, done.stderr
    assert "Ran 7 tests, 7 results as expected" in done.stderr, done.stderr
