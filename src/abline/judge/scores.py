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
        Share of the target's variance that is explained, 1 at best; NaN below two rows.
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
    enough = len(y) > 1
    return Scores(
        r2=float(r2_score(y, predicted, sample_weight=sample_weight)) if enough else math.nan,
        rmse=float(root_mean_squared_error(y, predicted, sample_weight=sample_weight)),
        mae=float(mean_absolute_error(y, predicted, sample_weight=sample_weight)),
    )


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
    table = np.array([[score.r2, score.rmse, score.mae] for score in scores])
    spread = table.std(axis=0, ddof=1) if len(table) > 1 else np.full(3, math.nan)
    return Scores(*map(float, table.mean(axis=0))), Scores(*map(float, spread))
