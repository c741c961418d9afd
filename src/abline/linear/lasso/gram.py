"""The lasso of a table with more rows than features, from its factor or its Gram matrix.

Coordinate descent runs on R'R; duality gaps come from the residuals z - R b, which do not lose
the square of the condition number. Where these show that rounding errors of the Gram matrix stopped
the descent too early, it goes on from the exact correlations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.lasso.problem import Path
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from abline.linear.lasso.problem import Descent
    from abline.linear.system import System

Array = NDArray[np.float64]

#: how often the descent may go on from exact correlations
_MOST_REFINEMENTS = 2

#: part of y's sum of squares below which a gap is the rounding error of its own terms
_ROUNDING = 1e-14


class GramProblem:
    """A problem given by sums of products; see `abline.linear.lasso.problem.Problem`.

    Parameters
    ----------
    gram : array of shape (p, p)
        Products of the columns of X.
    correlations : array of shape (t, p)
    total : array of shape (t,)
    weight : float
    x_mean, y_mean : arrays of shape (p,) and (t,), optional
        Zero by default.

    Examples
    --------
    >>> from abline.linear.lasso.problem import Descent
    >>> problem = GramProblem(np.eye(2), np.array([[3.0, 0.5]]), np.array([10.0]), weight=1.0)
    >>> l1, l2 = np.array([1.0]), np.array([0.0])
    >>> problem.solve(slice(None), l1, l2, None, Descent()).coef.round(6)
    array([[[2., 0.]]])
    """

    engine = "gram"

    def __init__(
        self,
        gram: Array,
        correlations: Array,
        total: Array,
        weight: float,
        x_mean: Array | None = None,
        y_mean: Array | None = None,
    ) -> None:
        self.gram = np.ascontiguousarray(gram, dtype=np.float64)
        self.correlations = correlations
        self.total = total
        self.weight = weight
        self.x_mean = np.zeros(len(gram)) if x_mean is None else x_mean
        self.y_mean = np.zeros(len(total)) if y_mean is None else y_mean
        self._system: System | None = None

    @classmethod
    def of(cls, system: System) -> GramProblem:
        """Pose the problem of a triangle."""
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            R, z = system.R, system.z
            total = np.square(z).sum(axis=0) + system.unexplained
            # a matrix times its own transpose: half the work, and exactly symmetric
            problem = cls(R.T @ R, z.T @ R, total, system.weight, system.x_mean, system.y_mean)
        problem._system = system
        return problem

    def solve(
        self, targets: slice, l1: Array, l2: Array, start: Array | None, descent: Descent
    ) -> Path:
        """Minimise for each pair of penalties in turn, each from the last one's answer."""
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            return self._solve(targets, l1, l2, start, descent)

    def _solve(
        self, targets: slice, l1: Array, l2: Array, start: Array | None, descent: Descent
    ) -> Path:
        W = np.zeros_like(self.correlations[targets]) if start is None else start
        coef = np.empty((len(l1), *W.shape))
        sweeps = np.zeros(len(l1), dtype=np.int64)
        self._descend(targets, W, l1, l2, descent, coef, sweeps)
        total = float(self.total[targets].sum())
        gaps = self._gaps(targets, coef, l1, l2, descent)
        enough = np.where(l1 + l2 > 0, max(descent.aim, _ROUNDING) * total, descent.aim * total)
        for _ in range(_MOST_REFINEMENTS):
            open_ = np.flatnonzero((gaps > enough) & (sweeps < descent.max_iter))
            for k in open_:
                one = slice(k, k + 1)
                self._descend(targets, coef[k], l1[one], l2[one], descent, coef[one], sweeps[one])
                gaps[one] = self._gaps(targets, coef[one], l1[one], l2[one], descent)
        # rounding may take a gap below zero, which no distance is
        return Path(coef, np.maximum(gaps, 0.0), sweeps)

    def _descend(
        self,
        targets: slice,
        start: Array,
        l1: Array,
        l2: Array,
        descent: Descent,
        coef: Array,
        sweeps: NDArray[np.int64],
    ) -> None:
        from abline.linear.lasso.kernels import descend_path

        H, rss = self._residuals(targets, start[None])
        sweeps += descend_path(
            self.gram,
            np.ascontiguousarray(H[0]),
            np.array(start, order="C"),
            float(rss[0]),
            l1,
            l2,
            descent.positive,
            descent.aim * float(self.total[targets].sum()),
            descent.max_iter - int(sweeps.max()),
            descent.seed,
            coef,
        )

    def _gaps(self, targets: slice, coef: Array, l1: Array, l2: Array, descent: Descent) -> Array:
        from abline.linear.lasso.kernels import duality_gap

        H, rss = self._residuals(targets, coef)
        parts = zip(H, coef, rss, l1, l2, strict=True)
        return np.array([duality_gap(*part, descent.positive) for part in parts])

    def _residuals(self, targets: slice, coef: Array) -> tuple[Array, Array]:
        """Give the residuals' correlations with X, (k, t, p), and sums of squares, (k,)."""
        if self._system is None:
            H = self.correlations[targets] - coef @ self.gram
            rss = self.total[targets] - (coef * (H + self.correlations[targets])).sum(axis=2)
            return H, rss.sum(axis=1)
        left = self._system.z.T[targets] - coef @ self._system.R.T
        rss = np.square(left).sum(axis=2) + self._system.unexplained[targets]
        return left @ self._system.R, rss.sum(axis=1)
