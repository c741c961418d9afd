"""Whether the assumptions behind the standard errors hold.

References
----------
Belsley, Kuh, Welsch (1980), *Regression Diagnostics*; Durbin, Watson (1950), *Biometrika* 37;
Jarque, Bera (1980), *Economics Letters* 6(3); Breusch, Pagan (1979), *Econometrica* 47(5), as
studentised by Koenker (1981), *Journal of Econometrics* 17(1); Ramsey (1969), *Journal of the
Royal Statistical Society B* 31(2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from abline.errors import ParameterError
from abline.linear.factor import RFactor
from abline.linear.inference.hypothesis import HypothesisTest
from abline.linear.inference.reference import chi2_tail, f_tail
from abline.linear.rows import Rows
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abline.linear.inference.estimates import Estimates, Indices
    from abline.linear.inference.seen_again import SeenAgain
    from abline.tables.conversion import Floats

Array = NDArray[np.float64]


def condition_number(estimates: Estimates) -> float:
    """Give the ratio of the design's largest and smallest singular values, intercept and units in.

    Parameters
    ----------
    estimates : Estimates

    Returns
    -------
    float
    """
    return _condition(estimates.root.full_triangle)


def scaled_condition_number(estimates: Estimates) -> float:
    """Give the same of the features, about their means and of unit norm: units play no part.

    Parameters
    ----------
    estimates : Estimates

    Returns
    -------
    float
    """
    triangle = estimates.root.triangle
    return _condition(triangle / np.linalg.norm(triangle, axis=0))


def inflation(estimates: Estimates) -> Array:
    """Give how many times larger each variance is than with unrelated features.

    Parameters
    ----------
    estimates : Estimates

    Returns
    -------
    array of shape (k,), at least 1
        Of the features kept.
    """
    root = estimates.root
    squares = np.square(root.triangle).sum(axis=0) * np.square(root.inverse).sum(axis=1)
    return np.asarray(np.maximum(squares, 1.0))


def durbin_watson(rows: SeenAgain) -> float:
    """Compare neighbouring residuals: 2 where they are unrelated, 0 where each repeats the last.

    Parameters
    ----------
    rows : SeenAgain
        In the order of time.

    Returns
    -------
    float
    """
    errors = rows.errors[rows.counted]
    total = float(errors @ errors)
    return float(np.square(np.diff(errors)).sum()) / total if total > 0 else float("nan")


def jarque_bera(rows: SeenAgain) -> HypothesisTest:
    """Test whether the residuals' skewness and kurtosis are a normal distribution's.

    Parameters
    ----------
    rows : SeenAgain

    Returns
    -------
    HypothesisTest
    """
    errors = rows.errors[rows.counted]
    errors = errors - errors.mean()
    variance = float(np.mean(errors**2))
    if variance > 0:
        skewness = float(np.mean(errors**3)) / variance**1.5
        excess = float(np.mean(errors**4)) / variance**2 - 3.0
        statistic = len(errors) / 6.0 * (skewness**2 + excess**2 / 4.0)
    else:
        statistic = float("nan")
    p_value = chi2_tail(statistic, 2)
    return HypothesisTest("Jarque–Bera: residuals are normal", statistic, "chi2", (2,), p_value)


def breusch_pagan(rows: SeenAgain) -> HypothesisTest:
    """Test whether the residuals' variance is the same whatever the features.

    The squared residuals are regressed on the features; n R² is held against chi-squared.

    Parameters
    ----------
    rows : SeenAgain

    Returns
    -------
    HypothesisTest
    """
    estimates = rows.estimates
    ones = None if rows.counted.all() else rows.counted.astype(np.float64)
    factor = RFactor.from_arrays(rows.X, np.square(rows.errors), ones)
    kept = _varying(factor, estimates.kept)
    left = _left(factor, kept, 0, fit_intercept=True)
    total = float(np.square(factor.upper[:, -1]).sum())
    statistic = (
        estimates.n_rows * (1.0 - float(left[-1, -1]) ** 2 / total) if total > 0 else float("nan")
    )
    df = len(kept)
    return HypothesisTest(
        "Breusch–Pagan: residuals vary equally", statistic, "chi2", (df,), chi2_tail(statistic, df)
    )


def reset(rows: SeenAgain, power: int = 3) -> HypothesisTest:
    """Test whether powers of the fitted values add anything to the line (Ramsey's RESET).

    Parameters
    ----------
    rows : SeenAgain
    power : int, default=3
        The highest; from the square on, all are added.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    ParameterError
        If the power is below 2 or not whole.
    """
    if not isinstance(power, int) or power < 2:
        raise ParameterError(f"power is {power!r}: give a whole number from 2 on")
    estimates = rows.estimates
    fitted = rows.y.astype(np.float64) - rows.residuals
    if estimates.fit_intercept:  # which spans the same powers, with more digits
        fitted = fitted - fitted[rows.counted].mean()
    fitted /= np.abs(fitted).max(initial=np.finfo(float).tiny)
    powers = np.column_stack([fitted**k for k in range(2, power + 1)])
    factor = RFactor.from_blocks(_beside(rows, powers))
    left = _left(factor, estimates.kept, power - 1, fit_intercept=estimates.fit_intercept)
    size = np.linalg.norm(left[:, :-1], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        added = np.where(size > 1e-10 * np.linalg.norm(powers, axis=0), left[:, :-1] / size, 0.0)
        basis, values, _ = np.linalg.svd(added, full_matrices=False)
        basis = basis[:, values > 1e-10 * values.max(initial=0.0)]
        gained = float(np.square(basis.T @ left[:, -1]).sum())
        remaining = float(np.square(left[:, -1]).sum()) - gained
        q = basis.shape[1]
        df = estimates.df_resid - q
        ratio = np.float64(gained / q if q else np.nan) / np.float64(remaining)
    statistic = float(ratio * df) if df > 0 else float("nan")
    return HypothesisTest(
        f"RESET: powers of the fitted values up to {power} add nothing",
        statistic,
        "F",
        (q, df),
        f_tail(statistic, q, df),
    )


def _condition(triangle: Array) -> float:
    if triangle.size == 0:
        return 1.0
    with one_blas_thread():
        return float(np.linalg.cond(triangle))


def _varying(factor: RFactor, kept: Indices) -> Indices:
    """Leave out the features that an intercept makes dependent."""
    R = factor.system(fit_intercept=True).R[:, kept]
    size = np.linalg.norm(R, axis=0)
    kept, unit = kept[size > 0], R[:, size > 0] / size[size > 0]
    if len(kept) == 0:
        return kept
    triangle, order = qr(unit, mode="r", pivoting=True, check_finite=False)
    rank = int((np.abs(np.diagonal(triangle)) > 1e-10).sum())
    return np.sort(kept[order[:rank]])


def _beside(rows: SeenAgain, further: Array) -> Iterator[tuple[Array, Floats, Floats | None]]:
    """Give the table a block at a time, with further features beside its own."""
    table = Rows.of(rows.X, further)
    for place in table.slices():
        weights = None if rows.weights is None else rows.weights[place]
        if weights is None or weights.any():
            yield table.load(place), rows.y[place], weights


def _left(factor: RFactor, kept: Indices, added: int, *, fit_intercept: bool) -> Array:
    """Give the triangle of what some features leave of the last ones and of the target."""
    p = factor.n_features
    upper = factor.upper
    if not fit_intercept:
        upper = np.vstack([np.sqrt(factor.weight) * (factor.mean + factor.mean_error), upper])
    columns = upper[:, [*kept, *range(p - added, p + 1)]]
    k, width = len(kept), columns.shape[1]
    padded = np.vstack([columns, np.zeros((max(0, width - len(columns)), width))])
    with one_blas_thread():
        return np.asarray(np.linalg.qr(padded, mode="r"))[k:, k:]
