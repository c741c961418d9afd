"""Which engine a table gets, and its problem.

With more rows than features everything comes from the table's factor: its Gram matrix is small, and
the rows are read once. With more features than rows the Gram matrix would be larger than the table.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError, ParameterError
from abline.linear.factor import RFactor
from abline.linear.lasso.gram import GramProblem
from abline.linear.lasso.working_set import WideProblem
from abline.linear.threads import one_blas_thread
from abline.tables.arrays import check_finite
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from abline.linear.lasso.problem import Problem
    from abline.tables.arrays import TrainingArrays
    from abline.tables.conversion import Floats

Array = NDArray[np.float64]

#: features up to which the Gram matrix is formed
_WIDEST_GRAM = 5_000

#: features of a sparse table up to which it is: the Gram matrix has no zeros
_WIDEST_SPARSE_GRAM = 500


def asks_for_gram(data: TrainingArrays, precompute: Any) -> bool:
    """Say whether a table is fitted from Gram matrices, each to be formed.

    Parameters
    ----------
    data : TrainingArrays
    precompute : bool, "auto" or array of shape (p, p)
        Only True asks for them whatever the table's shape.

    Returns
    -------
    bool

    Raises
    ------
    ParameterError
        If ``precompute`` is none of these.
    """
    return _check_precompute(precompute, data.X) is True or prefers_gram(data.X, data.sample_weight)


def prefers_gram(X: Any, sample_weight: Floats | None = None) -> bool:
    """Say whether a table is fitted from its factor.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, p)
    sample_weight : array of shape (n,), optional

    Returns
    -------
    bool

    Examples
    --------
    >>> prefers_gram(np.zeros((30, 20))), prefers_gram(np.zeros((20, 30)))
    (True, False)
    """
    n, p = X.shape
    if sample_weight is not None:
        n = int(np.count_nonzero(sample_weight))
    widest = _WIDEST_SPARSE_GRAM if is_sparse(X) else _WIDEST_GRAM
    return bool(p <= min(n, widest))


def pose(
    data: TrainingArrays,
    *,
    fit_intercept: bool,
    precompute: Any = False,
    correlations: Array | None = None,
    names: Any = None,
) -> Problem:
    """Pose the problem of a table.

    Parameters
    ----------
    data : TrainingArrays
        The cells of X need not have been looked at.
    fit_intercept : bool
    precompute : bool, "auto" or array of shape (p, p), default=False
        True asks for the Gram matrix, an array is one; the others leave the choice to the
        table's shape. A sparse table is never asked.
    correlations : array of shape (t, p), optional
        Products of y and X, where the Gram matrix is given.
    names : array of str of shape (p,), optional
        The features', for messages.

    Returns
    -------
    Problem

    Raises
    ------
    DataError
        If a cell is missing or infinite, or the Gram matrix given is not that of X.
    ParameterError
        If ``precompute`` is none of these.
    """
    X, weights = data.X, data.sample_weight
    wanted = _check_precompute(precompute, X)
    if isinstance(wanted, np.ndarray):
        check_finite(X, names)
        given = _given(wanted, data, correlations, fit_intercept=fit_intercept)
        if given is not None:
            return given
    if wanted is True or prefers_gram(X, weights):
        try:
            factor = RFactor.from_arrays(X, data.y, weights)
        except DataError as error:
            check_finite(X, names)
            raise DataError(
                "Coordinate descent iterations resulted in non-finite parameter values, since "
                f"{error}"
            ) from error
        return GramProblem.of(factor.system(fit_intercept=fit_intercept))
    check_finite(X, names)
    return WideProblem(X, data.y, weights, fit_intercept=fit_intercept)


def _check_precompute(value: Any, X: Any) -> Any:
    if isinstance(value, str) and value == "auto":
        return False
    if isinstance(value, bool | np.bool_):
        return bool(value) and not is_sparse(X)
    try:
        gram = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        gram = np.empty(0)
    p = X.shape[1]
    if gram.shape != (p, p):
        raise ParameterError(
            f"precompute is {value!r}, but Precompute should be one of True, False, 'auto' or "
            f"array-like of shape ({p}, {p})"
        )
    return False if is_sparse(X) else gram


def _given(
    gram: Array, data: TrainingArrays, correlations: Array | None, *, fit_intercept: bool
) -> GramProblem | None:
    """Pose the problem of a Gram matrix that came with the table; none if it is not centred."""
    X = np.asarray(data.X, dtype=np.float64)
    n, p = X.shape
    weights = np.ones(n) if data.sample_weight is None else data.sample_weight
    weights = weights * (n / weights.sum())  # such a matrix comes with weights of mean one
    y = np.asarray(data.y, dtype=np.float64)
    y_mean = np.zeros(y.shape[1])
    if fit_intercept:
        if not np.allclose(np.average(X, axis=0, weights=weights), 0.0):
            warnings.warn(
                "Gram matrix was provided but X was centered to fit intercept: recomputing Gram "
                "matrix.",
                UserWarning,
                stacklevel=4,
            )
            return None
        y_mean = np.average(y, axis=0, weights=weights)
        y = y - y_mean
    first = p // 2
    second = min(first + 1, p - 1)
    expected = float(weights @ (X[:, first] * X[:, second]))
    if not np.isclose(expected, gram[first, second], rtol=_digits(data.X), atol=1e-5):
        raise DataError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation when a "
            "single element was checked - please check that it was computed properly. For element "
            f"({first},{second}) we computed {expected} but the user-supplied value was "
            f"{gram[first, second]}."
        )
    with one_blas_thread():
        total = weights @ np.square(y)
        if correlations is None:
            correlations = (y.T * weights) @ X
    return GramProblem(gram, correlations, total, float(n), y_mean=y_mean)


def _digits(X: Any) -> float:
    return 1e-7 if X.dtype == np.float64 else 1e-4
