"""Score penalties by the errors, or the predictions, of rows left out one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.linear.ridge.scoring import GivenPredictions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abline.linear.ridge.leave_one_out import LeaveOneOut

Array = NDArray[np.float64]

#: predictions that are held at once, where they need not be kept
_CELLS = 2**23


def scores_of_squares(
    left_out: LeaveOneOut, alphas: Array, *, keep: bool
) -> tuple[Array, Array | None]:
    """Give minus the mean squared errors.

    Parameters
    ----------
    left_out : LeaveOneOut
        Of n rows and t targets.
    alphas : array of shape (k,), in squared units of X
    keep : bool
        Whether the squares of each row are wanted.

    Returns
    -------
    scores : array of shape (t, k), in squared units of y
    squares : array of shape (n, t, k), or None
    """
    n = len(left_out.weights)
    if not keep:
        return -left_out.squares(alphas) / n, None
    with np.errstate(over="ignore"):
        squares = left_out.weights[:, None, None] * np.square(left_out.errors(alphas))
        return -squares.mean(axis=0), squares


def scores_of_predictions(
    left_out: LeaveOneOut,
    alphas: Array,
    scorer: Callable[..., float],
    params: Mapping[str, Any],
    *,
    flat: bool,
    per_target: bool,
    keep: bool,
) -> tuple[Array, Array | None]:
    """Give what a scorer makes of the predictions of all rows, each left out.

    Parameters
    ----------
    left_out : LeaveOneOut
        Of n rows and t targets.
    alphas : array of shape (k,), in squared units of X
    scorer : callable
        From an estimator, X and y to a number.
    params : mapping of str to object
        More arguments for it.
    flat : bool
        Whether it is to see y as (n,).
    per_target : bool
        Whether each target is scored by itself.
    keep : bool
        Whether the predictions are wanted.

    Returns
    -------
    scores : array of shape (t, k), or (1, k) where targets are scored together
    predictions : array of shape (n, t, k), or None
    """
    y = left_out.rows.y
    n, t = y.shape
    wide = len(alphas) if keep else max(1, _CELLS // (n * t))
    whole: list[slice | int] = list(range(t)) if per_target or flat else [slice(None)]
    given = GivenPredictions()
    scores = np.empty((len(whole), len(alphas)))
    predictions: Array | None = None
    for start in range(0, len(alphas), wide):
        predictions = y[:, :, None] - left_out.errors(alphas[start : start + wide])
        for row, targets in enumerate(whole):
            for number in range(predictions.shape[2]):
                scores[row, start + number] = scorer(
                    given, predictions[:, targets, number], y[:, targets], **params
                )
    return scores, predictions if keep else None
