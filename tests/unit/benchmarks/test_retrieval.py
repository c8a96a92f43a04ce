"""The retrieval benchmark as a command, over a tiny repository that is really indexed."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks.retrieval.checkouts import find_checkouts, revision_of
from tests.benchmarks.retrieval.command import run
from tests.benchmarks.retrieval.reading import (
    Repository,
    UnreadableQuestionsError,
    read_own_words,
    read_split,
)
from tests.benchmarks.retrieval.semble_answers import PeerUnavailableError, semble_runs

REVISION = "1" * 40
OVEN = '''"""Heat for the kitchen."""


def warm_up(target):
    """Raise the temperature until it reaches the target."""
    while temperature() < target:
        burn()


def temperature():
    """How warm the oven is now."""
    return read_probe("oven")
'''
GARDEN = '''"""Plants outside."""


def water(plants):
    """Give every plant what it needs today."""
    for plant in plants:
        plant.drink()
'''


@pytest.fixture
def checkouts(tmp_path):
    tree = tmp_path / "checkouts" / "house"
    (tree / "src").mkdir(parents=True)
    (tree / "src" / "oven.py").write_text(OVEN)
    (tree / "src" / "garden.py").write_text(GARDEN)
    tree.with_name("house.revision").write_text(f"{REVISION}\n")
    return tree.parent


@pytest.fixture
def split(tmp_path):
    folder = tmp_path / "split"
    (folder / "annotations").mkdir(parents=True)
    entry = {
        "url": "https://example.org/house.git",
        "revision": REVISION,
        "language": "python",
        "benchmark_root": "src",
        "reference": {"bm25": 0.5},
    }
    lost = {**entry, "name": "lost", "benchmark_root": None}
    (folder / "repos.json").write_text(json.dumps([{**entry, "name": "house"}, lost]))
    questions = [
        {
            "query": "where are plants given water",
            "category": "semantic",
            "relevant": ["src/garden.py"],
            "secondary": [],
        },
        {
            "query": "temperature",
            "category": "symbol",
            "relevant": [{"path": "oven.py", "start_line": 10, "end_line": 12}, "gone.py"],
            "secondary": [],
        },
    ]
    for name in ("house", "lost"):
        (folder / "annotations" / f"{name}.json").write_text(json.dumps(questions))
    return folder


@pytest.fixture
def own_words(tmp_path):
    """Two files in the format of own-words questions; one is held out."""
    folder = tmp_path / "questions"
    folder.mkdir()
    for name, held_out in (("house", False), ("secret", True)):
        content = {
            "repository": "https://example.org/house",
            "revision": REVISION,
            "language": "python",
            "root": "",
            "held_out": held_out,
            "questions": [
                {
                    "query": "get the kitchen hot",
                    "category": "semantic",
                    "relevant": [{"path": "src/oven.py", "start_line": 4, "end_line": 7}],
                    "secondary": [],
                }
            ],
        }
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_the_split_is_asked_and_what_is_missing_is_said(checkouts, split, tmp_path, capsys):
    report = tmp_path / "report.json"
    arguments = ["--checkouts", str(checkouts), "--split", str(split), "--json", str(report)]
    modes = ["--mode", "hybrid", "--mode", "lexical", "--no-boosts"]
    assert run([*arguments, *modes, "--failures", "1"]) == 0
    told = capsys.readouterr()
    assert "lost: no checkout (https://example.org/house.git at 1111" in told.err
    for words in ("house", "python", "semantic", "Published, bm25: 0.500", "gone.py"):
        assert words in told.out
    content = json.loads(report.read_text())
    assert list(content["systems"]) == [
        "hybrid",
        "lexical",
        "hybrid, without boosts",
        "lexical, without boosts",
    ]
    (house,) = content["repositories"]
    assert house["unreachable"] == ["gone.py"]
    water, temperature = house["systems"]["hybrid"]["questions"]
    assert (water["ndcg"], water["ranks"]) == (1.0, [1])
    assert water["first"][0] == "src/garden.py:1"
    assert temperature["ranks"] == [1, None]
    assert 0.6 < temperature["ndcg"] < 0.62
    hybrid = content["systems"]["hybrid"]
    assert hybrid["ndcg"]["mean"] == pytest.approx((1 + temperature["ndcg"]) / 2)
    assert hybrid["recall"]["either@100"] == pytest.approx(2 / 3)
    assert content["systems"]["lexical"]["recall"]["dense@100"] == 0.0


def test_own_words_questions_are_asked_without_those_held_out(
    checkouts, own_words, tmp_path, capsys
):
    report = tmp_path / "report.json"
    arguments = ["--checkouts", str(checkouts), "--own-words", str(own_words)]
    assert run([*arguments, "--json", str(report)]) == 0
    assert "secret" not in capsys.readouterr().out
    (house,) = json.loads(report.read_text())["repositories"]
    assert house["systems"]["hybrid"]["questions"][0]["ndcg"] == 1.0


def test_of_held_out_repositories_no_question_is_shown(checkouts, own_words, tmp_path, capsys):
    (checkouts / "secret").symlink_to(checkouts / "house")
    (checkouts / "secret.revision").write_text(REVISION)
    report = tmp_path / "report.json"
    arguments = ["--checkouts", str(checkouts), "--own-words", str(own_words), "--held-out"]
    assert run([*arguments, "--failures", "2", "--json", str(report)]) == 0
    told = capsys.readouterr().out + report.read_text()
    assert "secret" in told
    assert "kitchen hot" not in told
    assert run([*arguments, "--repository", "secret"]) == 2


def test_another_revision_is_left_out_unless_any_may_be_used(checkouts, split, capsys):
    (checkouts / "house.revision").write_text("2" * 40)
    arguments = ["--checkouts", str(checkouts), "--split", str(split), "--repository", "house"]
    assert run(arguments) == 1
    assert "house: at 222222222222 instead of 111111111111" in capsys.readouterr().err
    assert run([*arguments, "--any-revision"]) == 0
    assert "house*" in capsys.readouterr().out


def test_the_revision_of_a_clone_is_its_head(tmp_path):
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", *who, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "One")
    head = git("rev-parse", "HEAD")
    assert revision_of(tmp_path) == head
    (tmp_path / "inner").mkdir()
    assert revision_of(tmp_path / "inner") is None
    repository = Repository(
        name=tmp_path.name, url="", revision=head, language="c", root="none", questions=()
    )
    found = find_checkouts([repository], tmp_path.parent)
    assert found.left_out == [f"{tmp_path.name}: its checkout has no folder none"]


def test_a_model_that_cannot_be_read_is_refused(checkouts, split, tmp_path, capsys):
    arguments = ["--checkouts", str(checkouts), "--split", str(split)]
    assert run([*arguments, "--model", str(tmp_path / "no-model")]) == 2
    assert "no-model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"questions": [{"query": "q", "category": "c", "relevant": []}]}, "no answer"),
        ({"questions": [{"query": "q", "category": "c", "relevant": ["a.py"]}]}, "no lines"),
        ({"questions": [{"query": "q", "category": "c"}]}, "'relevant'"),
        ({"held_out": None}, "'held_out'"),
    ],
)
def test_questions_that_lack_something_are_refused(own_words, change, words):
    path = own_words / "house.json"
    content = {**json.loads(path.read_text()), **change}
    kept = {name: value for name, value in content.items() if value is not None}
    path.write_text(json.dumps(kept))
    with pytest.raises(UnreadableQuestionsError, match=rf"house\.json.*{words}"):
        read_own_words(own_words)


def test_what_is_not_there_or_no_json_is_refused(tmp_path, split):
    with pytest.raises(UnreadableQuestionsError, match=r"repos\.json cannot be read"):
        read_split(tmp_path / "nowhere")
    (split / "annotations" / "house.json").write_text("{")
    with pytest.raises(UnreadableQuestionsError, match=r"house\.json cannot be read"):
        read_split(split)


def test_a_peer_that_is_not_installed_is_told(checkouts, tmp_path):
    with pytest.raises(PeerUnavailableError, match="semble cannot be asked"):
        semble_runs(checkouts / "house", "", (), python=sys.executable, model=str(tmp_path / "no"))
