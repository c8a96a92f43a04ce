"""What an editor asks for by itself gets nothing where there is nothing, never an error.

Invariant: what nobody expected still becomes an error, and cancelling still cancels.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from codeintel_ls.cancellation import CancelledError
from codeintel_ls.errors import CodeIntelError

logger: Final = logging.getLogger(__name__)


@contextmanager
def quietly(feature: str) -> Generator[None]:
    """End the block without an error where the file has no blame, index or repository."""
    try:
        yield
    except CancelledError:
        raise
    except CodeIntelError as error:
        logger.info("No %s: %s", feature, error)
