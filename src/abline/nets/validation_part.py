"""Rows that a fit leaves out to see when to stop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import train_test_split

from abline.errors import DataError
from abline.tables.arrays import TrainingArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hold_out(
    data: TrainingArrays, fraction: float, seed: int
) -> tuple[TrainingArrays, TrainingArrays]:
    """Part rows at random.

    Parameters
    ----------
    data : TrainingArrays
    fraction : float in (0, 1)
        Of the rows, to leave out.
    seed : int

    Returns
    -------
    train, valid : TrainingArrays

    Raises
    ------
    DataError
        If no row would be left to train on.
    """
    n = len(data.X)
    left_out = math.ceil(fraction * n)
    if left_out >= n:
        raise DataError(
            f"early_stopping leaves out {left_out} of {n} rows: pass more rows, or set "
            "early_stopping=False"
        )
    train, valid = train_test_split(np.arange(n), test_size=left_out, random_state=seed)
    return _take(data, train), _take(data, valid)


def _take(data: TrainingArrays, rows: NDArray[np.intp]) -> TrainingArrays:
    weights = None if data.sample_weight is None else data.sample_weight[rows]
    return TrainingArrays(data.X[rows], data.y[rows], weights, data.y_ndim)
