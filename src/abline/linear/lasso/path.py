"""Lasso and elastic-net paths: the coefficients along a grid of penalties."""

from __future__ import annotations

import sys
import warnings
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from abline.errors import ParameterError
from abline.linear.lasso.parameters import check_count, check_descent, check_l1_ratio, check_number
from abline.linear.lasso.pose import pose
from abline.linear.lasso.problem import alpha_grid, penalties, warn_unless_converged
from abline.tables.arrays import TrainingArrays, check_training, check_weights
from abline.tables.conversion import is_sparse

Array = NDArray[np.float64]

#: what a caller may pass on to the solver; screening is decided here
_SOLVER = ("tol", "max_iter", "random_state", "selection", "sample_weight", "do_screening")


def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float | None = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,  # noqa: ARG001 - scikit-learn's; X is never changed
    coef_init: Any = None,
    verbose: Any = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    **params: Any,
) -> tuple[Any, ...]:
    """Give the elastic net's coefficients along a grid of penalties.

    For one target it minimises, without an intercept,

        1/(2n) |y - X b|² + alpha l1_ratio |b|₁ + alpha (1 - l1_ratio)/2 |b|²

    and for several targets the same with the sum over features of the Euclidean norms of their
    coefficients in place of ``|b|₁``, so that a feature is used for all targets or none.

    Parameters
    ----------
    X : array, tensor, dataframe or sparse matrix of shape (n, p)
    y : array of shape (n,) or (n, t)
    l1_ratio : float, default=0.5
        Share of the L1 part, from 0 to 1.
    eps : float, default=1e-3
        The last penalty of a grid made here is this part of the first.
    n_alphas : int
        Deprecated: pass ``alphas``.
    alphas : int or array of shape (k,), default=100
        Number of penalties, or the penalties.
    precompute : "auto", bool or array of shape (p, p), default="auto"
        True asks for the Gram matrix whatever the shape of X; an array is one.
    Xy : array of shape (p,) or (p, t), optional
        Products of X and y, used where the Gram matrix is given.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never changed.
    coef_init : array of shape (p,) or (t, p), optional
        Where to start from.
    verbose : bool or int, default=False
        Whether to write a dot for each penalty to the error stream, from 2 a line.
    return_n_iter : bool, default=False
    positive : bool, default=False
        Whether coefficients must not be negative; one target only.
    check_input : bool, default=True
        False where X and y are known to be clean arrays of floats.
    **params
        ``tol``, ``max_iter``, ``selection`` and ``random_state`` as in `ElasticNet`, and
        ``sample_weight``.

    Returns
    -------
    alphas : array of shape (k,)
        The penalties, the largest first.
    coefs : array of shape (p, k) or (t, p, k)
    dual_gaps : array of shape (k,), in squared units of y
        Each objective is at most this above its minimum.
    n_iters : list of int
        Sweeps of coordinate descent, where ``return_n_iter`` asks for them.

    Raises
    ------
    DataError
        If X or y cannot be used.
    ParameterError
        If a parameter has no meaning.

    References
    ----------
    Friedman, Hastie, Tibshirani (2010), "Regularization paths for generalized linear models via
    coordinate descent", *J. Stat. Softw.* 33(1).

    Examples
    --------
    >>> X, y = np.array([[-1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]), np.array([-1.0, 0.0, 1.0])
    >>> alphas, coefs, gaps = enet_path(X, y, l1_ratio=1.0, alphas=[0.5, 0.1])
    >>> coefs.round(6)
    array([[0.25, 0.85],
           [0.  , 0.  ]])
    """
    wanted = _wanted_alphas(alphas, n_alphas)
    unknown = set(params) - set(_SOLVER)
    if unknown:
        raise ParameterError(
            f"Unexpected parameters in params: {sorted(unknown)}; the solver takes "
            f"{', '.join(_SOLVER)}"
        )
    share = check_l1_ratio("l1_ratio", l1_ratio)
    descent = check_descent(
        tol=params.get("tol", 1e-4),
        max_iter=params.get("max_iter", 1000),
        positive=positive,
        selection=params.get("selection", "cyclic"),
        random_state=params.get("random_state"),
    )
    data = _training(X, y, params.get("sample_weight"), check_input=check_input)
    t, p = data.y.shape[1], data.X.shape[1]
    if data.y_ndim != 1 and positive:
        raise ParameterError(
            "positive=True is not allowed for multi-output (y.ndim != 1): fit one target at a time"
        )
    products = None if Xy is None else np.asarray(Xy, dtype=np.float64).reshape(p, t).T
    problem = pose(data, fit_intercept=False, precompute=precompute, correlations=products)
    if isinstance(wanted, Integral):
        count = check_count("alphas", wanted)
        depth = check_number("eps", eps, np.finfo(np.float64).tiny)
        grid = alpha_grid(problem, share, depth, count, positive=positive)
    else:
        grid = np.sort(np.asarray(wanted, dtype=np.float64).ravel())[::-1]
        for value in grid[-1:]:
            check_number("alphas", value, 0.0)
    l1, l2 = penalties(problem, grid, share)
    start = None if coef_init is None else np.array(coef_init, dtype=np.float64).reshape(t, p)
    path = problem.solve(slice(None), l1, l2, start, descent)
    warn_unless_converged(path.gaps, l1, descent.tol * float(problem.total.sum()))
    write_progress(len(grid), verbose)
    dtype = np.result_type(data.X.dtype, np.float32)
    coefs = np.moveaxis(path.coef, 0, 2).astype(dtype)
    answer = (grid, coefs[0] if data.y_ndim == 1 else coefs, path.gaps / problem.weight)
    return (*answer, path.sweeps.tolist()) if return_n_iter else answer


