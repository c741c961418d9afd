"""How kernels are compiled, and where what was compiled is kept.

Numba's own cache does not notice a changed callee in another file. So everything compiled here goes
to one folder whose name is a hash of all the kernels' sources: a changed line anywhere leaves the
old folder behind and begins a new one. A folder that cannot be written to is read all the same;
where there is none, what is compiled serves this process alone.
"""

from __future__ import annotations

import ctypes
import hashlib
import pickle
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numba import float32, float64, int64, njit, types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.ccallback import CFunc

from abline.nets.engines.fused import plain
from abline.nets.engines.fused.kernel_cache import cache_folder, sources_hash

if TYPE_CHECKING:
    from collections.abc import Callable

Kernel = TypeVar("Kernel", bound="Callable[..., Any]")

#: what LLVM may do with sums (re-order them) and products (join them with sums); NaN and infinity
#: keep their meaning
_ANY_ORDER, _AS_WRITTEN = {"reassoc", "contract"}, {"contract"}


class _BySources(_CacheLocator):
    """Numba's question where to keep a function's machine code, answered by `cache_folder`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}"

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return sources_hash()

    def get_disambiguator(self) -> str:
        return hashlib.sha256(self._name.encode()).hexdigest()[:8]

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _BySources:  # noqa: ARG003 - Numba's signature
        return cls(py_func)


class _KernelCacheImpl(CompileResultCacheImpl):
    _locator_classes: Any = [_BySources]  # noqa: RUF012 - as Numba declares it


class _KernelCache(FunctionCache):
    _impl_class = _KernelCacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        # a file that cannot be read, or was damaged: it is compiled again
        with suppress(OSError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError):
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]  # Numba has few types
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        # a folder that is read-only or full, or an index that was damaged: this process has the
        # machine code in memory
        with suppress(OSError, EOFError, ValueError, pickle.UnpicklingError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]  # as above


def compiled_exactly(function: Kernel) -> Kernel:
    """Compile a function that pieces call, into them, in the order in which it is written."""
    options: Any = {"fastmath": _AS_WRITTEN, "error_model": "numpy", "no_cfunc_wrapper": True}
    options["forceinline"] = True  # a loop with a call in it is not vectorised
    dispatcher: Any = njit(**options)(function)
    dispatcher._cache = _KernelCache(function)  # type: ignore[no-untyped-call]  # as above
    return cast("Kernel", dispatcher)


class Piece:
    """A part of a training, compiled when first wanted, that is called by its address.

    Arrays are pointers to it; numbers are float64 and int64. Calls from Python release the
    interpreter's lock.

    Parameters
    ----------
    function : callable
    arguments : sequence of str
        ``"real*"`` (the training's precision), ``"float64*"``, ``"int64*"``, ``"float64"`` or
        ``"int64"`` for each.
    returns : type
        Numba's.
    flags : set of str
        LLVM's liberties.
    """

    def __init__(
        self, function: Callable[..., Any], arguments: list[str], returns: Any, flags: set[str]
    ) -> None:
        self._function = function
        self._arguments = arguments
        self._returns = returns
        self._flags = flags
        self._made: dict[np.dtype[Any], int] = {}
        self._kept: list[Any] = []
        self._callables: dict[np.dtype[Any], Any] = {}

    def __repr__(self) -> str:
        return f"Piece({self._function.__qualname__})"

    def address(self, dtype: np.dtype[Any]) -> int:
        """Give the address of the machine code for a precision, compiling it if need be."""
        if dtype not in self._made:
            self._made[dtype] = self._make(dtype)
        return self._made[dtype]

    def __call__(self, dtype: np.dtype[Any], *arguments: Any) -> Any:
        """Call it from Python; arrays are C-contiguous and of the types that it wants."""
        if plain.WANTED:
            return plain.call(self.address(dtype), *map(_plain, arguments))
        made = self._callables.get(dtype)
        if made is None:
            returns = ctypes.c_double if self._returns == float64 else None
            kinds: dict[str, Any] = {"float64": ctypes.c_double, "int64": ctypes.c_int64}
            wanted = [kinds.get(name, ctypes.c_void_p) for name in self._arguments]
            made = ctypes.CFUNCTYPE(returns, *wanted)(self.address(dtype))
            self._callables[dtype] = made
        return made(*map(_plain, arguments))

    def _make(self, dtype: np.dtype[Any]) -> int:
        if plain.WANTED:
            return plain.register(self._function, self._arguments, dtype)
        real = float64 if dtype.name == "float64" else float32
        kinds = {"float64": float64, "int64": int64, "real": real}
        arguments = tuple(
            types.CPointer(kinds[name[:-1]]) if name.endswith("*") else kinds[name]  # type: ignore[no-untyped-call]  # as above
            for name in self._arguments
        )
        options = {"fastmath": self._flags, "error_model": "numpy"}
        made: Any = CFunc(self._function, (arguments, self._returns), {}, options)
        made._cache = _KernelCache(self._function)  # type: ignore[no-untyped-call]  # as above
        made.compile()
        self._kept.append(made)  # the machine code goes with it
        return int(made.address)


def _plain(argument: Any) -> Any:
    """Give an array's address, and a number as it is."""
    if isinstance(argument, np.ndarray):
        return argument.__array_interface__["data"][0]
    return argument


def piece(
    *arguments: str, number: bool = False, exactly: bool = False
) -> Callable[[Callable[..., Any]], Piece]:
    """Make a function a piece.

    Parameters
    ----------
    *arguments : str
        As of `Piece`.
    number : bool, default=False
        Whether it gives a number.
    exactly : bool, default=False
        Whether operations keep the order in which they are written.
    """

    def decorate(function: Callable[..., Any]) -> Piece:
        returns = float64 if number else types.void
        flags = _AS_WRITTEN if exactly else _ANY_ORDER
        return Piece(function, list(arguments), returns, flags)

    return decorate
