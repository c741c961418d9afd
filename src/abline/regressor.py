"""What all estimators share, whatever they fit."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score

from abline.store import Saveable
from abline.tables.arrays import check_target, check_weights


class Regressor(Saveable, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """A regressor with scikit-learn's habits that can be saved and scored on any kind of array.

    Subclasses have ``fit`` and ``predict``.
    """

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Give R², the part of y's variance that the predictions explain.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional

        Returns
        -------
        float
            1 at best, 0 for the mean of y, the plain average over several targets.

        Raises
        ------
        DataError
            If X or y cannot be used.

        Examples
        --------
        >>> from abline.linear import LinearRegression
        >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 2.0, 1.0]
        >>> round(LinearRegression().fit(X, y).score(X, y), 6)
        0.25
        """
        target = check_target(y)
        weights = check_weights(sample_weight, len(target))
        return float(r2_score(target, self.predict(X), sample_weight=weights))
