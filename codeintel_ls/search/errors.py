"""Questions that cannot be answered as asked."""

from codeintel_ls.errors import InvalidRequestError


class InvalidQueryError(InvalidRequestError):
    """The query is empty, too long, or names something that cannot be."""
