"""Blame of 10 lines and history of 50 commits beside the git command, on real repositories."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from codeintel_ls.git import GitClient
from codeintel_ls.server.uris import uri_from_path
from tests.benchmarks.git_peer import (
    LEAST_LINES,
    GitCommand,
    Place,
    random_places,
    with_commit_graph,
)
from tests.benchmarks.language_client import session
from tests.benchmarks.measuring import Goal, Row, in_turn
from tests.benchmarks.workbench import Workbench

_BLAME = "git blame -L"
_LOG = "git log -50"
_COLD, _WARM = Goal("ratio", 0.35), Goal("ratio", 0.01)


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of every repository."""
    for repository in workbench.repositories:
        places = random_places(workbench, repository)
        if not places:
            note = f"{repository.name} has no committed text of {LEAST_LINES} lines"
            yield Row(name="blame and history", values=(), on=repository.name, note=note)
            continue
        command = GitCommand(workbench, repository)
        async for row in _in_process(workbench, repository, places, command):
            yield row
        async for row in _through_lsp(workbench, repository, places, command):
            yield row


async def _in_process(
    workbench: Workbench, repository: Path, places: Sequence[Place], command: GitCommand
) -> AsyncIterator[Row]:
    client = GitClient.discover(repository)
    built = with_commit_graph(workbench, client)
    # What one has learned of renames, the others have not.
    another, third = GitClient.discover(repository), GitClient.discover(repository)
    for one in (another, third):
        with_commit_graph(workbench, one)
    yield Row(name="building the commit-graph", values=[built], on=repository.name)

    def blame(place: Place) -> None:
        client.blame_range(place.path, place.first, place.last)

    def blame_edited(place: Place) -> None:
        edited = f"one line more\n{place.text}"
        client.blame_range(place.path, place.first + 1, place.last + 1, text=edited)

    def history(place: Place) -> None:
        client.file_history(place.path)

    def history_uncounted(place: Place) -> None:
        another.file_history(place.path, counts=False)

    def history_beside_follow(place: Place) -> None:
        third.file_history(place.path)

    def history_of_name(place: Place) -> None:
        client.file_history(place.path, follow=False)

    blames: tuple[tuple[str, Callable[[Place], None], Goal], ...] = (
        ("blame of 10 lines, first time", blame, _COLD),
        ("blame of 10 lines, again", blame, _WARM),
        ("blame of 10 lines, edited buffer", blame_edited, _WARM),
    )
    histories: tuple[tuple[str, Callable[[Place], None]], ...] = (
        ("50 commits, renames followed", history),
        ("50 commits, renames followed, again", history),
        ("50 commits, renames followed, lines not counted", history_uncounted),
        ("50 commits, without renames", history_of_name),
    )
    try:
        await in_turn(places[:3], command.blame, command.log)
        for name, work, goal in blames:
            own, peer = await in_turn(places, work, command.blame)
            yield _row(name, repository, own, _BLAME, peer, goal)
        for name, work in histories:
            own, peer = await in_turn(places, work, command.log)
            yield _row(name, repository, own, _LOG, peer, _COLD)
        # Beside what follows renames, too.
        own, peer = await in_turn(places, history_beside_follow, command.log_following)
        name = "50 commits, renames followed by both"
        yield _row(name, repository, own, f"{_LOG} --follow", peer, None)
    finally:
        for one in (client, another, third):
            one.close()


async def _through_lsp(
    workbench: Workbench, repository: Path, places: Sequence[Place], command: GitCommand
) -> AsyncIterator[Row]:
    async with session(workbench.environment, [repository], index=False) as client:

        async def blame(place: Place) -> None:
            uri = uri_from_path(repository / place.path)
            await client.operation("blameRange", uri=uri, startLine=place.first, endLine=place.last)

        async def hover(place: Place) -> None:
            await client.hover(repository / place.path, place.first)

        async def history(place: Place) -> None:
            await client.operation("fileHistory", uri=uri_from_path(repository / place.path))

        for name, work, peer_work, goal in (
            ("blameRange through LSP, first time", blame, command.blame, _COLD),
            ("blameRange through LSP, again", blame, command.blame, Goal("p95", 5)),
            ("hover through LSP, blame known", hover, command.blame, Goal("p95", 5)),
            ("fileHistory through LSP", history, command.log, _COLD),
        ):
            own, peer = await in_turn(places, work, peer_work)
            label = _LOG if peer_work == command.log else _BLAME
            yield _row(name, repository, own, label, peer, goal)


def _row(
    name: str,
    repository: Path,
    own: Sequence[float],
    peer: str,
    peer_values: Sequence[float],
    goal: Goal | None,
) -> Row:
    return Row(
        name=name, values=own, on=repository.name, peer=peer, peer_values=peer_values, goal=goal
    )
