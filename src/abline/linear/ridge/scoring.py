"""Scikit-learn's scorers, and which of them can be told from sums of squares."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names

from abline.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]


class GivenPredictions(RegressorMixin, BaseEstimator):
    """A regressor whose X are its predictions, for scorers that want to predict."""

    def predict(self, X: Array) -> Array:
        """Give X back."""
        return X


def routing_enabled() -> bool:
    """Say whether scikit-learn passes metadata to those that request it."""
    return bool(get_config().get("enable_metadata_routing", False))


def scorer_of(estimator: Any) -> Any:
    """Give the scorer that a RidgeCV's ``scoring`` stands for.

    Parameters
    ----------
    estimator : RidgeCV
        By default its score is R².

    Returns
    -------
    callable
        From an estimator, X and y to a number, larger for better.

    Raises
    ------
    ParameterError
        If it is neither the name of a scorer nor a callable.
    """
    scoring = estimator.scoring
    if isinstance(scoring, str):
        names = get_scorer_names()
        if scoring not in names:
            near = did_you_mean(scoring, names) or "sklearn.metrics.get_scorer_names() has them all"
            raise ParameterError(f"scoring cannot be {scoring!r}: {near}")
    elif scoring is not None and not callable(scoring):
        raise ParameterError(
            f"scoring is {scoring!r}: give the name of a scorer, a callable or None"
        )
    if scoring is None:
        return get_scorer("r2").set_score_request(sample_weight=True) if routing_enabled() else _own
    return check_scoring(estimator=estimator, scoring=scoring)


def _own(model: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
    return float(model.score(X, y, sample_weight=sample_weight))


def takes_weights(scorer: Any) -> bool:
    """Say whether a scorer can weigh rows.

    Parameters
    ----------
    scorer : callable

    Returns
    -------
    bool
    """
    says = getattr(scorer, "_accept_sample_weight", None)  # made by scikit-learn's make_scorer
    return bool(says()) if says else "sample_weight" in signature(scorer).parameters


def score_of_squares(scoring: Any) -> Callable[[Array, Array, float], Array] | None:
    """Find how a score follows from sums of squared errors.

    Parameters
    ----------
    scoring : object
        A RidgeCV's parameter.

    Returns
    -------
    callable, or None
        From the errors' sums, of shape (t, k), the sums about the mean of y, of shape (t,), and
        the rows' weight to scores of shape (k,). None where predictions are needed.

    Examples
    --------
    >>> mean = score_of_squares("neg_mean_squared_error")
    >>> mean(np.array([[4.0, 8.0]]), np.array([9.0]), 2.0)
    array([-2., -4.])
    """
    if scoring is None:
        return _r2
    return _OF_SQUARES.get(scoring) if isinstance(scoring, str) else None


# all three are called alike: R² needs no weight, the others no total


def _r2(errors: Array, total: Array, weight: float) -> Array:  # noqa: ARG001
    # a target that does not vary is explained if met exactly, and not explained otherwise
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(
            total[:, None] > 0, 1.0 - errors / total[:, None], np.where(errors > 0, 0.0, 1.0)
        )
    answer: Array = scores.mean(axis=0)
    return answer


def _mean_squared(errors: Array, total: Array, weight: float) -> Array:  # noqa: ARG001
    answer: Array = -(errors / weight).mean(axis=0)
    return answer


def _root_mean_squared(errors: Array, total: Array, weight: float) -> Array:  # noqa: ARG001
    answer: Array = -np.sqrt(errors / weight).mean(axis=0)
    return answer


_OF_SQUARES: dict[str, Callable[[Array, Array, float], Array]] = {
    "r2": _r2,
    "neg_mean_squared_error": _mean_squared,
    "neg_root_mean_squared_error": _root_mean_squared,
}
