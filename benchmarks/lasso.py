"""The lasso against its peers: ``python benchmarks/lasso.py [JOB …]``; ``--list`` names the jobs.

Peers stop by rules of their own, so each gets the loosest tolerance whose answer is near enough
to the best: its objective, relative to y's mean square, at most 1e-8 above (the last column). All
contenders run in turn in one process on the same float64 data, each at the better of one and two
threads, and the median counts. Numba compiles before the clock starts; what that takes in a fresh
process with an empty cache is a job of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import celer
import numpy as np
import skglm
from harness import Contender, race, report
from scipy import sparse
from sklearn import linear_model as peers

import abline as ab

if TYPE_CHECKING:
    from collections.abc import Callable

#: distance from the best objective, relative to y's mean square, that counts as equal
NEAR = 1e-8

TOLERANCES = 10.0 ** -np.arange(2, 14)


def wide(n: int, p: int, correlation: float = 0.0, useful: int = 20) -> tuple[Any, Any]:
    """A table whose neighbouring features are correlated, few of them with an effect."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    for j in range(1, p if correlation else 0):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    coef = np.zeros(p)
    coef[rng.choice(p, useful, replace=False)] = rng.standard_normal(useful)
    fitted = X @ coef
    return np.asfortranarray(X), fitted + 0.5 * fitted.std() * rng.standard_normal(n)


def sparse_table(n: int, p: int, density: float) -> tuple[Any, Any]:
    """A sparse table with counts, as of words in texts."""
    rng = np.random.default_rng(0)
    X = sparse.random(
        n, p, density, format="csc", random_state=rng, data_rvs=rng.standard_exponential
    )
    coef = np.zeros(p)
    coef[rng.choice(p, 50, replace=False)] = rng.standard_normal(50)
    fitted = X @ coef
    return X, fitted + 0.5 * fitted.std() * rng.standard_normal(n)


def largest_penalty(X: Any, y: Any) -> float:
    return float(np.abs(X.T @ (y - y.mean())).max() / len(y))


def objectives(X: Any, y: Any, alphas: Any, coefs: Any) -> Any:
    """Objectives of lines, one a column, relative to y's mean square, the intercepts the best."""
    left = y[:, None] - X @ coefs
    left = left - left.mean(axis=0)
    values = np.square(left).mean(axis=0) / 2 + alphas * np.abs(coefs).sum(axis=0)
    return values / np.mean(np.square(y - y.mean()))


def near_enough(name: str, fit: Callable[[float], Any], excess: Callable[[Any], float]) -> Any:
    """Give a contender its loosest tolerance that comes near enough to the best objective."""
    for tol in TOLERANCES:
        if excess(fit(tol)) <= NEAR:
            return Contender(f"{name}, tol={tol:.0e}", partial(fit, tol), excess)
    raise RuntimeError(f"{name} does not come near the best objective")


def one_penalty(X: Any, y: Any, part: float) -> list[Any]:
    alpha = largest_penalty(X, y) * part
    best = objectives(
        X, y, alpha, ab.Lasso(alpha, tol=1e-12, max_iter=10_000).fit(X, y).coef_[:, None]
    )

    def excess(model: Any) -> float:
        return float((objectives(X, y, alpha, model.coef_.reshape(-1, 1)) - best)[0])

    many = 1_000_000
    fits = {
        "abline": lambda tol: ab.Lasso(alpha, tol=tol).fit(X, y),
        "celer": lambda tol: celer.Lasso(alpha, tol=tol).fit(X, y),
        "skglm": lambda tol: skglm.Lasso(alpha, tol=tol).fit(X, y),
        "scikit-learn": lambda tol: peers.Lasso(alpha, tol=tol, max_iter=many).fit(X, y),
    }
    return race([near_enough(name, fit, excess) for name, fit in fits.items()])


