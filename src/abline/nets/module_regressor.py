"""What the network estimators share: fits that fail safely, predictions, files."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sklearn.utils.validation import check_is_fitted

from abline.nets.aten_attention import plain_attention
from abline.nets.callbacks import PrintLog, check_callbacks
from abline.nets.describe import build_module, describe_module
from abline.nets.describe_parameters import describe_parameter, restore_parameter
from abline.nets.devices import cpu_threads
from abline.nets.factories import first_floating
from abline.nets.gradient_regressor import GradientRegressor
from abline.nets.prefixed import PrefixedParameters
from abline.nets.tensors import predict_numpy
from abline.nets.validation_part import check_eval_set
from abline.tables.arrays import TrainingArrays, check_features, check_training

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from abline.nets.training import History


class ModuleRegressor(PrefixedParameters, GradientRegressor):
    """A regressor whose ``module_`` predicts.

    Subclasses have ``_check_parameters`` and, where they leave `fit` as it is, ``_train``, which
    ends with ``_keep``.
    """

    _TRAINED: ClassVar[str] = "module_"

    callbacks: Sequence[Any] | None
    verbose: int
    n_jobs: int | None
    history_: History

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train a fresh module.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor or series of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            The criterion's values are averaged by these; rows of weight zero are left out.
        eval_set : pair (X, y), optional
            Rows whose loss and metrics are noted after each epoch.

        Returns
        -------
        estimator
            This very object.

        Raises
        ------
        DataError
            If X, y or the validation rows cannot be used.
        ParameterError
            If a parameter cannot be used, or the loss becomes NaN or infinite. An earlier
            fit's results are then still there.
        """
        with self._failing_safely():
            self._check_parameters()
            data = without_absent(check_training(self, X, y, sample_weight))
            self._train(data, self._check_eval_set(eval_set, data))
        return self

    def predict(self, X: Any) -> NDArray[np.floating[Any]]:
        """Predict the target of rows.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)

        Returns
        -------
        array of shape (n,) or (n, t), as y was
            In the module's precision; half precisions as float32.

        Raises
        ------
        DataError
            If X cannot be used.
        """
        outputs = self._outputs(X)
        return outputs.reshape(-1) if self.y_ndim_ == 1 else outputs.reshape(-1, self.n_outputs_)

    def _outputs(self, X: Any) -> NDArray[np.floating[Any]]:
        """Compute what the module gives for rows."""
        check_is_fitted(self)
        features = check_features(self, X)
        if self.module_.training:
            self.module_.eval()
        with cpu_threads(self.n_jobs), plain_attention():
            return predict_numpy(self.module_, features, first_floating(self.module_))

    def _check_parameters(self) -> None:
        raise NotImplementedError

    def _train(self, data: TrainingArrays, valid: TrainingArrays | None) -> None:
        raise NotImplementedError

    def _check_eval_set(self, eval_set: Any, data: TrainingArrays) -> TrainingArrays | None:
        return check_eval_set(self, eval_set, data.y.shape[1])

    def _keep(self, module: nn.Module, data: TrainingArrays) -> None:
        """Note what the training made."""
        self.device_ = str(first_floating(module).device)
        self.n_iter_ = len(self.history_["epoch"])
        self.n_outputs_ = data.y.shape[1]
        self.y_ndim_ = data.y_ndim
        self.module_ = module.eval()  # the last, since by it a fit that failed is told

    def _own_callbacks(self) -> list[Any]:
        """Copy the callbacks, so that a fit leaves the parameter as it is."""
        callbacks = [copy.copy(callback) for callback in check_callbacks(self.callbacks)]
        return [*callbacks, PrintLog(self.verbose)] if self.verbose else callbacks

    @classmethod
    def _is_plain_result(cls, name: str) -> bool:
        return super()._is_plain_result(name) and name not in ("module_", "criterion_")

    def _knows(self, name: str) -> bool:
        return super()._knows(name) or self._passes(name)

    def _get_state(self) -> dict[str, Any]:
        state = super()._get_state()
        if hasattr(self, "module_"):
            state["module"] = describe_module(self.module_, self.n_features_in_)
        if hasattr(self, "criterion_"):
            state["criterion"] = describe_parameter(self.criterion_)
        return state

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        if "module" in state:
            self.module_ = build_module(state["module"])
        if "criterion" in state:
            self.criterion_ = restore_parameter(state["criterion"])


def without_absent(data: TrainingArrays) -> TrainingArrays:
    """Leave out rows of weight zero, which must not fill minibatches.

    Parameters
    ----------
    data : TrainingArrays

    Returns
    -------
    TrainingArrays
    """
    if data.sample_weight is None or data.sample_weight.all():
        return data
    present = data.sample_weight > 0
    return TrainingArrays(
        data.X[present], data.y[present], data.sample_weight[present], data.y_ndim
    )
