"""One sentence for whatever malformed data makes Python or PyTorch raise."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from abline.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reading(what: str, remedy: str = "save the model again") -> Iterator[None]:
    """Raise `ModelFileError` for anything that goes wrong in the body.

    A file's content may have been written by anyone, and it meets constructors of PyTorch's
    that raise what they please.

    Parameters
    ----------
    what : str
        What is wrong if anything is.
    remedy : str, optional

    Raises
    ------
    ModelFileError
        With ``what``, the reason in one line and the remedy.

    Examples
    --------
    >>> with reading("it has no shape"):
    ...     {}["shape"]
    Traceback (most recent call last):
    abline.errors.ModelFileError: it has no shape (KeyError: 'shape'): save the model again
    """
    try:
        yield
    except ModelFileError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ModelFileError(f"{what} ({reason}): {remedy}") from error
