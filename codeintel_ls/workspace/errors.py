"""What a live folder cannot do, in sentences for the person whose folder it is."""

from codeintel_ls.errors import CodeIntelError


class IndexingOffError(CodeIntelError):
    """The folder's settings say that it is not indexed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not indexed: the setting index.enabled is false.")
