"""Ridge regression with penalties that are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from abline.linear.penalised_model import PenalisedLinearModel
from abline.linear.ridge.options import COUNTED, RidgeOptions
from abline.linear.ridge.penalties import check_penalties, one_per_target
from abline.linear.ridge.positive import solve_positive_triangle
from abline.linear.ridge.solve import solve
from abline.linear.ridge.triangle import solve_triangle
from abline.linear.rows import Rows
from abline.linear.threads import one_blas_thread
from abline.tables.arrays import check_training
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.linear.factor import RFactor
    from abline.linear.ridge.answer import Answer


class Ridge(PenalisedLinearModel):
    """Linear regression with a penalty on the sum of the squared coefficients.

    It minimises ``sum of w (y - X b - b0)² + alpha * sum of b²``. The penalty keeps the
    coefficients of nearly dependent features small; the intercept b0 is not penalised. The
    answer is exact and computed in float64, whatever precision X has and whichever ``solver`` is
    named; only sparse tables of more than 5,000 rows and 5,000 columns are solved by iterations.

    Parameters
    ----------
    alpha : float, or array of shape (t,), default=1.0
        Penalty, in squared units of X, for all targets or each; none negative. Zero is least
        squares, with coefficients of least norm where they are free.
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.
    copy_X : bool, default=True
        Either way X stays as it is.
    max_iter : int, optional
        The most iterations where iterations are needed.
    tol : float, default=1e-4
        How near iterations come to the answer; they come nearer by themselves.
    solver : str, default="auto"
        Any of scikit-learn's: auto, svd, cholesky, lsqr, sparse_cg, sag, saga, lbfgs.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : int, RandomState or None, default=None
        Nothing here is random.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where there are several targets; y per unit of X
    intercept_ : float, or array of shape (t,) where y came as (n, t); in units of y
        0.0 without an intercept.
    n_iter_ : None, or array of int of shape (t,)
        Iterations for each target; for the solvers that report them in scikit-learn (lsqr, sag,
        saga) 1, the one direct solution, where none were needed.
    solver_ : str
        The solver that scikit-learn would have taken.
    engine_ : str
        What ran: ``gram`` (Cholesky decomposition of the Gram matrix), ``refined`` (the same,
        corrected by the rows), ``kernel`` (of the products of rows), ``qr``, ``svd``, ``nnls``
        (non-negative least squares), ``lsqr`` or ``lbfgs``.
    dependent_ : dict of int to list of int
        Without a penalty, for each feature that depends on features before it, those; an empty
        list for a constant.
    target_ndim_ : int
        1 where y came as (n,), 2 where it came as (n, t).
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    References
    ----------
    Hoerl, Kennard (1970), "Ridge regression: biased estimation for nonorthogonal problems",
    *Technometrics* 12(1).

    Examples
    --------
    >>> Ridge(alpha=2.0).fit([[0.0], [2.0]], [0.0, 4.0]).predict([[1.0], [2.0]]).round(6)
    array([2., 3.])
    """

    solver_: str
    n_iter_: NDArray[np.int32] | None
    dependent_: dict[int, list[int]]

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the line.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : float, or array of shape (n,), optional
            A row of weight 2 counts as two rows, one of weight 0 as none.

        Returns
        -------
        Ridge
            This very object.

        Raises
        ------
        DataError
            If X, y or the weights cannot be used.
        ParameterError
            If a parameter has a value that it cannot take, or penalties are not as many as
            targets.

        Warns
        -----
        ConvergenceWarning
            If iterations were needed and ``max_iter`` of them did not do.
        """
        options = RidgeOptions.of(self)
        penalties = check_penalties(self.alpha, "alpha")
        data = check_training(self, X, y, sample_weight, accept_sparse=True, finite=False)
        solver = options.reported(sparse=is_sparse(data.X))
        penalties = one_per_target(penalties, data.y.shape[1])
        rows = Rows.of(data.X, data.y, data.sample_weight)
        with one_blas_thread():
            answer = solve(rows, penalties, options, getattr(self, "feature_names_in_", None))
        self._report(answer, solver, len(penalties))
        self.engine_ = answer.engine
        self._keep_targets(answer.coef, answer.intercept, data.X.dtype, data.y_ndim)
        return self

    def fit_factor(self, factor: RFactor) -> Self:
        """Fit the line to the rows of a triangular factor.

        Parameters
        ----------
        factor : RFactor
            Of a table with p features and t targets.

        Returns
        -------
        Ridge
            This very object, its coefficients in float64; a factor of one target counts as one
            of y of shape (n,).

        Raises
        ------
        DataError
            If the factor has no rows.
        ParameterError
            As from `fit`.

        Examples
        --------
        >>> from abline.linear import RFactor
        >>> factor = RFactor.from_arrays([[0.0], [2.0]], [0.0, 4.0])
        >>> Ridge(alpha=2.0).fit_factor(factor).coef_.round(6)
        array([1.])
        """
        options = RidgeOptions.of(self)
        penalties = one_per_target(check_penalties(self.alpha, "alpha"), factor.n_targets)
        self._take_factor(factor)
        system = factor.system(fit_intercept=options.fit_intercept)
        way = solve_positive_triangle if options.positive else solve_triangle
        answer = way(system, penalties)
        self._report(answer, options.reported(sparse=False), factor.n_targets)
        self.engine_ = answer.engine
        self._keep_targets(
            answer.coef, answer.intercept, np.dtype(np.float64), 1 if factor.n_targets == 1 else 2
        )
        return self

    def _report(self, answer: Answer, solver: str, n_targets: int) -> None:
        # scikit-learn's Cholesky solver turns to the singular values of a singular table too
        singular = solver == "cholesky" and answer.engine == "svd"
        self.solver_ = "svd" if singular else solver
        self.dependent_ = answer.dependent
        self.n_iter_ = answer.n_iter
        if answer.n_iter is None and solver in COUNTED:
            self.n_iter_ = np.ones(n_targets, dtype=np.int32)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.solver != "svd" and (
            self.solver != "cholesky" or not self.fit_intercept
        )
        return tags
