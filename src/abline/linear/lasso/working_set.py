"""The lasso of a table with many more features than rows, by working sets.

Of the features only few end up with a coefficient. So the problem is solved on a working set of
those that have one and those nearest to it, by coordinate descent on the set's own Gram matrix;
then one product of all features with the residual says how far the answer is from that of the
whole problem, and which features belong into the next set. The gap also proves of many features
that they have no coefficient (gap-safe screening): these are not looked at again for that penalty.

References
----------
Massias, Gramfort, Salmon (2018), "Celer: a fast solver for the lasso with dual extrapolation",
*ICML*; Ndiaye, Fercoq, Gramfort, Salmon (2017), "Gap safe screening rules for sparsity enforcing
penalties", *JMLR* 18; Bertrand et al. (2022), "Beyond L1: faster and better sparse models with
skglm", *NeurIPS*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.linear.lasso.columns import columns_of
from abline.linear.lasso.problem import Path
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from abline.linear.lasso.columns import Columns
    from abline.linear.lasso.problem import Descent
    from abline.tables.conversion import Floats

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

#: features of the first working set
_FIRST = 100

#: features of a working set at most, so that its Gram matrix stays below half a gigabyte; beyond
#: that, sets take turns
_WIDEST = 8_000

#: a working set is solved to this part of the whole problem's gap
_PART = 0.1


class WideProblem:
    """A problem given by its rows; see `abline.linear.lasso.problem.Problem`.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, p), any float
        Neither copied, unless it is not float64 or lies far from zero, nor changed.
    y : array of shape (n, t)
    weights : array of shape (n,), optional
        None negative.
    fit_intercept : bool

    Examples
    --------
    >>> from abline.linear.lasso.problem import Descent
    >>> X, y = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 2.0]]), np.array([[3.0], [1.0]])
    >>> problem = WideProblem(X, y, None, fit_intercept=False)
    >>> l1, l2 = np.array([1.0]), np.array([0.0])
    >>> path = problem.solve(slice(None), l1, l2, None, Descent(tol=1e-9))
    >>> path.coef.round(6), bool(path.gaps[0] < 1e-12)
    (array([[[0.5 , 0.  , 0.75]]]), True)
    """

    engine = "working-set"

    def __init__(self, X: Any, y: Floats, weights: Floats | None, *, fit_intercept: bool) -> None:
        with one_blas_thread():
            self.columns = columns_of(X, weights, centred=fit_intercept)
            roots = self.columns.roots
            self.weight = float(np.square(roots).sum())
            self.x_mean = self.columns.mean
            self.y_mean = np.zeros(y.shape[1])
            centred = np.asarray(y, dtype=np.float64)
            if fit_intercept:
                self.y_mean = np.average(centred, axis=0, weights=np.square(roots))
                centred = centred - self.y_mean
            self._y = np.ascontiguousarray(centred.T * roots)
            self.total = np.square(self._y).sum(axis=1)
            self.correlations = self.columns.correlate(self._y)
        self._gram = _GrowingGram(self.columns)

    def solve(
        self, targets: slice, l1: Array, l2: Array, start: Array | None, descent: Descent
    ) -> Path:
        """Minimise for each pair of penalties in turn, each from the last one's answer."""
        y = self._y[targets]
        coef = np.empty((len(l1), len(y), len(self.x_mean)))
        gaps, sweeps = np.empty(len(l1)), np.zeros(len(l1), dtype=np.int64)
        with one_blas_thread():
            state = _State(y, np.zeros(coef.shape[1:]), y, self.correlations[targets].copy())
            if start is not None:
                state.W[:] = start
                state.fit(self.columns)
            for k, penalties in enumerate(zip(l1.tolist(), l2.tolist(), strict=True)):
                if state.stale:
                    state.look(self.columns)
                sweeps[k], gaps[k] = self._minimise(state, *penalties, descent)
                coef[k] = state.W
        # rounding may take a gap below zero, which no distance is
        return Path(coef, np.maximum(gaps, 0.0), sweeps)

    def _minimise(self, state: _State, l1: float, l2: float, descent: Descent) -> tuple[int, float]:
        from abline.linear.lasso.kernels import descend_on

        aim = descent.aim * float(np.square(state.y).sum())
        left = _Left.all(self.columns)
        sweeps = 0
        while True:
            gap = state.gap(left.index, l1, l2, descent.positive)
            if gap <= aim or sweeps >= descent.max_iter:
                break
            if sweeps > 0:  # the first gap is seldom small enough to prove anything
                left = left.screened(state, gap, l1, l2, descent.positive)
            chosen = self._choose(state, left.index, l1, l2, descent.positive)
            places = self._gram.places(chosen)
            done, _, _ = descend_on(
                chosen,
                places,
                self._gram.products,
                state.H,
                state.W,
                state.rss,
                l1,
                l2,
                descent.positive,
                max(_PART * gap, 0.5 * aim),
                descent.max_iter - sweeps,
                descent.seed,
            )
            if done == 0:
                break
            sweeps += done
            state.fit(self.columns)
            state.look(left.columns, left.index)
        return sweeps, gap

    def _choose(
        self, state: _State, left: Indices, l1: float, l2: float, positive: bool
    ) -> Indices:
        """Pick the features that have a coefficient and those nearest to one."""
        used = np.any(state.W[:, left] != 0, axis=0)
        n_used = int(used.sum())
        size = min(len(left), max(_FIRST, 2 * n_used), _WIDEST)
        if size == len(left):
            return left
        distance = l1 - state.slopes(left, l2, positive)
        distance /= np.sqrt(self.columns.squares[left] + l2)
        if n_used < size:
            distance[used] = -np.inf
        else:  # the sets take turns, the features that are worst off first
            distance[used] = -np.abs(distance[used])
        return np.sort(left[np.argpartition(distance, size - 1)[:size]])


