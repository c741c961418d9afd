"""A known number added to each row's outputs, such as the log of an exposure.

It rides as one more column of X, past the module, so that whatever parts, shuffles and batches
rows does so to their offsets too.

References
----------
McCullagh, Nelder, *Generalized Linear Models*, 1989, §6.2.3 (an offset in a log-linear model).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from abline.errors import DataError, ParameterError
from abline.tables.conversion import as_floats, from_tensor, series_to_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.tables.arrays import TrainingArrays


class PlusOffset(nn.Module):
    """A module whose rows have one column more, which is added to its outputs.

    Parameters
    ----------
    module : torch.nn.Module
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, features: Tensor) -> Tensor:
        """Compute the outputs of rows of shape (n, p + 1)."""
        return plus(self.module(features[:, :-1]), features[:, -1])


def plus(outputs: Tensor, offset: Tensor) -> Tensor:
    """Add offsets of shape (n,) to outputs of shape (n,) or (n, t)."""
    return outputs + (offset if outputs.ndim == 1 else offset[:, None])


def with_offset(data: TrainingArrays, offset: Any) -> TrainingArrays:
    """Give rows their offsets as a last column.

    Parameters
    ----------
    data : TrainingArrays
    offset : array of shape (n,)

    Returns
    -------
    TrainingArrays

    Raises
    ------
    DataError
        If it is not one finite number for each row.
    """
    column = check_offset(offset, len(data.X))[:, None]
    return replace(data, X=np.hstack([data.X, column.astype(data.X.dtype)]))


def check_offset(offset: Any, n_rows: int) -> NDArray[np.floating[Any]]:
    """Check the offsets of rows.

    Parameters
    ----------
    offset : array, tensor or series of shape (n,)
    n_rows : int

    Returns
    -------
    array of shape (n,)

    Raises
    ------
    DataError
        If it is not one finite number for each row.
    """
    found = as_floats(np.asarray(from_tensor(series_to_numpy(offset))), "offset")
    if found.shape != (n_rows,):
        raise DataError(
            f"offset has shape {found.shape} for {n_rows} rows: pass one number for each, such as "
            "the log of its exposure"
        )
    wrong = ~np.isfinite(found)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"offset is {found[row]} in row {row}: give a finite number, such as the log of an "
            "exposure above 0"
        )
    return found


def part_eval_set(eval_set: Any, *, offset: bool) -> tuple[Any, Any]:
    """Take the offsets off an ``eval_set``.

    Parameters
    ----------
    eval_set : pair (X, y), or triple (X, y, offset), or None
    offset : bool
        Whether the training rows have offsets, as the validation rows must then.

    Returns
    -------
    pair : object
        What is left.
    offset : array or None

    Raises
    ------
    ParameterError
        If only one of both has them.
    """
    if not isinstance(eval_set, tuple | list) or len(eval_set) not in (2, 3):
        return eval_set, None
    if offset and len(eval_set) == 2:
        raise ParameterError(
            "eval_set has no offset and the training rows have one: pass eval_set=(X_val, y_val, "
            "offset_val)"
        )
    if not offset and len(eval_set) == 3:
        raise ParameterError(
            "eval_set has three parts, of which the last is the offset, and fit got no offset: "
            "pass eval_set=(X_val, y_val), or offset=… for the training rows too"
        )
    return tuple(eval_set[:2]), eval_set[2] if offset else None


def check_takes_offset(criterion: Any) -> None:
    """Refuse an offset of outputs that are no logarithms of means.

    Parameters
    ----------
    criterion : callable

    Raises
    ------
    ParameterError
    """
    if not getattr(criterion, "takes_offset", False):
        name = getattr(criterion, "__name__", type(criterion).__name__)
        raise ParameterError(
            f"offset is added to the log of a mean, which criterion {name} does not have: leave it "
            "out, or choose criterion='poisson' or 'gamma'"
        )
