"""Elementwise activations with their derivatives, over a block of rows at once.

Arrays are of shape (units, rows). An activation is applied in place, together with the bias before
it. Where the derivative follows from the value (`codes.FROM_VALUE`) nothing else is kept;
elsewhere it is written to a second array.
"""

from __future__ import annotations

import math
from typing import Any

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.compiled import compiled
from abline.nets.engines.fused.elementary import exp, sigmoid, tanh, type_of

Array = Any  # float32 or float64, C-contiguous

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717
_ROOT_HALF = 0.7071067811865476
_NORMAL = 0.3989422804014327  # 1 / sqrt(2 pi)
_ROOT_2_OVER_PI = 0.7978845608028654
_CUBE = 0.044715
#: beyond this torch takes softplus for its argument
_SOFTPLUS_LINEAR = 20.0


@compiled
def add_bias(Z: Array, bias: Array) -> None:
    """Add each unit's bias to its outputs."""
    for j in range(len(bias)):
        b = bias[j]
        for i in range(Z.shape[1]):
            Z[j, i] += b


@compiled
def activate(code: int, Z: Array) -> None:
    """Apply an activation of `codes.FROM_VALUE` in place."""
    z = Z.ravel()
    zero = type_of(z[0], 0.0)
    if code == codes.RELU:
        for i in range(len(z)):
            z[i] = zero if z[i] < zero else z[i]  # this way round, NaN stays NaN
    elif code == codes.TANH:
        for i in range(len(z)):
            z[i] = tanh(z[i])
    elif code == codes.SIGMOID:
        for i in range(len(z)):
            z[i] = sigmoid(z[i])


@compiled
def chain(code: int, A: Array, D: Array) -> None:
    """Multiply D by the derivative of an activation of `codes.FROM_VALUE` with the values A."""
    a = A.ravel()
    d = D.ravel()
    zero = type_of(a[0], 0.0)
    one = type_of(a[0], 1.0)
    if code == codes.RELU:
        for i in range(len(a)):
            d[i] = d[i] if a[i] > zero else zero
    elif code == codes.TANH:
        for i in range(len(a)):
            d[i] *= one - a[i] * a[i]
    elif code == codes.SIGMOID:
        for i in range(len(a)):
            d[i] *= a[i] * (one - a[i])


@compiled
def activate_keeping(code: int, parameter: float, Z: Array, S: Array) -> None:
    """Apply any activation in place and write its derivative to S."""
    z = Z.ravel()
    s = S.ravel()
    if code in (codes.LEAKY_RELU, codes.ELU, codes.SELU):
        _bent(code, parameter, z, s)
    elif code in (codes.SILU, codes.MISH):
        _gated(code, z, s)
    elif code in (codes.GELU, codes.GELU_TANH):
        _gaussian(code, z, s)
    elif code == codes.SOFTPLUS:
        _softplus(z, s)
    else:
        activate(code, Z)
        for i in range(len(s)):
            s[i] = type_of(z[0], 1.0)
        chain(code, Z, S)


@compiled
def _bent(code: int, parameter: float, z: Array, s: Array) -> None:
    zero = type_of(z[0], 0.0)
    one = type_of(z[0], 1.0)
    slope = type_of(z[0], parameter)
    if code == codes.LEAKY_RELU:
        for i in range(len(z)):
            s[i] = one if z[i] > zero else slope
            z[i] *= s[i]
        return
    scale = type_of(z[0], _SELU_SCALE if code == codes.SELU else 1.0)
    alpha = type_of(z[0], _SELU_ALPHA if code == codes.SELU else parameter)
    for i in range(len(z)):
        x = z[i]
        # the difference loses digits near zero only where the value itself is near zero
        e = alpha * exp(x)
        z[i] = scale * (x if x > zero else e - alpha)
        s[i] = scale * (one if x > zero else e)


@compiled
def _gated(code: int, z: Array, s: Array) -> None:
    one = type_of(z[0], 1.0)
    two = type_of(z[0], 2.0)
    if code == codes.SILU:
        for i in range(len(z)):
            x = z[i]
            p = sigmoid(x)
            z[i] = x * p
            s[i] = p * (one + x * (one - p))
        return
    for i in range(len(z)):
        x = z[i]
        e = exp(x if x < type_of(x, 40.0) else type_of(x, 40.0))  # e² of 80 fits float32
        n = e * (e + two)
        t = n / (n + two)  # tanh(log(1 + e))
        z[i] = x * t
        s[i] = t + x * (one - t * t) * (e / (one + e))


@compiled
def _softplus(z: Array, s: Array) -> None:
    for i in range(len(z)):
        x = z[i]
        e = exp(x if x < type_of(x, _SOFTPLUS_LINEAR) else type_of(x, _SOFTPLUS_LINEAR))
        linear = x > type_of(x, _SOFTPLUS_LINEAR)
        z[i] = x if linear else type_of(x, math.log1p(e))
        s[i] = type_of(x, 1.0) if linear else e / (type_of(x, 1.0) + e)


@compiled
def _gaussian(code: int, z: Array, s: Array) -> None:
    half = type_of(z[0], 0.5)
    one = type_of(z[0], 1.0)
    if code == codes.GELU:
        for i in range(len(z)):
            x = z[i]
            p = half * (one + type_of(x, math.erf(x * type_of(x, _ROOT_HALF))))
            s[i] = p + x * type_of(x, _NORMAL) * exp(-half * x * x)
            z[i] = x * p
        return
    for i in range(len(z)):
        x = z[i]
        u = type_of(x, _ROOT_2_OVER_PI) * (x + type_of(x, _CUBE) * x * x * x)
        t = tanh(u)
        du = type_of(x, _ROOT_2_OVER_PI) * (one + type_of(x, 3 * _CUBE) * x * x)
        s[i] = half * (one + t) + half * x * (one - t * t) * du
        z[i] = half * x * (one + t)
