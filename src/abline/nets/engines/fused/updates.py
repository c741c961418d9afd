"""Optimizers: one step of all parameters from their gradients.

References
----------
Kingma, Ba (2015), "Adam", *ICLR*; Loshchilov, Hutter (2019), "Decoupled weight decay
regularization", *ICLR*; Sutskever et al. (2013), "On the importance of initialization and momentum
in deep learning", *ICML*.
"""

from __future__ import annotations

import math
from typing import Any

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.compiled import piece
from abline.nets.engines.fused.elementary import type_of

Array = Any  # a pointer to float32 or float64

#: the step, counted from 1; the learning rate; the optimizer's settings; parameters, gradients and
#: the optimizer's two memories of n elements. Settings are momentum or beta 1, dampening or beta 2,
#: epsilon, weight decay, and 1 for Nesterov's momentum
_update = piece("int64", "float64", "float64*", *["real*"] * 4, "int64", exactly=True)


@piece("float64", "float64", "real*", "int64")
def clip(norm: float, value: float, g: Array, n: int) -> None:
    """Bound the gradients' elements, then their length; infinity bounds nothing."""
    most = type_of(g, value)
    for i in range(n):
        g[i] = most if g[i] > most else (-most if g[i] < -most else g[i])
    total = 0.0
    for i in range(n):
        total += float(g[i]) * float(g[i])
    factor = norm / (math.sqrt(total) + 1e-6)  # torch's guard against zero
    if factor < 1:
        for i in range(n):
            g[i] *= type_of(g, factor)


@_update
def _sgd(
    step: int, rate: float, settings: Array, p: Array, g: Array, m: Array, _v: Array, n: int
) -> None:
    lr, wd, mu = type_of(p, rate), type_of(p, settings[3]), type_of(p, settings[0])
    if settings[0] == 0:
        for i in range(n):
            p[i] -= lr * (g[i] + wd * p[i])
        return
    rest = type_of(p, 1.0 if step == 1 else 1.0 - settings[1])
    keep = type_of(p, 0.0 if step == 1 else settings[0])
    nesterov = settings[4] > 0
    for i in range(n):
        slope = g[i] + wd * p[i]
        m[i] = keep * m[i] + rest * slope
        p[i] -= lr * (slope + mu * m[i] if nesterov else m[i])


@_update
def _sgd_velocity(
    _step: int, rate: float, settings: Array, p: Array, g: Array, m: Array, _v: Array, n: int
) -> None:
    """Take scikit-learn's step, whose velocity has the rate in it."""
    lr, mu = type_of(p, rate), type_of(p, settings[0])
    nesterov = settings[4] > 0
    for i in range(n):
        m[i] = mu * m[i] - lr * g[i]
        p[i] += mu * m[i] - lr * g[i] if nesterov else m[i]


@_update
def _adam(
    step: int, rate: float, settings: Array, p: Array, g: Array, m: Array, v: Array, n: int
) -> None:
    first, second = settings[0], settings[1]
    c1, b2, c2 = type_of(p, 1.0 - first), type_of(p, second), type_of(p, 1.0 - second)
    size = type_of(p, rate / (1.0 - first**step))
    root = type_of(p, math.sqrt(1.0 - second**step))
    eps, wd = type_of(p, settings[2]), type_of(p, settings[3])
    for i in range(n):
        slope = g[i] + wd * p[i]
        m[i] += c1 * (slope - m[i])
        v[i] = b2 * v[i] + c2 * (slope * slope)
        p[i] -= size * m[i] / (math.sqrt(v[i]) / root + eps)


@_update
def _adamw(
    step: int, rate: float, settings: Array, p: Array, g: Array, m: Array, v: Array, n: int
) -> None:
    first, second = settings[0], settings[1]
    c1, b2, c2 = type_of(p, 1.0 - first), type_of(p, second), type_of(p, 1.0 - second)
    size = type_of(p, rate / (1.0 - first**step))
    root = type_of(p, math.sqrt(1.0 - second**step))
    eps, keep = type_of(p, settings[2]), type_of(p, 1.0 - rate * settings[3])
    for i in range(n):
        m[i] += c1 * (g[i] - m[i])
        v[i] = b2 * v[i] + c2 * (g[i] * g[i])
        p[i] = keep * p[i] - size * m[i] / (math.sqrt(v[i]) / root + eps)


@_update
def _adam_plain_epsilon(
    step: int, rate: float, settings: Array, p: Array, g: Array, m: Array, v: Array, n: int
) -> None:
    """Take scikit-learn's step, whose epsilon stands outside the bias correction."""
    first, second = settings[0], settings[1]
    b1, c1 = type_of(p, first), type_of(p, 1.0 - first)
    b2, c2 = type_of(p, second), type_of(p, 1.0 - second)
    size = type_of(p, rate * math.sqrt(1.0 - second**step) / (1.0 - first**step))
    eps = type_of(p, settings[2])
    for i in range(n):
        m[i] = b1 * m[i] + c1 * g[i]
        v[i] = b2 * v[i] + c2 * (g[i] * g[i])
        p[i] -= size * m[i] / (math.sqrt(v[i]) + eps)


#: by their numbers in `codes`
UPDATES = {
    codes.SGD: _sgd,
    codes.SGD_VELOCITY: _sgd_velocity,
    codes.ADAM: _adam,
    codes.ADAMW: _adamw,
    codes.ADAM_PLAIN_EPSILON: _adam_plain_epsilon,
}
