"""What must never be trained on is refused by name, by folder, by hash and by near-duplicate."""

from pathlib import Path

import pytest

from codeintel_ls.embedding.training.refusal import (
    Refusal,
    load_refusal,
    read_repositories,
    refusal_of,
    save_refusal,
)

REPOSITORIES = frozenset(
    "pallets/click serde-rs/serde spf13/cobra rails/rails psf/requests nlohmann/json".split()
)
THEIRS = "\n".join(
    f"def handler_{number}(request, session):\n    return session.send(request, {number})\n"
    for number in range(20)
)


@pytest.fixture
def refusal() -> Refusal:
    return refusal_of(REPOSITORIES, [THEIRS])


@pytest.mark.parametrize(
    "name",
    [
        "click",
        "python3-click",
        "librust-serde-dev",
        "librust-serde-derive-dev",
        "golang-github-spf13-cobra-dev",
        "ruby-activerecord",
        "Requests",
        "requests-toolbelt",
        "nlohmann-json3-dev",
    ],
)
def test_names_in_every_registry(refusal: Refusal, name: str) -> None:
    assert refusal.package(name)


@pytest.mark.parametrize(
    "name", ["clickhouse-driver", "python3-yaml", "librust-regex-dev", "ruby-mail"]
)
def test_other_names_pass(refusal: Refusal, name: str) -> None:
    assert not refusal.package(name)


def test_a_home_page_gives_it_away(refusal: Refusal) -> None:
    assert refusal.package("innocent", ["https://github.com/Pallets/Click"])
    assert refusal.package("innocent", ["git+https://github.com/pallets/click.git"])
    assert not refusal.package("innocent", ["https://github.com/pallets/click-nothing"])


def test_vendored_folders(refusal: Refusal) -> None:
    assert refusal.path("pip/_vendor/requests/api.py")
    assert refusal.path("third_party/json/single.cpp")
    assert refusal.path("include/nlohmann-json/json.hpp")
    assert not refusal.path("src/json/reader.py")


def test_the_same_file_however_it_is_laid_out(refusal: Refusal) -> None:
    assert refusal.text(THEIRS.replace("    ", "\t"))


def test_a_near_duplicate(refusal: Refusal) -> None:
    changed = THEIRS.replace("handler_3", "renamed").replace("handler_11", "other")
    assert refusal.text("# a new header\nimport this\n" + changed)


def test_other_text_passes(refusal: Refusal) -> None:
    own = "\n".join(
        f"def own_{number}(value):\n    return value * {number}" for number in range(20)
    )
    assert not refusal.text(own)
    assert not refusal.text("")


def test_kept_and_read_again(refusal: Refusal, tmp_path: Path) -> None:
    save_refusal(refusal, tmp_path / "refusal.npz")
    again = load_refusal(REPOSITORIES, tmp_path / "refusal.npz")
    assert again.text(THEIRS)


def test_the_listing_may_have_comments(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("# not these\nowner/name\n\n")
    assert read_repositories(listing) == {"owner/name"}
