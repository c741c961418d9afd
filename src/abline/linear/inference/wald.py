"""Wald tests of what a hypothesis says about linear combinations of the terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.errors import ParameterError
from abline.linear.inference.hypothesis import HypothesisTest
from abline.linear.inference.reference import f_tail
from abline.linear.threads import one_blas_thread
from abline.linear.triangular import solve_upper

if TYPE_CHECKING:
    from abline.linear.inference.covariance import Covariance
    from abline.linear.inference.estimates import Estimates
    from abline.linear.inference.restrictions import Restrictions

Array = NDArray[np.float64]


def wald_test(
    estimates: Estimates, covariance: Covariance, restrictions: Restrictions
) -> HypothesisTest:
    """Test restrictions: one as t (or z), several as F.

    Parameters
    ----------
    estimates : Estimates
    covariance : Covariance
    restrictions : Restrictions
        On all terms.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    ParameterError
        If a term cannot be estimated, or restrictions repeat or contradict each other.
    """
    matrix, values = restrictions.matrix, restrictions.values
    if not matrix.any(axis=1).all():
        raise ParameterError(
            "a restriction has no term, so that nothing is tested: give each row of the matrix a "
            "number that is not zero"
        )
    _refuse_inestimable(estimates, matrix)
    matrix = matrix[:, estimates.places]
    difference = matrix @ estimates.estimated - values
    if len(matrix) == 1:
        variance = covariance.of(matrix)
        error = float(np.sqrt(variance[0, 0])) if variance[0, 0] >= 0 else float("nan")
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = difference / error
        reference = covariance.reference
        return HypothesisTest(
            restrictions.name,
            float(ratio[0]),
            reference.letter,
            () if reference.df is None else (reference.df,),
            float(reference.p_values(ratio)[0]),
            float(difference[0]),
            error,
        )
    if np.linalg.matrix_rank(_unit_rows(matrix)) < len(matrix):
        raise ParameterError(
            f"the restrictions {restrictions.name!r} repeat or contradict each other: leave out "
            "those that follow from the rest"
        )
    statistic, df = quadratic_form(difference, matrix, covariance)
    dfs = (float(df), covariance.df_resid)
    return HypothesisTest(restrictions.name, statistic, "F", dfs, f_tail(statistic, *dfs))


def overall_test(estimates: Estimates, covariance: Covariance) -> HypothesisTest:
    """Test whether the line is better than a constant (or zero, without one) at all.

    Parameters
    ----------
    estimates : Estimates
    covariance : Covariance

    Returns
    -------
    HypothesisTest
        NaN where there is nothing but a constant; also, with robust errors, where the constant is
        a combination of columns.
    """
    df, statistic = estimates.df_model, float("nan")
    if covariance.kind == "nonrobust":
        explained = max(estimates.total_squares - estimates.residual_squares, 0.0)
        if df > 0 and estimates.df_resid > 0:
            with np.errstate(divide="ignore", invalid="ignore"):
                statistic = float(np.float64(explained / df) / np.float64(estimates.scale))
    elif df > 0 and estimates.constant != -1:
        others = estimates.places != estimates.constant
        directions = np.eye(estimates.rank)[others]
        statistic, df = quadratic_form(estimates.estimated[others], directions, covariance)
    dfs = (float(df), covariance.df_resid)
    return HypothesisTest("all terms are zero", statistic, "F", dfs, f_tail(statistic, *dfs))


def quadratic_form(
    difference: Array, directions: Array, covariance: Covariance
) -> tuple[float, int]:
    """Measure a difference in units of its covariance.

    Parameters
    ----------
    difference : array of shape (q,)
    directions : array of shape (q, r)
        The independent combinations of terms that it is one of.
    covariance : Covariance
        Of lower rank where there are fewer clusters than terms.

    Returns
    -------
    statistic : float
        Per degree of freedom.
    df : int
        The rank.
    """
    with one_blas_thread():
        # in orthonormal directions, units and collinearity play no part in the rank
        basis, triangle = np.linalg.qr((directions @ covariance.root).T)
        standard = solve_upper(triangle, difference[:, None], transposed=True)[:, 0]
        middle = basis.T @ covariance.middle @ basis
        if not np.isfinite(middle).all():
            return float("nan"), len(difference)
        df = int(np.linalg.matrix_rank(middle, hermitian=True))
        form = standard @ np.linalg.pinv(middle, hermitian=True) @ standard
    return (float(form) / df if df else float("nan")), df


def _refuse_inestimable(estimates: Estimates, matrix: Array) -> None:
    used = np.flatnonzero(matrix.any(axis=0))
    lost = np.setdiff1d(used, estimates.places)
    if len(lost):
        raise ParameterError(
            f"{estimates.terms[lost[0]]!r} cannot be estimated from these rows, because it depends "
            "on other terms: test restrictions on the others"
        )


def _unit_rows(matrix: Array) -> Array:
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True))
