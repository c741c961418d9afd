"""Cross-validation over paths of penalties: what `LassoCV` and `ElasticNetCV` share."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from abline.errors import CellTypeError, DataError, ParameterError
from abline.linear.inference.refusal import PenalisedModel
from abline.linear.lasso.folds import pose_folds
from abline.linear.lasso.parameters import (
    check_count,
    check_descent,
    check_number,
)
from abline.linear.lasso.path import write_progress
from abline.linear.lasso.pose import asks_for_gram
from abline.linear.lasso.problem import alpha_grid, penalties, warn_unless_converged
from abline.linear.linear_model import LinearModel
from abline.linear.parameters import check_flag
from abline.linear.threads import in_order
from abline.tables.arrays import check_training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.linear.lasso.folds import FoldProblem
    from abline.linear.lasso.problem import Descent, Problem
    from abline.tables.arrays import TrainingArrays

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Grid:
    """Penalties that share an L1 share."""

    l1_ratio: float
    alphas: Array


@dataclass(frozen=True)
class _Outcome:
    """What one fold says of one grid: errors, of shape (k,), and how well it was solved."""

    errors: Array
    gaps: Array
    l1: Array
    bound: float


class PathCV(PenalisedModel, LinearModel):
    """Fit a line with the penalty that cross-validation finds best.

    Subclasses say which shares of the L1 part to try.
    """

    eps: Any
    alphas: Any
    precompute: Any
    max_iter: Any
    tol: Any
    cv: Any
    verbose: Any
    positive: Any
    random_state: Any
    selection: Any

    alpha_: float
    alphas_: Array
    mse_path_: Array
    dual_gap_: float
    n_iter_: int
    engine_: str

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose the penalty and fit the line.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor or series of shape (n,)
        sample_weight : array of shape (n,), optional
            They count in the fits and in the errors of a fold's rows; the folds count the same.
        **params
            For the splitter, where scikit-learn's metadata routing is enabled.

        Returns
        -------
        estimator
            This very object.

        Raises
        ------
        DataError
            If X, y or the weights cannot be used.
        ParameterError
            If a parameter has no meaning.
        """
        routed = self._route(sample_weight, params)
        fit_intercept = check_flag("fit_intercept", self.fit_intercept)
        descent = check_descent(
            tol=self.tol,
            max_iter=self.max_iter,
            positive=self.positive,
            selection=self.selection,
            random_state=self.random_state,
        )
        depth = check_number("eps", self.eps, np.finfo(np.float64).tiny)
        wanted = _check_alphas(self.alphas)
        ratios = self._l1_ratios()
        data = check_training(self, X, y, sample_weight, accept_sparse=True, finite=False)
        self._check_one_target(data)
        gram = asks_for_gram(data, self.precompute)
        splits = list(check_cv(self.cv).split(data.X, data.y[:, 0], **routed))
        names = getattr(self, "feature_names_in_", None)
        whole, folds = pose_folds(data, splits, fit_intercept=fit_intercept, gram=gram, names=names)
        if isinstance(wanted, int):
            grids = [
                _Grid(r, alpha_grid(whole, r, depth, wanted, positive=descent.positive))
                for r in ratios
            ]
        else:
            grids = [_Grid(ratio, wanted) for ratio in ratios]
        best = self._choose(grids, folds, descent)
        self.alphas_ = np.array([grid.alphas for grid in grids])
        if len(grids) == 1 or not isinstance(wanted, int):
            self.alphas_ = self.alphas_[0]
        self._refit(whole, best, descent, data)
        return self

    @abstractmethod
    def _l1_ratios(self) -> list[float]:
        """Check and give the shares of the L1 part to try."""

    def _choose(
        self, grids: Sequence[_Grid], folds: Sequence[FoldProblem], descent: Descent
    ) -> tuple[float, float]:
        """Give the L1 part's share and the penalty with the smallest mean error."""

        def outcomes(fold: FoldProblem) -> list[_Outcome]:
            problem = fold.pose()
            return [_outcome(problem, fold, grid, descent) for grid in grids]

        by_fold = list(in_order(outcomes, folds))
        each = [outcome for fold in by_fold for outcome in fold]
        worst = max(each, key=lambda outcome: float(outcome.gaps.max()) - outcome.bound)
        warn_unless_converged(worst.gaps, worst.l1, worst.bound)
        write_progress(sum(len(grid.alphas) for grid in grids) * len(folds), self.verbose)
        errors = np.array([[outcome.errors for outcome in fold] for fold in by_fold])
        self.mse_path_ = np.squeeze(np.transpose(errors, (1, 2, 0)))
        means = errors.mean(axis=0)
        first, at = divmod(int(np.argmin(means)), means.shape[1])
        return grids[first].l1_ratio, float(grids[first].alphas[at])

    def _refit(
        self, whole: Problem, best: tuple[float, float], descent: Descent, data: TrainingArrays
    ) -> None:
        l1_ratio, self.alpha_ = best
        l1, l2 = penalties(whole, np.array([self.alpha_]), l1_ratio)
        path = whole.solve(slice(None), l1, l2, None, descent)
        warn_unless_converged(path.gaps, l1, descent.tol * float(whole.total.sum()))
        coef = path.coef[0].T
        self.engine_ = whole.engine
        self.dual_gap_ = float(path.gaps[0]) / whole.weight
        self.n_iter_ = int(path.sweeps[0])
        intercept = whole.y_mean - whole.x_mean @ coef
        self._keep_line(coef, intercept, data.X.dtype, flat=True)

    def _check_one_target(self, data: TrainingArrays) -> None:
        if data.y.shape[1] > 1:
            raise DataError(
                f"y has {data.y.shape[1]} targets: fit them one by one. For multi-task outputs, "
                f"use MultiTask{type(self).__name__} of scikit-learn"
            )
        if data.y_ndim == 2:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the "
                "shape of y to (n_samples, ), for example using ravel().",
                DataConversionWarning,
                stacklevel=3,
            )

    def _route(self, sample_weight: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Give what the splitter is to be called with besides X and y."""
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return dict(routed.splitter.split)
        if params:
            raise ParameterError(
                f"Passing extra keyword arguments to {type(self).__name__}.fit is only supported "
                "if enable_metadata_routing=True, which you can set using `sklearn.set_config`. "
                f"Extra parameters passed are: {sorted(params)}"
            )
        return {}

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata goes where; see scikit-learn's user guide on metadata routing."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = False
        return tags


def _outcome(problem: Problem, fold: FoldProblem, grid: _Grid, descent: Descent) -> _Outcome:
    l1, l2 = penalties(problem, grid.alphas, grid.l1_ratio)
    path = problem.solve(slice(None), l1, l2, None, descent)
    coef = path.coef[:, 0].T
    intercept = problem.y_mean[0] - problem.x_mean @ coef
    bound = descent.tol * float(problem.total.sum())
    return _Outcome(fold.errors(coef, intercept), path.gaps, l1, bound)


def _check_alphas(value: Any) -> int | Array:
    if isinstance(value, Integral):
        return check_count("alphas", value)
    try:
        alphas = list(value)
    except TypeError:
        alphas = []
    if not alphas:
        raise ParameterError(
            f"alphas is {value!r}: give a number of penalties, or several penalties"
        )
    for index, alpha in enumerate(alphas):
        if not isinstance(alpha, Real):
            raise CellTypeError(
                f"alphas[{index}] must be an instance of float, not {type(alpha).__name__}"
            )
        if not float(alpha) >= 0:
            raise ParameterError(f"alphas[{index}] == {alpha}, must be >= 0.0.")
        check_number(f"alphas[{index}]", alpha, 0.0)
    return np.sort(np.array(alphas, dtype=np.float64))[::-1]
