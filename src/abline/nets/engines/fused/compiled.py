"""How kernels are compiled, and where what was compiled is kept.

Numba's own cache does not notice a changed callee in another file. So everything compiled here goes
to one folder whose name is a hash of all the kernels' sources: a changed line anywhere leaves the
old folder behind and begins a new one. A folder that cannot be written to is read all the same;
where there is none, what is compiled serves this process alone.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from abline.nets.engines.fused.kernel_cache import cache_folder, sources_hash

if TYPE_CHECKING:
    from collections.abc import Callable

Kernel = TypeVar("Kernel", bound="Callable[..., Any]")


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
        with suppress(OSError):
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]  # Numba has few types
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        # a folder that is read-only or full: this process has the machine code in memory
        with suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]  # as above


def _compile(function: Kernel, flags: set[str]) -> Kernel:
    dispatcher: Any = njit(nogil=True, fastmath=flags, error_model="numpy")(function)
    if dispatcher is not function:  # as it is under NUMBA_DISABLE_JIT
        dispatcher._cache = _KernelCache(function)  # type: ignore[no-untyped-call]  # as above
    return cast("Kernel", dispatcher)


def compiled(function: Kernel) -> Kernel:
    """Compile on the first call; sums may be re-ordered, NaN and infinity keep their meaning."""
    return _compile(function, {"reassoc", "contract"})


def compiled_exactly(function: Kernel) -> Kernel:
    """Compile on the first call, with operations in the order in which they are written."""
    return _compile(function, {"contract"})
