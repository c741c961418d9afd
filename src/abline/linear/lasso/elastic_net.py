"""The elastic net with scikit-learn's interface."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError, ParameterError
from abline.linear.lasso.gram import GramProblem
from abline.linear.lasso.parameters import (
    check_descent,
    check_l1_ratio,
    check_number,
)
from abline.linear.lasso.path import enet_path
from abline.linear.lasso.pose import pose
from abline.linear.lasso.problem import penalties, warn_unless_converged
from abline.linear.parameters import check_flag
from abline.linear.penalised_model import PenalisedLinearModel
from abline.tables.arrays import TrainingArrays, check_training
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from abline.linear.factor import RFactor
    from abline.linear.lasso.problem import Descent, Problem

Array = NDArray[np.float64]


class ElasticNet(PenalisedLinearModel):
    """Linear regression with a penalty on the coefficients' sizes and squares.

    It minimises, with rows weighted so that their mean weight is one,

        1/(2n) |y - X b|² + alpha l1_ratio |b|₁ + alpha (1 - l1_ratio)/2 |b|²

    The first penalty makes coefficients zero, the second keeps those of nearly equal features
    near each other. The intercept is not penalised. Several targets are fitted one by one.

    With at least as many rows as features, up to 5,000 of these, it is solved from one pass over
    the rows (``engine_`` "gram"); wider tables by working sets, which never copy X.

    Parameters
    ----------
    alpha : float, default=1.0
        Penalty, in units of X times y (its L1 part) and squared units of X; not negative. At
        zero, `LinearRegression` is the better choice.
    l1_ratio : float, default=0.5
        Share of the L1 part, from 0 to 1.
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.
    precompute : bool, "auto" or array of shape (p, p), default=False
        True asks for the Gram matrix whatever the shape of X; an array is one, of the centred X,
        and is used if a cell of it is right. The others leave the choice to the shape.
    max_iter : int, default=1000
        Most sweeps of coordinate descent.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never changed.
    tol : float, default=1e-4
        A duality gap above this part of y's mean square is warned of. The descent goes on to
        the square of it, so that coefficients are right to about this part of theirs.
    warm_start : bool, default=False
        Whether ``fit`` starts from the coefficients there are.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : int, RandomState or None, default=None
        Of the order of the features where ``selection`` is "random"; None gives the same order
        every time.
    selection : {"cyclic", "random"}, default="cyclic"
        Order in which the features take their turns.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) for several targets; y per unit of X
    intercept_ : float, or array of shape (t,) where y came as (n, t); in units of y
        0.0 without an intercept.
    sparse_coef_ : sparse matrix of shape (1, p) or (t, p)
        ``coef_`` without its zeros.
    dual_gap_ : float, or array of shape (t,) for several targets; in squared units of y
        The objective is at most this above its minimum.
    n_iter_ : int, or list of int for several targets
        Sweeps of coordinate descent.
    engine_ : {"gram", "working-set"}
    target_ndim_ : int
        1 where y came as (n,), 2 where it came as (n, t): predictions take the same shape.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    References
    ----------
    Tibshirani (1996), "Regression shrinkage and selection via the lasso", *JRSS B* 58(1); Zou,
    Hastie (2005), "Regularization and variable selection via the elastic net", *JRSS B* 67(2).

    Examples
    --------
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]], [0.0, 1.0, 2.0]
    >>> ElasticNet(alpha=0.5).fit(X, y).coef_.round(6)
    array([0.454545, 0.      ])
    """

    path = staticmethod(enet_path)

    l1_ratio: float
    dual_gap_: Any
    n_iter_: Any

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int = 1000,
        copy_X: bool = True,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Fit the line.

        Parameters
        ----------
        X : array, tensor, dataframe or sparse matrix of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            A row of weight 2 counts as two rows, one of weight 0 as none.
        check_input : bool, default=True
            False where X and y are known to be clean arrays of floats, X column by column in
            memory.

        Returns
        -------
        ElasticNet
            This very object.

        Raises
        ------
        DataError
            If X, y or the weights cannot be used, or a coefficient is beyond all numbers.
        ParameterError
            If a parameter has no meaning.
        """
        descent = self._check_parameters()
        if check_input:
            data = check_training(self, X, y, sample_weight, accept_sparse=True, finite=False)
        else:
            data = self._unchecked(X, y, sample_weight)
        problem = pose(
            data,
            fit_intercept=bool(self.fit_intercept),
            precompute=self.precompute,
            names=getattr(self, "feature_names_in_", None),
        )
        return self._solve(problem, descent, data.X.dtype, data.y_ndim)

    def fit_factor(self, factor: RFactor) -> Self:
        """Fit the line from a table's factor alone.

        Parameters
        ----------
        factor : RFactor
            With one target, ``coef_`` is as after ``fit`` with y of shape (n,).

        Returns
        -------
        ElasticNet
            This very object.

        Raises
        ------
        DataError
            If the factor has no row.
        ParameterError
            If a parameter has no meaning.

        Examples
        --------
        >>> from abline.linear import RFactor
        >>> factor = RFactor.from_arrays([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0])
        >>> ElasticNet(alpha=0.1, l1_ratio=1.0).fit_factor(factor).coef_.round(6)
        array([0.85])
        """
        descent = self._check_parameters()
        self._take_factor(factor)
        problem = GramProblem.of(factor.system(fit_intercept=bool(self.fit_intercept)))
        ndim = 1 if factor.n_targets == 1 else 2
        return self._solve(problem, descent, np.dtype(np.float64), ndim)

    @property
    def sparse_coef_(self) -> Any:
        """The coefficients without their zeros."""
        from scipy.sparse import csr_array, csr_matrix
        from sklearn import get_config

        plain = get_config().get("sparse_interface", "spmatrix") == "spmatrix"
        return (csr_matrix if plain else csr_array)(np.atleast_2d(self.coef_))

    def _check_parameters(self) -> Descent:
        check_flag("fit_intercept", self.fit_intercept)
        check_number("alpha", self.alpha, 0.0)
        check_l1_ratio("l1_ratio", self.l1_ratio)
        check_flag("warm_start", self.warm_start)
        descent = check_descent(
            tol=self.tol,
            max_iter=self.max_iter,
            positive=self.positive,
            selection=self.selection,
            random_state=self.random_state,
        )
        if self.alpha == 0:
            warnings.warn(
                "With alpha=0, this algorithm does not converge well. You are advised to use the "
                "LinearRegression estimator",
                UserWarning,
                stacklevel=3,
            )
        return descent

    def _unchecked(self, X: Any, y: Any, sample_weight: Any) -> TrainingArrays:
        if np.ndim(sample_weight) == 0:
            sample_weight = None
        # scikit-learn's brings weighted rows into this order itself
        if sample_weight is None and not is_sparse(X) and not X.flags["F_CONTIGUOUS"]:
            raise ParameterError(
                "X does not lie column by column in memory, which check_input=False asks for: "
                "pass numpy.asfortranarray(X), or leave check_input out"
            )
        self.n_features_in_ = X.shape[1]
        self.__dict__.pop("feature_names_in_", None)
        return TrainingArrays(X, y.reshape(len(y), -1), sample_weight, y.ndim)

    def _solve(self, problem: Problem, descent: Descent, dtype: np.dtype[Any], ndim: int) -> Self:
        t, p = problem.correlations.shape
        start = self._start(t, p)
        l1, l2 = penalties(problem, np.array([self.alpha], dtype=np.float64), self.l1_ratio)
        coef, gaps, sweeps = np.empty((p, t)), np.empty(t), []
        for k in range(t):
            target = slice(k, k + 1)
            begin = None if start is None else start[target]
            path = problem.solve(target, l1, l2, begin, descent)
            warn_unless_converged(path.gaps, l1, descent.tol * float(problem.total[k]))
            coef[:, k], gaps[k] = path.coef[0, 0], path.gaps[0] / problem.weight
            sweeps.append(int(path.sweeps[0]))
        intercept = problem.y_mean - problem.x_mean @ coef
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise DataError(
                "Coordinate descent iterations resulted in non-finite parameter values: X or y "
                "has values so large that their squares overflow, divide them by a power of ten"
            )
        self.engine_ = problem.engine
        self._keep_targets(coef, intercept, dtype, ndim)
        self.n_iter_, self.dual_gap_ = sweeps, gaps
        if t == 1:
            self.n_iter_, self.dual_gap_ = sweeps[0], gaps[0]
        return self

    def _start(self, t: int, p: int) -> Array | None:
        if not self.warm_start or not hasattr(self, "coef_"):
            return None
        start = np.atleast_2d(np.asarray(self.coef_, dtype=np.float64))
        if start.shape != (t, p):
            raise ParameterError(
                f"warm_start is True and coef_ has {start.shape[0]} targets and {start.shape[1]} "
                f"features where X and y have {t} and {p}: make a new estimator"
            )
        return start

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
