"""Where settings come from, which source wins, and how each says what is wrong with it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codeintel_ls.settings import (
    LogLevel,
    Settings,
    SettingsProblem,
    WorkspaceSymbols,
    cache_directory,
    load_settings,
    user_settings_path,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sources:
    """A user's configuration folder and a workspace folder."""

    def __init__(self, root: Path) -> None:
        self.environ: Mapping[str, str] = {"XDG_CONFIG_HOME": str(root / "config")}
        self.folder = root / "folder"
        self.folder.mkdir()
        self.user_file = user_settings_path(self.environ)
        self.user_file.parent.mkdir(parents=True)
        self.workspace_file = self.folder / ".codeintel.toml"

    def load(self, **client: object) -> tuple[Settings, tuple[SettingsProblem, ...]]:
        loaded = load_settings(self.folder, environ=self.environ, **client)
        return loaded.settings, loaded.problems

    def problem(self, **client: object) -> SettingsProblem:
        (problem,) = self.load(**client)[1]
        return problem


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path)


def test_without_any_source_the_defaults_hold(sources: Sources) -> None:
    assert sources.load() == (Settings(), ())


def test_each_source_overrides_the_ones_before_it_setting_by_setting(sources: Sources) -> None:
    sources.user_file.write_text(
        "[search]\nlimit = 2\nsnippet_lines = 2\n[index]\nmax_files = 2\nwatch = false\n"
    )
    sources.workspace_file.write_text(
        "[search]\nlimit = 3\nsnippet_lines = 3\n[index]\nmax_files=3"
    )
    settings, problems = sources.load(
        initialization_options={"search": {"limit": 4, "snippetLines": 4}},
        client={"search": {"limit": 5}},
    )
    assert problems == ()
    assert settings.search.limit == 5
    assert settings.search.snippet_lines == 4
    assert settings.index.max_files == 3
    assert settings.index.watch is False


def test_toml_spells_snake_case_and_json_camel_case(sources: Sources) -> None:
    sources.workspace_file.write_text("[index]\nmaxFiles = 7\n")
    _, problems = sources.load(client={"index": {"max_files": 8}})
    assert [problem.key for problem in problems] == ["index.maxFiles", "index.max_files"]
    assert "Did you mean index.max_files?" in problems[0].message
    assert "Did you mean index.maxFiles?" in problems[1].message


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("git", "path", '"/tmp/evil"'),
        ("embedding", "model", '"/tmp/evil"'),
        ("cache", "directory", '"/tmp/evil"'),
        ("cache", "max_megabytes", "500"),
        ("cache", "max_workspace_megabytes", "60"),
        ("index", "workers", "64"),
        ("index", "worker_megabytes", "256"),
        ("index", "primary", '"flat"'),
        ("index", "flat_up_to", "5"),
        ("index", "scalar_up_to", "5"),
        ("index", "unload_after_seconds", "5"),
        ("log", "level", '"debug"'),
    ],
)
def test_a_workspace_file_cannot_set_what_belongs_to_the_machine(
    sources: Sources, table: str, key: str, value: str
) -> None:
    sources.workspace_file.write_text(f"[{table}]\n{key} = {value}\n")
    settings, (problem,) = sources.load()
    assert settings == Settings()
    assert (problem.source, problem.key) == ("workspace file", f"{table}.{key}")
    assert "user settings file" in problem.message


def test_the_user_and_the_editor_may_set_what_belongs_to_the_machine(sources: Sources) -> None:
    sources.user_file.write_text('[git]\npath = "/opt/git"\n[log]\nlevel = "debug"\n')
    settings, problems = sources.load(client={"embedding": {"model": "/models/own"}})
    assert problems == ()
    assert settings.git.path == "/opt/git"
    assert settings.log.level is LogLevel.DEBUG
    assert settings.embedding.model == "/models/own"


def test_a_syntax_error_is_named_with_its_line_and_other_sources_still_count(
    sources: Sources,
) -> None:
    sources.user_file.write_text("[search]\nlimit = 4\n")
    sources.workspace_file.write_text("[search]\nlimit = 5\nsnippet_lines =\n")
    settings, (problem,) = sources.load()
    assert settings.search.limit == 4
    assert problem.source == "workspace file"
    assert "line 3" in problem.message


def test_a_file_that_is_no_utf8_text_is_named(sources: Sources) -> None:
    sources.user_file.write_bytes(b"[search]\n# caf\xe9\nlimit = 5\n")
    assert "not UTF-8 text (byte 14)" in sources.problem().message


def test_a_byte_order_mark_is_no_error(sources: Sources) -> None:
    sources.user_file.write_bytes(b"\xef\xbb\xbf[search]\nlimit = 5\n")
    assert sources.load()[0].search.limit == 5


def test_a_file_that_is_too_big_is_named(sources: Sources) -> None:
    sources.workspace_file.write_text("# " + "x" * (1 << 20) + "\n")
    assert "larger than" in sources.problem().message


def test_a_directory_in_the_file_s_place_is_named(sources: Sources) -> None:
    sources.workspace_file.mkdir()
    assert "workspace file .codeintel.toml" in sources.problem().message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_does_not_make_loading_wait(sources: Sources) -> None:
    os.mkfifo(sources.workspace_file)
    assert "is no regular file" in sources.problem().message


def test_deep_nesting_is_named(sources: Sources) -> None:
    sources.workspace_file.write_text("a = " + "[" * 100_000)
    assert sources.problem().source == "workspace file"


def test_null_from_an_editor_is_a_value_that_is_not_set(sources: Sources) -> None:
    client = {"index": None, "search": {"limit": None, "snippetLines": 3}}
    settings, problems = sources.load(client=client, initialization_options=None)
    assert problems == ()
    assert (settings.search.limit, settings.search.snippet_lines) == (20, 3)


@pytest.mark.parametrize("junk", [[], "on", 7, True])
def test_an_editor_that_sends_no_object_is_named(sources: Sources, junk: object) -> None:
    problem = sources.problem(client=junk)
    assert (problem.source, problem.key) == ("workspace/configuration", "")


def test_a_message_holds_no_path_of_the_machine(sources: Sources, tmp_path: Path) -> None:
    sources.user_file.write_text("[")
    sources.workspace_file.write_text("[")
    for problem in sources.load()[1]:
        assert str(tmp_path) not in problem.message


def test_the_workspace_symbols_setting_is_a_choice(sources: Sources) -> None:
    settings, _ = sources.load(client={"search": {"workspaceSymbols": "always"}})
    assert settings.search.workspace_symbols is WorkspaceSymbols.ALWAYS


def test_the_cache_lies_where_the_user_said_or_in_the_cache_home(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    assert cache_directory(Settings().cache, environ) == tmp_path / "codeintel-ls"
    chosen = load_settings(None, client={"cache": {"directory": "/big/disk"}}, environ={})
    assert cache_directory(chosen.settings.cache, environ) == Path("/big/disk")
    home = load_settings(None, client={"cache": {"directory": "~/indexes"}}, environ={})
    assert cache_directory(home.settings.cache, environ) == Path.home() / "indexes"


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_an_xdg_variable_that_is_empty_or_relative_is_ignored(value: str) -> None:
    expected = user_settings_path({})
    assert expected.is_absolute()
    assert user_settings_path({"XDG_CONFIG_HOME": value}) == expected
