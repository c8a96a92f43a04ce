"""Which encoder a model's name or description means."""

from codeintel_ls.embedding.encoder import Encoder
from codeintel_ls.embedding.remote_model import RemoteModel
from codeintel_ls.embedding.static import load_encoder

Model = str | RemoteModel
"""What the setting `embedding.model` says (empty: the bundled one), or a model of an endpoint."""


def open_encoder(model: Model) -> Encoder:
    """The encoder, loaded, or ready to ask its endpoint. Raises ModelUnavailableError."""
    if isinstance(model, str):
        return load_encoder(model)
    from codeintel_ls.embedding.remote import RemoteEncoder

    return RemoteEncoder(model)
