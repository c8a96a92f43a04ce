"""What befalls the index of an endpoint's model costs searches nothing but its help."""

import shutil
from pathlib import Path

from codeintel_ls.search import SearchMode, SearchQuery
from codeintel_ls.settings import Settings
from tests.unit.workspace.refinement.asking import Open, ask, refined, second_index
from tests.waiting import until


def test_while_the_second_index_is_lost_searches_and_the_status_go_on(
    root: Path, settings: Settings, opened: Open
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    live = second_index(folder)
    shutil.rmtree(live.index.folder)
    # It cannot be made anew while something is in its place.
    live.index.folder.write_text("in the way")
    until(lambda: live.index.is_lost)
    assert folder.search(SearchQuery(text="upload", mode=SearchMode.LEXICAL)).hits
    assert ask(folder).freshness.refined == 0
    assert folder.index_status().files == 5
    live.index.folder.unlink()
    until(lambda: refined(folder))
