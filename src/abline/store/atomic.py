"""Put a file in its place whole or not at all.

The bytes go to a temporary file beside the place, which `os.replace` then moves over it: the
file system shows the old file or the new one, never half of either, whatever ends the process.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from abline.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: names of the process's own streams; what they lead to belongs to whoever redirected it
_STREAMS = ("/dev/fd/", "/dev/stdout", "/dev/stderr", "/proc/")


@dataclass(frozen=True)
class _Place:
    """Where the bytes go: past any symbolic link, with what is there now."""

    target: Path
    exists: bool
    mode: int | None
    direct: bool


@contextmanager
def atomic_write(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file that takes its place only once it is complete.

    Symbolic links are followed and kept, and so are the permissions of a file that is
    replaced. A pipe or a device (``/dev/stdout``) is written directly.

    Parameters
    ----------
    path : str or Path
        Where the file is to stand; its folder must exist.

    Yields
    ------
    binary file
        Leave the block to put it in place; if an exception leaves it, the old file stays.

    Raises
    ------
    OutputError
        If the place cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "greeting.txt"
    >>> with atomic_write(place) as file:
    ...     _ = file.write(b"hello")
    >>> place.read_text()
    'hello'
    """
    path = Path(path)
    place = _find_place(path)
    if place.direct:
        with _explained(path), place.target.open("ab") as file:
            yield file
        return
    temporary = _temporary_beside(place.target)
    try:
        with _explained(path, temporary):
            with temporary.open("xb") as file:
                if place.mode is not None:  # before a byte is in it that others may not read
                    temporary.chmod(place.mode)
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(place.target)
    finally:
        _remove(temporary)  # after a KeyboardInterrupt too; once in place, it has gone


def check_writable(path: str | Path, *, force: bool = True) -> Path:
    """Find out before any work whether a result can be written at its end.

    A file is really created beside the place and removed again: permission bits alone do not
    show a read-only file system, and mean nothing to the superuser.

    Parameters
    ----------
    path : str or Path
        Where the result is to stand.
    force : bool, default=True
        Whether a file that is there already may be replaced.

    Returns
    -------
    Path
        The path as given.

    Raises
    ------
    OutputError
        If the folder does not exist, the path is a folder, nothing may be written there, or
        a file is there and ``force`` is false.

    Examples
    --------
    >>> import tempfile
    >>> check_writable(Path(tempfile.mkdtemp()) / "line.model").name
    'line.model'
    """
    path = Path(path)
    place = _find_place(path)
    if place.direct:
        return path
    if place.exists and not force:
        raise OutputError(
            f"{path} exists already: choose another name "
            "(on the command line --force overwrites it)"
        )
    temporary = _temporary_beside(place.target)
    try:
        with _explained(path, temporary):
            temporary.touch(exist_ok=False)
    finally:
        _remove(temporary)
    return path


def _find_place(path: Path) -> _Place:
    """Follow links and refuse what can be refused without writing."""
    with _explained(path):
        try:
            found = path.stat()  # not of the resolved path: a pipe's link leads to no path
        except FileNotFoundError:
            found = None
        except NotADirectoryError:
            raise OutputError(
                f"cannot write {path}: part of that path is a file, not a folder"
            ) from None
        except ValueError as error:  # a null byte, or text that is no file name
            raise OutputError(
                f"cannot write {str(path)!r}: it cannot be a file's name ({error})"
            ) from error
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise OutputError(f"cannot write {path}: it is a folder, so add a file name to it")
        is_stream = str(path.absolute()).startswith(_STREAMS)
        if found is not None and (is_stream or not stat.S_ISREG(found.st_mode)):
            return _Place(target=path, exists=True, mode=None, direct=True)
        target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise OutputError(
            f"cannot write {path}: the folder {target.parent} does not exist, so create it first"
        )
    # a rename would replace a read-only file, which its owner meant to keep
    if found is not None and not os.access(target, os.W_OK):
        raise OutputError(
            f"cannot write {path}: the file there is read-only, so choose another name"
        )
    mode = None if found is None else stat.S_IMODE(found.st_mode) & 0o777
    return _Place(target=target, exists=found is not None, mode=mode, direct=False)


def _temporary_beside(target: Path) -> Path:
    # not tempfile's: its files are closed to the group whatever the umask says, and the umask
    # cannot be read without changing it for all threads
    return target.with_name(f".abline-{secrets.token_hex(8)}.tmp")


def _remove(temporary: Path) -> None:
    # what made the writing fail (a read-only file system) is told, not that removing fails too
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


@contextmanager
def _explained(path: Path, *own: Path) -> Iterator[None]:
    """Say in one sentence why a place cannot be written."""
    try:
        yield
    except OSError as error:
        # a failed write names no file; another file's trouble, met in the block, is not ours
        ours = {str(name) for name in (None, path, *own)}
        if str(error.filename) not in ours:
            raise
        reason = error.strerror or type(error).__name__
        raise OutputError(
            f"cannot write {path}: {reason[:1].lower()}{reason[1:]}, so choose another place"
        ) from error
