"""A line with inference beside statsmodels: ``python benchmarks/inference.py [ROWS] [COLUMNS]``.

Each makes the table that it prints: estimates, standard errors, tests, intervals, R², F and the
information criteria. The quality is the largest standard error.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import statsmodels.api as sm
from harness import Contender, race, report

import abline as ab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table = NDArray[np.float64]


def ours(X: Table, y: Table, cov: str) -> Any:
    result = ab.ols(X, y, cov=cov)
    str(result)
    return result


def theirs(X: Table, y: Table, cov: str, method: str) -> Any:
    result = sm.OLS(y, sm.add_constant(X)).fit(method=method, cov_type=cov)
    result.summary().as_text()
    return result


def largest(result: Any) -> float:
    return float(np.max(np.asarray(result.bse)))


def table(rows: int, columns: int) -> tuple[Table, Table]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    noise = rng.normal(size=rows) * (1 + np.abs(X[:, 0]))
    return X, X @ rng.normal(size=columns) + noise


def main(rows: int = 200_000, columns: int = 50) -> None:
    X, y = table(rows, columns)
    for cov in ("HC1", "nonrobust", "HC3"):
        contenders = [
            Contender("abline.ols", lambda cov=cov: ours(X, y, cov), largest),
            Contender("statsmodels OLS", lambda cov=cov: theirs(X, y, cov, "pinv"), largest),
            Contender("statsmodels OLS, qr", lambda cov=cov: theirs(X, y, cov, "qr"), largest),
        ]
        report(f"A line with {cov} errors, {rows:,} × {columns}, float64", race(contenders, runs=3))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
