"""A blame that is told while git still looks."""

import pytest

from codeintel_ls.git import BlameResult, GitClient
from tests.unit.git.repositories import RepositoryBuilder, grow


@pytest.mark.parametrize("seed", range(3))
def test_the_parts_make_up_the_answer(repository: RepositoryBuilder, client: GitClient, seed: int):
    grow(repository, seed)
    text = "new first\n" + (repository.root / "file.txt").read_text()
    last = text.count("\n") - 1
    parts: list[BlameResult] = []
    answer = client.blame_range("file.txt", 0, last, text=text, partial=parts.append)

    def lines(result: BlameResult) -> dict[int, tuple[str | None, int]]:
        return {
            line: (hunk.commit, hunk.original_line + line - hunk.start_line)
            for hunk in result.hunks
            for line in range(hunk.start_line, hunk.end_line + 1)
        }

    whole = lines(answer)
    assert whole[0][0] is None
    seen: dict[int, tuple[str | None, int]] = {}
    for part in parts:
        assert not seen.keys() & lines(part).keys(), "told twice"
        assert {hunk.commit for hunk in part.hunks} == part.commits.keys()
        seen |= lines(part)
    assert seen
    assert seen.items() <= whole.items()
    parts.clear()
    assert client.blame_range("file.txt", 0, last, text=text, partial=parts.append) == answer
    assert parts == [], "what is known is told at once"
