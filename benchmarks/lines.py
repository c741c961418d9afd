"""The closed-form line against its peers: ``python benchmarks/lines.py [ROWS] [COLUMNS]``."""

from __future__ import annotations

import sys

import numpy as np
from harness import Contender, race, report
from sklearn.linear_model import LinearRegression, Ridge

import abline as ab


def main(rows: int = 100_000, columns: int = 50) -> None:
    rng = np.random.RandomState(0)
    X = rng.normal(size=(rows, columns))
    y = X @ rng.normal(size=columns) + rng.normal(size=rows)

    def score(model: object) -> float:
        return float(model.score(X, y))  # type: ignore[attr-defined]

    peers = [
        Contender("abline.LinearRegression", lambda: ab.LinearRegression().fit(X, y), score),
        Contender("sklearn.LinearRegression", lambda: LinearRegression().fit(X, y), score),
        Contender("numpy.linalg.lstsq", lambda: np.linalg.lstsq(X, y, rcond=None)),
        Contender("abline.Ridge", lambda: ab.Ridge(alpha=1.0).fit(X, y), score),
        Contender("sklearn.Ridge", lambda: Ridge(alpha=1.0).fit(X, y), score),
    ]
    report(f"A line, {rows:,} × {columns}, float64", race(peers))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
