"""What lines with a penalty share: no standard errors, and scikit-learn's shapes for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.linear.inference.refusal import PenalisedModel
from abline.linear.linear_model import LinearModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from abline.tables.conversion import Floats

    Array = NDArray[np.float64]


class PenalisedLinearModel(PenalisedModel, LinearModel):
    """A line whose coefficients have scikit-learn's shapes for those with a penalty.

    A target of shape (n, 1) has coefficients of shape (p,), an intercept of shape (1,) and,
    like the target, predictions of shape (n, 1).

    Attributes
    ----------
    target_ndim_ : int
        1 where y came as (n,), 2 where it came as (n, t).
    engine_ : str
        What solved it in truth.
    """

    target_ndim_: int
    engine_: str

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
        answer = super().predict(X)
        return answer.reshape(len(answer), -1) if self.target_ndim_ == 2 else answer

    def _keep_targets(
        self, coef: Array, intercept: Array, dtype: np.dtype[Any], target_ndim: int
    ) -> None:
        """Remember coefficients of shape (p, t) and intercepts of shape (t,)."""
        self._keep_line(coef, intercept, dtype, flat=target_ndim == 1)
        if coef.shape[1] == 1:
            self.coef_ = self.coef_.reshape(-1)
        self.target_ndim_ = target_ndim
