"""Which files of real folders and repositories are found, and that one path is judged alike."""

import os
import subprocess
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git import GitClient
from codeintel_ls.index.reconcile import FoundFile
from codeintel_ls.settings import IndexSettings
from codeintel_ls.workspace.discovery import Discovered, PathPolicy, discover_files

DEFAULTS = IndexSettings()


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def write(root: Path, *paths: str, text: str = "x = 1\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    allowed = ["-c", "protocol.file.allow=always"]
    command = ["git", *identity, *allowed, *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


def repository(root: Path, *paths: str) -> GitClient:
    """A repository with these files committed."""
    root.mkdir(exist_ok=True)
    git(root, "init", "-q")
    write(root, *paths)
    git(root, "add", "-f", ".")
    git(root, "commit", "-q", "--allow-empty", "-m", "one")
    return GitClient.discover(root)


def paths(discovered: Discovered) -> list[str]:
    return [file.path for file in discovered.files]


def walked(root: Path, options: IndexSettings = DEFAULTS) -> Discovered:
    return discover_files(root, None, options)


class TestInARepository:
    def test_tracked_and_untracked_files_are_found_and_ignored_ones_are_not(
        self, root: Path
    ) -> None:
        client = repository(root, "a.py", "src/b.py")
        write(root, "new.py", "src/c.log", "build/o.py")
        write(root, ".gitignore", text="*.log\nbuild/\n")
        found = discover_files(root, client, DEFAULTS)
        assert paths(found) == [".gitignore", "a.py", "new.py", "src/b.py"]
        assert (found.source, found.truncated, found.notices) == ("git", False, ())

    def test_size_and_time_are_the_file_s(self, root: Path) -> None:
        client = repository(root, "a.py")
        os.utime(root / "a.py", ns=(5, 123_456_789))
        assert discover_files(root, client, DEFAULTS).files == (FoundFile("a.py", 6, 123_456_789),)

    def test_a_tracked_file_that_gitignore_names_is_found(self, root: Path) -> None:
        write(root, ".gitignore", text="*.gen\nout/\n")
        client = repository(root, "a.gen", "out/b.py")
        write(root, "c.gen", "out/d.py")
        found = discover_files(root, client, DEFAULTS)
        assert paths(found) == [".gitignore", "a.gen", "out/b.py"]
        assert found.policy.allows("a.gen")
        assert not found.policy.allows("c.gen")
        assert not found.policy.skips_directory("out")
        assert not found.policy.allows("out/d.py")

    def test_nested_codeintelignore_and_ignore_keep_out_tracked_files(self, root: Path) -> None:
        write(root, ".codeintelignore", text="*.sql\n/vendor/\n")
        write(root, "src/.codeintelignore", text="!keep.sql\n")
        write(root, "lib/.ignore", text="old/\n")
        client = repository(
            root, "a.sql", "src/keep.sql", "src/b.sql", "vendor/v.py", "lib/old/o.py", "lib/n.py"
        )
        found = discover_files(root, client, DEFAULTS)
        wanted = [path for path in paths(found) if not path.endswith("ignore")]
        assert wanted == ["lib/n.py", "src/keep.sql"]
        assert found.skipped == {"ignored": 4}
        assert found.policy.skips_directory("vendor")

    def test_a_file_that_is_tracked_but_deleted_is_left_out(self, root: Path) -> None:
        client = repository(root, "a.py", "gone.py", "sub/gone.py")
        (root / "gone.py").unlink()
        (root / "sub" / "gone.py").unlink()
        (root / "sub").rmdir()
        (root / "sub").touch()
        found = discover_files(root, client, DEFAULTS)
        assert paths(found) == ["a.py", "sub"]
        assert found.skipped == {}

    def test_a_subfolder_sees_the_rules_above_it(self, root: Path) -> None:
        write(root, ".gitignore", text="/sub/no.py\n*.log\n")
        client = repository(root, "top.py", "sub/a.py")
        write(root, "sub/no.py", "sub/b.log", "sub/new.py")
        found = discover_files(root / "sub", client, DEFAULTS)
        assert paths(found) == ["a.py", "new.py"]
        assert not found.policy.allows("no.py")
        assert not found.policy.allows("late.log")
        assert found.policy.allows("late.py")

    def test_a_folder_that_its_repository_ignores_is_walked(self, root: Path) -> None:
        write(root, ".gitignore", text="/out/\n")
        client = repository(root, "a.py")
        write(root, "out/gen.py", "out/deep/g.py")
        found = discover_files(root / "out", client, DEFAULTS)
        assert (paths(found), found.source) == (["deep/g.py", "gen.py"], "walk")

    def test_a_folder_whose_files_are_all_ignored_is_empty(self, root: Path) -> None:
        write(root, ".gitignore", text="*.log\n")
        client = repository(root, "a.py")
        write(root, "logs/a.log")
        found = discover_files(root / "logs", client, DEFAULTS)
        assert (paths(found), found.source) == ([], "git")

    def test_a_repository_behind_a_link(self, root: Path, tmp_path: Path) -> None:
        repository(root, "a.py")
        write(root, ".gitignore", text="*.log\n")
        (tmp_path / "link").symlink_to(root)
        client = GitClient.discover(tmp_path / "link")
        found = discover_files(tmp_path / "link", client, DEFAULTS)
        assert paths(found) == [".gitignore", "a.py"]
        assert found.policy.find("a.py") == found.files[1]
        assert not found.policy.allows("x.log")

    def test_submodules_and_inner_repositories_list_their_own_files(
        self, root: Path, tmp_path: Path
    ) -> None:
        library = tmp_path / "library"
        write(tmp_path, "library/.gitignore", text="*.tmp\n")
        repository(library, "lib.py", "forced.tmp")
        client = repository(root, "a.py")
        git(root, "submodule", "add", "-q", str(library), "sub/lib")
        git(root, "commit", "-q", "-m", "submodule")
        repository(root / "inner", "i.py")
        write(root, ".gitignore", text="*.tmp\n")
        write(root, "sub/lib/new.tmp", "inner/new.tmp")
        found = discover_files(root, client, DEFAULTS)
        assert [path for path in paths(found) if not path.startswith(".")] == [
            "a.py",
            "inner/i.py",
            "inner/new.tmp",
            "sub/lib/.gitignore",
            "sub/lib/forced.tmp",
            "sub/lib/lib.py",
        ]
        assert found.policy.allows("sub/lib/forced.tmp")
        assert not found.policy.allows("sub/lib/other.tmp")
        assert found.policy.allows("inner/other.tmp")

    def test_an_inner_repository_that_is_ignored_by_codeintelignore(self, root: Path) -> None:
        write(root, ".codeintelignore", text="inner\n")
        client = repository(root, "a.py")
        repository(root / "inner", "i.py")
        assert "inner/i.py" not in paths(discover_files(root, client, DEFAULTS))

    def test_a_submodule_that_became_a_link_is_not_followed(
        self, root: Path, tmp_path: Path
    ) -> None:
        client = repository(root, "a.py")
        repository(root / "sub", "s.py")
        git(root, "-c", "advice.addEmbeddedRepo=false", "add", "sub")
        (root / "sub").rename(tmp_path / "outside")
        (root / "sub").symlink_to(tmp_path / "outside")
        found = discover_files(root, client, DEFAULTS)
        assert (paths(found), found.skipped) == (["a.py"], {"symlink": 1})

    def test_a_damaged_inner_repository_is_walked(self, root: Path) -> None:
        client = repository(root, "a.py")
        repository(root / "inner", "i.py")
        (root / "inner" / ".git" / "index").write_bytes(b"broken")
        assert paths(discover_files(root, client, DEFAULTS)) == ["a.py", "inner/i.py"]

    def test_a_repository_that_git_cannot_list_is_walked_and_that_is_said(self, root: Path) -> None:
        client = repository(root, "a.py")
        (root / ".git" / "index").write_bytes(b"broken")
        found = discover_files(root, client, DEFAULTS)
        assert (paths(found), found.source) == (["a.py"], "walk")
        assert "Git could not list the files" in found.notices[0]

    def test_the_user_s_and_the_repository_s_excludes_hold_for_new_files(
        self, root: Path, tmp_path: Path
    ) -> None:
        write(tmp_path, "config/git/ignore", text="*.user\n")
        client = repository(root, "a.py")
        (root / ".git" / "info").mkdir(exist_ok=True)
        write(root, ".git/info/exclude", text="*.mine\n")
        policy = discover_files(root, client, DEFAULTS).policy
        assert [policy.allows(f"x.{end}") for end in ("user", "mine", "py")] == [False, False, True]


class TestOutsideARepository:
    def test_nested_ignore_files_hold(self, root: Path) -> None:
        write(root, "a.py", "a.log", "keep.log", "sub/b.py", "sub/b.log", "sub/n/c.py", "out/o.py")
        write(root, ".gitignore", text="*.log\n!keep.log\n/out/\n")
        write(root, "sub/.gitignore", text="!b.log\n")
        write(root, "sub/.codeintelignore", text="n\n")
        found = walked(root)
        wanted = [path for path in paths(found) if not path.endswith("ignore")]
        assert wanted == ["a.py", "keep.log", "sub/b.log", "sub/b.py"]
        assert found.source == "walk"

    def test_what_tools_keep_is_left_out_and_what_people_write_is_not(self, root: Path) -> None:
        write(root, ".editorconfig", ".github/workflows/ci.yml", ".cache/c.py", ".idea/w.xml")
        write(root, "node_modules/p/index.js", "src/__pycache__/m.py", "env/pyvenv.cfg", "env/e.py")
        write(root, "target/CACHEDIR.TAG", "target/t.rs", "src/a.py")
        found = walked(root)
        assert paths(found) == [".editorconfig", ".github/workflows/ci.yml", "src/a.py"]
        assert found.skipped == {"ignored": 6}
        assert found.policy.skips_directory("deep/node_modules")

    def test_the_folder_itself_may_be_one_that_would_be_left_out(self, tmp_path: Path) -> None:
        write(tmp_path, "node_modules/pkg/index.js", "node_modules/pyvenv.cfg")
        assert paths(walked(tmp_path / "node_modules")) == ["pkg/index.js", "pyvenv.cfg"]

    def test_repositories_in_the_folder_list_their_own_files(self, root: Path) -> None:
        write(root, "one/.gitignore", text="*.gen\n")
        repository(root / "one", "a.py", "tracked.gen", ".hidden/h.py")
        repository(root / "two", "b.py")
        write(root, "one/new.gen", "loose.gen")
        found = walked(root)
        assert paths(found) == [
            "loose.gen",
            "one/.gitignore",
            "one/.hidden/h.py",
            "one/a.py",
            "one/tracked.gen",
            "two/b.py",
        ]
        assert found.policy.allows("one/tracked.gen")
        assert not found.policy.allows("one/new.gen")

    def test_links_are_not_followed_and_loops_end(self, root: Path, tmp_path: Path) -> None:
        write(tmp_path, "outside/secret.py")
        write(root, "a.py", "sub/b.py")
        (root / "out").symlink_to(tmp_path / "outside")
        (root / "file.py").symlink_to(tmp_path / "outside" / "secret.py")
        (root / "sub" / "loop").symlink_to("..")
        (root / "dangling").symlink_to("nowhere")
        found = walked(root)
        assert paths(found) == ["a.py", "sub/b.py"]
        assert found.skipped == {"symlink": 4}
        assert found.policy.find("out/secret.py") == "symlink"
        assert found.policy.find("file.py") == "symlink"
        assert found.policy.find("sub/loop/a.py") == "symlink"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_a_named_pipe_is_no_file_and_as_an_ignore_file_makes_nobody_wait(
        self, root: Path
    ) -> None:
        write(root, "a.py")
        os.mkfifo(root / "pipe")
        os.mkfifo(root / ".codeintelignore")
        found = walked(root)
        assert (paths(found), found.skipped) == (["a.py"], {"not-a-file": 2})

    def test_an_ignore_file_that_is_a_link_is_not_read(self, root: Path, tmp_path: Path) -> None:
        write(tmp_path, "rules", text="*\n")
        write(root, "a.py")
        (root / ".codeintelignore").symlink_to(tmp_path / "rules")
        assert paths(walked(root)) == ["a.py"]

    def test_names_that_are_no_utf8_and_odd_names(self, root: Path) -> None:
        names = sorted([os.fsdecode(b"caf\xe9.py"), "new\nline.py", "-dash.py", "a b.py", "[x].py"])
        write(root, *names)
        assert paths(walked(root)) == sorted(names)

    def test_a_folder_that_is_gone_is_empty(self, tmp_path: Path) -> None:
        found = walked(tmp_path / "nowhere")
        assert (found.files, found.skipped) == ((), {"unreadable": 1})


def test_each_file_that_is_left_out_is_counted_by_its_reason(root: Path) -> None:
    write(root, "a.py", ".env", "id_rsa", "logo.png", "app.min.js", "excluded/e.py", "poetry.lock")
    write(root, "big.py", text="x" * 101)
    options = evolve(DEFAULTS, max_file_bytes=100, exclude=("/excluded/*.py",))
    found = walked(root, options)
    assert paths(found) == ["a.py"]
    assert found.skipped == {
        "secret": 2,
        "binary": 1,
        "minified": 1,
        "generated": 1,
        "ignored": 1,
        "too-large": 1,
    }


def test_excluded_files_cannot_be_brought_back_by_the_folder(root: Path) -> None:
    write(root, "private/p.py", "a.py")
    write(root, ".codeintelignore", text="!private\n!private/**\n")
    assert "private/p.py" not in paths(walked(root, evolve(DEFAULTS, exclude=("private",))))


@pytest.mark.parametrize("in_repository", [True, False])
def test_more_files_than_wanted_are_cut_off_and_said(root: Path, in_repository: bool) -> None:
    names = [f"f{number}.py" for number in range(9)]
    write(root, *names, "deep/down/d.py")
    client = repository(root) if in_repository else None
    found = discover_files(root, client, evolve(DEFAULTS, max_files=9))
    assert (len(found.files), found.truncated) == (9, True)
    assert found.skipped == {"over-limit": 1}
    exact = discover_files(root, client, evolve(DEFAULTS, max_files=10))
    assert (len(exact.files), exact.truncated, exact.skipped) == (10, False, {})


@pytest.mark.parametrize("in_repository", [True, False])
def test_it_can_be_cancelled(root: Path, in_repository: bool) -> None:
    client = repository(root, "a.py") if in_repository else None
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CancelledError):
        discover_files(root, client, DEFAULTS, cancellation)


def test_one_path_is_found_with_its_size_and_time_or_with_the_reason(root: Path) -> None:
    write(root, "a.py", ".env")
    write(root, "big.py", text="x" * 101)
    (root / "dir").mkdir()
    policy = PathPolicy(root, None, evolve(DEFAULTS, max_file_bytes=100))
    state = (root / "a.py").stat()
    assert policy.find("a.py") == FoundFile("a.py", state.st_size, state.st_mtime_ns)
    assert policy.find("big.py") == "too-large"
    assert policy.find(".env") == "secret"
    assert policy.find("dir") == "not-a-file"
    assert policy.find("missing.py") is None
    assert policy.find("a.py/b.py") is None


@pytest.mark.parametrize(
    "path", ["", ".", "../root/a.py", "sub/../../x", "/etc/passwd", "a//b", "a\0", "\ud800.py"]
)
def test_a_path_that_leaves_the_folder_or_cannot_be_is_no_file(root: Path, path: str) -> None:
    write(root, "a.py")
    assert PathPolicy(root, None, DEFAULTS).find(path) == "not-a-file"


@pytest.mark.parametrize("path", [".git/config", "sub/.git/HEAD", ".git"])
def test_git_s_own_files_are_never_indexed(root: Path, path: str) -> None:
    policy = discover_files(root, repository(root, "a.py"), DEFAULTS).policy
    assert not policy.allows(path)


def test_a_change_of_an_ignore_file_changes_the_rules(root: Path) -> None:
    policy = PathPolicy(root, None, DEFAULTS)
    candidates = ("sub/.gitignore", ".codeintelignore", "sub/gitignore.py")
    assert [policy.changes_rules(path) for path in candidates] == [True, True, False]


lines = st.sampled_from(
    ["*.a", "!*.a", "d", "d/", "/d/*", "!d/x.a", "d/**", "**/e/", "!e", "x.*", "/x.b", "!/d/"]
)
ignore_files = st.lists(lines, max_size=3).map(lambda some: "".join(f"{line}\n" for line in some))
TREE = [
    f"{directory}{name}" for directory in ("", "d/", "d/e/", "e/") for name in ("x.a", "x.b", "y")
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(*[ignore_files] * 3), ignore_files)
def test_git_the_walk_and_the_judgement_of_one_path_agree(
    tmp_path_factory: pytest.TempPathFactory, git_rules: tuple[str, str, str], search_rules: str
) -> None:
    root = tmp_path_factory.mktemp("agree")
    write(root, *TREE)
    for directory, rules in zip(("", "d/", "d/e/"), git_rules, strict=True):
        write(root, f"{directory}.gitignore", text=rules)
    write(root, "d/.codeintelignore", text=search_rules)
    by_walk = walked(root)
    git(root, "init", "-q")
    by_git = discover_files(root, GitClient.discover(root), DEFAULTS)
    assert paths(by_walk) == paths(by_git)
    fresh = PathPolicy(root, GitClient.discover(root), DEFAULTS)
    for policy in (by_walk.policy, by_git.policy, fresh):
        assert [path for path in TREE if policy.allows(path)] == [
            path for path in TREE if path in paths(by_git)
        ]
