"""The lasso and the elastic net with their penalty chosen by cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from abline.errors import ParameterError
from abline.linear.lasso.parameters import check_l1_ratio
from abline.linear.lasso.path import enet_path, lasso_path
from abline.linear.lasso.path_cv import PathCV

if TYPE_CHECKING:
    from abline.linear.lasso.problem import Descent, Problem
    from abline.tables.arrays import TrainingArrays


class ElasticNetCV(PathCV):
    """Elastic net whose penalty, and the L1 part's share, are chosen by cross-validation.

    For each share and each fold the whole path of penalties is fitted to the other rows; the pair
    with the smallest squared error on the rows left out, a plain mean over folds, is then fitted
    to all rows. See `ElasticNet` for the objective.

    With at least as many rows as features, up to 5,000 of these, the rows are read once whatever
    the number of folds, shares and penalties.

    Parameters
    ----------
    l1_ratio : float or array of shape (r,), default=0.5
        Shares of the L1 part to try, each from 0 to 1.
    eps : float, default=1e-3
        The last penalty of a grid made here is this part of the first.
    alphas : int or array of shape (k,), default=100
        Number of penalties, from the smallest that leaves no coefficient on down, or the
        penalties themselves.
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.
    precompute : bool, "auto" or array of shape (p, p), default="auto"
        True asks for Gram matrices whatever the shape of X. Each fold has its own, so that
        an array counts as "auto".
    max_iter : int, default=1000
        Most sweeps of coordinate descent for a penalty.
    tol : float, default=1e-4
        A duality gap above this part of y's mean square is warned of. The descent goes on to
        the square of it, so that coefficients are right to about this part of theirs.
    cv : int, splitter or iterable of (train, test), default=None
        Five folds by default.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never changed.
    verbose : bool or int, default=0
        Whether to write a dot for each penalty to the error stream, from 2 a line.
    n_jobs : int, optional
        Accepted for scikit-learn's sake: as many threads run as BLAS may have.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : int, RandomState or None, default=None
        Of the order of the features where ``selection`` is "random"; None gives the same order
        every time.
    selection : {"cyclic", "random"}, default="cyclic"
        Order in which the features take their turns.

    Attributes
    ----------
    alpha_ : float
        The penalty taken.
    l1_ratio_ : float
        The share taken.
    coef_ : array of shape (p,), in units of y per unit of X
    intercept_ : float, in units of y
        0.0 without an intercept.
    mse_path_ : array of shape (r, k, folds), or (k, folds) for one share; in squared units of y
        Mean squared error on each fold's rows.
    alphas_ : array of shape (r, k), or (k,)
        The penalties tried, the largest first.
    dual_gap_ : float, in squared units of y
        The objective is at most this above its minimum.
    n_iter_ : int
        Sweeps of coordinate descent of the last fit.
    engine_ : {"gram", "working-set"}
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 3))
    >>> model = ElasticNetCV(l1_ratio=[0.5, 1.0]).fit(X, 2 * X[:, 0] + rng.normal(size=60))
    >>> model.l1_ratio_, model.mse_path_.shape, model.coef_.round(1)
    (0.5, (2, 100, 5), array([1.8, 0.2, 0.4]))
    """

    path = staticmethod(enet_path)

    l1_ratio_: float

    def __init__(
        self,
        *,
        l1_ratio: Any = 0.5,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        copy_X: bool = True,
        verbose: Any = 0,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    def _l1_ratios(self) -> list[float]:
        ratios = np.atleast_1d(np.asarray(self.l1_ratio, dtype=object)).ravel().tolist()
        if not ratios:
            raise ParameterError("l1_ratio is empty: give a number from 0 to 1, or several")
        return [check_l1_ratio("l1_ratio", ratio) for ratio in ratios]

    def _refit(
        self, whole: Problem, best: tuple[float, float], descent: Descent, data: TrainingArrays
    ) -> None:
        self.l1_ratio_ = best[0]
        super()._refit(whole, best, descent, data)


class LassoCV(PathCV):
    """Lasso whose penalty is chosen by cross-validation.

    For each fold the whole path of penalties is fitted to the other rows; the penalty with the
    smallest squared error on the rows left out, a plain mean over folds, is then fitted to all
    rows. See `Lasso` for the objective.

    With at least as many rows as features, up to 5,000 of these, the rows are read once whatever
    the number of folds and penalties.

    Parameters
    ----------
    eps : float, default=1e-3
        The last penalty of a grid made here is this part of the first.
    alphas : int or array of shape (k,), default=100
        Number of penalties, from the smallest that leaves no coefficient on down, or the
        penalties themselves.
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.
    precompute : bool, "auto" or array of shape (p, p), default="auto"
        True asks for Gram matrices whatever the shape of X. Each fold has its own, so that
        an array counts as "auto".
    max_iter : int, default=1000
        Most sweeps of coordinate descent for a penalty.
    tol : float, default=1e-4
        A duality gap above this part of y's mean square is warned of. The descent goes on to
        the square of it, so that coefficients are right to about this part of theirs.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never changed.
    cv : int, splitter or iterable of (train, test), default=None
        Five folds by default.
    verbose : bool or int, default=False
        Whether to write a dot for each penalty to the error stream, from 2 a line.
    n_jobs : int, optional
        Accepted for scikit-learn's sake: as many threads run as BLAS may have.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : int, RandomState or None, default=None
        Of the order of the features where ``selection`` is "random"; None gives the same order
        every time.
    selection : {"cyclic", "random"}, default="cyclic"
        Order in which the features take their turns.

    Attributes
    ----------
    alpha_ : float
        The penalty taken.
    coef_ : array of shape (p,), in units of y per unit of X
    intercept_ : float, in units of y
        0.0 without an intercept.
    mse_path_ : array of shape (k, folds), in squared units of y
        Mean squared error on each fold's rows.
    alphas_ : array of shape (k,)
        The penalties tried, the largest first.
    dual_gap_ : float, in squared units of y
        The objective is at most this above its minimum.
    n_iter_ : int
        Sweeps of coordinate descent of the last fit.
    engine_ : {"gram", "working-set"}
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 3))
    >>> model = LassoCV().fit(X, 2 * X[:, 0] + rng.normal(size=60))
    >>> model.mse_path_.shape, model.coef_.round(1), model.engine_
    ((100, 5), array([1.9, 0.2, 0.4]), 'gram')
    """

    path = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        copy_X: bool = True,
        cv: Any = None,
        verbose: Any = False,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    def _l1_ratios(self) -> list[float]:
        return [1.0]
