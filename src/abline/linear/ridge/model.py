"""What Ridge and RidgeCV share: the shapes of their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.linear.inference.refusal import PenalisedModel
from abline.linear.linear_model import LinearModel

if TYPE_CHECKING:
    import numpy as np

    from abline.linear.ridge.answer import Answer
    from abline.tables.arrays import Floats


class RidgeModel(PenalisedModel, LinearModel):
    """A line whose coefficients have scikit-learn's shapes for this family.

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

    def _keep_answer(self, answer: Answer, dtype: np.dtype[Any], ndim: int) -> None:
        """Remember lines in the data's precision and shape."""
        self._keep_line(answer.coef, answer.intercept, dtype, flat=ndim == 1)
        if self.coef_.ndim == 2 and len(self.coef_) == 1:
            self.coef_ = self.coef_[0]
        self.engine_ = answer.engine
        self.target_ndim_ = ndim
