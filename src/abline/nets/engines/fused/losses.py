"""Losses of a block of rows, and their derivatives by the outputs.

Outputs o, targets y and derivatives d are of shape (outputs, rows), the rows' weights w of shape
(rows,).
"""

from __future__ import annotations

import math
from typing import Any

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.compiled import piece
from abline.nets.engines.fused.elementary import exp, type_of

Array = Any  # a pointer to float32 or float64

#: beyond this torch takes softplus for its argument
_LINEAR = 20.0

#: the loss's parameters; outputs, targets, weights, derivatives; targets, rows; gives the weighted
#: sum of the losses
_loss = piece("float64*", *["real*"] * 4, "int64", "int64", number=True)


@_loss
def _squared(_p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    total, two = type_of(o, 0.0), type_of(o, 2.0)
    for s in range(t):
        for i in range(n):
            error = o[s * n + i] - y[s * n + i]
            total += w[i] * (error * error)
            d[s * n + i] = w[i] * (two * error)
    return total


@_loss
def _half_squared(_p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    total, half = type_of(o, 0.0), type_of(o, 0.5)
    for s in range(t):
        for i in range(n):
            error = o[s * n + i] - y[s * n + i]
            total += w[i] * (error * error)
            d[s * n + i] = w[i] * error
    return half * total


@_loss
def _absolute(_p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    total = type_of(o, 0.0)
    zero, one = type_of(o, 0.0), type_of(o, 1.0)
    for s in range(t):
        for i in range(n):
            error = o[s * n + i] - y[s * n + i]
            total += w[i] * abs(error)
            d[s * n + i] = w[i] * (one if error > zero else (-one if error < zero else error))
    return total


@_loss
def _quantile(p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    total = type_of(o, 0.0)
    zero, above, below = type_of(o, 0.0), type_of(o, 1.0 - p[0]), type_of(o, p[0])
    for s in range(t):
        for i in range(n):
            error = o[s * n + i] - y[s * n + i]
            slope = above if error > zero else -below
            total += w[i] * (slope * error)
            d[s * n + i] = w[i] * (error if error == zero or math.isnan(error) else slope)
    return total


@_loss
def _huber(p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    total = type_of(o, 0.0)
    zero, half, bend = type_of(o, 0.0), type_of(o, 0.5), type_of(o, p[0])
    for s in range(t):
        for i in range(n):
            error = o[s * n + i] - y[s * n + i]
            inside = abs(error) < bend or math.isnan(error)
            far = bend * (abs(error) - half * bend)
            total += w[i] * (half * error * error if inside else far)
            d[s * n + i] = w[i] * (error if inside else (bend if error > zero else -bend))
    return total


@_loss
def _smooth_absolute(p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    """Compute Huber's loss over its bend."""
    total = type_of(o, 0.0)
    zero, half, bend = type_of(o, 0.0), type_of(o, 0.5), type_of(o, p[0])
    one, scale = type_of(o, 1.0), type_of(o, 1.0 / p[0])
    for s in range(t):
        for i in range(n):
            error = o[s * n + i] - y[s * n + i]
            inside = abs(error) < bend or math.isnan(error)
            near = half * error * error * scale
            total += w[i] * (near if inside else abs(error) - half * bend)
            d[s * n + i] = w[i] * (error * scale if inside else (one if error > zero else -one))
    return total


@_loss
def _poisson(_p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    total = type_of(o, 0.0)
    for s in range(t):
        for i in range(n):
            k = s * n + i
            mean = exp(o[k])
            total += w[i] * (mean - y[k] * o[k])
            d[k] = w[i] * (mean - y[k])
    return total


@_loss
def _half_poisson(_p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    """Compute half the deviance, which is zero where the mean is the target."""
    total, zero = type_of(o, 0.0), type_of(o, 0.0)
    for s in range(t):
        for i in range(n):
            k = s * n + i
            mean = exp(o[k])
            least = y[k] * type_of(o, math.log(y[k])) - y[k] if y[k] > zero else zero
            total += w[i] * (mean - y[k] * o[k] + least)
            d[k] = w[i] * (mean - y[k])
    return total


@_loss
def _gamma(_p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    total, one = type_of(o, 0.0), type_of(o, 1.0)
    for s in range(t):
        for i in range(n):
            k = s * n + i
            ratio = y[k] * exp(-o[k])
            total += w[i] * (o[k] + ratio)
            d[k] = w[i] * (one - ratio)
    return total


@_loss
def _gaussian(p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    """Compute `abline.nets.criteria.GaussianNLL`; ``p`` is the least variance."""
    total = type_of(o, 0.0)
    half, one, least = type_of(o, 0.5), type_of(o, 1.0), type_of(o, p[0])
    for s in range(t):
        for i in range(n):
            k = 2 * s * n + i
            grown = exp(o[k + n])
            variance = grown + least
            error = o[k] - y[s * n + i]
            share = error / variance
            total += w[i] * (half * (type_of(o, math.log(variance)) + error * share))
            d[k] = w[i] * share
            d[k + n] = w[i] * (half * grown * (one - error * share) / variance)
    return total


@_loss
def _quantiles(p: Array, o: Array, y: Array, w: Array, d: Array, t: int, n: int) -> Any:
    """Compute `abline.nets.criteria.QuantileLoss` of several levels.

    ``p`` is the number of levels, the place of the middle one, then the levels.
    """
    total = type_of(o, 0.0)
    zero, one, bound = type_of(o, 0.0), type_of(o, 1.0), type_of(o, _LINEAR)
    m, middle = int(p[0]), int(p[1])
    for s in range(t):
        first = s * m * n
        for i in range(n):
            d[first + middle * n + i] = o[first + middle * n + i]
        # d holds the quantiles, then the slopes by them, then by the outputs
        for step in range(1, m):
            level = step if step > middle else middle - step
            sign = one if step > middle else -one
            inner = n if step > middle else -n
            for i in range(n):
                k = first + level * n + i
                gap = o[k]
                grown = type_of(o, math.log1p(exp(min(gap, bound))))
                d[k] = d[k - inner] + sign * (gap if gap > bound else grown)
        for level in range(m):
            above, below = type_of(o, 1.0 - p[2 + level]), type_of(o, p[2 + level])
            for i in range(n):
                k = first + level * n + i
                error = d[k] - y[s * n + i]
                slope = above if error > zero else -below
                total += w[i] * (slope * error)
                d[k] = w[i] * (error if error == zero or math.isnan(error) else slope)
        for step in range(m - 1, 0, -1):
            level = step if step > middle else middle - step
            sign = one if step > middle else -one
            inner = n if step > middle else -n
            for i in range(n):
                k = first + level * n + i
                gap = o[k]
                grown = exp(min(gap, bound))
                d[k - inner] += d[k]
                d[k] *= sign * (one if gap > bound else grown / (one + grown))
    return total


#: by their numbers in `codes`
LOSSES = {
    codes.SQUARED: _squared,
    codes.HALF_SQUARED: _half_squared,
    codes.ABSOLUTE: _absolute,
    codes.QUANTILE: _quantile,
    codes.HUBER: _huber,
    codes.SMOOTH_ABSOLUTE: _smooth_absolute,
    codes.POISSON: _poisson,
    codes.HALF_POISSON: _half_poisson,
    codes.GAMMA: _gamma,
    codes.GAUSSIAN: _gaussian,
    codes.QUANTILES: _quantiles,
}
