"""Least squares with inference in one call, from a formula or from arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.errors import ParameterError
from abline.linear.inference.summarise import summarise
from abline.linear.linear_regression import LinearRegression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abline.linear.inference.result import LinearResult


def ols(
    formula: Any,
    data: Any,
    *,
    cov: str = "nonrobust",
    groups: Any = None,
    sample_weight: Any = None,
    fit_intercept: bool = True,
    use_t: bool | None = None,
    context: Mapping[str, Any] | None = None,
) -> LinearResult:
    """Fit a line by least squares and say how sure its coefficients are.

    Parameters
    ----------
    formula : str, or array or dataframe of shape (n, p)
        ``"price ~ log(area) + C(district)"``: a target and terms on the columns of a table
        (`+`, `:`, `*`, `- 1`, `C`, `poly`, `bs`, `.` and more, see formulaic's grammar). A
        formula is evaluated as code, so take none from strangers. Or the features themselves.
    data : dataframe, or array of shape (n,)
        The formula's table, whose rows with missing cells are left out; or the target.
    cov : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"}
        What the standard errors allow for: nothing, unequal variances, errors related within
        clusters.
    groups : array of shape (n,) or (n, 2), or one or two names of columns, optional
        The clusters, for ``cov="cluster"``.
    sample_weight : array of shape (n,), or the name of a column, optional
        Inverse variances up to a factor (weighted least squares).
    fit_intercept : bool, default=True
        Without a formula, whether there is an intercept.
    use_t : bool, optional
        Whether estimates are held against t. By default only with ``cov="nonrobust"``, as in
        statsmodels; the normal distribution serves the robust ones.
    context : mapping, optional
        Functions and values by the names that the formula uses for them.

    Returns
    -------
    LinearResult
        It keeps a reference to the rows.

    Raises
    ------
    ParameterError
        If the formula cannot be read or names an unknown column, or an option cannot be that.
    DataError
        If the table cannot be used.

    Examples
    --------
    >>> import polars as pl
    >>> homes = pl.DataFrame({"area": [50, 80, 65, 120], "price": [110, 190, 135, 260]})
    >>> result = ols("price ~ area", homes)
    >>> round(float(result.params["area"]), 4)
    2.1862
    """
    extra: dict[str, Any] = {}
    if isinstance(formula, str):
        from abline.linear.inference.formula import read_formula

        if not fit_intercept:
            raise ParameterError("fit_intercept is for arrays: write '- 1' in the formula instead")
        read = read_formula(
            formula, data, groups=groups, sample_weight=sample_weight, context=context or {}
        )
        formula, data, groups, sample_weight = read.X, read.y, read.groups, read.weights
        fit_intercept = read.design.fit_intercept
        extra = {
            "design": read.design,
            "features": read.design.features,
            "target_name": read.target_name,
            "notes": read.notes,
        }
    elif context is not None:
        raise ParameterError("context is for formulas: leave it out where arrays are given")
    model = LinearRegression(fit_intercept=fit_intercept).fit(formula, data, sample_weight)
    return summarise(
        model,
        formula,
        data,
        cov=cov,
        groups=groups,
        sample_weight=sample_weight,
        use_t=use_t,
        fitted=True,
        **extra,
    )
