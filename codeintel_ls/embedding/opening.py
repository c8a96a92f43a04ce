"""Which encoder a model's name or description means."""

from codeintel_ls.embedding.deep import DeepEncoder, DeepModel
from codeintel_ls.embedding.encoder import Encoder
from codeintel_ls.embedding.remote_model import RemoteModel
from codeintel_ls.embedding.static import load_encoder

Model = str | RemoteModel | DeepModel
"""What the setting `embedding.model` says (empty: the bundled one), or one that refines it."""


def open_encoder(model: Model) -> Encoder:
    """The encoder, loaded, or ready to ask its endpoint. Raises ModelUnavailableError."""
    if isinstance(model, str):
        return load_encoder(model)
    if isinstance(model, DeepModel):
        return DeepEncoder(model)
    from codeintel_ls.embedding.remote import RemoteEncoder

    return RemoteEncoder(model)
