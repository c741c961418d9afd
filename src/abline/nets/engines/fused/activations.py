"""Elementwise activations with their derivatives, over a block of rows at once.

An activation is applied in place to sums that lack their biases. A second piece turns a loss's
derivatives by the outputs into those by the sums and the biases: from the values where that can be
done, elsewhere from slopes that the activation has written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.compiled import Piece, piece
from abline.nets.engines.fused.elementary import erf, exp, log1p, sigmoid, tanh, type_of

Array = Any  # a pointer to float32 or float64

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717
_ROOT_HALF = 0.7071067811865476
_NORMAL = 0.3989422804014327  # 1 / sqrt(2 pi)
_ROOT_2_OVER_PI = 0.7978845608028654
_CUBE = 0.044715
#: beyond this torch takes softplus for its argument
_SOFTPLUS_LINEAR = 20.0

#: a parameter; a bias for each unit; values of shape (units, n), changed in place; where their
#: derivatives are written; units, n
_apply = piece("float64", *["real*"] * 3, "int64", "int64")

#: derivatives by outputs, changed in place to those by sums; the values, or slopes, from which they
#: follow; where their sums, which are those by biases, are added to what is there times a factor;
#: units, n
_chain = piece(*["real*"] * 3, "float64", "int64", "int64")


@dataclass(frozen=True)
class Activation:
    """An activation's pieces.

    Attributes
    ----------
    apply : Piece
    chain : Piece
        `by_slopes` where ``apply`` writes them.
    """

    apply: Piece
    chain: Piece

    @property
    def writes(self) -> bool:
        """Whether slopes are written."""
        return self.chain is by_slopes


@_apply
def _identity(_parameter: float, b: Array, z: Array, _s: Array, units: int, n: int) -> None:
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            z[i] += bias


@_apply
def _relu(_parameter: float, b: Array, z: Array, _s: Array, units: int, n: int) -> None:
    zero = type_of(z, 0.0)
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            z[i] = zero if x < zero else x  # this way round, NaN stays NaN


@_chain
def _relu_chain(d: Array, a: Array, by_bias: Array, keep: float, units: int, n: int) -> None:
    zero = type_of(a, 0.0)
    for j in range(units):
        total = type_of(a, 0.0)
        for i in range(j * n, j * n + n):
            slope = d[i]  # read in any case, or the loop has branches
            value = slope if a[i] > zero else zero
            d[i] = value
            total += value
        by_bias[j] = total + type_of(a, keep) * by_bias[j] if keep != 0 else total


@_apply
def _tanh(_parameter: float, b: Array, z: Array, _s: Array, units: int, n: int) -> None:
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            z[i] = tanh(x)


@_chain
def _tanh_chain(d: Array, a: Array, by_bias: Array, keep: float, units: int, n: int) -> None:
    one = type_of(a, 1.0)
    for j in range(units):
        total = type_of(a, 0.0)
        for i in range(j * n, j * n + n):
            value = d[i] * (one - a[i] * a[i])
            d[i] = value
            total += value
        by_bias[j] = total + type_of(a, keep) * by_bias[j] if keep != 0 else total


@_apply
def _sigmoid(_parameter: float, b: Array, z: Array, _s: Array, units: int, n: int) -> None:
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            z[i] = sigmoid(x)


@_chain
def _sigmoid_chain(d: Array, a: Array, by_bias: Array, keep: float, units: int, n: int) -> None:
    one = type_of(a, 1.0)
    for j in range(units):
        total = type_of(a, 0.0)
        for i in range(j * n, j * n + n):
            value = d[i] * (a[i] * (one - a[i]))
            d[i] = value
            total += value
        by_bias[j] = total + type_of(a, keep) * by_bias[j] if keep != 0 else total


@_apply
def _leaky_relu(parameter: float, b: Array, z: Array, s: Array, units: int, n: int) -> None:
    zero, one, slope = type_of(z, 0.0), type_of(z, 1.0), type_of(z, parameter)
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            factor = one if x > zero else slope
            s[i] = factor
            z[i] = x * factor


@_apply
def _elu(parameter: float, b: Array, z: Array, s: Array, units: int, n: int) -> None:
    zero, one, alpha = type_of(z, 0.0), type_of(z, 1.0), type_of(z, parameter)
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            # the difference loses digits near zero only where the value itself is near zero
            e = alpha * exp(x)
            z[i] = x if x > zero else e - alpha
            s[i] = one if x > zero else e


@_apply
def _selu(_parameter: float, b: Array, z: Array, s: Array, units: int, n: int) -> None:
    zero, one = type_of(z, 0.0), type_of(z, 1.0)
    scale, alpha = type_of(z, _SELU_SCALE), type_of(z, _SELU_ALPHA)
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            e = alpha * exp(x)
            z[i] = scale * (x if x > zero else e - alpha)
            s[i] = scale * (one if x > zero else e)


@_apply
def _silu(_parameter: float, b: Array, z: Array, s: Array, units: int, n: int) -> None:
    one = type_of(z, 1.0)
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            p = sigmoid(x)
            z[i] = x * p
            s[i] = p * (one + x * (one - p))


@_apply
def _mish(_parameter: float, b: Array, z: Array, s: Array, units: int, n: int) -> None:
    one, two, most = type_of(z, 1.0), type_of(z, 2.0), type_of(z, 40.0)  # e² of 80 fits float32
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            e = exp(x if x < most else most)
            u = e * (e + two)
            t = u / (u + two)  # tanh(log(1 + e))
            z[i] = x * t
            s[i] = t + x * (one - t * t) * (e / (one + e))


@_apply
def _softplus(_parameter: float, b: Array, z: Array, s: Array, units: int, n: int) -> None:
    zero, most = type_of(z, 0.0), type_of(z, _SOFTPLUS_LINEAR)
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            rest = log1p(exp(-abs(x)))
            linear = x > most
            z[i] = x if linear else (x if x > zero else zero) + rest
            s[i] = type_of(z, 1.0) if linear else sigmoid(x)


@_apply
def _gelu(_parameter: float, b: Array, z: Array, s: Array, units: int, n: int) -> None:
    half, one = type_of(z, 0.5), type_of(z, 1.0)
    root, density = type_of(z, _ROOT_HALF), type_of(z, _NORMAL)
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            p = half * (one + erf(x * root))
            s[i] = p + x * density * exp(-half * x * x)
            z[i] = x * p


@_apply
def _gelu_tanh(_parameter: float, b: Array, z: Array, s: Array, units: int, n: int) -> None:
    half, one = type_of(z, 0.5), type_of(z, 1.0)
    root, cube, cubes = type_of(z, _ROOT_2_OVER_PI), type_of(z, _CUBE), type_of(z, 3 * _CUBE)
    for j in range(units):
        bias = b[j]
        for i in range(j * n, j * n + n):
            x = z[i] + bias
            t = tanh(root * (x + cube * x * x * x))
            du = root * (one + cubes * x * x)
            s[i] = half * (one + t) + half * x * (one - t * t) * du
            z[i] = half * x * (one + t)


@_chain
def by_slopes(d: Array, a: Array, by_bias: Array, keep: float, units: int, n: int) -> None:
    """Multiply by derivatives that were written."""
    for j in range(units):
        total = type_of(a, 0.0)
        for i in range(j * n, j * n + n):
            value = d[i] * a[i]
            d[i] = value
            total += value
        by_bias[j] = total + type_of(a, keep) * by_bias[j] if keep != 0 else total


@_chain
def _identity_chain(d: Array, a: Array, by_bias: Array, keep: float, units: int, n: int) -> None:
    for j in range(units):
        total = type_of(a, 0.0)
        for i in range(j * n, j * n + n):
            total += d[i]
        by_bias[j] = total + type_of(a, keep) * by_bias[j] if keep != 0 else total


#: by their numbers in `codes`
ACTIVATIONS = {
    codes.IDENTITY: Activation(_identity, _identity_chain),
    codes.RELU: Activation(_relu, _relu_chain),
    codes.TANH: Activation(_tanh, _tanh_chain),
    codes.SIGMOID: Activation(_sigmoid, _sigmoid_chain),
    codes.LEAKY_RELU: Activation(_leaky_relu, by_slopes),
    codes.ELU: Activation(_elu, by_slopes),
    codes.SELU: Activation(_selu, by_slopes),
    codes.SOFTPLUS: Activation(_softplus, by_slopes),
    codes.SILU: Activation(_silu, by_slopes),
    codes.MISH: Activation(_mish, by_slopes),
    codes.GELU: Activation(_gelu, by_slopes),
    codes.GELU_TANH: Activation(_gelu_tanh, by_slopes),
}