@dataclass
class _State:
    """Where the descent stands: coefficients, residuals and their correlations with X."""

    y: Array
    W: Array
    residuals: Array
    H: Array
    stale: bool = False

    @property
    def rss(self) -> float:
        return float(np.square(self.residuals).sum())

    def fit(self, columns: Columns) -> None:
        """Take the residuals anew from the coefficients."""
        used = np.flatnonzero(self.W.any(axis=0))
        self.residuals = self.y - columns.combine(used, self.W[:, used])
        self.stale = True

    def look(self, columns: Columns, index: Indices | None = None) -> None:
        """Take the correlations anew from the residuals, of all features or some."""
        if index is None or len(index) == self.H.shape[1]:
            self.H[:] = columns.correlate(self.residuals)
            self.stale = False
        else:
            self.H[:, index] = columns.correlate(self.residuals)

    def slopes(self, index: Indices, l2: float, positive: bool) -> Array:
        """Say how steeply the sum of squares falls along each feature."""
        slopes = self.H[:, index] - l2 * self.W[:, index]
        if positive:
            slopes = np.maximum(slopes, 0.0)
        one = len(slopes) == 1
        answer: Array = np.abs(slopes[0]) if one else np.linalg.norm(slopes, axis=0)
        return answer

    def gap(self, index: Indices, l1: float, l2: float, positive: bool) -> float:
        """Bound the distance of the objective from its minimum."""
        from abline.linear.lasso.kernels import duality_gap

        H, W = self.H, self.W
        if len(index) < H.shape[1]:
            H, W = (np.ascontiguousarray(part[:, index]) for part in (H, W))
        return float(duality_gap(H, W, self.rss, l1, l2, positive))


@dataclass(frozen=True)
class _Left:
    """The features that may have a coefficient: those screening has left."""

    index: Indices
    columns: Columns

    @classmethod
    def all(cls, columns: Columns) -> _Left:
        return cls(np.arange(len(columns.mean)), columns)

    def screened(self, state: _State, gap: float, l1: float, l2: float, positive: bool) -> _Left:
        """Leave out the features whose coefficient is zero at the minimum, if they are many."""
        if l1 == 0:
            return self
        slopes = state.slopes(self.index, l2, positive)
        shrink = l1 / max(l1, float(slopes.max(initial=0.0)))
        distance = l1 - shrink * slopes
        radius = np.sqrt(2 * max(gap, 0.0)) * np.sqrt(self.columns.squares + l2)
        kept = (distance <= radius) | np.any(state.W[:, self.index] != 0, axis=0)
        kept &= self.columns.squares > 0
        if 2 * int(kept.sum()) > len(kept):
            return self
        return _Left(self.index[kept], self.columns.only(np.flatnonzero(kept)))


@dataclass
class _GrowingGram:
    """Products of those columns that have been in a working set, in the order they came."""

    columns: Columns
    products: Array = field(init=False)
    _members: Indices = field(init=False)
    _place: Indices = field(init=False)

    def __post_init__(self) -> None:
        self._place = np.full(len(self.columns.mean), -1)
        self._members = np.empty(0, dtype=np.int64)
        self.products = np.empty((0, 0))

    def places(self, chosen: Indices) -> Indices:
        """Make sure that the products of some features are there, and say where."""
        new = chosen[self._place[chosen] < 0]
        if len(new):
            if len(self._members) + len(new) > 2 * _WIDEST:
                self.__post_init__()
                new = chosen
            self._add(new)
        return self._place[chosen]

    def _add(self, new: Indices) -> None:
        m, k = len(self._members), len(new)
        if m + k > len(self.products):
            larger = np.empty((2 * (m + k), 2 * (m + k)))
            larger[:m, :m] = self.products[:m, :m]
            self.products = larger
        self._members = np.concatenate([self._members, new])
        self._place[new] = np.arange(m, m + k)
        block = self.columns.products(new, self._members)
        self.products[m : m + k, : m + k] = block
        self.products[:m, m : m + k] = block[:, :m].T
