"""`status`, `doctor` and `config`: what there is, and what is wrong."""

import os
import shutil
import socket
from pathlib import Path

import jsonschema
import pytest

from codeintel_ls.daemon.place import Note, place_of
from codeintel_ls.settings import Settings, json_schema
from codeintel_ls.workspace import index_folder
from tests.unit.cli.conftest import Call
from tests.unit.git.repositories import RepositoryBuilder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "folder"
    place.mkdir()
    (place / "a.py").write_text("def add(a, b):\n    return a + b\n")
    return place


def test_status_without_an_index_makes_none(call: Call, folder: Path) -> None:
    shown = call("status", folder=folder)
    assert (shown.status, shown.out) == (1, "")
    assert "has no index yet. Make one with `codeintel-ls index`" in shown.err
    assert call("status", "--json", folder=folder).document() == {"folders": []}
    assert not index_folder(folder, Settings()).exists()


def test_status_tells_what_is_indexed_and_what_is_left_out(call: Call, folder: Path) -> None:
    (folder / ".env").write_text("TOKEN=1\n")
    (folder / "picture.png").write_bytes(b"\x89PNG\0")
    (folder / "data").write_bytes(b"\0\1\2")
    call("index", folder=folder)
    document = call("status", "--json", folder=folder).document()
    (status,) = document["folders"]
    assert (status["files"], status["pending"], status["state"]) == (1, 0, "ready")
    assert status["skipped"] == {"secret": 1, "binary": 2}
    shown = call("status", "--verbose", folder=folder)
    assert shown.status == 0
    assert "3 (binary 2, secret 1)" in shown.out
    assert "1 vectors (flat)" in shown.out


def test_status_counts_what_is_not_indexed_yet(call: Call, folder: Path) -> None:
    call("index", folder=folder)
    (folder / "b.py").write_text("b = 1\n")
    assert "1 (run `codeintel-ls index`)" in call("status", folder=folder).out


def test_a_damaged_cache_is_rebuilt_and_said_so(call: Call, folder: Path) -> None:
    call("index", folder=folder)
    database = index_folder(folder, Settings()) / "index.sqlite3"
    database.write_bytes(b"no database at all" * 100)
    for rest in database.parent.glob("index.sqlite3-*"):
        rest.unlink()
    found = call("search", "add", folder=folder)
    assert found.out.startswith("a.py:1-2")
    assert "set aside" in found.err


def test_doctor_finds_all_well(call: Call) -> None:
    shown = call("doctor")
    assert (shown.status, "✗" in shown.out) == (0, False)
    assert "All is well." in shown.out
    document = call("doctor", "--json").document()
    assert document["ok"] is True
    told = {check["name"]: check["message"] for check in document["checks"]}
    assert {"python", "git", "grammars", "model", "vectors", "sqlite", "cache"} <= told.keys()
    assert told["grammars"] == "all 25 load"
    assert "journal mode wal" in told["sqlite"]


def test_doctor_says_what_is_wrong_and_what_to_do(
    call: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".codeintel.toml").write_text("[index]\nmax_file_byte = 1\n")
    settings = tmp_path / "config" / "codeintel-ls" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'[embedding]\nmodel = "{tmp_path / "nowhere"}"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path))
    shown = call("doctor", "--json", folder=folder)
    assert shown.status == 1
    checks = {check["name"]: check for check in shown.document()["checks"]}
    wrong = {name for name, check in checks.items() if check["health"] == "wrong"}
    assert wrong == {"git", "model", "settings"}
    assert "Install git" in checks["git"]["message"]
    assert "embedding.model" in checks["model"]["message"]
    assert "max_file_bytes" in checks["settings"]["message"]


def test_doctor_takes_no_other_process_for_the_server(
    call: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    place = place_of(str(folder))
    place.make()
    # This process, which has begun later than the server that had its number.
    place.write_note(Note(os.getpid(), "1.0", str(folder), 1.0))
    checks = call("doctor", "--json", folder=folder).document()["checks"]
    (server,) = [check for check in checks if check["name"] == "server"]
    assert "none runs" in server["message"]


@pytest.mark.parametrize("named_by", ["embedding.proxy", "ALL_PROXY"])
def test_doctor_looks_for_the_proxy_where_one_leads_to_the_endpoint(
    call: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    settings = tmp_path / "config" / "codeintel-ls" / "config.toml"
    settings.parent.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        lines = ["[embedding]", 'endpoint = "http://embeddings.invalid/v1"']
        if named_by == "embedding.proxy":
            lines.append(f'proxy = "{url}"')
        else:
            monkeypatch.setenv(named_by, url)
        settings.write_text("\n".join(lines))
        checks = call("doctor", "--json", folder=folder).document()["checks"]
    (endpoint,) = [check for check in checks if check["name"] == "endpoint"]
    assert endpoint["health"] == "ok"
    assert "the proxy 127.0.0.1" in endpoint["message"]


def test_doctor_notes_a_folder_outside_any_repository(call: Call, folder: Path) -> None:
    checks = call("doctor", "--json", folder=folder).document()["checks"]
    (repository,) = [check for check in checks if check["name"] == "repository"]
    assert repository["health"] == "note"


def test_config_shows_where_each_value_comes_from(
    call: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "config" / "codeintel-ls" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[search]\nlimit = 7\nsnippet_lines = 3\n")
    (folder / ".codeintel.toml").write_text("[search]\nlimit = 9\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    document = call("config", "--json", folder=folder).document()
    assert document["settings"]["search"]["limit"] == 9
    assert document["sources"]["search.limit"] == "workspace file"
    assert document["sources"]["search.snippetLines"] == "user file"
    assert document["sources"]["index.enabled"] == "default"
    jsonschema.validate(document["settings"], json_schema())
    shown = call("config", folder=folder).out
    assert "limit = 9" in shown
    paths = call("config", "--path", "--json", folder=folder).document()
    assert paths == {"user": str(settings), "workspace": str(folder / ".codeintel.toml")}


def test_config_prints_the_schema(call: Call) -> None:
    assert call("config", "--schema").document() == json_schema()


def test_settings_problems_are_warnings_told_once(
    call: Call, project: RepositoryBuilder, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(project.root, folder)
    (folder / ".codeintel.toml").write_text("[blame]\nhoover = true\n")
    for command in (("blame", "src/retry.py:2"), ("search", "retry"), ("index",), ("status",)):
        shown = call(*command, folder=folder)
        assert shown.err.count("blame.hoover") == 1, command
        assert "warning: " in shown.err
        assert shown.status == 0
    assert call("config", folder=folder).status == 1
