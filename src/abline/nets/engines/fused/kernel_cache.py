"""Where compiled kernels are kept, and whether they are there; without loading the compiler."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

#: precisions that were compiled, or read from the folder, in this process
_loaded: set[str] = set()


@cache
def sources_hash() -> str:
    """Give the hash of all kernels' sources, of Numba's version and of Python's.

    Returns
    -------
    str
    """
    found = hashlib.sha256(f"{version('numba')} {sys.version}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


def cache_folder() -> Path:
    """Give the folder of compiled kernels.

    Returns
    -------
    Path
        In ``NUMBA_CACHE_DIR`` where that is set, else in the user's cache folder. Its name has the
        hash of the sources.
    """
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "abline" / f"kernels-{sources_hash()}"


def is_loaded(precision: str) -> bool:
    """Say whether the kernels of a precision have run in this process.

    Parameters
    ----------
    precision : {"float32", "float64"}
    """
    return precision in _loaded


def is_kept(precision: str) -> bool:
    """Say whether the kernels of a precision lie compiled in the folder.

    Parameters
    ----------
    precision : {"float32", "float64"}
    """
    return _mark(precision).exists()


def note_loaded(precision: str) -> None:
    """Remember that the kernels of a precision are compiled, here and in the folder.

    Parameters
    ----------
    precision : {"float32", "float64"}
    """
    if precision not in _loaded:
        _loaded.add(precision)
        with suppress(OSError):  # a folder that cannot be written to keeps nothing
            _mark(precision).touch()


def _mark(precision: str) -> Path:
    """The file that says so; Numba's own name signatures that only it can read."""
    return cache_folder() / f"{precision}.compiled"
