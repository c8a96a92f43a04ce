"""A model behind an endpoint, as it was found: a plain value that travels between processes."""

from hashlib import blake2b

from attrs import frozen

from codeintel_ls.embedding.endpoint import Endpoint, Provider


@frozen
class RemoteModel:
    """What is needed to use the model, and what tells it from others."""

    endpoint: Endpoint
    dimension: int
    fingerprint: str

    @property
    def identity(self) -> str:
        """Names the model and all that decides its vectors, not where it is served."""
        name, recipe = self.endpoint.model, recipe_of(self.endpoint)
        return f"http:{name}:{self.dimension}:{recipe}:{self.fingerprint}"


def recipe_of(endpoint: Endpoint) -> str:
    """What decides a text's vector beside the model, in a few letters."""
    parts = (
        endpoint.dimensions,
        endpoint.truncate_tokens,
        endpoint.query_prefix,
        endpoint.document_prefix,
        # This one is told which side a text is on.
        endpoint.kind is Provider.VOYAGE,
    )
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
