"""Coordinate descent on a Gram matrix, compiled.

All kernels stand in this one file, since Numba's cache on disk does not notice a change in
another. They take C-contiguous float64 arrays only, so that each is compiled once, and release
the interpreter's lock.

The problem is, for t targets and p features,

    1/2 |Y - A W'|² + l1 sum over j of |W_j|₂ + l2/2 |W|²

which for one target is the elastic net. A itself is not needed: the state is W, the correlations
H = (Y - A W')'A of the features with the residuals, both of shape (t, p), and the residual sum of
squares, besides Q = A'A.

Sweeps of coordinate descent find out which coefficients are zero and which signs the others have.
Once these stay, what is left is a system of linear equations. It is solved (`settle`) as soon as
the sweeps since the last change of a sign have cost as much, so that no problem takes more than
about twice the time of the better of the two ways.

References
----------
Friedman, Hastie, Tibshirani (2010), "Regularization paths for generalized linear models via
coordinate descent", *J. Stat. Softw.* 33(1); Lee, Battle, Raina, Ng (2006), "Efficient sparse
coding algorithms", *NIPS 19* (the step that keeps signs); Dünner, Forte, Takáč, Jaggi (2016),
"Primal-dual rates and certificates", *ICML* (the gap of ridge regression).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Kernel = TypeVar("Kernel", bound="Callable[..., Any]")

#: a pivot below this part of its diagonal element says that a column depends on those before
_DEPENDENT = 1e-13

#: a sweep that moves each coefficient's part of the fit by less than this part of all their
#: squares moves rounding errors only
_STILL = 1e-30


def compiled(function: Kernel) -> Kernel:
    """Compile on the first call; sums may be re-ordered, NaN and infinity keep their meaning."""
    options: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract"}}
    try:
        kernel: Any = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder can be written to: what is compiled serves this process alone
        kernel = njit(**options)(function)
    return cast("Kernel", kernel)


@compiled
def duality_gap(H: Array, W: Array, rss: float, l1: float, l2: float, positive: bool) -> float:
    """Bound the distance of the objective from its minimum.

    The dual point is the residual, shrunk until it is feasible. Without an L1 part any is, and
    without any penalty the squared length of the gradient stands for the gap.
    """
    t, p = H.shape
    size = 0.0
    square = 0.0
    inner = rss  # the product of residuals and targets
    steepest = 0.0
    gradient = 0.0
    for j in range(p):
        column = 0.0
        slope = 0.0
        for s in range(t):
            w, h = W[s, j], H[s, j]
            column += w * w
            inner += w * h
            gradient += h * h
            h -= l2 * w
            if h > 0 or not positive:
                slope += h * h
        size += sqrt(column)
        square += column
        steepest = max(steepest, slope)
    if l1 > 0:
        shrink = l1 / max(l1, sqrt(steepest))
        return 0.5 * (1 + shrink * shrink) * (rss + l2 * square) + l1 * size - shrink * inner
    if l2 > 0:
        return rss + 0.5 * l2 * square - inner + 0.5 * gradient / l2
    return gradient


@compiled
def correlate(residuals: Array, columns: Array) -> Array:
    """Give the products of residuals, of shape (t, n), and columns, (p, n); gives (t, p).

    Twice as fast as BLAS for the one or few residuals that there are.
    """
    t, n = residuals.shape
    answer = np.empty((t, len(columns)))
    for j in range(len(columns)):
        for s in range(t):
            total = 0.0
            for i in range(n):
                total += columns[j, i] * residuals[s, i]
            answer[s, j] = total
    return answer


@compiled
def move(
    Q: Array,
    H: Array,
    W: Array,
    rss: float,
    support: Indices,
    step: Array,
    length: float,
    kept: bool,
) -> float:
    """Change some coefficients of one target, those that would pass zero only down to it.

    ``kept`` says whether signs are to be kept at all. Gives the new sum of squared residuals.
    """
    p = Q.shape[0]
    for a in range(len(support)):
        i = support[a]
        w = W[0, i]
        d = length * step[a]
        if kept and (w + d) * w <= 0:
            d = -w
        rss += d * (d * Q[i, i] - 2 * H[0, i])
        W[0, i] = w + d
        for j in range(p):
            H[0, j] -= d * Q[i, j]
    return rss


@compiled
def way_to_zero(W: Array, support: Indices, step: Array) -> tuple[float, int]:
    """Say how far one can go before a coefficient of one target is zero, and which; else -1."""
    length, first = np.inf, -1
    for a in range(len(support)):
        w = W[0, support[a]]
        if step[a] * w < 0 and -w / step[a] < length:
            length, first = -w / step[a], a
    return length, first


@compiled
def cholesky_row(Q: Array, support: Indices, l2: float, lower: Array, a: int) -> bool:
    """Add a feature to the Cholesky factor of those before it, unless it depends on them."""
    i = support[a]
    pivot = Q[i, i] + l2
    for b in range(a):
        total = Q[i, support[b]]
        for c in range(b):
            total -= lower[a, c] * lower[b, c]
        lower[a, b] = total / lower[b, b]
    for b in range(a):
        pivot -= lower[a, b] * lower[a, b]
    if not pivot > _DEPENDENT * (Q[i, i] + l2):
        return False
    lower[a, a] = sqrt(pivot)
    return True


@compiled
def dependence(lower: Array, a: int) -> Array:
    """Give the combination of a feature and those before it which is zero."""
    along = np.empty(a + 1)
    along[a] = -1.0
    for b in range(a - 1, -1, -1):
        total = lower[a, b]
        for c in range(b + 1, a):
            total -= lower[c, b] * along[c]
        along[b] = total / lower[b, b]
    return along


@compiled
def settle(Q: Array, H: Array, W: Array, rss: float, l1: float, l2: float, positive: bool) -> float:
    """Minimise over the coefficients of one target that are not zero, keeping their signs.

    Where a column depends on those before it, the coefficients first move along the dependence,
    which changes no fitted value, towards the smaller L1 part until one is zero. Gives the new
    sum of squared residuals.
    """
    support = np.flatnonzero(W[0])
    kept = l1 > 0 or positive
    lower = np.empty((len(support), len(support)))
    a = 0
    while a < len(support):
        if cholesky_row(Q, support, l2, lower, a):
            a += 1
            continue
        gone = a
        if kept:
            first = support[: a + 1]
            along = dependence(lower, a)
            if (along * np.sign(W[0][first])).sum() > 0:
                along = -along
            length, gone = way_to_zero(W, first, along)
            if gone < 0:  # squares have overflowed
                return rss
            rss = move(Q, H, W, rss, first, along, length, kept)
            W[0, support[gone]] = 0.0
        support = np.concatenate((support[:gone], support[gone + 1 :]))
        a = gone
    step = np.empty(len(support))
    for a in range(len(support)):
        i = support[a]
        total = H[0, i] - l2 * W[0, i] - (l1 if W[0, i] > 0 else -l1)
        for c in range(a):
            total -= lower[a, c] * step[c]
        step[a] = total / lower[a, a]
    for a in range(len(support) - 1, -1, -1):
        step[a] /= lower[a, a]
        for c in range(a):
            step[c] -= lower[a, c] * step[a]
    length = min(1.0, way_to_zero(W, support, step)[0]) if kept else 1.0
    return move(Q, H, W, rss, support, step, length, kept)


@compiled
def descend(
    Q: Array,
    H: Array,
    W: Array,
    rss: float,
    l1: float,
    l2: float,
    positive: bool,
    aim: float,
    most: int,
    seed: int,
) -> tuple[int, float]:
    """Sweep until the duality gap is down to the aim, or nothing moves any more.

    A seed other than zero puts the coordinates in another order at random for each sweep. H and W
    are changed in place; gives the number of sweeps that moved anything and of solved systems, at
    most that asked for, and the new sum of squared residuals.
    """
    t, p = H.shape
    new = np.empty(t)
    order = np.arange(p)
    state = np.uint64(seed)
    still = _STILL * p * (rss + (W * W * np.diag(Q)).sum())
    sweeps = 0
    spent = 0.0
    while sweeps < most and duality_gap(H, W, rss, l1, l2, positive) > aim:
        sweeps += 1
        moved = 0.0
        turned = False
        used = 0
        for i in range(p):
            if seed != 0:  # xorshift (Marsaglia 2003)
                state ^= state << np.uint64(13)
                state ^= state >> np.uint64(7)
                state ^= state << np.uint64(17)
                other = i + np.int64(state % np.uint64(p - i))
                order[i], order[other] = order[other], order[i]
            j = order[i]
            q = Q[j, j]
            norm = 0.0
            for s in range(t):
                new[s] = H[s, j] + q * W[s, j]
                norm += new[s] * new[s]
            norm = sqrt(norm)
            factor = 0.0
            if norm > l1 and q > 0 and (new[0] > 0 or not positive):
                factor = (norm - l1) / (norm * (q + l2))
                used += 1
            for s in range(t):
                old = W[s, j]
                d = new[s] * factor - old
                if d != 0:
                    W[s, j] = new[s] * factor
                    turned |= old * W[s, j] <= 0
                    moved += d * d * q
                    rss += d * (d * q - 2 * H[s, j])
                    for k in range(p):
                        H[s, k] -= d * Q[j, k]
        if moved <= still:
            sweeps -= 1
            break
        if turned:
            spent = 0.0
        spent += 1.0 * p * used
        if t == 1 and spent > used * used * used / 12 and sweeps < most:
            rss = settle(Q, H, W, rss, l1, l2, positive)
            sweeps += 1
            spent = 0.0
    return sweeps, rss


@compiled
def descend_on(
    chosen: Indices,
    places: Indices,
    Q: Array,
    H: Array,
    W: Array,
    rss: float,
    l1: float,
    l2: float,
    positive: bool,
    aim: float,
    most: int,
    seed: int,
) -> tuple[int, float, Array]:
    """Descend on some features only.

    Their products stand at certain places of Q. W is changed in place and H left as it was;
    gives the sweeps, the new sum of squared residuals and what the coefficients changed by.
    """
    t, k = H.shape[0], len(chosen)
    q = np.empty((k, k))
    h = np.empty((t, k))
    w = np.empty((t, k))
    for a in range(k):
        for b in range(k):
            q[a, b] = Q[places[a], places[b]]
        for s in range(t):
            h[s, a] = H[s, chosen[a]]
            w[s, a] = W[s, chosen[a]]
    sweeps, rss = descend(q, h, w, rss, l1, l2, positive, aim, most, seed)
    change = np.empty((t, k))
    for a in range(k):
        for s in range(t):
            change[s, a] = w[s, a] - W[s, chosen[a]]
            W[s, chosen[a]] = w[s, a]
    return sweeps, rss, change


@compiled
def descend_path(
    Q: Array,
    H: Array,
    W: Array,
    rss: float,
    l1s: Array,
    l2s: Array,
    positive: bool,
    aim: float,
    most: int,
    seed: int,
    path: Array,
) -> Indices:
    """Minimise for each pair of penalties in turn, each from the last one's answer.

    ``path`` of shape (k, t, p) receives the coefficients; gives the sweeps each took.
    """
    t, p = H.shape
    sweeps = np.zeros(len(l1s), np.int64)
    for k in range(len(l1s)):
        l1, l2 = l1s[k], l2s[k]
        while sweeps[k] < most and duality_gap(H, W, rss, l1, l2, positive) > aim:
            chosen = np.empty(p, np.int64)
            m = 0
            for j in range(p):
                slope = 0.0
                used = False
                for s in range(t):
                    h = H[s, j] - l2 * W[s, j]
                    used |= W[s, j] != 0
                    if h > 0 or not positive:
                        slope += h * h
                if used or slope > l1 * l1:
                    chosen[m] = j
                    m += 1
            here = chosen[:m].copy()
            done, rss, change = descend_on(
                here, here, Q, H, W, rss, l1, l2, positive, 0.5 * aim, most - sweeps[k], seed
            )
            if done == 0:
                break
            sweeps[k] += done
            for a in range(m):
                for s in range(t):
                    d = change[s, a]
                    if d != 0:
                        for j in range(p):
                            H[s, j] -= d * Q[here[a], j]
        path[k] = W
    return sweeps
