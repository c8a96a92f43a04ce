"""What an agent did wrong, in a sentence that it can act on."""

from codeintel_ls.errors import InvalidRequestError


class ToolArgumentError(InvalidRequestError):
    """An argument of a tool is missing, unknown, of another type or out of bounds."""


class OutsideRootsError(InvalidRequestError):
    """A path lies in none of the folders that the client has opened to this server."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} is outside the folders that are open here: give a path inside of one of them."
        )
