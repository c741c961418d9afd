"""Ridge regression that chooses its penalty by exact leave-one-out cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from abline.errors import DataError
from abline.linear.leave_one_out import leave_one_out
from abline.linear.linear_model import LinearModel
from abline.linear.ridge import check_penalties
from abline.tables.arrays import check_training

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RidgeCV(LinearModel):
    """Ridge regression with the penalty that predicts left-out rows best.

    Each row is predicted by the fit to all others, exactly and without refitting; the penalty
    with the smallest mean squared error is taken, the first of equals.

    Parameters
    ----------
    alphas : array of shape (k,), default=(0.1, 1.0, 10.0)
        Penalties to try, in squared units of X, all above zero.
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.

    Attributes
    ----------
    alpha_ : float
        The penalty taken.
    best_score_ : float, in squared units of y
        Its score.
    scores_ : array of shape (k,), in squared units of y
        For each penalty minus the mean over rows and targets of the weighted squared errors of
        the left-out rows.
    coef_ : array of shape (p,), or (t, p) where y came as (n, t); y per unit of X
    intercept_ : float, or array of shape (t,); in units of y
        0.0 without an intercept.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    References
    ----------
    Golub, Heath, Wahba (1979), "Generalized cross-validation as a method for choosing a good
    ridge parameter", *Technometrics* 21(2).

    Examples
    --------
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 2.0, 4.0, 6.0]
    >>> model = RidgeCV(alphas=[0.01, 1.0]).fit(X, y)
    >>> model.alpha_, model.scores_.round(3)
    (0.01, array([-0.   , -0.917]))
    """

    alpha_: float
    best_score_: float
    scores_: NDArray[np.float64]

    def __init__(self, alphas: Any = (0.1, 1.0, 10.0), *, fit_intercept: bool = True) -> None:
        self.alphas = alphas
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose the penalty and fit the line.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            A row of weight 0 counts as none. A row of weight 2 is fitted as two rows but left
            out as one.

        Returns
        -------
        RidgeCV
            This very object.

        Raises
        ------
        DataError
            If X, y or the weights cannot be used, or there is but one row.
        ParameterError
            If a penalty is not above zero.
        """
        fit_intercept = self._check_intercept()
        penalties = check_penalties(self.alphas, "alphas", zero_ok=False)
        data = check_training(self, X, y, sample_weight)
        weights = data.sample_weight
        if (len(data.X) if weights is None else np.count_nonzero(weights)) < 2:
            raise DataError(
                "X has 1 sample with a weight above zero, and leaving it out leaves none: "
                "pass at least two rows"
            )
        system, spectrum, errors = leave_one_out(data, penalties, fit_intercept=fit_intercept)
        best = int(np.argmin(errors))
        self.scores_ = -errors
        self.best_score_ = float(self.scores_[best])
        self.alpha_ = float(penalties[best])
        self._keep(spectrum.coef(np.full(data.y.shape[1], self.alpha_)), system, data)
        return self
