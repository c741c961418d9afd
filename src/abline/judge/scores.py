"""How far predictions are from what was observed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """Three scores of one set of predictions.

    Attributes
    ----------
    r2 : float
        Share of the target's variance that is explained, 1 at best; NaN where it does not vary.
    rmse : float
        Root mean squared error, in units of the target.
    mae : float
        Mean absolute error, in units of the target.
    """

    r2: float
    rmse: float
    mae: float

    def to_dict(self) -> dict[str, float | None]:
        """Give plain data, with None for what is not defined.

        Returns
        -------
        dict
        """
        return {
            name: value if math.isfinite(value) else None for name, value in asdict(self).items()
        }


def score_predictions(
    y: NDArray[Any], predicted: NDArray[Any], sample_weight: NDArray[Any] | None = None
) -> Scores:
    """Score predictions.

    Parameters
    ----------
    y, predicted : array of shape (n,)
    sample_weight : array of shape (n,), optional

    Returns
    -------
    Scores

    Examples
    --------
    >>> score_predictions(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    Scores(r2=0.5, rmse=0.577..., mae=0.333...)
    """
    size = _power_of_two(y)  # squares of 1e200 or 1e-200 are beyond floats
    y, predicted = y / size, predicted / size
    counted = y if sample_weight is None else y[sample_weight > 0]
    varies = len(counted) > 1 and counted.min() < counted.max()
    return Scores(
        r2=float(r2_score(y, predicted, sample_weight=sample_weight)) if varies else math.nan,
        rmse=size * float(root_mean_squared_error(y, predicted, sample_weight=sample_weight)),
        mae=size * float(mean_absolute_error(y, predicted, sample_weight=sample_weight)),
    )


def _power_of_two(values: NDArray[Any]) -> float:
    """Give about the size of the largest value; dividing by it loses no digit."""
    largest = float(np.abs(values).max())
    return math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest > 0 else 1.0


def mean_and_spread(scores: list[Scores]) -> tuple[Scores, Scores]:
    """Summarise scores over folds.

    Parameters
    ----------
    scores : list of Scores, one per fold

    Returns
    -------
    mean, spread : Scores
        The spread is the standard deviation between folds (divisor k - 1).
    """
    columns = zip(*((score.r2, score.rmse, score.mae) for score in scores), strict=True)
    summaries = [_summary(np.array(column)) for column in columns]
    mean, spread = zip(*summaries, strict=True)
    return Scores(*mean), Scores(*spread)


def _summary(values: NDArray[Any]) -> tuple[float, float]:
    """Mean and standard deviation of the folds where a score is defined."""
    values = values[~np.isnan(values)]
    if not len(values):
        return math.nan, math.nan
    size = _power_of_two(values)
    spread = float((values / size).std(ddof=1)) * size if len(values) > 1 else math.nan
    return float((values / size).mean()) * size, spread
