"""Cross-validation of several models on the same folds.

Every model sees the same training rows and predicts the same held-out rows, so that their
scores can be compared in pairs; each row is predicted once, by a model that never saw it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold

from abline.errors import DataError, ParameterError
from abline.judge.scores import Scores, mean_and_spread, score_predictions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ModelScores:
    """One model's cross-validation.

    Attributes
    ----------
    name : str
    folds : tuple of Scores
        One per fold, on its held-out rows.
    predictions : array of shape (n,), in units of the target
        Out-of-fold: each row's by the model that did not see it.
    models : tuple of estimators
        The fitted model of each fold.
    """

    name: str
    folds: tuple[Scores, ...]
    predictions: NDArray[np.float64] = field(repr=False)
    models: tuple[Any, ...] = field(repr=False)

    @property
    def mean(self) -> Scores:
        """The mean of each score over the folds."""
        return mean_and_spread(list(self.folds))[0]

    @property
    def spread(self) -> Scores:
        """The standard deviation of each score between the folds."""
        return mean_and_spread(list(self.folds))[1]

    def to_dict(self) -> dict[str, Any]:
        """Give plain data: ``name``, ``scores``, ``spread``, ``folds``.

        Returns
        -------
        dict
        """
        return {
            "name": self.name,
            "scores": self.mean.to_dict(),
            "spread": self.spread.to_dict(),
            "folds": [fold.to_dict() for fold in self.folds],
        }


def make_folds(
    n_rows: int, folds: int, random_state: Any = None
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Split rows into folds at random.

    Parameters
    ----------
    n_rows : int
    folds : int
        At least 2; R² wants two rows in each.
    random_state : int or RandomState, optional

    Returns
    -------
    list of (training rows, held-out rows)

    Raises
    ------
    ParameterError
        If there are fewer than 2 folds.
    DataError
        If there are fewer than two rows a fold.
    """
    if folds < 2:
        raise ParameterError(f"folds is {folds}: give 2 or more")
    if n_rows < 2 * folds:
        most = n_rows // 2
        remedy = f"take {most} folds at the most" if most >= 2 else "find more rows"
        raise DataError(
            f"{n_rows} rows are too few for {folds} folds, which need two rows each: {remedy}"
        )
    splitter = KFold(folds, shuffle=True, random_state=random_state)
    return list(splitter.split(np.arange(n_rows)))


def cross_validate(
    estimators: Mapping[str, Any],
    features: pl.DataFrame,
    y: NDArray[np.float64],
    *,
    sample_weight: NDArray[np.float64] | None = None,
    folds: int = 5,
    random_state: Any = None,
    on_step: Callable[[str, int], None] | None = None,
) -> tuple[ModelScores, ...]:
    """Cross-validate estimators on the same folds.

    Parameters
    ----------
    estimators : mapping from name to estimator
        Cloned, never changed.
    features : polars.DataFrame of n rows
    y : array of shape (n,)
    sample_weight : array of shape (n,), optional
        Used in fitting and in scoring.
    folds : int, default=5
    random_state : int or RandomState, optional
        Of the split.
    on_step : callable, optional
        Called with the model's name and the fold's number before each fit.

    Returns
    -------
    tuple of ModelScores, in the order of `estimators`

    Raises
    ------
    DataError
        If there are too few rows.
    """
    splits = make_folds(len(y), folds, random_state)
    _check_weighted(splits, sample_weight)
    return tuple(
        _validate_one(name, estimator, features, y, sample_weight, splits, on_step)
        for name, estimator in estimators.items()
    )


def _validate_one(
    name: str,
    estimator: Any,
    features: pl.DataFrame,
    y: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    splits: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    on_step: Callable[[str, int], None] | None,
) -> ModelScores:
    predictions = np.full(len(y), np.nan)
    scores, models = [], []
    for number, (train, held_out) in enumerate(splits):
        if on_step is not None:
            on_step(name, number)
        model = clone(estimator)
        fit_params = {} if weights is None else {"sample_weight": weights[train]}
        model.fit(features[train], y[train], **fit_params)
        predictions[held_out] = model.predict(features[held_out])
        scores.append(
            score_predictions(
                y[held_out],
                predictions[held_out],
                None if weights is None else weights[held_out],
            )
        )
        models.append(model)
    return ModelScores(name, tuple(scores), predictions, tuple(models))


def _check_weighted(
    splits: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    weights: NDArray[np.float64] | None,
) -> None:
    for train, held_out in splits if weights is not None else ():
        for part in (train, held_out):
            if weights is not None and not (weights[part] > 0).any():
                raise DataError(
                    "the rows of one fold all have weight zero: take fewer folds, or leave out "
                    "the rows without weight"
                )
