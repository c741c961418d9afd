"""The exponential function and what follows from it, written so that compilers vectorise them.

A call of the mathematics library computes one number in some ten nanoseconds, as long as the
rest of a small network's step together. These are polynomials on a reduced argument, accurate to
about two units in the last place, without branches.

References
----------
Cody, Waite (1980), *Software Manual for the Elementary Functions*; Moshier, *Cephes* (the
rational function for tanh near zero); Press et al. (1992), *Numerical Recipes*, §6.2 (the error
function).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from abline.nets.engines.fused import plain
from abline.nets.engines.fused.compiled import compiled_exactly

#: a loop with a call in it is not vectorised
_INLINED: Any = {"forceinline": True}

_LOG2E = 1.4426950408889634
#: ln 2 in two parts: the first has so few digits that its products with whole numbers are exact
_LN2_HIGH, _LN2_LOW = 0.693145751953125, 1.42860682030941723212e-6
_LN2_HIGH_32, _LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
#: adding this rounds to a whole number, which then stands in the lowest bits
_ROUND_64, _ROUND_32 = 6755399441055744.0, np.float32(12582912.0)
_ROUND_64_BITS = np.int64(0x4338000000000000)
_ROUND_32_BITS = np.int32(0x4B400000)


def _read_bits(_typing: Any, x: Any) -> Any:
    """Read a float's bits as a whole number of its size."""
    wide = x == types.float64
    whole = types.int64 if wide else types.int32

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64 if wide else 32))

    return whole(x), generate


def _read_float(_typing: Any, bits: Any) -> Any:
    """Read a whole number's bits as a float of its size."""
    wide = bits == types.int64

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType() if wide else ir.FloatType())

    return (types.float64 if wide else types.float32)(bits), generate


_bits: Any = intrinsic(_read_bits)
_float_of: Any = intrinsic(_read_float)


def _polynomial(coefficients: list[float], *, in_single: int | None = None) -> Any:
    """Make the polynomial with these coefficients, by Horner's rule in the argument's precision.

    Of single precision it may have fewer terms.
    """

    def generate_for(_typing: Any, x: Any) -> Any:
        terms = coefficients[:in_single] if x == types.float32 else coefficients

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            value = context.get_constant(x, terms[-1])
            for term in terms[-2::-1]:
                product = builder.fmul(value, arguments[0], flags=("contract",))
                constant = context.get_constant(x, term)
                value = builder.fadd(product, constant, flags=("contract",))
            return value

        return x(x), generate

    def evaluate(x: float) -> float:
        value = coefficients[-1]
        for term in coefficients[-2::-1]:
            value = value * x + term
        return value

    return evaluate if plain.WANTED else intrinsic(generate_for)


#: of e to the power of numbers within half of ln 2 from 0
_exp_series = _polynomial([1 / math.factorial(k) for k in range(14)], in_single=8)


@compiled_exactly
def _exp_64(x: float) -> float:
    bounded = 709.0 if x > 709.0 else x
    bounded = -708.0 if bounded < -708.0 else bounded
    rounded = bounded * _LOG2E + _ROUND_64
    k = rounded - _ROUND_64
    r = (bounded - k * _LN2_HIGH) - k * _LN2_LOW
    p = _exp_series(r)
    power = _float_of(((_bits(rounded) - _ROUND_64_BITS) + np.int64(1023)) << np.int64(52))
    value = p * power
    return np.inf if x > 709.78 else value


@compiled_exactly
def _exp_32(x: Any) -> Any:
    bounded = np.float32(88.0) if x > np.float32(88.0) else x
    bounded = np.float32(-87.0) if bounded < np.float32(-87.0) else bounded
    rounded = bounded * np.float32(_LOG2E) + _ROUND_32
    k = rounded - _ROUND_32
    r = (bounded - k * _LN2_HIGH_32) - k * _LN2_LOW_32
    p = _exp_series(r)
    power = _float_of(np.int32(((_bits(rounded) - _ROUND_32_BITS) + np.int32(127)) << np.int32(23)))
    value = np.float32(p * power)
    return np.float32(np.inf) if x > np.float32(88.72) else value