def whole_path(X: Any, y: Any, part: float) -> list[Any]:
    largest = largest_penalty(X, y)
    alphas = np.geomspace(largest, largest * part, 100)
    centred, target = X - X.mean(axis=0), y - y.mean()
    best = objectives(X, y, alphas, ab.lasso_path(centred, target, alphas=alphas, tol=1e-12)[1])

    def excess(coefs: Any) -> float:
        return float((objectives(X, y, alphas, coefs) - best).max())

    fits = {
        "abline": lambda tol: ab.lasso_path(centred, target, alphas=alphas, tol=tol)[1],
        "celer": lambda tol: celer.celer_path(centred, target, "lasso", alphas=alphas, tol=tol)[1],
        "skglm": lambda tol: _skglm_path(centred, target, alphas, tol),
        "scikit-learn": lambda tol: peers.lasso_path(
            centred, target, alphas=alphas, tol=tol, max_iter=1_000_000
        )[1],
    }
    return race([near_enough(name, fit, excess) for name, fit in fits.items()], runs=3)


def _skglm_path(X: Any, y: Any, alphas: Any, tol: float) -> Any:
    model = skglm.Lasso(fit_intercept=False, tol=tol)
    return model.path(X, y, alphas=alphas)[1]


def folds() -> list[Any]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200_000, 100))
    y = X @ (rng.standard_normal(100) * (rng.random(100) < 0.2)) + 3 * rng.standard_normal(200_000)
    tables = {"by rows": X, "by columns": np.asfortranarray(X)}
    contenders = []
    for order, table in tables.items():
        ours, theirs = ab.LassoCV(cv=5), peers.LassoCV(cv=5)
        contenders.append(Contender(f"abline, {order}", partial(ours.fit, table, y), _gap))
        contenders.append(Contender(f"scikit-learn, {order}", partial(theirs.fit, table, y), _gap))
    return race(contenders, runs=3)


def _gap(model: Any) -> float:
    return float(model.dual_gap_)


COLD = """
import time
start = time.perf_counter()
import numpy as np, abline as ab
X = np.random.default_rng(0).standard_normal({shape})
loaded = time.perf_counter()
ab.Lasso(0.1).fit(X, X[:, 0])
done = time.perf_counter()
print(f"import {{loaded - start:.1f}} s, first fit {{done - loaded:.1f}} s")
"""


def cold() -> None:
    """Print what the first fit of a process takes, with an empty and a full cache of kernels."""
    for shape in ((100, 5), (50, 500)):
        with tempfile.TemporaryDirectory() as cache:
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            for state in ("empty", "full"):
                command = [sys.executable, "-c", COLD.format(shape=shape)]
                answer = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=True
                )
                print(f"{shape}, {state} cache of kernels: {answer.stdout.strip()}")


JOBS: dict[str, tuple[str, Callable[[], list[Any]]]] = {
    "folds": ("LassoCV, 100 penalties, 5 folds, 200,000 × 100", folds),
    "wide": ("200 × 20,000, largest penalty / 100", lambda: one_penalty(*wide(200, 20_000), 0.01)),
    "wide-10": ("200 × 20,000, / 10", lambda: one_penalty(*wide(200, 20_000), 0.1)),
    "correlated": (
        "200 × 20,000, neighbours correlated 0.9, / 100",
        lambda: one_penalty(*wide(200, 20_000, 0.9), 0.01),
    ),
    "larger": (
        "1,000 × 20,000, correlated 0.5, / 100",
        lambda: one_penalty(*wide(1_000, 20_000, 0.5, 100), 0.01),
    ),
    "square": (
        "2,000 × 2,000, correlated 0.5, / 100",
        lambda: one_penalty(*wide(2_000, 2_000, 0.5, 100), 0.01),
    ),
    "sparse": (
        "sparse 5,000 × 100,000, one cell in 1,000, / 100",
        lambda: one_penalty(*sparse_table(5_000, 100_000, 1e-3), 0.01),
    ),
    "path": (
        "200 × 20,000, path of 100 penalties to / 100",
        lambda: whole_path(*wide(200, 20_000), 0.01),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join([*JOBS, "cold"]))
        return
    warnings.simplefilter("ignore")  # the peers' warnings of loose tolerances
    for name in arguments.jobs or [*JOBS, "cold"]:
        if name == "cold":
            cold()
        else:
            title, job = JOBS[name]
            report(title, job())


if __name__ == "__main__":
    main()
