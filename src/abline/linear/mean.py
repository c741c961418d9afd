"""The mean of the target: the baseline that every other model must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from abline.linear.linear_model import in_precision
from abline.regressor import Regressor
from abline.tables.arrays import check_features, check_training

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MeanRegressor(Regressor):
    """Predict the mean of the training targets, whatever the features.

    Attributes
    ----------
    mean_ : array of shape (t,), float64, in units of y
    y_ndim_ : int
        1 where y came as (n,), 2 where it came as (n, t).
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    Examples
    --------
    >>> MeanRegressor().fit([[0.0], [1.0]], [2.0, 4.0]).predict([[9.0]])
    array([3.])
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Take the (weighted) mean of y.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional

        Returns
        -------
        MeanRegressor
            This very object.

        Raises
        ------
        DataError
            If X or y cannot be used.
        """
        data = check_training(self, X, y, sample_weight)
        self.mean_ = np.average(data.y.astype(np.float64), axis=0, weights=data.sample_weight)
        self.y_ndim_ = data.y_ndim
        return self

    def predict(self, X: Any) -> NDArray[np.floating[Any]]:
        """Give the mean once per row.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)

        Returns
        -------
        array of shape (n,) or (n, t), as y was
        """
        check_is_fitted(self)
        features = check_features(self, X)
        mean = in_precision(self.mean_, features.dtype, "the mean of y")
        answer = np.tile(mean, (len(features), 1))
        return answer[:, 0] if self.y_ndim_ == 1 else answer

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags
