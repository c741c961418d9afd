"""Score ridge regressions with many penalties by K-fold cross-validation.

A fold's training factor gives, by one decomposition, the coefficients for every penalty; the
factor of its test rows gives their sums of squared errors. The rows are read once, to make
the factors. Scores that need predictions get them fold by fold.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from abline.errors import DataError, DataWarning
from abline.linear.factor import RFactor
from abline.linear.folds import fold_factors, row_indices, whole_factor
from abline.linear.gram import WIDEST_SPARSE
from abline.linear.ridge.answer import Answer
from abline.linear.ridge.design import centred
from abline.linear.ridge.ridge import Ridge
from abline.linear.ridge.solve import solve
from abline.linear.ridge.spectrum import Spectrum, decompose_kernel
from abline.linear.threads import one_blas_thread
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from abline.linear.ridge.options import RidgeOptions
    from abline.linear.rows import Rows
    from abline.tables.arrays import TrainingArrays

Array = NDArray[np.float64]
Split = tuple[NDArray[np.int_], NDArray[np.int_]]


def splits_of(cv: Any, data: TrainingArrays, params: Mapping[str, Any]) -> list[Split]:
    """Cut the rows into training and test rows, fold by fold.

    Parameters
    ----------
    cv : int, splitter of scikit-learn's, or iterable of (train, test)
    data : TrainingArrays
    params : mapping of str to object
        More arguments for the splitter, the groups of rows for one.

    Returns
    -------
    list of (train, test), indices of rows

    Raises
    ------
    DataError
        If the rows cannot be cut so.
    """
    y = data.y[:, 0] if data.y_ndim == 1 else data.y
    try:
        splits = list(check_cv(cv, y, classifier=False).split(data.X, y, **params))
    except ValueError as error:
        raise DataError(f"cv cannot split the rows: {error}") from error
    return [(row_indices(train), row_indices(test)) for train, test in splits]


def factors_tell(rows: Rows, splits: Sequence[Split]) -> bool:
    """Say whether sums of squares decide as predictions would, and are cheaper.

    Parameters
    ----------
    rows : Rows
    splits : sequence of (train, test), indices of rows

    Returns
    -------
    bool
        Not where the products of a sparse table's columns do not fit, nor where a score is not
        defined, of fewer than two rows.
    """
    fits = not is_sparse(rows.X) or rows.X.shape[1] <= WIDEST_SPARSE
    return fits and all(len(test) > 1 for _, test in splits)


def scores_from_factors(
    rows: Rows,
    alphas: Array,
    splits: Sequence[Split],
    score: Callable[[Array, Array, float], Array],
    options: RidgeOptions,
) -> tuple[Array, RFactor | None]:
    """Average over folds a score that sums of squared errors tell.

    Parameters
    ----------
    rows : Rows
        Of n rows, p features and t targets.
    alphas : array of shape (k,), in squared units of X
    splits : sequence of (train, test), indices of rows
    score : callable
        From `score_of_squares`.
    options : RidgeOptions
        Of the fits.

    Returns
    -------
    scores : array of shape (k,)
    whole : RFactor or None
        Of all rows, where they can be had without reading them again.

    Raises
    ------
    DataError
        If no test row, or no training row, of a fold has a weight.
    """
    folds = fold_factors(rows.X, rows.y, rows.weights, splits)
    scores = np.zeros(len(alphas))
    for number, fold in enumerate(folds):
        if fold.test.n_rows == 0:
            raise DataError(
                f"no test row of fold {number} has a weight above zero: use fewer folds, or "
                "shuffle the rows"
            )
        system = fold.train.system(fit_intercept=options.fit_intercept)
        coef = Spectrum.of_system(system).path(alphas)
        errors, total = _squared_errors(fold.test, coef, system.x_mean, system.y_mean)
        scores += score(errors, total, fold.test.weight)
    whole = whole_factor(folds, splits, rows.X.shape[0])
    return scores / len(folds), whole


def scores_from_predictions(
    rows: Rows,
    alphas: Array,
    splits: Sequence[Split],
    scorer: Callable[..., float],
    options: RidgeOptions,
    params: Mapping[str, Any],
    ndim: int,
) -> Array:
    """Average over folds any score of scikit-learn's.

    Parameters
    ----------
    rows : Rows
        Of n rows, p features and t targets.
    alphas : array of shape (k,), in squared units of X
    splits : sequence of (train, test), indices of rows
    scorer : callable
        From a fitted Ridge, X and y to a number.
    options : RidgeOptions
        Of the fits.
    params : mapping of str to object
        More arguments for the scorer; arrays of n are cut to the test rows.
    ndim : int
        Dimensions of y as the scorer is to see it.

    Returns
    -------
    array of shape (k,)
    """
    n = rows.X.shape[0]
    scores = np.empty((len(splits), len(alphas)))
    for fold, (train, test) in enumerate(splits):
        answers = _fit_all(_take(rows, train), alphas, options)
        part = _take(rows, test)
        y = part.y[:, 0] if ndim == 1 else part.y
        more = {name: _cut(value, n, test) for name, value in params.items()}
        for number, (alpha, answer) in enumerate(zip(alphas, answers, strict=True)):
            model = Ridge(float(alpha), fit_intercept=options.fit_intercept)
            model.n_features_in_ = rows.X.shape[1]
            model.engine_ = answer.engine
            model._keep_targets(answer.coef, answer.intercept, rows.X.dtype, ndim)
            scores[fold, number] = scorer(model, part.X, y, **more)
    means: Array = scores.mean(axis=0)
    if not np.isfinite(means).all():
        warnings.warn(
            f"One or more of the test scores are non-finite: {means}, and not considered; "
            "use fewer folds or another score",
            DataWarning,
            stacklevel=4,
        )
    return means


def _squared_errors(
    test: RFactor, coef: Array, x_mean: Array, y_mean: Array
) -> tuple[Array, Array]:
    """Sum a fold's squared errors, of shape (t, k), and squares about the mean, of shape (t,).

    The means are those of the training rows, zero without an intercept.
    """
    p, t, k = coef.shape
    system = test.system(fit_intercept=True)
    with one_blas_thread():
        flat = coef.reshape(p, t * k)
        left = system.z[:, :, None] - (system.R @ flat).reshape(-1, t, k)
        moved = ((system.x_mean - x_mean) @ flat).reshape(t, k)
    off = (system.y_mean - y_mean)[:, None] - moved
    errors = np.square(left).sum(axis=0) + test.weight * np.square(off)
    errors += system.unexplained[:, None]
    return errors, np.square(system.z).sum(axis=0) + system.unexplained


def _fit_all(rows: Rows, alphas: Array, options: RidgeOptions) -> list[Answer]:
    """Fit each penalty to some rows."""
    n, p = rows.X.shape
    if not is_sparse(rows.X) or p <= WIDEST_SPARSE:
        factor = RFactor.from_arrays(rows.X, rows.y, rows.weights)
        system = factor.system(fit_intercept=options.fit_intercept)
        coef = Spectrum.of_system(system).path(alphas)
        return [Answer.of_system(one, system, "svd") for one in np.moveaxis(coef, 2, 0)]
    if n <= WIDEST_SPARSE:
        means, design = centred(rows, fit_intercept=options.fit_intercept)
        coef = decompose_kernel(design)[0].path(alphas)
        return [Answer(one, means.intercept(one), "kernel") for one in np.moveaxis(coef, 2, 0)]
    return [solve(rows, np.full(rows.y.shape[1], alpha), options) for alpha in alphas]


def _take(rows: Rows, index: NDArray[np.int_]) -> Rows:
    weights = None if rows.weights is None else rows.weights[index]
    return replace(rows, X=rows.X[index], y=rows.y[index], weights=weights)


def _cut(value: Any, n: int, index: NDArray[np.int_]) -> Any:
    if value is None or np.ndim(value) == 0 or len(value) != n:
        return value
    return np.asarray(value)[index]
