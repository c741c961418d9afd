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
from abline.nets.engines.fused.compiled import compiled, compiled_exactly
from abline.nets.engines.fused.elementary import type_of

Array = Any  # float32 or float64, C-contiguous


@compiled
def clip(g: Array, norm: float, value: float) -> None:
    """Bound the gradients' elements, then their length; infinity bounds nothing."""
    if value < math.inf:
        most = type_of(g[0], value)
        for i in range(len(g)):
            g[i] = most if g[i] > most else (-most if g[i] < -most else g[i])
    if norm < math.inf:
        total = 0.0
        for i in range(len(g)):
            total += float(g[i]) * float(g[i])
        factor = norm / (math.sqrt(total) + 1e-6)  # torch's guard against zero
        if factor < 1:
            for i in range(len(g)):
                g[i] *= type_of(g[i], factor)


@compiled_exactly
def update(
    code: int, step: int, rate: float, options: Array, p: Array, g: Array, m: Array, v: Array
) -> None:
    """Move the parameters p along the gradients g; m and v are the optimizer's memory.

    ``step`` counts from 1. ``options`` are momentum or beta 1, dampening or beta 2, epsilon, weight
    decay, and 1 for Nesterov's momentum.
    """
    first, second, epsilon, decay, nesterov = options
    if code == codes.SGD:
        _sgd(step, rate, first, second, decay, nesterov > 0, p, g, m)
    elif code == codes.SGD_VELOCITY:
        _sgd_velocity(rate, first, nesterov > 0, p, g, m)
    else:
        _adam(code, step, rate, first, second, epsilon, decay, p, g, m, v)


@compiled_exactly
def _sgd(
    step: int,
    rate: float,
    momentum: float,
    dampening: float,
    decay: float,
    nesterov: bool,
    p: Array,
    g: Array,
    m: Array,
) -> None:
    lr = type_of(p[0], rate)
    wd = type_of(p[0], decay)
    mu = type_of(p[0], momentum)
    if momentum == 0:
        for i in range(len(p)):
            p[i] -= lr * (g[i] + wd * p[i])
        return
    rest = type_of(p[0], 1.0 if step == 1 else 1.0 - dampening)
    keep = type_of(p[0], 0.0 if step == 1 else momentum)
    for i in range(len(p)):
        slope = g[i] + wd * p[i]
        m[i] = keep * m[i] + rest * slope
        p[i] -= lr * (slope + mu * m[i] if nesterov else m[i])


@compiled_exactly
def _sgd_velocity(
    rate: float, momentum: float, nesterov: bool, p: Array, g: Array, m: Array
) -> None:
    """Take scikit-learn's step, whose velocity has the rate in it."""
    lr = type_of(p[0], rate)
    mu = type_of(p[0], momentum)
    for i in range(len(p)):
        m[i] = mu * m[i] - lr * g[i]
        p[i] += mu * m[i] - lr * g[i] if nesterov else m[i]


@compiled_exactly
def _adam(
    code: int,
    step: int,
    rate: float,
    first: float,
    second: float,
    epsilon: float,
    decay: float,
    p: Array,
    g: Array,
    m: Array,
    v: Array,
) -> None:
    b1 = type_of(p[0], first)
    b2 = type_of(p[0], second)
    c1 = type_of(p[0], 1.0 - first)
    c2 = type_of(p[0], 1.0 - second)
    eps = type_of(p[0], epsilon)
    bias1 = 1.0 - first**step
    root2 = math.sqrt(1.0 - second**step)
    if code == codes.ADAM_PLAIN_EPSILON:
        size = type_of(p[0], rate * root2 / bias1)
        for i in range(len(p)):
            m[i] = b1 * m[i] + c1 * g[i]
            v[i] = b2 * v[i] + c2 * (g[i] * g[i])
            p[i] -= size * m[i] / (math.sqrt(v[i]) + eps)
        return
    size = type_of(p[0], rate / bias1)
    root = type_of(p[0], root2)
    wd = type_of(p[0], decay if code == codes.ADAM else 0.0)
    keep = type_of(p[0], 1.0 - rate * decay if code == codes.ADAMW else 1.0)
    for i in range(len(p)):
        slope = g[i] + wd * p[i]
        m[i] += c1 * (slope - m[i])
        v[i] = b2 * v[i] + c2 * (slope * slope)
        p[i] = keep * p[i] - size * m[i] / (math.sqrt(v[i]) / root + eps)
