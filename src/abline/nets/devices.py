"""Where a network computes, and with how many threads."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from abline.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator


def pick_device(device: str | torch.device) -> torch.device:
    """Find the device that a person asked for.

    Parameters
    ----------
    device : str or torch.device
        ``"auto"`` is a CUDA GPU where there is one, else the CPU; ``"cpu"``, ``"cuda"``,
        ``"cuda:1"`` and ``"mps"`` are what they say.

    Returns
    -------
    torch.device

    Raises
    ------
    ParameterError
        If there is no such device here.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError):
        raise ParameterError(
            f"device is {device!r}: choose 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'"
        ) from None
    _check_present(found)
    return found


def _check_present(device: torch.device) -> None:
    if device.type == "cpu":
        return
    remedy = "use device='auto' or device='cpu'"
    if device.type == "mps":
        if not torch.backends.mps.is_available():
            raise ParameterError(f"device is 'mps', but there is no Apple GPU here: {remedy}")
        return
    if device.type != "cuda":
        raise ParameterError(f"device is {str(device)!r}, which abline does not train on: {remedy}")
    if not torch.cuda.is_available():
        raise ParameterError(
            f"device is {str(device)!r}, but this PyTorch ({torch.__version__}) finds no CUDA "
            f"GPU: {remedy}"
        )
    count = torch.cuda.device_count()
    if device.index is not None and device.index >= count:
        raise ParameterError(
            f"device is {str(device)!r}, but there are only {count} GPUs, counted from 0: "
            f"use device='cuda:{count - 1}'"
        )


@contextmanager
def cpu_threads(n_jobs: int | None) -> Iterator[None]:
    """Let torch use a set number of threads in the body; then restore what it had.

    One thread is the default: at the sizes of tables more of them cost more than they bring,
    and sums split over another number of threads end in other digits.

    Parameters
    ----------
    n_jobs : int or None
        None is one thread; -1 all cores, -2 all but one, as in scikit-learn.

    Raises
    ------
    ParameterError
        If it is 0 or no whole number.
    """
    threads = _count(n_jobs)
    before = torch.get_num_threads()
    if threads == before:
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _count(n_jobs: int | None) -> int:
    if n_jobs is None:
        return 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0:
        raise ParameterError(f"n_jobs is {n_jobs!r}: give 1 or more threads, or -1 for all cores")
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)
