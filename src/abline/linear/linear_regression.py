"""Ordinary least squares with scikit-learn's interface."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from abline.linear.dependence import dependent_features, describe_dependence
from abline.linear.factor import RFactor
from abline.linear.gram import WIDEST_SPARSE
from abline.linear.inference.summarised import Summarised
from abline.linear.least_squares import least_squares
from abline.linear.linear_model import LinearModel
from abline.linear.nonnegative import nonnegative
from abline.linear.parameters import check_flag
from abline.linear.refinement import refine, worth_refining
from abline.linear.rows import Rows
from abline.linear.threads import one_blas_thread
from abline.tables.arrays import check_finite, check_training
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from abline.linear.system import System
    from abline.tables.conversion import Floats

Array = NDArray[np.float64]

logger = logging.getLogger(__name__)


class LinearRegression(Summarised, LinearModel):
    """Ordinary least squares: the line that leaves the smallest sum of squared residuals.

    It is solved in float64 whatever precision X has, from one pass over the rows. Tables of up to
    a million cells, and larger ones that need it, are refined to the last digit. Where features
    depend on each other, the coefficients are those of least norm; `rank_` then is below the
    number of features and `dependent_` says which depend on which.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never changed.
    tol : float, default=1e-6
        Where a sparse X has more than 5,000 columns: when the iteration stops (``atol`` and
        ``btol`` of SciPy's ``lsqr``). Everything else is exact.
    n_jobs : int, optional
        Accepted for scikit-learn's sake: as many threads run as BLAS may have.
    positive : bool, default=False
        Whether coefficients must not be negative; a dense X only.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y came as (n, t); y per unit of X
    intercept_ : float, or array of shape (t,); in units of y
        0.0 without an intercept.
    rank_ : int
        Number of independent features (centred, where there is an intercept).
    singular_ : array of shape (min(n, p),)
        Singular values of the (centred) X, rows multiplied by roots of weights.
    dependent_ : dict of int to list of int
        For each feature that depends on features before it, those; an empty list for a constant.
    rss_ : array of shape (t,), in squared units of y
        Weighted sums of squared residuals.
    engine_ : {"gram", "refined", "qr", "extended", "svd", "lsqr"}
        What gave the answer: the Gram matrix, a second pass over the rows, Householder's QR, sums
        in twice the precision, the singular values (dependent features), or an iteration (wide
        sparse tables).
    factor_ : RFactor
        All that was kept of the table; not there after "lsqr".
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    Examples
    --------
    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6), round(float(model.intercept_), 6)
    (array([2.]), 1.0)
    """

    rank_: int
    rss_: Array
    engine_: str
    factor_: RFactor

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: int | None = None,
        positive: bool = False,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the line.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            A row of weight 2 counts as two rows, one of weight 0 as none.

        Returns
        -------
        LinearRegression
            This very object.

        Raises
        ------
        DataError
            If X, y or the weights cannot be used.
        ParameterError
            If a parameter has no meaning.
        """
        self._check_parameters()
        data = check_training(
            self, X, y, sample_weight, accept_sparse=not self.positive, finite=False
        )
        rows, flat = Rows.of(data.X, data.y, data.sample_weight), data.y_ndim == 1
        with one_blas_thread():
            if is_sparse(data.X) and data.X.shape[1] > WIDEST_SPARSE:
                return self._iterate(rows, data.X.dtype, flat=flat)
            return self._solve(self._factor(rows), rows, data.X.dtype, flat=flat)

    def fit_factor(self, factor: RFactor) -> Self:
        """Fit the line from a table's factor alone.

        Parameters
        ----------
        factor : RFactor
            With one target, ``coef_`` is as after ``fit`` with y of shape (n,).

        Returns
        -------
        LinearRegression
            This very object.

        Raises
        ------
        DataError
            If the factor has no row.
        ParameterError
            If a parameter has no meaning.

        Examples
        --------
        >>> factor = RFactor.from_arrays([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
        >>> LinearRegression().fit_factor(factor).coef_.round(6)
        array([2.])
        """
        self._check_parameters()
        self._take_factor(factor)
        return self._solve(factor, None, np.dtype(np.float64), flat=factor.n_targets == 1)

    @property
    def singular_(self) -> Floats:
        """Singular values of the (centred) X, the largest first."""
        if self.positive or "factor_" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'singular_'")
        system = self.factor_.system(fit_intercept=self.fit_intercept)
        values = np.zeros(min(self.factor_.n_rows, self.factor_.n_features))
        found = np.linalg.svd(system.R, compute_uv=False)[: len(values)]
        values[: len(found)] = found
        return values.astype(self.coef_.dtype)

    def _check_parameters(self) -> None:
        check_flag("fit_intercept", self.fit_intercept)
        check_flag("positive", self.positive)

    def _solve(
        self, factor: RFactor, rows: Rows | None, dtype: np.dtype[Any], *, flat: bool
    ) -> Self:
        fit_intercept = bool(self.fit_intercept)
        system = factor.system(fit_intercept=fit_intercept)
        self.factor_, self.dependent_, self.engine_ = factor, {}, factor.method
        refined = None
        if self.positive:
            coef = nonnegative(system.R, system.z)
            self.__dict__.pop("rank_", None)  # of an earlier fit
        else:
            answer = least_squares(system)
            coef, self.rank_ = answer.coef, answer.rank
            if self.rank_ < factor.n_features:
                self.engine_ = "svd"
                self._say_dependent(system)
            elif rows is not None and worth_refining(
                system, coef, factor.n_rows * factor.n_features
            ):
                refined = refine(rows, factor, system, coef, fit_intercept=fit_intercept)
        if refined is None:
            intercept = system.y_mean - system.x_mean @ coef
            self._set_rss(system, coef)
        else:
            coef, intercept, self.rss_ = refined.coef, refined.intercept, refined.rss
            self.engine_ = "extended"
            self.factor_ = factor.with_extended(refined.gram)
        self._keep_line(coef, intercept, dtype, flat=flat)
        return self

    def _set_rss(self, system: System, coef: Array) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            left = system.z - system.R @ coef
            self.rss_ = np.square(left).sum(axis=0) + system.unexplained

    def _say_dependent(self, system: System) -> None:
        self.dependent_ = dependent_features(system)
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"column {j}" for j in range(system.R.shape[1])]
        for sentence in describe_dependence(self.dependent_, list(names)):
            logger.info("%s: coefficients are those of least norm", sentence)

    def _iterate(self, rows: Rows, dtype: np.dtype[Any], *, flat: bool) -> Self:
        """Solve a sparse table whose Gram matrix would not fit in memory."""
        from abline.linear.ridge.iterative import solve_lsqr

        check_finite(rows.X, getattr(self, "feature_names_in_", None))
        answer = solve_lsqr(
            rows,
            np.zeros(rows.y.shape[1]),
            fit_intercept=bool(self.fit_intercept),
            tolerance=self.tol,
        )
        for name in ("factor_", "rank_"):  # of an earlier fit
            self.__dict__.pop(name, None)
        squares = np.square(rows.y - rows.X @ answer.coef - answer.intercept)
        weights = np.ones(len(squares)) if rows.weights is None else rows.weights
        self.rss_ = weights @ squares
        self.engine_, self.dependent_ = answer.engine, {}
        self._keep_line(answer.coef, answer.intercept, dtype, flat=flat)
        return self

    def _get_state(self) -> dict[str, Any]:
        state = super()._get_state()
        fitted = state["fitted"]
        if "factor_" in fitted:
            fitted["factor_"] = fitted["factor_"]._get_state()
        return state

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        fitted = state["fitted"]
        if "factor_" in fitted:
            self.factor_ = RFactor._from_state(fitted["factor_"])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.positive
        return tags
