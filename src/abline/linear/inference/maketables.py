"""The hooks by which the package maketables puts a result into LaTeX, Word and HTML tables.

Its plug-in format is a handful of attributes, so neither package needs the other; the one that
gives a pandas frame is only ever read by maketables, which has pandas. Releases that look for
statsmodels' names first find those, and the same numbers.
"""

from __future__ import annotations

import math
from typing import Any

#: maketables' names of statistics, and the attributes that have them
_STATS = {
    "N": "nobs",
    "r2": "rsquared",
    "adj_r2": "rsquared_adj",
    "fvalue": "fvalue",
    "f_pvalue": "f_pvalue",
    "aic": "aic",
    "bic": "bic",
    "ll": "llf",
    "df_model": "df_model",
    "df_resid": "df_resid",
    "se_type": "cov_type",
}


class MakeTables:
    """Give a result maketables' hooks."""

    @property
    def __maketables_coef_table__(self) -> Any:
        """A pandas frame with columns b, se, t, p and ends of intervals, one row a term."""
        import pandas as pd

        result: Any = self
        wide, narrow = result.conf_int(0.95).array, result.conf_int(0.90).array
        return pd.DataFrame(
            {
                "b": result.params.array,
                "se": result.bse.array,
                "t": result.tvalues.array,
                "p": result.pvalues.array,
                "ci95l": wide[:, 0],
                "ci95u": wide[:, 1],
                "ci90l": narrow[:, 0],
                "ci90u": narrow[:, 1],
            },
            index=pd.Index(result.params.labels, name="Coefficient"),
        )

    def __maketables_stat__(self, key: str) -> Any:
        """Give a statistic by maketables' name for it, None where there is none of that name."""
        result: Any = self
        if key == "rmse":
            return math.sqrt(result.scale)
        return getattr(result, _STATS[key]) if key in _STATS else None

    @property
    def __maketables_depvar__(self) -> str:
        """The name of the target."""
        result: Any = self
        return str(result.target_name)

    @property
    def __maketables_vcov_info__(self) -> dict[str, str]:
        """Which covariance the standard errors are from."""
        result: Any = self
        return {"vcov_type": result.cov_type}

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        """The statistics that a table shows unless told otherwise."""
        return ["N", "r2", "adj_r2"]
