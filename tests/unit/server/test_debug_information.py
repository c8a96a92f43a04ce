"""What a person puts into a report of a fault."""

from codeintel_ls.index.ladder import PrimaryKind, estimate_memory_usage
from codeintel_ls.progress import no_progress
from codeintel_ls.server import wire
from codeintel_ls.server.debug_information import print_debug_information
from codeintel_ls.server.index_operations import update_index
from tests.unit.server.windows import Window

ESTIMATES = "  estimated bytes of each kind of primary: "


async def test_each_folder_tells_what_every_kind_of_primary_would_take(window: Window) -> None:
    names = [f"remember_{number}" for number in range(30)]
    for name in names:
        (window.root / f"{name}.py").write_text(f"def {name}():\n    return {name!r}\n")
    live = await window.add().live()
    result = await update_index(window.session, wire.UpdateIndexParams(), no_progress)
    (status,) = result.folders
    assert status.chunks > len(names)
    told = await print_debug_information(window.session, wire.NoParams())
    (line,) = (line for line in told.text.splitlines() if line.startswith(ESTIMATES))
    assert line.removeprefix(ESTIMATES).split(", ") == [
        f"{kind} {estimate_memory_usage(kind, status.chunks, live.dimension)}"
        for kind in PrimaryKind
    ]


async def test_a_folder_that_cannot_be_used_tells_no_sizes(window: Window) -> None:
    window.block()
    window.add()
    told = await print_debug_information(window.session, wire.NoParams())
    assert "cannot be used" in told.text
    assert ESTIMATES not in told.text