def exp(x: Any) -> Any:
    """Give e to the power of one number, in its precision."""
    with np.errstate(over="ignore"):
        return np.exp(x)


@overload(exp, strict=False, jit_options=_INLINED)
def _exp(x: Any) -> Any:
    if x == types.float32:
        return lambda x: _exp_32(x)  # noqa: PLW0108 - Numba wants Python code here
    return lambda x: _exp_64(x)  # noqa: PLW0108 - Numba wants Python code here


@compiled_exactly
def tanh(x: Any) -> Any:
    """Give the hyperbolic tangent of one number, in its precision."""
    one = type_of(x, 1.0)
    size = -x if x < 0 else x
    far = one - type_of(x, 2.0) / (exp(type_of(x, 2.0) * size) + one)
    far = -far if x < 0 else far
    z = x * x
    p = (type_of(x, -0.964399179425052238628) * z + type_of(x, -99.2877231001918586564)) * z
    p += type_of(x, -1614.68768441708447952)
    q = ((z + type_of(x, 112.811678491632931402)) * z + type_of(x, 2235.48839060100448583)) * z
    q += type_of(x, 4844.06305325125486048)
    near = x + x * z * p / q
    return near if size < type_of(x, 0.625) else far


@compiled_exactly
def sigmoid(x: Any) -> Any:
    """Give 1 / (1 + exp(-x)) of one number, in its precision."""
    one = type_of(x, 1.0)
    return one / (one + exp(-x))


@compiled_exactly
def log1p(u: Any) -> Any:
    """Give log(1 + u) of one number from 0 to 1, in its precision: 2 atanh(u / (2 + u))."""
    s = u / (type_of(u, 2.0) + u)
    return (s + s) * _atanh_series(s * s)


#: of atanh(s) / s in s², for s² up to 1/9
_atanh_series = _polynomial([1 / (2 * k + 1) for k in range(18)], in_single=8)


@compiled_exactly
def _erf_32(x: Any) -> Any:
    """Give Chebyshev's fit of the complement, 1.2e-7 of it off at most."""
    one = np.float32(1.0)
    size = abs(x)
    t = one / (one + np.float32(0.5) * size)
    p = _erfc_series(t)
    value = np.float32(one - t * _exp_32(np.float32(p - size * size)))
    return -value if x < np.float32(0.0) else value


#: of the logarithm of erfc(x) exp(x²) / t in t = 1 / (1 + x / 2)
_erfc_series = _polynomial(
    [
        -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
        1.48851587, -0.82215223, 0.17087277,
    ]
)  # fmt: skip


def erf(x: Any) -> Any:
    """Give the error function of one number: to 2e-7 in float32, where it vectorises."""
    return math.erf(x)


@overload(erf, strict=False, jit_options=_INLINED)
def _erf(x: Any) -> Any:
    if x == types.float32:
        return lambda x: _erf_32(x)  # noqa: PLW0108 - Numba wants Python code here
    return lambda x: math.erf(x)  # noqa: PLW0108 - Numba wants Python code here


def type_of(x: Any, constant: float) -> Any:
    """Give a constant in the precision of x (a number, or a pointer to some).

    So float32 arithmetic stays float32.
    """
    return plain.type_of(x, constant)


@overload(type_of, strict=False, jit_options=_INLINED)
def _type_of(x: Any, constant: Any) -> Any:  # noqa: ARG001 - the names are the function's own
    if getattr(x, "dtype", x) == types.float32:
        return lambda x, constant: np.float32(constant)  # noqa: ARG005 - as above
    return lambda x, constant: np.float64(constant)  # noqa: ARG005 - as above
