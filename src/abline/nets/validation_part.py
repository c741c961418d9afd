"""Rows that a fit looks at and does not train on: given, or left out to see when to stop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split

from abline.errors import DataError, ParameterError
from abline.tables.arrays import TrainingArrays, check_training

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_eval_set(
    estimator: Any, eval_set: Any, n_targets: int, *, accept_sparse: bool = False
) -> TrainingArrays | None:
    """Check validation rows against the training rows.

    Parameters
    ----------
    estimator : object
        Has the features' number and names.
    eval_set : pair (X, y) or None
    n_targets : int
    accept_sparse : bool, default=False

    Returns
    -------
    TrainingArrays or None

    Raises
    ------
    DataError
        If they cannot be used.
    ParameterError
        If it is no pair or has another number of targets.
    """
    if eval_set is None:
        return None
    if not isinstance(eval_set, tuple | list) or len(eval_set) != 2:
        raise ParameterError("eval_set must be a pair: pass eval_set=(X_val, y_val)")
    try:
        valid = check_training(estimator, *eval_set, reset=False, accept_sparse=accept_sparse)
    except DataError as error:
        raise DataError(f"eval_set cannot be used, since {error}") from error
    if valid.y.shape[1] != n_targets:
        raise ParameterError(
            f"eval_set has {valid.y.shape[1]} targets and y has {n_targets}: pass the same targets"
        )
    return valid


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
