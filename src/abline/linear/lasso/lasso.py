"""The lasso with scikit-learn's interface."""

from __future__ import annotations

from typing import Any

from abline.linear.lasso.elastic_net import ElasticNet


class Lasso(ElasticNet):
    """Linear regression with a penalty on the sum of the coefficients' sizes.

    It minimises, with rows weighted so that their mean weight is one,

        1/(2n) |y - X b|² + alpha |b|₁

    which makes the coefficients of features that help little exactly zero. The intercept is not
    penalised. Several targets are fitted one by one.

    With at least as many rows as features, up to 5,000 of these, it is solved from one pass over
    the rows (``engine_`` "gram"); wider tables by working sets, which never copy X.

    Parameters
    ----------
    alpha : float, default=1.0
        Penalty, in units of X times y; not negative. At zero, `LinearRegression` is the better
        choice.
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.
    precompute : bool, "auto" or array of shape (p, p), default=False
        True asks for the Gram matrix whatever the shape of X; an array is one, of the centred X,
        and is used if a cell of it is right. The others leave the choice to the shape.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never changed.
    max_iter : int, default=1000
        Most sweeps of coordinate descent.
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
    Tibshirani (1996), "Regression shrinkage and selection via the lasso", *JRSS B* 58(1).

    Examples
    --------
    >>> model = Lasso(alpha=0.1).fit([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0])
    >>> model.coef_.round(6), model.engine_
    (array([0.85]), 'gram')
    """

    l1_ratio = 1.0

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
