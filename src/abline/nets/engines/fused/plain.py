"""Pieces as plain Python, where ``NUMBA_DISABLE_JIT`` is set: for debuggers and coverage.

A piece's address is then a number under which it is found here, and a pointer one of ctypes.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import config

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]  # Numba makes it on import

_ELEMENTS: dict[str, Any] = {
    "int64*": ctypes.c_int64,
    "float64*": ctypes.c_double,
    "float64 real*": ctypes.c_double,
    "float32 real*": ctypes.c_float,
}

_functions: list[Callable[..., Any]] = []


def register(function: Callable[..., Any], arguments: list[str], dtype: np.dtype[Any]) -> int:
    """Give a function an address.

    Parameters
    ----------
    function : callable
    arguments : list of str
        As of `compiled.Piece`.
    dtype : float32 or float64
        What ``"real*"`` points to.

    Returns
    -------
    int
    """

    def call(*given: Any) -> Any:
        pairs = zip(arguments, given, strict=True)
        return function(*(_take(name, each, dtype) for name, each in pairs))

    _functions.append(call)
    return len(_functions)  # 0 is no piece


def call(address: int, *arguments: Any) -> Any:
    """Call the function of an address; arrays may be pointers or addresses in memory."""
    return _functions[address - 1](*arguments)


def at(pointer: Any, place: int) -> Any:
    """Point to an element."""
    size = ctypes.sizeof(pointer._type_)
    return ctypes.cast(_address(pointer) + place * size, type(pointer))


def gemm(
    _address: int, turn_a: bool, turn_b: bool, m: int, n: int, k: int,
    a: Any, lda: int, b: Any, ldb: int, beta: float, c: Any, ldc: int,
) -> None:  # fmt: skip
    """Compute c = op(a) op(b) + beta c by columns, as BLAS does."""
    A = np.ctypeslib.as_array(a, (m if turn_a else k, lda)).T
    B = np.ctypeslib.as_array(b, (k if turn_b else n, ldb)).T
    C = np.ctypeslib.as_array(c, (n, ldc)).T
    product = (A[:k].T if turn_a else A[:m]) @ (B[:n].T if turn_b else B[:k])
    C[:m] = product + beta * C[:m] if beta else product


def type_of(x: Any, constant: float) -> Any:
    """Give a constant in the precision of a pointer's numbers, or of a number."""
    return constant if hasattr(x, "_type_") else type(x)(constant)


def _take(name: str, given: Any, dtype: np.dtype[Any]) -> Any:
    if not name.endswith("*"):
        return given
    element = _ELEMENTS[f"{dtype.name} {name}" if name == "real*" else name]
    return ctypes.cast(_address(given), ctypes.POINTER(element))


def _address(pointer: Any) -> int:
    if hasattr(pointer, "_type_"):
        return ctypes.cast(pointer, ctypes.c_void_p).value or 0
    return int(pointer)
