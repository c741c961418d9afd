"""What kernels do with addresses: call pieces and BLAS, and point into arrays.

What is called by address is not compiled into the caller. So each piece is compiled by itself, when
it is first wanted, whatever calls it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from abline.nets.engines.fused import plain

#: a place on the stack, with a value in it
_slot: Any = cgutils.alloca_once_value


@cache
def gemm_address(dtype: np.dtype[Any]) -> int:
    """Give the address of BLAS's matrix product in this process.

    Parameters
    ----------
    dtype : float32 or float64

    Returns
    -------
    int
    """
    name = "dgemm" if dtype == np.float64 else "sgemm"
    return int(get_cython_function_address("scipy.linalg.cython_blas", name))


def _point(_typing: Any, pointer: Any, _place: Any) -> Any:
    """Point to an element: ``at(pointer, place)[0]`` is ``pointer[place]``."""

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.gep(given[0], [given[1]])

    return pointer(pointer, types.int64), generate


at: Any = plain.at if plain.WANTED else intrinsic(_point)


def _plain(argument: Any) -> Any:
    """Give the type in which a piece takes an argument of a caller's type."""
    if isinstance(argument, types.CPointer):
        return argument
    return types.float64 if isinstance(argument, types.Float) else types.int64


def _caller(returns: Any) -> Any:
    """Make what calls a piece that gives a value of a type."""

    def call(_typing: Any, address: Any, *arguments: Any) -> Any:
        kinds = arguments[0].types if len(arguments) == 1 else arguments
        signature = returns(address, types.StarArgTuple(kinds))  # type: ignore[no-untyped-call]  # Numba has few types

        def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
            pointer, packed = given
            values = [
                context.cast(builder, builder.extract_value(packed, place), kind, _plain(kind))
                for place, kind in enumerate(kinds)
            ]
            result = ir.VoidType() if returns == types.none else context.get_value_type(returns)
            function = ir.FunctionType(result, [value.type for value in values])
            found = builder.inttoptr(pointer, function.as_pointer())
            called = builder.call(found, values)
            return context.get_dummy_value() if returns == types.none else called

        return signature, generate

    return intrinsic(call)


#: call a piece that changes arrays: ``run(address, *arguments)``; whole numbers may be pointers
run: Any = plain.call if plain.WANTED else _caller(types.none)

#: call a piece that also gives a number: ``number(address, *arguments)``
number: Any = plain.call if plain.WANTED else _caller(types.float64)


_GEMM_NAMES = (
    "address", "turn_a", "turn_b", "m", "n", "k", "a", "lda", "b", "ldb", "beta", "c", "ldc",
)  # fmt: skip


def _gemm(
    _typing: Any, address: Any, turn_a: Any, turn_b: Any, m: Any, n: Any, k: Any,
    a: Any, lda: Any, b: Any, ldb: Any, beta: Any, c: Any, ldc: Any,
) -> Any:  # fmt: skip
    """Compute c = op(a) op(b) + beta c as BLAS's gemm does: by columns."""
    kinds = (address, turn_a, turn_b, m, n, k, a, lda, b, ldb, beta, c, ldc)
    real = c.dtype

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        named = dict(zip(_GEMM_NAMES, given, strict=True))
        typed = dict(zip(named, kinds, strict=True))

        def place(name: str, kind: Any) -> Any:
            value = context.cast(builder, named[name], typed[name], kind)
            return _slot(builder, value)

        def letter(name: str) -> Any:
            turned = context.cast(builder, named[name], typed[name], types.boolean)
            codes = [ir.Constant(ir.IntType(8), ord(each)) for each in "TN"]
            return _slot(builder, builder.select(turned, *codes))

        one = context.get_constant(real, 1)
        arguments = [
            letter("turn_a"), letter("turn_b"),
            *(place(name, types.int32) for name in ("m", "n", "k")),
            _slot(builder, one),
            named["a"], place("lda", types.int32),
            named["b"], place("ldb", types.int32),
            place("beta", real), named["c"], place("ldc", types.int32),
        ]  # fmt: skip
        function = ir.FunctionType(ir.VoidType(), [each.type for each in arguments])
        builder.call(builder.inttoptr(named["address"], function.as_pointer()), arguments)
        return context.get_dummy_value()

    return types.none(*kinds), generate


gemm: Any = plain.gemm if plain.WANTED else intrinsic(_gemm)
