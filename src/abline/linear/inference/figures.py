"""What describes a whole fit in one number each, by statsmodels' names."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

from abline.linear.inference import diagnostics
from abline.linear.inference.wald import overall_test

if TYPE_CHECKING:
    from abline.linear.inference.covariance import Covariance
    from abline.linear.inference.estimates import Estimates
    from abline.linear.inference.hypothesis import HypothesisTest


class Figures:
    """Degrees of freedom, sums of squares and criteria of a fit.

    Attributes
    ----------
    estimates : Estimates
    covariance : Covariance
    """

    def __init__(self, estimates: Estimates, covariance: Covariance) -> None:
        self.estimates = estimates
        self.covariance = covariance

    @property
    def cov_type(self) -> str:
        """Which covariance the standard errors are from."""
        return self.covariance.kind

    @property
    def use_t(self) -> bool:
        """Whether estimates are held against t rather than the normal distribution."""
        return self.covariance.reference.df is not None

    @property
    def weighted(self) -> bool:
        """Whether rows have weights other than one."""
        found = self.estimates
        return found.log_weight != 0.0 or found.root.weight != found.n_rows

    @property
    def nobs(self) -> int:
        """Rows with a weight above zero."""
        return self.estimates.n_rows

    @property
    def df_resid(self) -> int:
        """Rows less estimated terms."""
        return self.estimates.df_resid

    @property
    def df_model(self) -> int:
        """Estimated terms less the constant."""
        return self.estimates.df_model

    @property
    def ssr(self) -> float:
        """Sum of squared residuals, weighted."""
        return self.estimates.residual_squares

    @property
    def scale(self) -> float:
        """Variance of the residuals, with df_resid as its divisor."""
        return self.estimates.scale

    @property
    def rsquared(self) -> float:
        """The part of y's sum of squares that is explained; about zero without a constant."""
        total = self.estimates.total_squares
        return 1.0 - self.ssr / total if total > 0 else math.nan

    @property
    def rsquared_adj(self) -> float:
        """The same with variances in place of sums of squares."""
        if self.df_resid <= 0:
            return math.nan
        df_total = self.nobs - (self.estimates.constant is not None)
        return 1.0 - df_total / self.df_resid * (1.0 - self.rsquared)

    @cached_property
    def overall(self) -> HypothesisTest:
        """F test of the hypothesis that all terms but the constant are zero."""
        return overall_test(self.estimates, self.covariance)

    @property
    def fvalue(self) -> float:
        """Its F statistic."""
        return self.overall.statistic

    @property
    def f_pvalue(self) -> float:
        """Its p-value."""
        return self.overall.p_value

    @property
    def llf(self) -> float:
        """Logarithm of the likelihood with normal errors, whose variance is ssr / n."""
        if self.ssr <= 0:
            return math.inf
        half = 0.5 * self.nobs
        constant = half * (1.0 + math.log(math.pi / half))
        return -half * math.log(self.ssr) - constant + 0.5 * self.estimates.log_weight

    @property
    def aic(self) -> float:
        """Akaike's criterion, with the estimated terms as parameters."""
        return -2.0 * self.llf + 2.0 * self._n_parameters

    @property
    def bic(self) -> float:
        """Schwarz's criterion, with the estimated terms as parameters."""
        return -2.0 * self.llf + math.log(self.nobs) * self._n_parameters

    @property
    def _n_parameters(self) -> int:
        return self.df_model + (self.estimates.constant is not None)

    @cached_property
    def condition_number(self) -> float:
        """Ratio of the design's largest to its smallest singular value, units and all."""
        return diagnostics.condition_number(self.estimates)

    @cached_property
    def scaled_condition_number(self) -> float:
        """The same of features about their means and of unit norm: above 30 they are collinear."""
        return diagnostics.scaled_condition_number(self.estimates)
