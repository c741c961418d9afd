"""The distributions that test statistics are held against: t, normal, F and chi-squared."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from abline.errors import ParameterError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """What an estimate divided by its standard error is held against.

    Attributes
    ----------
    df : float, or None
        Degrees of freedom of a t distribution; None for the normal one.
    """

    df: float | None

    @property
    def letter(self) -> str:
        """``"t"`` or ``"z"``."""
        return "z" if self.df is None else "t"

    @property
    def name(self) -> str:
        """Words for it, in running text."""
        return "the normal distribution" if self.df is None else f"t with {self.df:,.0f} df"

    def p_values(self, statistic: Array) -> Array:
        """Give the probability of a larger absolute value, NaN where it is not defined."""
        size = -np.abs(statistic)
        if self.df is None:
            return np.asarray(2.0 * ndtr(size))
        if self.df <= 0:
            return np.full_like(size, np.nan)
        return np.asarray(2.0 * stdtr(self.df, size))

    def half_width(self, level: float) -> float:
        """Give how many standard errors an interval of that level reaches to each side.

        Raises
        ------
        ParameterError
            If the level is not between 0 and 1.
        """
        if not isinstance(level, Real) or not 0 < level < 1:
            raise ParameterError(f"level is {level!r}: give a number between 0 and 1, such as 0.95")
        tail = 0.5 * (1.0 - level)
        if self.df is None:
            return float(-ndtri(tail))
        return float(-stdtrit(self.df, tail)) if self.df > 0 else float("nan")


def f_tail(statistic: float, df: float, df_denominator: float) -> float:
    """Give the probability that an F variable is larger, NaN where it is not defined.

    Examples
    --------
    >>> round(f_tail(4.0, 2, 10), 6)
    0.052922
    """
    if not (df > 0 and df_denominator > 0) or np.isnan(statistic):
        return float("nan")
    return float(fdtrc(df, df_denominator, max(statistic, 0.0)))


def chi2_tail(statistic: float, df: float) -> float:
    """Give the probability that a chi-squared variable is larger.

    Examples
    --------
    >>> round(chi2_tail(5.991465, 2), 6)
    0.05
    """
    if df <= 0 or np.isnan(statistic):
        return float("nan")
    return float(chdtrc(df, max(statistic, 0.0)))
