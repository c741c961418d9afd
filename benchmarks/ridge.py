"""Ridge and RidgeCV against scikit-learn's: ``python benchmarks/ridge.py [NAME ...]``.

Without a name all jobs run; the K-fold one alone takes scikit-learn minutes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from harness import Contender, race, report
from sklearn import linear_model

import abline as ab

if TYPE_CHECKING:
    from collections.abc import Callable

Table = tuple[np.ndarray, np.ndarray]

PENALTIES = np.logspace(-3, 5, 100)


def table(rows: int, columns: int) -> Table:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    return X, X @ rng.normal(size=columns) + 3.0 * rng.normal(size=rows)


def against(title: str, data: Table, make: Callable[[object], object], runs: int) -> None:
    X, y = data

    def coefficients(model: object) -> float:
        return float(np.linalg.norm(model.coef_))  # type: ignore[attr-defined]

    peers = [
        Contender("abline", lambda: make(ab).fit(X, y), coefficients),  # type: ignore[attr-defined]
        Contender(
            "scikit-learn",
            lambda: make(linear_model).fit(X, y),  # type: ignore[attr-defined]
            coefficients,
        ),
    ]
    rows, columns = X.shape
    threads = (2,) if runs == 1 else (1, 2)
    report(f"{title}, {rows:,} × {columns:,}, float64", race(peers, runs=runs, threads=threads))


def ridge(library: object) -> object:
    return library.Ridge(1.0)  # type: ignore[attr-defined]


def one_by_one(library: object) -> object:
    return library.RidgeCV()  # type: ignore[attr-defined]


def by_fold(library: object) -> object:
    return library.RidgeCV(PENALTIES, cv=5)  # type: ignore[attr-defined]


JOBS: dict[str, Callable[[], None]] = {
    "small": lambda: against("Ridge", table(300, 5), ridge, 200),
    "small-cv": lambda: against("RidgeCV, rows left out singly", table(300, 5), one_by_one, 200),
    "ridge": lambda: against("Ridge", table(50_000, 30), ridge, 5),
    "large": lambda: against("Ridge", table(200_000, 100), ridge, 5),
    "wide": lambda: against("Ridge", table(200, 20_000), ridge, 5),
    "one-by-one": lambda: against(
        "RidgeCV, rows left out singly", table(50_000, 30), one_by_one, 5
    ),
    "folds": lambda: against("RidgeCV, 100 penalties, 5 folds", table(200_000, 100), by_fold, 1),
}


def main(*names: str) -> None:
    for name in names or JOBS:
        JOBS[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
