"""The linear core against its peers: ``python benchmarks/linear.py [JOB …] [--json FOLDER]``.

Without a job, all of them; ``--list`` names them. Contenders run in turn in one process on the
same float64 data, each at the better of one and two threads, and the median of several runs counts.
Where an answer is approximate, its quality is printed beside.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import celer
import numpy as np
import skglm
import statsmodels.api as sm
from harness import Contender, Timing, race, report
from sklearn import linear_model as peers
from sklearnex.linear_model import LinearRegression as IntelLinearRegression

import abline as ab

if TYPE_CHECKING:
    from collections.abc import Callable


def table(n: int, p: int) -> tuple[Any, Any]:
    """A table of independent normal features, a tenth of them without effect."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    coef = rng.standard_normal(p) * (rng.random(p) < 0.9)
    return X, X @ coef + 3 * rng.standard_normal(n)


def least_squares(n: int, p: int, runs: int) -> list[Timing]:
    X, y = table(n, p)

    def rss(model: Any) -> float:
        return float(np.square(y - model.predict(X)).sum())

    return race(
        [
            Contender("abline", lambda: ab.LinearRegression().fit(X, y), rss),
            Contender("scikit-learn", lambda: peers.LinearRegression().fit(X, y), rss),
            Contender("scikit-learn-intelex", lambda: IntelLinearRegression().fit(X, y), rss),
        ],
        runs=runs,
    )


def inference() -> list[Timing]:
    X, y = table(200_000, 50)

    def ours() -> Any:
        result = ab.LinearRegression().fit(X, y).summary(X, y, cov="HC1")
        return result, result.bse, result.pvalues, result.conf_int(), result.rsquared, result.llf

    def theirs() -> Any:
        result = sm.OLS(y, sm.add_constant(X)).fit(cov_type="HC1")
        return result, result.bse, result.pvalues, result.conf_int(), result.rsquared, result.llf

    def size(answer: Any) -> float:
        return float(np.sum(np.asarray(answer[1])))

    return race([Contender("abline", ours, size), Contender("statsmodels", theirs, size)], runs=5)


def ridge_folds() -> list[Timing]:
    X, y = table(200_000, 100)
    alphas = np.geomspace(1e-2, 1e6, 100)

    def chosen(model: Any) -> float:
        return float(model.alpha_)

    return race(
        [
            Contender("abline", lambda: ab.RidgeCV(alphas, cv=5).fit(X, y), chosen),
            Contender("scikit-learn", lambda: peers.RidgeCV(alphas, cv=5).fit(X, y), chosen),
        ],
        runs=1,
        threads=(2,),
    )


def ridge_once() -> list[Timing]:
    X, y = table(50_000, 30)

    def rss(model: Any) -> float:
        return float(np.square(y - model.predict(X)).sum())

    return race(
        [
            Contender("abline", lambda: ab.Ridge().fit(X, y), rss),
            Contender("scikit-learn", lambda: peers.Ridge().fit(X, y), rss),
            Contender("abline, leave-one-out", lambda: ab.RidgeCV().fit(X, y), rss),
            Contender("scikit-learn, leave-one-out", lambda: peers.RidgeCV().fit(X, y), rss),
        ]
    )


def lasso_folds() -> list[Timing]:
    X, y = table(200_000, 100)

    def gap(model: Any) -> float:
        return float(model.dual_gap_)

    return race(
        [
            Contender("abline", lambda: ab.LassoCV(cv=5).fit(X, y), gap),
            Contender("scikit-learn", lambda: peers.LassoCV(cv=5).fit(X, y), gap),
        ],
        runs=3,
    )


def wide_table() -> tuple[Any, Any, float]:
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((200, 20_000)))
    coef = np.zeros(20_000)
    coef[:20] = rng.standard_normal(20)
    y = X @ coef + 0.5 * rng.standard_normal(200)
    centred = y - y.mean()
    return X, y, float(np.abs(X.T @ centred).max() / len(y))


