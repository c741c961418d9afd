"""What a fitted perceptron can do: predict, be kept in a file, and survive a fit that fails."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from abline.errors import ModelFileError, ParameterError
from abline.nets.describe_parameters import describe_parameter, restore_parameter
from abline.nets.devices import cpu_threads
from abline.nets.engines.choose import Engine
from abline.nets.mlp.forward import outputs_of_rows
from abline.nets.mlp.losses import make_loss
from abline.nets.mlp.weights import as_coefs
from abline.nets.target_scale import TargetScale
from abline.regressor import Regressor
from abline.tables.arrays import check_features
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Iterator

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
)


def _gives_std(model: FittedPerceptron) -> bool:
    if model.loss == "gaussian_nll":
        return True
    raise AttributeError(f"loss={model.loss!r} has no predict_std: set loss='gaussian_nll'")


class FittedPerceptron(Regressor):
    """The part of `MLPRegressor` that has nothing to do with training.

    Attributes
    ----------
    coefs_ : list of arrays of shape (in, out)
    intercepts_ : list of arrays of shape (out,)
    """

    loss: str
    activation: str
    huber_delta: float
    quantile: Any
    coefs_: list[Floats]
    intercepts_: list[Floats]
    engine_: Engine
    device_: str
    y_ndim_: int
    y_mean_: NDArray[np.float64]
    y_scale_: NDArray[np.float64]
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
        answer = make_loss(*self._fitted_loss).predict(self._outputs(X))
        if hasattr(self, "y_mean_"):
            scale = TargetScale(self.y_mean_, self.y_scale_)
            # levels, if there are any, come last
            answer = scale.in_own_units(answer.swapaxes(1, -1)).swapaxes(1, -1)
        return answer[:, 0] if self.y_ndim_ == 1 else answer

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
        answer = loss.predict_std(self._outputs(X))
        if hasattr(self, "y_scale_"):
            answer = (answer * self.y_scale_).astype(answer.dtype)
        return answer[:, 0] if self.y_ndim_ == 1 else answer

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
        for name in [name for name in vars(self) if _is_result(name) and name not in stays]:
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

    @contextmanager
    def _failing_safely(self) -> Iterator[None]:
        """Put everything back if the body fails before it has kept a new network."""
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            if self.__dict__.get("coefs_") is before.get("coefs_"):
                self.__dict__.clear()
                self.__dict__.update(before)
            raise

    def _get_state(self) -> dict[str, Any]:
        params = self.get_params(deep=False)
        state: dict[str, Any] = {
            "params": {name: describe_parameter(value) for name, value in params.items()},
            "fitted": {name: value for name, value in vars(self).items() if _is_result(name)},
        }
        engine = state["fitted"].pop("engine_", None)
        if engine is not None:
            state["engine"] = (str(engine), engine.why)
        return state

    def _set_state(self, state: dict[str, Any]) -> None:
        known = self._get_param_names()
        for name, tree in state["params"].items():
            if name not in known:
                raise ModelFileError(f"it has the parameter {name!r}: upgrade abline")
            setattr(self, name, restore_parameter(tree))
        for name, value in state["fitted"].items():
            if not _is_result(name):
                raise ModelFileError(f"it has the result {name!r}: upgrade abline")
            setattr(self, name, value)
        if "engine" in state:
            self.engine_ = Engine(*state["engine"])
            self.device_ = "cpu"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _is_result(name: str) -> bool:
    """Say whether an attribute is what a fit left."""
    return name in _PRIVATE or (name.endswith("_") and not name.startswith("_"))
