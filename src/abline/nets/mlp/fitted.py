"""What a fitted perceptron can do: predict, be kept in a file, and survive a fit that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from abline.errors import ParameterError
from abline.nets.criteria.score import quantile_score
from abline.nets.devices import cpu_threads
from abline.nets.gradient_regressor import GradientRegressor
from abline.nets.mlp.forward import outputs_of_rows
from abline.nets.mlp.losses import make_loss
from abline.nets.mlp.weights import as_coefs
from abline.tables.arrays import check_features
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.nets.mlp.problem import Problem
    from abline.nets.mlp.solvers import Solved

    Floats = NDArray[np.floating[Any]]

#: what a fit leaves that is no public attribute, but that a later one goes on with
_PRIVATE = (
    "_fitted_loss",
    "_fitted_activation",
    "_no_improvement_count",
    "_rate",
    "_optimizer_state",
    "_optimizer_rule",
)


def _gives_std(model: FittedPerceptron) -> bool:
    if model.loss == "gaussian_nll":
        return True
    raise AttributeError(f"loss={model.loss!r} has no predict_std: set loss='gaussian_nll'")


class FittedPerceptron(GradientRegressor):
    """The part of `MLPRegressor` that has nothing to do with training.

    Attributes
    ----------
    coefs_ : list of arrays of shape (in, out)
    intercepts_ : list of arrays of shape (out,)
    """

    _TRAINED: ClassVar[str] = "coefs_"

    loss: str
    activation: str
    huber_delta: float
    quantile: Any
    coefs_: list[Floats]
    intercepts_: list[Floats]
    _fitted_loss: tuple[str, float, Any]
    _fitted_activation: str

    def predict(self, X: Any) -> Floats:
        """Predict the target of rows.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)

        Returns
        -------
        array of shape (n,) or (n, t), as y was
            Several levels of a quantile stand in a last dimension of their own.

        Raises
        ------
        DataError
            If X cannot be used.
        """
        check_is_fitted(self)
        return self._as_y(make_loss(*self._fitted_loss).predict(self._outputs(X)))

    @available_if(_gives_std)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def predict_std(self, X: Any) -> Floats:
        """Predict the standard deviation of rows' targets; with ``loss="gaussian_nll"``.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)

        Returns
        -------
        array of shape (n,) or (n, t), as y was; in y's units

        Raises
        ------
        DataError
            If X cannot be used.
        """
        check_is_fitted(self)
        loss = make_loss(*self._fitted_loss)
        if not loss.has_std:
            raise ParameterError("loss was another when fit was called: call fit again")
        return self._as_std_of_y(loss.predict_std(self._outputs(X)))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Give R², the part of y's variance that the predictions explain.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
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
        check_is_fitted(self)
        loss, _, levels = self._fitted_loss
        if loss == "quantile" and np.size(levels) > 1:
            return quantile_score(y, self.predict(X), levels, sample_weight)
        return super().score(X, y, sample_weight)

    def _outputs(self, X: Any) -> Floats:
        """Give the last layer's outputs."""
        table = check_features(self, X, accept_sparse=True)
        dtype = np.result_type(table.dtype, self.coefs_[0].dtype)
        table = table.tocsr() if is_sparse(table) else table
        device = torch.device(self.device_)
        arrays = [*(coef.T for coef in self.coefs_), *self.intercepts_]
        params = [torch.from_numpy(a.astype(dtype, copy=False)).to(device) for a in arrays]
        with torch.inference_mode(), cpu_threads(None):
            table = table.astype(dtype, copy=False)
            outputs = outputs_of_rows(params, self._fitted_activation, table, device)
        return outputs.cpu().numpy()

    def _keep(self, problem: Problem, solver: Solved, y_ndim: int) -> None:
        """Take what a training found, and forget what an earlier one did."""
        stays = ("n_features_in_", "feature_names_in_")
        for name in [*filter(self._is_plain_result, vars(self))]:
            if name not in stays:
                delattr(self, name)
        coefs, intercepts = as_coefs(solver.params)
        dtype = problem.dtype
        self.coefs_ = [coef.astype(dtype, copy=False) for coef in coefs]
        self.intercepts_ = [intercept.astype(dtype, copy=False) for intercept in intercepts]
        self.__dict__.update(solver.results())
        self.n_layers_ = len(coefs) + 1
        self.n_outputs_ = coefs[-1].shape[1]
        self.out_activation_ = problem.loss.out_activation
        self.engine_, self.device_ = solver.engine, str(problem.device)
        self.y_ndim_ = y_ndim
        if problem.scale is not None:
            self.y_mean_, self.y_scale_ = problem.scale.mean, problem.scale.scale
        levels = self.quantile if np.ndim(self.quantile) == 0 else list(self.quantile)
        self._fitted_loss = (self.loss, self.huber_delta, levels)
        self._fitted_activation = self.activation

    @classmethod
    def _is_plain_result(cls, name: str) -> bool:
        return name in _PRIVATE or super()._is_plain_result(name)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
