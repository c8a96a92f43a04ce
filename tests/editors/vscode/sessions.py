"""Tests in running VS Code: a server, a repository, and a program of Node that opens windows."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from tests.editors.vscode.code_server import CodeServer, running
from tests.editors.vscode.layout import COMPILED, KEPT, ROOT, SCREENSHOTS, CheckError
from tests.editors.vscode.sample import Sample, make_sample
from tests.editors.vscode.toolchain import browser, node, node_environment

_HARNESS: Final = {
    "name": "harness",
    "publisher": "codeintel-tests",
    "version": "0.0.0",
    "engines": {"vscode": "^1.90.0"},
}


@frozen(kw_only=True)
class Session:
    """A running server and what its windows open."""

    server: CodeServer
    sample: Sample
    chromium: Path

    def node(self, script: str, *arguments: str, check: bool = True) -> None:
        """Run one of the compiled programs, whose output is shown."""
        place = {
            "url": self.server.url,
            "browser": str(self.chromium),
            "driver": str(self.server.home / "driver"),
            "screenshots": str(SCREENSHOTS),
            "folder": str(self.sample.folder),
            "second": str(self.sample.second),
            "commits": self.sample.commits,
            "plain": str(self.sample.second.parent / "plain"),
        }
        done = subprocess.run(
            [str(node()), str(COMPILED / "browser" / script), *arguments],
            env={**node_environment(), "CODEINTEL_TEST_PLACE": json.dumps(place)},
            check=False,
        )
        if check and done.returncode:
            self._keep_logs(Path(arguments[0] if arguments else script).name.split(".")[0])
            raise CheckError(f"{script} {' '.join(arguments)}: exit code {done.returncode}")

    def suite(self, name: str, workspace: Path | None = None) -> None:
        """Run a suite in the extension host of a new window, which has that workspace open."""
        harness = COMPILED / "host"
        (harness / "package.json").write_text(json.dumps(_HARNESS))
        suite = harness / f"{name}.suite.js"
        opened = [str(workspace)] if workspace else []
        self.node("host.main.js", str(suite), str(harness), str(self.results), *opened)

    @property
    def results(self) -> Path:
        """Where tests in the extension host write what comes of them."""
        return self.server.home / "results.txt"

    def _keep_logs(self, name: str) -> None:
        kept = KEPT / "logs" / name
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for log in self.server.home.rglob("*.log"):
            with contextlib.suppress(OSError):
                shutil.copyfile(log, kept / f"{len(list(kept.iterdir())):02}-{log.name}")
        print(f"Logs are kept in {kept.relative_to(ROOT)}.")


@contextlib.contextmanager
def session(
    package: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    with_server: bool = True,
    trust_everything: bool = True,
    opens: Path | None = None,
) -> Iterator[Session]:
    """A server with the extension, and a repository to open: a sample, or the one in `opens`."""
    chromium = browser()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    # Short, for the sockets in it.
    with tempfile.TemporaryDirectory(prefix="ci-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        sample = make_sample(home / "work")
        if opens:
            sample = evolve(sample, folder=opens)
        (home / "work" / "plain").mkdir()
        (home / "work" / "plain" / "notes.txt").write_text("No repository here.\n")
        with running(
            home,
            package,
            settings=settings,
            with_server=with_server,
            trust_everything=trust_everything,
        ) as server:
            yield Session(server=server, sample=sample, chromium=chromium)


def in_the_host(package: Path) -> None:
    """The main suite, in the extension host."""
    with session(package) as running_session:
        running_session.suite("main")
    if not _in_two_folders(package):
        print("VS Code found no folder in the workspace file: once more.", flush=True)
        if not _in_two_folders(package):
            raise CheckError("VS Code found no folder in the workspace file, twice")


def _in_two_folders(package: Path) -> bool:
    """The suite of several folders; false where VS Code itself opened none, as now and then."""
    with session(package) as running_session:
        both = running_session.server.home / "both.code-workspace"
        sample = running_session.sample
        folders = [{"path": str(path)} for path in (sample.folder, sample.second)]
        both.write_text(json.dumps({"folders": folders}))
        try:
            running_session.suite("multi-root", both)
        except CheckError:
            if "Waited 15 s for two folders" in running_session.results.read_text("utf-8"):
                return False
            raise
    return True


def in_the_browser(package: Path) -> None:
    """What is drawn, with pictures."""
    with session(package) as running_session:
        running_session.node("dom.main.js")


def without_a_server(package: Path) -> None:
    """No `codeintel-ls` anywhere, then a folder that is not trusted."""
    trust = "security.workspace.trust.enabled"
    with session(
        package, with_server=False, trust_everything=False, settings={trust: False}
    ) as running_session:
        running_session.suite("missing")
        settings = running_session.server.settings_file
        settings.write_text(json.dumps({**json.loads(settings.read_text()), trust: True}))
        running_session.suite("untrusted")