def wide_lasso() -> list[Timing]:
    X, y, largest = wide_table()
    alpha = largest / 100
    n = len(y)

    def objective(model: Any) -> float:
        left = y - X @ model.coef_.ravel() - model.intercept_
        return float(left @ left / (2 * n) + alpha * np.abs(model.coef_).sum())

    best = objective(peers.Lasso(alpha, tol=1e-12, max_iter=1_000_000).fit(X, y))

    def excess(model: Any) -> float:
        return (objective(model) - best) / best

    # stopping rules differ; each has the tolerance that leaves about the same excess
    return race(
        [
            Contender("abline", lambda: ab.Lasso(alpha, tol=1e-7).fit(X, y), excess),
            Contender("celer", lambda: celer.Lasso(alpha, tol=1e-6).fit(X, y), excess),
            Contender("skglm", lambda: skglm.Lasso(alpha, tol=1e-6).fit(X, y), excess),
            Contender(
                "scikit-learn",
                lambda: peers.Lasso(alpha, tol=1e-7, max_iter=100_000).fit(X, y),
                excess,
            ),
        ],
        runs=3,
    )


def wide_path() -> list[Timing]:
    X, y, largest = wide_table()
    X, y = X - X.mean(axis=0), y - y.mean()
    X = np.asfortranarray(X)
    alphas = np.geomspace(largest, largest / 100, 100)
    n = len(y)

    def worst(answer: Any) -> float:
        """The largest certified gap along the path, in units of the objective at zero."""
        gaps = []
        for alpha, b in zip(answer[0], answer[1].T, strict=True):
            left = y - X @ b
            dual = left / max(1.0, np.abs(X.T @ left).max() / (alpha * n))
            primal = left @ left / (2 * n) + alpha * np.abs(b).sum()
            lower = (y @ y - (y - dual) @ (y - dual)) / (2 * n)
            gaps.append((primal - lower) / (y @ y / (2 * n)))
        return float(max(gaps))

    return race(
        [
            Contender("abline", lambda: ab.lasso_path(X, y, alphas=alphas, tol=1e-6), worst),
            Contender(
                "celer",
                lambda: celer.celer_path(X, y, "lasso", alphas=alphas, tol=1e-6),
                worst,
            ),
            Contender(
                "skglm",
                lambda: skglm.Lasso(tol=1e-6, fit_intercept=False).path(X, y, alphas),
                worst,
            ),
            Contender(
                "scikit-learn",
                lambda: peers.lasso_path(X, y, alphas=alphas, tol=1e-6, max_iter=100_000),
                worst,
            ),
        ],
        runs=2,
    )


JOBS: dict[str, tuple[str, Callable[[], list[Timing]]]] = {
    "long": ("OLS, 200,000 × 100", lambda: least_squares(200_000, 100, 5)),
    "square": ("OLS, 20,000 × 500", lambda: least_squares(20_000, 500, 5)),
    "narrow": ("OLS, 1,000,000 × 20", lambda: least_squares(1_000_000, 20, 7)),
    "small": ("OLS, 300 × 5", lambda: least_squares(300, 5, 100)),
    "inference": ("OLS with full inference and HC1, 200,000 × 50", inference),
    "ridge": ("Ridge, 50,000 × 30", ridge_once),
    "ridge-cv": ("RidgeCV, 100 penalties, 5 folds, 200,000 × 100", ridge_folds),
    "lasso-cv": ("LassoCV, 100 penalties, 5 folds, 200,000 × 100", lasso_folds),
    "wide": ("Lasso, 200 × 20,000, a hundredth of the largest penalty", wide_lasso),
    "wide-path": ("Lasso path, 200 × 20,000, 100 penalties", wide_path),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", help="default: all")
    parser.add_argument("--list", action="store_true", help="name the jobs and stop")
    parser.add_argument("--json", type=Path, help="a folder for the figures")
    given = parser.parse_args()
    if given.list:
        for name, (title, _) in JOBS.items():
            print(f"{name:<12}{title}")
        return
    warnings.simplefilter("ignore")  # of peers that stop before they converge
    for name in given.jobs or JOBS:
        title, job = JOBS[name]
        path = None if given.json is None else given.json / f"{name}.json"
        report(title, job(), path)
        print()


if __name__ == "__main__":
    main()
