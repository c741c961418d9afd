"""Ridge regression that chooses its penalty by cross-validation."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError, ParameterError, one_of
from abline.linear.parameters import check_flag
from abline.linear.penalised_model import PenalisedLinearModel
from abline.linear.ridge.answer import Answer
from abline.linear.ridge.k_fold import (
    factors_tell,
    scores_from_factors,
    scores_from_predictions,
    splits_of,
)
from abline.linear.ridge.leave_one_out import LeaveOneOut
from abline.linear.ridge.left_out_scores import scores_of_predictions, scores_of_squares
from abline.linear.ridge.options import RidgeOptions
from abline.linear.ridge.penalties import check_penalties
from abline.linear.ridge.routing import route, router_of
from abline.linear.ridge.scoring import score_of_squares
from abline.linear.ridge.solve import solve
from abline.linear.ridge.triangle import solve_triangle
from abline.linear.rows import Rows
from abline.linear.threads import one_blas_thread
from abline.tables.arrays import check_training
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from abline.linear.factor import RFactor
    from abline.linear.ridge.routing import Routed
    from abline.tables.arrays import TrainingArrays
    from abline.tables.conversion import Floats

Array = NDArray[np.float64]


class RidgeCV(PenalisedLinearModel):
    """Ridge regression with the penalty that predicts left-out rows best.

    By default each row is predicted by the fit to all others, exactly and without refitting, and
    the penalty with the smallest mean squared error is taken, the first of equals. With ``cv`` the
    rows are left out a fold at a time, and the score averaged over folds decides.

    Parameters
    ----------
    alphas : float, or array of shape (k,), default=(0.1, 1.0, 10.0)
        Penalties to try, in squared units of X, all above zero, or zero and above with ``cv``.
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.
    scoring : str or callable, optional
        A scorer of scikit-learn's, by its name or with the signature (estimator, X, y). By default
        minus the mean squared error where rows are left out one by one, R² with ``cv``.
    cv : int, splitter of scikit-learn's, or iterable of (train, test), optional
        How the rows are left out: by default, one by one.
    gcv_mode : {"auto", "svd", "eigen"}, optional
        Accepted for scikit-learn's sake.
    store_cv_results : bool, default=False
        Whether to keep what each row's leaving out gave; not with ``cv``.
    alpha_per_target : bool, default=False
        Whether each target takes its own penalty; not with ``cv``.

    Attributes
    ----------
    alpha_ : float, or array of shape (t,) with alpha_per_target
        The penalty taken.
    best_score_ : float, or array of shape (t,) with alpha_per_target
        Its score; by default in squared units of y.
    scores_ : array of shape (k,), or (t, k) with alpha_per_target
        The score of each penalty. By default minus the mean over rows and targets of the weighted
        squared errors of the left-out rows.
    cv_results_ : array of shape (n, k), or (n, t, k) where y came as (n, t)
        With store_cv_results: the weighted squared errors of the left-out rows or, with a
        ``scoring``, their predictions.
    coef_ : array of shape (p,), or (t, p) where there are several targets; y per unit of X
    intercept_ : float, or array of shape (t,) where y came as (n, t); in units of y
        0.0 without an intercept.
    engine_ : str
        What solved it: ``svd`` or ``kernel`` (eigenvalues of the products of rows) and, with
        ``cv``, any of Ridge's.
    target_ndim_ : int
        1 where y came as (n,), 2 where it came as (n, t).
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

    alpha_: Any
    best_score_: Any
    scores_: NDArray[np.float64]
    cv_results_: Floats

    def __init__(
        self,
        alphas: Any = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        gcv_mode: str | None = None,
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
    ) -> None:
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose the penalty and fit the line.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : float, or array of shape (n,), optional
            A row of weight 0 counts as none. A row of weight 2 is fitted as two rows but left
            out as one. Weights count in the scores too, where the scorer takes them.
        **params
            More for the scorer or the splitter, with scikit-learn's metadata routing enabled.

        Returns
        -------
        RidgeCV
            This very object.

        Raises
        ------
        DataError
            If X, y or the weights cannot be used, or there is but one row.
        ParameterError
            If a parameter has a value that it cannot take, alone or beside the others.

        Warns
        -----
        DataWarning
            If a score is not finite, or a scorer takes no weights.
        FutureWarning
            If ``gcv_mode="svd"`` meets a sparse X, which scikit-learn will refuse.
        """
        self._check_parameters()
        alphas = check_penalties(self.alphas, "alphas", zero_ok=self.cv is not None)
        data = check_training(self, X, y, sample_weight, accept_sparse=True)
        routed = route(self, data.sample_weight, params)
        rows = Rows.of(data.X, data.y, data.sample_weight)
        self.__dict__.pop("cv_results_", None)
        with one_blas_thread():
            if self.cv is None:
                answer = self._leave_one_out(rows, alphas, routed, data)
            else:
                answer = self._leave_folds_out(rows, alphas, routed, data)
            self.engine_ = answer.engine
            self._keep_targets(answer.coef, answer.intercept, data.X.dtype, data.y_ndim)
        return self

    def get_metadata_routing(self) -> Any:
        """Say who gets what of the metadata passed to `fit`.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
            With the scorer and the splitter.
        """
        return router_of(self)

    def _check_parameters(self) -> None:
        for name in ("fit_intercept", "store_cv_results", "alpha_per_target"):
            check_flag(name, getattr(self, name))
            if self.cv is not None and name != "fit_intercept" and getattr(self, name):
                raise ParameterError(
                    f"cv!=None and {name}=True are incompatible: leave one of them out"
                )
        if self.gcv_mode is not None:
            one_of("gcv_mode", self.gcv_mode, ["auto", "svd", "eigen"])

    def _leave_one_out(
        self, rows: Rows, alphas: Array, routed: Routed, data: TrainingArrays
    ) -> Answer:
        if self.gcv_mode == "svd" and is_sparse(rows.X):
            warnings.warn(
                "The 'svd' mode is not supported for sparse X, and will be an error in "
                "scikit-learn 1.11: set gcv_mode to 'eigen'",
                FutureWarning,
                stacklevel=3,
            )
        if rows.n_rows < 2:
            raise DataError(
                "X has 1 sample with a weight above zero, and leaving it out leaves none: "
                "pass at least two rows"
            )
        left_out = LeaveOneOut.of(rows, fit_intercept=bool(self.fit_intercept))
        per_target = bool(self.alpha_per_target) and rows.y.shape[1] > 1
        keep = bool(self.store_cv_results)
        if self.scoring is None:
            scores, kept = scores_of_squares(left_out, alphas, keep=keep)
            scores = scores if per_target else scores.mean(axis=0, keepdims=True)
        else:
            scores, kept = scores_of_predictions(
                left_out,
                alphas,
                routed.scorer,
                routed.score,
                flat=data.y_ndim == 1,
                per_target=per_target,
                keep=keep,
            )
        if kept is not None:
            kept = kept[:, 0] if data.y_ndim == 1 else kept
            self.cv_results_ = kept.astype(np.result_type(data.X.dtype, np.float32), copy=False)
        chosen = self._choose(alphas, scores, per_target=per_target)
        coef = left_out.spectrum.coef(np.broadcast_to(chosen, (rows.y.shape[1],)))
        return Answer(coef, left_out.means.intercept(coef), left_out.spectrum.engine)

    def _leave_folds_out(
        self, rows: Rows, alphas: Array, routed: Routed, data: TrainingArrays
    ) -> Answer:
        options = RidgeOptions(bool(self.fit_intercept))
        splits = splits_of(self.cv, data, routed.split)
        score = score_of_squares(self.scoring)
        whole: RFactor | None = None
        if score is not None and factors_tell(rows, splits):
            scores, whole = scores_from_factors(rows, alphas, splits, score, options)
        else:
            scores = scores_from_predictions(
                rows, alphas, splits, routed.scorer, options, routed.score, data.y_ndim
            )
        chosen = self._choose(alphas, scores[None, :], per_target=False)
        penalties = np.broadcast_to(chosen, (rows.y.shape[1],))
        if whole is None:
            return solve(rows, penalties, options)
        return solve_triangle(whole.system(fit_intercept=options.fit_intercept), penalties)

    def _choose(self, alphas: Array, scores: Array, *, per_target: bool) -> Array:
        """Take the best penalty for each row of scores, the first of equals."""
        best = np.argmax(np.where(np.isnan(scores), -np.inf, scores), axis=1)
        top = np.take_along_axis(scores, best[:, None], axis=1)[:, 0]
        self.scores_ = scores if per_target else scores[0]
        self.alpha_ = alphas[best] if per_target else float(alphas[best[0]])
        self.best_score_ = top if per_target else float(top[0])
        chosen: Array = alphas[best]
        return chosen

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
