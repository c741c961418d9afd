"""What a least-squares fit says, with standard errors: the object that ``summary`` gives."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError
from abline.linear.inference import diagnostics, interval, wald
from abline.linear.inference.figures import Figures
from abline.linear.inference.labelled import Labelled
from abline.linear.inference.maketables import MakeTables
from abline.linear.inference.restrictions import read_restrictions
from abline.tables.arrays import check_features

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from abline.linear.inference.covariance import Covariance
    from abline.linear.inference.design import Design
    from abline.linear.inference.estimates import Estimates
    from abline.linear.inference.hypothesis import HypothesisTest
    from abline.linear.inference.influence import Influence
    from abline.linear.inference.seen_again import SeenAgain

Array = NDArray[np.float64]


class LinearResult(Figures, MakeTables):
    """Estimates of a least-squares fit with their standard errors, tests and intervals.

    It prints as a table, in a notebook as HTML. Names are those of statsmodels' results, and so
    are the conventions, which stand below the table. Terms that cannot be estimated, because they
    depend on others, are NaN; of a dependent set the first columns are kept, as in R.

    Made by ``LinearRegression.summary`` and by `ols`, not by calling it.

    Attributes
    ----------
    model : LinearRegression
        The fitted model.
    target_name : str
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"}
    use_t : bool
        Whether estimates are held against t; against the normal distribution otherwise.
    notes : tuple of str
        What else a reader should know, one sentence each.
    estimates : Estimates
        What the fit says before any assumption on its errors.
    covariance : Covariance
        Of the terms that can be estimated, and what they are held against.

    Examples
    --------
    >>> from abline import LinearRegression
    >>> X, y = [[1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 2.0, 5.0]
    >>> result = LinearRegression().fit(X, y).summary()
    >>> round(float(result.params["x0"]), 6), round(result.rsquared, 6)
    (1.1, 0.691429)
    """

    def __init__(
        self,
        model: Any,
        estimates: Estimates,
        covariance: Covariance,
        *,
        rows: SeenAgain | Callable[[], SeenAgain] | None = None,
        design: Design | None = None,
        target_name: str = "y",
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(estimates, covariance)
        self.model = model
        self.target_name = target_name
        self.notes = notes
        self._rows = rows
        self._design = design

    @property
    def endog_names(self) -> str:
        """The target's name, by statsmodels' name for it."""
        return self.target_name

    @cached_property
    def params(self) -> Labelled:
        """Estimates, one a term, in units of y per unit of the term."""
        return self._labelled(self.estimates.estimated)

    @cached_property
    def bse(self) -> Labelled:
        """Standard errors."""
        return self._labelled(self.covariance.standard_errors)

    @cached_property
    def tvalues(self) -> Labelled:
        """Estimates over their standard errors."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return Labelled(self.params / self.bse, self.params.labels)

    @cached_property
    def pvalues(self) -> Labelled:
        """Probabilities of larger values of either sign, were the term zero."""
        reference = self.covariance.reference
        return Labelled(reference.p_values(self.tvalues.array), self.params.labels)

    def conf_int(self, level: float = 0.95, *, alpha: float | None = None) -> Labelled:
        """Give intervals that cover each term with some probability.

        Parameters
        ----------
        level : float, default=0.95
        alpha : float, optional
            One minus the level, for those who are used to statsmodels.

        Returns
        -------
        Labelled of shape (m, 2)
            Columns ``"low"`` and ``"high"``.

        Raises
        ------
        ParameterError
            If the level is not between 0 and 1.
        """
        level = level if alpha is None else 1.0 - alpha
        half = self.covariance.reference.half_width(level) * self.bse.array
        ends = np.column_stack([self.params.array - half, self.params.array + half])
        return Labelled(ends, self.params.labels, ("low", "high"))

    def cov_params(self) -> Labelled:
        """Give the covariance of the estimates.

        Returns
        -------
        Labelled of shape (m, m)
            NaN in rows and columns of terms that cannot be estimated.
        """
        spread = self.estimates.spread
        full = spread(spread(self.covariance.matrix).T).T
        return Labelled(full, self.params.labels, self.params.labels)

    def vif(self) -> Labelled:
        """Give variance inflation factors: how much the other terms cost each one's precision.

        Returns
        -------
        Labelled of shape (p,)
            One a feature, at least 1; above 10 a term is hard to tell from the others.
        """
        answer = np.full(len(self.estimates.features), np.nan)
        answer[self.estimates.kept] = diagnostics.inflation(self.estimates)
        return Labelled(answer, self.estimates.features)

    def wald_test(self, restrictions: Any) -> HypothesisTest:
        """Test linear restrictions: one as t (or z), several as F.

        Parameters
        ----------
        restrictions : str, sequence of str, mapping, matrix or pair of matrix and values
            ``"area = 2 * rooms, age = 0"``, say; a matrix has one column a term, and its
            combinations are said to be zero unless values come with it.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        ParameterError
            If the restrictions cannot be read or tested.

        Examples
        --------
        >>> from abline import LinearRegression
        >>> X, y = [[1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 2.0, 5.0]
        >>> print(LinearRegression().fit(X, y).summary().wald_test("x0 = 1"))
        x0 = 1: t(2) = 0.1925, p = 0.865
        """
        found = read_restrictions(restrictions, self.params.labels)
        return wald.wald_test(self.estimates, self.covariance, found)

    def predict(self, X: Any) -> NDArray[np.floating[Any]]:
        """Predict the target of new rows.

        Parameters
        ----------
        X : array or dataframe
            A dataframe with the formula's columns, where there was one; features otherwise.

        Returns
        -------
        array of shape (n,)
            NaN where a cell that a formula needs is missing.
        """
        if self._design is not None:
            features, complete = self._design.rows(X)
            answer = np.full(len(complete), np.nan)
            if complete.any():
                answer[complete] = self.model.predict(features)
            return answer
        predicted = np.asarray(self.model.predict(X))
        return predicted if predicted.ndim == 1 else predicted[:, self.estimates.target]

    def predict_interval(self, X: Any, level: float = 0.95, kind: str = "mean") -> Array:
        """Give an interval for each new row, with these standard errors.

        Parameters
        ----------
        X : array or dataframe
            As in `predict`.
        level : float, default=0.95
        kind : {"mean", "observation"}
            For the mean of all rows like this one, or for a single one.

        Returns
        -------
        array of shape (n, 2), in units of y

        Raises
        ------
        ParameterError
            If ``level`` or ``kind`` cannot be what it is.
        """
        if self._design is None:
            features, complete = check_features(self.model, X, accept_sparse=True), None
        else:
            features, complete = self._design.rows(X)
        found = interval.predict_interval(
            self.estimates, self.covariance, features, level=level, kind=kind
        )
        if complete is None:
            return found
        answer = np.full((len(complete), 2), np.nan)
        answer[complete] = found
        return answer

    @property
    def resid(self) -> Array:
        """Residuals, of shape (n,), in units of y; needs the rows."""
        return self._seen("resid").residuals

    @property
    def fittedvalues(self) -> Array:
        """Predictions of the fitted rows, of shape (n,); needs the rows."""
        rows = self._seen("fittedvalues")
        return rows.y.astype(np.float64) - rows.residuals

    def durbin_watson(self) -> float:
        """Compare neighbouring residuals: 2 where they are unrelated; needs the rows."""
        return diagnostics.durbin_watson(self._seen("durbin_watson"))

    def jarque_bera(self) -> HypothesisTest:
        """Test whether the residuals are normal, by skewness and kurtosis; needs the rows."""
        return diagnostics.jarque_bera(self._seen("jarque_bera"))

    def breusch_pagan(self) -> HypothesisTest:
        """Test whether the residuals' variance depends on the features; needs the rows."""
        return diagnostics.breusch_pagan(self._seen("breusch_pagan"))

    def reset(self, power: int = 3) -> HypothesisTest:
        """Test whether the relation bends (Ramsey's RESET); needs the rows.

        Parameters
        ----------
        power : int, default=3
            The highest power of the fitted values that is added.
        """
        return diagnostics.reset(self._seen("reset"), power)

    def influence(self) -> Influence:
        """Measure how much each row decides, as plain arrays; needs the rows."""
        from abline.linear.inference.influence import influence

        return influence(self._seen("influence"))

    def to_frame(self, level: float = 0.95) -> pl.DataFrame:
        """Give one row a term.

        Parameters
        ----------
        level : float, default=0.95
            Of the intervals.

        Returns
        -------
        polars.DataFrame
            Columns ``term``, ``estimate``, ``std_error``, ``statistic``, ``p_value``,
            ``conf_low``, ``conf_high``.
        """
        from abline.linear.inference import frames

        return frames.terms(self, level)

    def glance(self) -> pl.DataFrame:
        """Give the fit in one row.

        Returns
        -------
        polars.DataFrame
            Columns ``r_squared``, ``adj_r_squared``, ``sigma``, ``statistic``, ``p_value``, ``df``,
            ``log_lik``, ``aic``, ``bic``, ``deviance``, ``df_residual``, ``nobs``.
        """
        from abline.linear.inference import frames

        return frames.glance(self)

    def augment(self) -> pl.DataFrame:
        """Give one row a row of the table; needs the rows.

        Returns
        -------
        polars.DataFrame
            Columns ``row`` (its place in the table given), ``y``, ``fitted``, ``residual``,
            ``std_residual``, ``leverage``, ``cooks_distance``.
        """
        from abline.linear.inference import frames

        places = None if self._design is None else self._design.used
        return frames.augment(self._seen("augment"), places)

    def diagnostics(self) -> pl.DataFrame:
        """Give all checks of the assumptions, one a row; needs the rows.

        Returns
        -------
        polars.DataFrame
            Columns ``check``, ``statistic``, ``distribution``, ``p_value``.
        """
        from abline.linear.inference import frames

        return frames.checks(self)

    def __str__(self) -> str:
        from abline.linear.inference.text import text_table

        return text_table(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from abline.linear.inference.html import html_table

        return html_table(self)

    def _labelled(self, values: Array) -> Labelled:
        return Labelled(self.estimates.spread(values), self.estimates.terms)

    def _seen(self, what: str) -> SeenAgain:
        if self._rows is None:
            raise DataError(
                f"{what} needs the rows that the model was fitted on: give them again, as in "
                f"model.summary(X, y).{what}"
            )
        if callable(self._rows):  # not looked at so far
            self._rows = self._rows()
        return self._rows
