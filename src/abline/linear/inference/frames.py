"""Results as dataframes, with the names that R's broom gives their columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from abline.linear.inference.influence import influence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.linear.inference.result import LinearResult
    from abline.linear.inference.seen_again import SeenAgain


def terms(result: LinearResult, level: float) -> pl.DataFrame:
    """Give one row a term.

    Parameters
    ----------
    result : LinearResult
    level : float

    Returns
    -------
    polars.DataFrame
    """
    ends = result.conf_int(level).array
    return pl.DataFrame(
        {
            "term": list(result.params.labels),
            "estimate": result.params.array,
            "std_error": result.bse.array,
            "statistic": result.tvalues.array,
            "p_value": result.pvalues.array,
            "conf_low": ends[:, 0],
            "conf_high": ends[:, 1],
        }
    )


def glance(result: LinearResult) -> pl.DataFrame:
    """Give the fit in one row.

    Parameters
    ----------
    result : LinearResult

    Returns
    -------
    polars.DataFrame
    """
    return pl.DataFrame(
        {
            "r_squared": [result.rsquared],
            "adj_r_squared": [result.rsquared_adj],
            "sigma": [math.sqrt(result.scale)],
            "statistic": [result.fvalue],
            "p_value": [result.f_pvalue],
            "df": [result.df_model],
            "log_lik": [result.llf],
            "aic": [result.aic],
            "bic": [result.bic],
            "deviance": [result.ssr],
            "df_residual": [result.df_resid],
            "nobs": [result.nobs],
        }
    )


def augment(rows: SeenAgain, places: NDArray[np.intp] | None) -> pl.DataFrame:
    """Give one row a row of the table.

    Parameters
    ----------
    rows : SeenAgain
    places : array of shape (n,), int, optional
        Where the rows stand in the table given; in their order by default.

    Returns
    -------
    polars.DataFrame
    """
    found = influence(rows)
    y = rows.y.astype(np.float64)
    return pl.DataFrame(
        {
            "row": np.arange(len(y)) if places is None else places,
            "y": y,
            "fitted": y - rows.residuals,
            "residual": rows.residuals,
            "std_residual": found.std_residual,
            "leverage": found.leverage,
            "cooks_distance": found.cooks_distance,
        }
    )


def checks(result: LinearResult) -> pl.DataFrame:
    """Give all checks of the assumptions, one a row.

    Parameters
    ----------
    result : LinearResult

    Returns
    -------
    polars.DataFrame
    """
    tests = [result.jarque_bera(), result.breusch_pagan(), result.reset()]
    numbers = {
        "Durbin–Watson: 2 where neighbours are unrelated": result.durbin_watson(),
        "condition number of the scaled design": result.scaled_condition_number,
        "largest variance inflation": float(np.nanmax(result.vif().array, initial=1.0)),
    }
    return pl.DataFrame(
        {
            "check": [test.name for test in tests] + list(numbers),
            "statistic": [test.statistic for test in tests] + list(numbers.values()),
            "distribution": [test.distribution for test in tests] + [None] * len(numbers),
            "p_value": [test.p_value for test in tests] + [None] * len(numbers),
        }
    )
