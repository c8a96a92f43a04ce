"""One more model over one folder: its index, and all that works on it.

Invariant: what is closed asks nothing of its model any more.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import Encoder, Model
from codeintel_ls.index.errors import DamagedCacheError, DamagedSegmentError, IndexingError
from codeintel_ls.index.index import Index
from codeintel_ls.search.candidates import RankedChunk
from codeintel_ls.search.refined import AnsweringStoreError, RefinedVectors
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.index_keeper import IndexKeeper
from codeintel_ls.workspace.opening import index_folder, index_recipe, ladder_of

_log = logging.getLogger(__name__)


class OwnEncoder(Encoder, Protocol):
    """An encoder that is let go of."""

    def close(self) -> None:
        """Let go of what it holds."""
        ...


Owned = TypeVar("Owned", bound=OwnEncoder)
OneModel = TypeVar("OneModel", bound=Model)


@frozen(eq=False)
class RefinedIndex(Generic[OneModel, Owned]):
    """Made by `open_refined`; kept up to date by its own keeper."""

    model: OneModel
    encoder: Owned
    index: Index
    keeper: IndexKeeper
    vectors: RefinedVectors

    def told(self, ask: Callable[[], Sequence[RankedChunk]]) -> Sequence[RankedChunk] | None:
        """What `ask` tells of this index; None where it is damaged, lost, or cannot be read now.

        Raises EmbeddingError, InvalidGlobError, and DamagedCacheError where it is the answering
        index that is damaged.
        """
        own = None
        try:
            own = self.index.store
            found = ask()
            self.index.publication.searched()
        except DamagedSegmentError:
            self.keeper.note_damaged_segments()
        except AnsweringStoreError as failed:
            # Not this index's: it must not lose what it has embedded.
            raise failed.error from None
        except DamagedCacheError:
            if own is not None:
                self.keeper.note_damage(own)
        except IndexingError as error:
            _log.info("%s", error)
        else:
            return found
        return None

    def configure(self, settings: Settings) -> None:
        """Index by other settings from now on."""
        self.index.configure(ladder_of(settings))
        self.keeper.configure(settings)

    def notices(self, whose: str) -> tuple[str, ...]:
        """What a person should know of it; `whose` index it is, in words."""
        # It may be lost at this moment, and is then made anew.
        with suppress(IndexingError):
            said = (*self.index.notices, *self.keeper.upkeep.index_notices)
            return tuple(f"The index of {whose}: {sentence}" for sentence in said)
        return ()

    def close(self) -> None:
        """Let go of everything."""
        self.keeper.close()
        self.index.close()
        self.encoder.close()


def open_refined(
    root: Path,
    shared: Path,
    settings: Settings,
    model: OneModel,
    encoder: Owned,
    *,
    discover: Callable[[Cancellation], Discovered],
    policy: Callable[[], PathPolicy],
    changed: Callable[[], None],
) -> RefinedIndex[OneModel, Owned]:
    """With whatever is there already; nothing is embedded yet. Raises the index's errors."""
    own, recipe = index_folder(root, settings), index_recipe(encoder)
    # By this name it is known again when its model is long out of use, see `pruning`.
    index = Index.open(
        own.with_name(f"{own.name}-{blake2b(recipe.encode(), digest_size=6).hexdigest()}"),
        shared=shared,
        recipe=recipe,
        dimension=encoder.dimension,
        ladder=ladder_of(settings),
        root=root,
    )
    keeper = IndexKeeper(root, index, settings, model, discover, policy, changed)
    return RefinedIndex(model, encoder, index, keeper, RefinedVectors(index, encoder))
