"""Compile the kernels ahead of the first training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from abline.nets.engines.fused import passes
from abline.nets.engines.fused.activations import ACTIVATIONS
from abline.nets.engines.fused.compiled import Piece
from abline.nets.engines.fused.kernel_cache import note_loaded
from abline.nets.engines.fused.losses import LOSSES
from abline.nets.engines.fused.updates import UPDATES, clip

if TYPE_CHECKING:
    from collections.abc import Iterator


def warm_up(precision: str) -> None:
    """Compile all kernels of one precision, or load what was compiled before.

    Parameters
    ----------
    precision : {"float32", "float64"}

    Examples
    --------
    >>> warm_up("float32")
    """
    dtype: np.dtype[Any] = np.dtype(precision)
    for piece in all_pieces():
        piece.address(dtype)
    note_loaded(precision)


def all_pieces() -> Iterator[Piece]:
    """Go through everything that is compiled by itself.

    Yields
    ------
    Piece
    """
    yield from (part for part in vars(passes).values() if isinstance(part, Piece))
    yield clip
    for activation in ACTIVATIONS.values():
        yield from (activation.apply, activation.chain)
    yield from LOSSES.values()
    yield from UPDATES.values()
