"""What a fitted search can do: predict with the best network, and be kept in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from abline.nets.gradient_regressor import GradientRegressor
from abline.nets.many.results import cv_results
from abline.nets.mlp.regressor import MLPRegressor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

#: what a fit leaves that is plain, and goes to a file as it is
_PLAIN = (
    "n_features_in_",
    "feature_names_in_",
    "best_index_",
    "best_score_",
    "best_params_",
    "alpha_",
    "hidden_layer_sizes_",
    "learning_rate_init_",
    "oof_prediction_",
    "seeds_",
    "n_splits_",
)


def _refits(model: FittedSearch) -> bool:
    if model.refit:
        return True
    raise AttributeError(
        f"this {type(model).__name__} has refit=False and so no network of all rows to predict "
        "with: set refit=True, or predict with fold_models_"
    )


def _gives_std(model: FittedSearch) -> bool:
    if model.loss != "gaussian_nll":
        raise AttributeError(f"loss={model.loss!r} has no predict_std: set loss='gaussian_nll'")
    return _refits(model)


class FittedSearch(GradientRegressor):
    """The part of `MLPRegressorCV` that has nothing to do with training.

    Attributes
    ----------
    best_estimator_ : MLPRegressor
    """

    loss: str
    refit: bool
    best_estimator_: MLPRegressor
    fold_models_: list[MLPRegressor]
    cv_results_: dict[str, Any]

    @available_if(_refits)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def predict(self, X: Any) -> Floats:
        """Predict the target of rows with the best setting's network of all rows.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)

        Returns
        -------
        array of shape (n,) or (n, t), as y was

        Raises
        ------
        DataError
            If X cannot be used.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @available_if(_refits)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Give R² of the best setting's network of all rows, whatever ``scoring`` is.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional

        Returns
        -------
        float
            Of several levels of a quantile their mean D², as of `MLPRegressor.score`.

        Raises
        ------
        DataError
            If X or y cannot be used.
        """
        check_is_fitted(self)
        return self.best_estimator_.score(X, y, sample_weight)

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
        std: Floats = self.best_estimator_.predict_std(X)
        return std

    @property
    def coefs_(self) -> list[Floats]:
        """The best network's weights, arrays of shape (in, out)."""
        return self.best_estimator_.coefs_

    @property
    def intercepts_(self) -> list[Floats]:
        """The best network's biases, arrays of shape (out,)."""
        return self.best_estimator_.intercepts_

    @property
    def n_iter_(self) -> int:
        """Epochs or iterations of the best network."""
        epochs: int = self.best_estimator_.n_iter_
        return epochs

    @property
    def loss_curve_(self) -> list[float]:
        """The best network's loss after each epoch."""
        losses: list[float] = self.best_estimator_.loss_curve_
        return losses

    @classmethod
    def _is_plain_result(cls, name: str) -> bool:
        return name in _PLAIN

    def _get_state(self) -> dict[str, Any]:
        state = super()._get_state()
        if hasattr(self, "cv_results_"):
            state["settings"] = self.cv_results_["params"]
            state["table"] = dict(zip(_TABLE, self._table, strict=True))
            state["fold_models"] = [model._get_state() for model in self.fold_models_]
        if hasattr(self, "best_estimator_"):
            state["best_estimator"] = self.best_estimator_._get_state()
        return state

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        if "table" in state:
            self._table = tuple(state["table"][name] for name in _TABLE)
            self.cv_results_ = cv_results(state["settings"], *self._table)
            self.fold_models_ = [_restored(each) for each in state["fold_models"]]
        if "best_estimator" in state:
            self.best_estimator_ = _restored(state["best_estimator"])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


#: what `cv_results` makes its table of, besides the settings
_TABLE = ("scores", "fit_seconds", "score_seconds")


def _restored(state: dict[str, Any]) -> MLPRegressor:
    model = MLPRegressor.__new__(MLPRegressor)
    model._set_state(state)
    return model
