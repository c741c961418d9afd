"""What a trained `TorchRegressor` predicts: its module's outputs, and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from sklearn.utils.metaestimators import available_if

from abline.errors import ParameterError
from abline.nets.criteria import Criterion, GaussianNLL
from abline.nets.criteria.names import kind_of
from abline.nets.criteria.score import quantile_score
from abline.nets.module_regressor import ModuleRegressor
from abline.nets.offset import check_offset, check_takes_offset, plus
from abline.nets.tensors import to_tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


def _gives_std(model: TorchPredictions) -> bool:
    """Say whether the criterion, that of the fit if there was one, has a standard deviation."""
    kind = kind_of(getattr(model, "criterion_", model.criterion))
    if not issubclass(kind, GaussianNLL):
        raise AttributeError("predict_std is for criterion='gaussian_nll': choose that one")
    return True


class TorchPredictions(ModuleRegressor):
    """A regressor whose ``criterion_`` says what the outputs of ``module_`` stand for."""

    criterion: Any
    criterion_: Any

    def predict(self, X: Any, offset: Any = None) -> NDArray[np.floating[Any]]:
        """Predict the target of rows.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        offset : array of shape (n,), optional
            As in `fit`; without it predictions are those of an exposure of 1.

        Returns
        -------
        array of shape (n,) or (n, t), as y was
            In the module's precision; half precisions as float32. Several levels of a quantile
            stand in a last dimension of their own.

        Raises
        ------
        DataError
            If X or the offset cannot be used.
        ParameterError
            If there is an offset and the criterion takes none.
        """
        outputs = torch.from_numpy(self._outputs(X))
        if offset is not None:
            check_takes_offset(self.criterion_)
            known = check_offset(offset, len(outputs))
            outputs = plus(outputs, to_tensor(known, outputs, "offset"))
        if isinstance(self.criterion_, Criterion):
            outputs = self.criterion_.predict(outputs)
        return self._as_y(self._by_target(outputs))

    @available_if(_gives_std)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def predict_std(self, X: Any) -> NDArray[np.floating[Any]]:
        """Predict the standard deviation of rows' targets; of ``criterion="gaussian_nll"``.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)

        Returns
        -------
        array of shape (n,) or (n, t), as y was
            In the units of y.

        Raises
        ------
        DataError
            If X cannot be used.
        """
        outputs = torch.from_numpy(self._outputs(X))
        if not isinstance(self.criterion_, GaussianNLL):
            raise ParameterError("criterion was another one when fit was called: call fit again")
        return self._as_std_of_y(self._by_target(self.criterion_.predict_std(outputs)))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Give R², the part of y's variance that the predictions explain.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional

        Returns
        -------
        float
            Of several levels of a quantile their mean D², the part of the pinball loss that they
            save.

        Raises
        ------
        DataError
            If X or y cannot be used.
        """
        levels = getattr(getattr(self, "criterion_", None), "levels", ())
        if len(levels) > 1:
            return quantile_score(y, self.predict(X), levels, sample_weight)
        return super().score(X, y, sample_weight)

    def _by_target(self, values: Tensor) -> NDArray[np.floating[Any]]:
        """Give values of shape (n,), (n, t) or (n, t, levels) their dimension of targets."""
        return values.numpy().reshape(len(values), self.n_outputs_, *values.shape[2:])
