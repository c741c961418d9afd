"""Rows that a perceptron is not trained on: which, and how they score it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from abline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from abline.nets.mlp.losses import OutputLoss
    from abline.nets.mlp.steps import Data, Network


def split_off(data: Data, fraction: float, rng: np.random.RandomState) -> tuple[Data, Data]:
    """Part rows at random, the draw being scikit-learn's.

    Parameters
    ----------
    data : Data
    fraction : float in (0, 1)
        Of the rows, to leave out.
    rng : RandomState
        Moves on.

    Returns
    -------
    train, valid : Data

    Raises
    ------
    DataError
        If fewer than two rows would be left out, or none left to train on.
    """
    try:
        train, valid = train_test_split(np.arange(len(data)), test_size=fraction, random_state=rng)
    except ValueError as error:
        raise DataError(
            f"early_stopping cannot leave out {fraction:g} of {len(data)} rows: pass more rows, "
            "another validation_fraction, or early_stopping=False"
        ) from error
    if len(valid) < 2:
        raise DataError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return data.take(train), data.take(valid)


def make_score(loss: OutputLoss, valid: Data) -> Callable[[Network], float]:
    """Make the score that says when to stop.

    Parameters
    ----------
    loss : OutputLoss
    valid : Data

    Returns
    -------
    callable
        From steps to R² for scikit-learn's losses, minus the loss for others; NaN where
        predictions are not finite.
    """

    def score(network: Network) -> float:
        if not loss.like_sklearn:
            return -network.loss(valid)
        predicted = loss.predict(network.predict(valid.X))
        if not np.isfinite(predicted).all():
            return float("nan")
        with np.errstate(over="ignore", invalid="ignore"):  # the score says it: -inf or NaN
            return float(r2_score(valid.y, predicted, sample_weight=valid.weights))

    return score
