"""A repository that was only opened runs nothing of its own."""

import subprocess
from pathlib import Path

import pytest

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git import GitClient, GitError
from tests.unit.git.fakes import MARKING, fake_program
from tests.unit.git.repositories import RepositoryBuilder

HOOKS = (
    "post-index-change",
    "reference-transaction",
    "post-checkout",
    "fsmonitor-watchman",
    "pre-auto-gc",
)
PROGRAM_SETTINGS = (
    "core.fsmonitor",
    "core.pager",
    "pager.log",
    "pager.blame",
    "pager.ls-files",
    "core.editor",
    "sequence.editor",
    "core.sshCommand",
    "core.askPass",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "credential.helper",
    "gpg.program",
    "gpg.ssh.program",
    "gpg.ssh.defaultKeyCommand",
    "diff.external",
    "diff.trap.command",
    "diff.trap.textconv",
    "filter.trap.clean",
    "filter.trap.smudge",
    "filter.trap.process",
    "merge.trap.driver",
    "uploadpack.packObjectsHook",
    "interactive.diffFilter",
    "trailer.sign.cmd",
)


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    return tmp_path / "marks"


@pytest.fixture
def trapped(repository: RepositoryBuilder, tmp_path: Path, marks: Path) -> RepositoryBuilder:
    """Ordinary commits (the last one signed), and then every trap that configuration knows."""
    repository.write(".gitattributes", "* filter=trap diff=trap merge=trap\n")
    repository.commit_file("old.txt", "".join(f"line {number}\n" for number in range(9)))
    repository.git("mv", "old.txt", "a.txt")
    repository.commit()
    repository.write("a.txt", "changed\n" + (repository.root / "a.txt").read_text())
    _commit_signed(repository)
    trap = fake_program(tmp_path / "trap", MARKING, marks)
    hooks = tmp_path / "hooks"
    for hook in HOOKS:
        fake_program(hooks / hook, MARKING, marks)
        fake_program(repository.root / ".git" / "hooks" / hook, MARKING, marks)
    for setting in PROGRAM_SETTINGS:
        repository.git("config", setting, str(trap))
    for name in ("blame", "log", "ls-files", "cat-file", "rev-parse", "config"):
        repository.git("config", f"alias.{name}", f"!{trap}")
    repository.git("config", "core.hooksPath", str(hooks))
    repository.git("config", "log.showSignature", "true")
    repository.git("config", "core.repositoryFormatVersion", "1")
    repository.git("config", "extensions.partialClone", "origin")
    repository.git("config", "remote.origin.promisor", "true")
    repository.git("config", "remote.origin.url", f"ext::{trap}")
    repository.git("config", "protocol.ext.allow", "always")
    included = repository.write(".git/included", f"[core]\n\tfsmonitor = {trap}\n")
    repository.git("config", "include.path", str(included))
    repository.git("config", "submodule.inner.url", f"ext::{trap}")
    repository.write(".gitmodules", f'[submodule "inner"]\n\tpath = inner\n\turl = ext::{trap}\n')
    elsewhere = RepositoryBuilder(tmp_path / "elsewhere")
    fake_program(elsewhere.root / ".git" / "hooks" / "post-index-change", MARKING, marks)
    alternates = ".git/objects/info/alternates"
    repository.write(alternates, f"{elsewhere.root / '.git' / 'objects'}\n")
    return repository


def _commit_signed(repository: RepositoryBuilder) -> None:
    repository.commit()
    plain = repository.git("cat-file", "commit", "HEAD")
    header, _, message = plain.partition(b"\n\n")
    signature = b"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    signed = repository.git(
        "hash-object", "-t", "commit", "-w", "--stdin", given=header + signature + b"\n\n" + message
    )
    repository.git("update-ref", "refs/heads/main", signed.decode().strip())


def test_everything_is_answered_and_nothing_is_run(trapped: RepositoryBuilder, marks: Path):
    trapped.write("a.txt", "typed\n" + (trapped.root / "a.txt").read_text())
    trapped.write("untracked.txt", "new\n")
    marks.unlink(missing_ok=True)
    client = GitClient.discover(trapped.root)
    client.use_commit_graph(marks.parent / "graph")
    assert client.commit_graph is not None
    client.commit_graph.refresh()
    assert client.commit_graph.environment
    assert "untracked.txt" in client.list_files(client.root).paths
    told = client.blame_range("a.txt", 0, 10**9)
    assert [hunk.commit is None for hunk in told.hunks] == [True, False, False]
    assert len(client.file_history("a.txt").entries) == 3
    assert len(client.file_history("a.txt", follow=False).entries) == 2
    lines = client.file_history("a.txt", lines=(1, 3)).entries
    assert [entry.path for entry in lines] == ["a.txt", "old.txt"]
    assert len(client.folder_history(".").entries) == 3
    assert "\n+changed\n" in client.file_diff("a.txt", "HEAD")
    assert client.file_at_revision("a.txt", "HEAD").startswith("changed\n")
    assert client.commits([trapped.head()])
    assert client.commit_url(trapped.head()) is None
    _move_head(trapped)
    marks.unlink(missing_ok=True)
    assert client.blame_range("a.txt", 0, 10**9).hunks[1:] == told.hunks[1:]
    client.blame_ahead("a.txt")
    assert client.folder_history(".").entries[0].commit.summary == "Later"
    (touched,) = client.log.touched([trapped.head()], Cancellation(), symbols=True)
    assert touched.message.strip() == "Later"
    client.close()
    assert not marks.exists(), marks.read_text()


def _move_head(repository: RepositoryBuilder) -> None:
    """A commit that touches no file, made without the traps."""
    tree = repository.git("rev-parse", "HEAD^{tree}").decode().strip()
    head = repository.head()
    later = repository.git("commit-tree", tree, "-p", head, "-m", "Later").decode().strip()
    (repository.root / ".git/refs/heads/main").write_text(f"{later}\n")


def test_nothing_is_fetched(trapped: RepositoryBuilder, marks: Path):
    blob = trapped.git("rev-parse", "HEAD:a.txt").decode().strip()
    (trapped.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    marks.unlink(missing_ok=True)
    client = GitClient.discover(trapped.root)
    for ask in (
        lambda: client.blame_range("a.txt", 0, 0),
        lambda: client.file_at_revision("a.txt", "HEAD"),
        lambda: client.file_history("a.txt", lines=(0, 0)),
        lambda: client.commits(["1" * 40]),
    ):
        with pytest.raises(GitError):
            ask()
    assert not marks.exists(), marks.read_text()


@pytest.mark.parametrize("command", ["status", "diff", "log -p -1", "checkout -q -b other"])
def test_the_traps_work(trapped: RepositoryBuilder, marks: Path, command: str):
    trapped.write("a.txt", "typed\n")
    marks.unlink(missing_ok=True)
    subprocess.run(["git", *command.split()], cwd=trapped.root, capture_output=True, timeout=30)
    assert marks.exists()