def lasso_path(
    X: Any,
    y: Any,
    *,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: Any = False,
    return_n_iter: bool = False,
    positive: bool = False,
    **params: Any,
) -> tuple[Any, ...]:
    """Give the lasso's coefficients along a grid of penalties.

    For one target it minimises, without an intercept,

        1/(2n) |y - X b|² + alpha |b|₁

    and for several targets the same with the sum over features of the Euclidean norms of their
    coefficients in place of ``|b|₁``, so that a feature is used for all targets or none.

    Parameters
    ----------
    X : array, tensor, dataframe or sparse matrix of shape (n, p)
    y : array of shape (n,) or (n, t)
    eps : float, default=1e-3
        The last penalty of a grid made here is this part of the first.
    n_alphas : int
        Deprecated: pass ``alphas``.
    alphas : int or array of shape (k,), default=100
        Number of penalties, or the penalties, in units of X times y.
    precompute : "auto", bool or array of shape (p, p), default="auto"
        True asks for the Gram matrix whatever the shape of X; an array is one.
    Xy : array of shape (p,) or (p, t), optional
        Products of X and y, used where the Gram matrix is given.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake: X is never changed.
    coef_init : array of shape (p,) or (t, p), optional
        Where to start from.
    verbose : bool or int, default=False
        Whether to write a dot for each penalty to the error stream, from 2 a line.
    return_n_iter : bool, default=False
    positive : bool, default=False
        Whether coefficients must not be negative; one target only.
    **params
        As in `enet_path`.

    Returns
    -------
    alphas : array of shape (k,)
        The penalties, the largest first.
    coefs : array of shape (p, k) or (t, p, k)
    dual_gaps : array of shape (k,), in squared units of y
        Each objective is at most this above its minimum.
    n_iters : list of int
        Sweeps of coordinate descent, where ``return_n_iter`` asks for them.

    Raises
    ------
    DataError
        If X or y cannot be used.
    ParameterError
        If a parameter has no meaning.

    Examples
    --------
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([-1.0, 0.0, 1.0])
    >>> lasso_path(X, y, alphas=[0.1, 0.5])[1].round(6)
    array([[0.25, 0.85]])
    """
    return enet_path(
        X,
        y,
        l1_ratio=1.0,
        eps=eps,
        n_alphas=n_alphas,
        alphas=alphas,
        precompute=precompute,
        Xy=Xy,
        copy_X=copy_X,
        coef_init=coef_init,
        verbose=verbose,
        return_n_iter=return_n_iter,
        positive=positive,
        **params,
    )


def write_progress(count: int, verbose: Any) -> None:
    """Say that a path is done: a dot for each penalty, from a verbosity of 2 a line."""
    for i in range(count if verbose else 0):
        sys.stderr.write("." if int(verbose) < 2 else f"Path: {i:03d} out of {count:03d}\n")


def _wanted_alphas(alphas: Any, n_alphas: Any) -> Any:
    wanted: Any = 100
    if not (isinstance(n_alphas, str) and n_alphas == "deprecated"):
        warnings.warn(
            "'n_alphas' was deprecated in 1.9 and will be removed in 1.11. 'alphas' now accepts an "
            "integer value which removes the need to pass 'n_alphas'. The default value of "
            "'alphas' will change from None to 100 in 1.11. Pass an explicit value to 'alphas' "
            "and leave 'n_alphas' to its default value to silence this warning.",
            FutureWarning,
            stacklevel=3,
        )
        wanted = n_alphas
    if alphas is None:
        warnings.warn(
            "'alphas=None' is deprecated and will be removed in 1.11, at which point the default "
            "value will be set to 100. Set 'alphas=100' to silence this warning.",
            FutureWarning,
            stacklevel=3,
        )
    elif not (isinstance(alphas, str) and alphas == "warn"):
        wanted = alphas
    return wanted


def _training(X: Any, y: Any, sample_weight: Any, *, check_input: bool) -> TrainingArrays:
    if is_sparse(y):
        y = y.toarray()
    if check_input:
        return check_training(
            BaseEstimator(), X, y, sample_weight, accept_sparse=True, finite=False
        )
    weights = check_weights(sample_weight, X.shape[0])
    return TrainingArrays(X, y.reshape(len(y), -1), weights, y.ndim)
