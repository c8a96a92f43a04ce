"""One endpoint's model over one folder: its index, and all that works on it.

Invariant: what is closed sends nothing any more.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import RemoteModel
from codeintel_ls.index.errors import IndexingError
from codeintel_ls.index.index import Index
from codeintel_ls.search.refined import RefinedVectors
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.index_keeper import IndexKeeper
from codeintel_ls.workspace.opening import index_folder, index_recipe, ladder_of

if TYPE_CHECKING:
    from codeintel_ls.embedding.remote import RemoteEncoder


@frozen(eq=False)
class RefinedIndex:
    """Made by `RefinedIndex.open`; kept up to date by its own keeper."""

    model: RemoteModel
    encoder: "RemoteEncoder"
    index: Index
    keeper: IndexKeeper
    vectors: RefinedVectors

    @classmethod
    def open(
        cls,
        root: Path,
        shared: Path,
        settings: Settings,
        model: RemoteModel,
        *,
        discover: Callable[[Cancellation], Discovered],
        policy: Callable[[], PathPolicy],
        changed: Callable[[], None],
        recovered: Callable[[], None],
    ) -> "RefinedIndex":
        """With whatever is there already; nothing is sent yet. Raises the index's errors.

        `recovered` is called when the endpoint answers after it was down.
        """
        from codeintel_ls.embedding.remote import RemoteEncoder

        encoder = RemoteEncoder(model, recovered=recovered)
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
        return cls(model, encoder, index, keeper, RefinedVectors(index, encoder))

    def configure(self, settings: Settings) -> None:
        """Index by other settings from now on."""
        self.index.configure(ladder_of(settings))
        self.keeper.configure(settings)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know of it."""
        # It may be lost at this moment, and is then made anew.
        with suppress(IndexingError):
            said = (*self.index.notices, *self.keeper.upkeep.index_notices)
            return tuple(f"The index of the endpoint's model: {sentence}" for sentence in said)
        return ()

    def close(self) -> None:
        """Let go of everything."""
        self.keeper.close()
        self.index.close()
        self.encoder.close()
