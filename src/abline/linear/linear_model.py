"""What every linear estimator shares: prediction, precision, the shapes of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from abline.errors import DataError
from abline.linear.factor import RFactor
from abline.linear.threads import one_blas_thread
from abline.regressor import Regressor
from abline.tables.arrays import check_features, check_finite

if TYPE_CHECKING:
    from abline.linear.rows import Rows
    from abline.tables.conversion import Floats

Array = NDArray[np.float64]


class LinearModel(Regressor):
    """An estimator whose prediction is a weighted sum of the features.

    Subclasses have the parameter ``fit_intercept`` and their ``fit`` ends with ``_keep_line``.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y came as (n, t); y per unit of X
    intercept_ : float, or array of shape (t,); in units of y
    """

    fit_intercept: bool
    coef_: Floats
    intercept_: Any
    dependent_: dict[int, list[int]]

    def predict(self, X: Any) -> Floats:
        """Predict the target of new rows.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
            Finite numbers, the features in the order of ``fit``.

        Returns
        -------
        array of shape (n,), or (n, t) where y came so; in X's precision

        Raises
        ------
        DataError
            If the features do not match those fitted or cannot be used, or a prediction is
            beyond the range of X's precision.
        """
        check_is_fitted(self)
        features = check_features(self, X, accept_sparse=True)
        with one_blas_thread():
            answer = features @ self.coef_.T + self.intercept_
        return in_precision(answer, features.dtype, "a prediction")

    def _factor(self, rows: Rows) -> RFactor:
        """Factor training data; a cell that is not finite is named by its column."""
        try:
            return RFactor.from_rows(rows)
        except DataError:
            check_finite(rows.X, getattr(self, "feature_names_in_", None))
            raise

    def _take_factor(self, factor: RFactor) -> None:
        """Remember the features of a factor that is fitted without its rows."""
        if factor.n_rows == 0:
            raise DataError("the factor has no row: update it with some first")
        self.n_features_in_ = factor.n_features
        self.__dict__.pop("feature_names_in_", None)

    def _get_state(self) -> dict[str, Any]:
        state = super()._get_state()
        fitted = state["fitted"]
        if "dependent_" in fitted:  # JSON has no keys but text
            fitted["dependent_"] = [[j, of] for j, of in fitted["dependent_"].items()]
        return state

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        if "dependent_" in state["fitted"]:
            pairs = state["fitted"]["dependent_"]
            self.dependent_ = {int(j): [int(i) for i in of] for j, of in pairs}

    def _keep_line(
        self, coef: Array, intercept: Array, dtype: np.dtype[Any], *, flat: bool
    ) -> None:
        """Remember coefficients of shape (p, t) and intercepts of shape (t,)."""
        dtype = np.result_type(dtype, np.float32)
        answer = in_precision(np.ascontiguousarray(coef.T), dtype, "a coefficient")
        constants = in_precision(intercept, dtype, "the intercept")
        self.coef_ = answer[0] if flat else answer
        if self.fit_intercept:
            self.intercept_ = constants[0] if flat else constants
        else:
            self.intercept_ = 0.0


def in_precision(values: Floats, dtype: np.dtype[Any], what: str) -> Floats:
    """Round numbers to a precision that may be lower.

    Parameters
    ----------
    values : array
        Finite.
    dtype : dtype
        A float's.
    what : str
        What one of the numbers is, for the message.

    Returns
    -------
    array of that dtype

    Raises
    ------
    DataError
        If a number is beyond its range.

    Examples
    --------
    >>> in_precision(np.array([0.1]), np.dtype(np.float32), "a prediction")
    array([0.1], dtype=float32)
    """
    largest = float(np.abs(values).max(initial=0.0))
    if largest > float(np.finfo(dtype).max):
        raise DataError(
            f"{what} of {largest:.3g} is beyond the range of {dtype}: rescale X or y, or pass "
            "X in a higher precision"
        )
    return values.astype(dtype, copy=False)
