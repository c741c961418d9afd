"""What ridge regression predicts for each row when fitted to all others, without refitting.

With U the left singular vectors of the centred, weighted table and s its singular values, leaving
row i out turns its residual e into e / (1 - h), h being its leverage. Both are sums over the
singular vectors with the factors a / (s² + a), so all penalties a share one decomposition:

    e = (y - U U'y) + sum over j of u_j  a / (s_j² + a)  (U'y)_j
    1 - h = (1 - w / sum of w - |u|²) + sum over j of u_j²  a / (s_j² + a)

Written so, no term is a small difference of large ones. The brackets are exactly zero where
the table has as many independent columns as rows.

References
----------
Golub, Heath, Wahba (1979), "Generalized cross-validation as a method for choosing a good ridge
parameter", *Technometrics* 21(2); Rifkin, Lippert (2007), "Notes on regularized least squares".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.factor import RFactor
from abline.linear.least_squares import independent_columns
from abline.linear.ridge import Spectrum, decompose
from abline.linear.rows import Rows, block_rows
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abline.linear.factor import System
    from abline.tables.arrays import TrainingArrays

Array = NDArray[np.float64]


def leave_one_out(
    data: TrainingArrays, alphas: Array, *, fit_intercept: bool
) -> tuple[System, Spectrum, Array]:
    """Score ridge regressions by the rows they were not fitted on.

    Parameters
    ----------
    data : TrainingArrays
        n rows with a weight above zero, at least two.
    alphas : array of shape (k,), in squared units of X
        All above zero.
    fit_intercept : bool

    Returns
    -------
    system : System
        Of the table.
    spectrum : Spectrum
        It gives the coefficients for any penalty.
    errors : array of shape (k,), in squared units of y
        Mean over rows and targets of the weighted squared errors.
    """
    factor = RFactor.from_arrays(data.X, data.y, data.sample_weight)
    system = factor.system(fit_intercept=fit_intercept)
    p, t = system.R.shape[1], system.z.shape[1]
    rank = independent_columns(system)
    sums = np.zeros(len(alphas))
    with one_blas_thread():
        designs = _designs(data, factor, system, fit_intercept=fit_intercept)
        if len(data.X) <= block_rows(p + t):
            # the rows' own singular vectors: those found through V lose digits to small
            # singular values, which tells where there are few more rows than features
            rows, own = next(designs)
            spectrum, left = decompose(rows[:, :p], rows[:, p:], rank)
            lefts = iter([(left, rows[:, p:], own)])
        else:
            spectrum, _ = decompose(system.R, system.z, rank)
            basis = spectrum.right.T / spectrum.singular
            lefts = ((rows[:, :p] @ basis, rows[:, p:], own) for rows, own in designs)
        saturated = rank == factor.n_rows - fit_intercept
        for left, y, own in lefts:
            sums += _squared_errors(spectrum, left, y, None if saturated else own, alphas)
    return system, spectrum, sums / (factor.n_rows * t)


def _squared_errors(
    spectrum: Spectrum, left: Array, y: Array, own: Array | None, alphas: Array
) -> Array:
    """Sum the squares of e / (1 - h) for each penalty; own is None where brackets vanish."""
    with np.errstate(over="ignore"):
        kept = 1.0 / (1.0 + np.square(spectrum.singular[:, None] / np.sqrt(alphas)))  # a / (s² + a)
    k, t = len(alphas), y.shape[1]
    parts = (kept[:, :, None] * spectrum.projected[:, None, :]).reshape(-1, k * t)
    errors = (left @ parts).reshape(-1, k, t)
    squares = np.square(left)
    free = squares @ kept
    if own is not None:
        errors += (y - left @ spectrum.projected)[:, None, :]
        free += np.maximum(0.0, 1.0 - own - squares.sum(axis=1))[:, None]
    # a row that alone decides its own prediction says nothing about others
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        left_out = np.where(free[:, :, None] > 0, errors / free[:, :, None], np.inf)
        total: Array = np.square(left_out).sum(axis=(0, 2))
    return total


def _designs(
    data: TrainingArrays, factor: RFactor, system: System, *, fit_intercept: bool
) -> Iterator[tuple[Array, Array]]:
    """Give the table a block at a time, centred and weighted, and each row's own leverage."""
    constant = np.flatnonzero(~np.any(system.R != 0, axis=0))
    rows = Rows.of(data.X, data.y, data.sample_weight)
    for part in rows.slices():
        roots = rows.roots(part)
        block = rows.load(part, factor.mean if fit_intercept else None)
        if fit_intercept:
            error = factor.mean_error
            block -= error if roots is None else np.outer(roots, error)
        block[:, constant] = 0.0
        n = len(block)
        weights = np.ones(n) if roots is None else np.square(roots)
        yield block, weights / factor.weight if fit_intercept else np.zeros(n)
