"""Seeds, and torch's global generator lent to one fit at a time.

Torch's layers draw their first weights, and dropout its masks, from one generator that
belongs to the whole process. A fit borrows it: seeds it, trains, and puts back the state it
found, so that neither the caller's draws nor another fit's depend on it.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from abline.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

# The generator is shared by all threads. Two fits that borrowed it at once would draw from
# one another's sequence, and the later to end would "restore" the other's state; so they take
# turns. Reentrant, since a callback or module factory may itself fit something.
_LENT = threading.RLock()

#: the largest seed that both numpy's and torch's generators take
_LARGEST_SEED = 2**32 - 1


def seed_from(random_state: int | np.random.RandomState | None) -> int:
    """Turn scikit-learn's ``random_state`` into one seed.

    Parameters
    ----------
    random_state : int, RandomState or None
        An integer is the seed itself; a ``RandomState`` gives its next number; None draws
        one from the operating system, leaving numpy's global generator as it is.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If it is none of these.

    Examples
    --------
    >>> seed_from(42)
    42
    """
    if random_state is None:
        return int(np.random.default_rng().integers(_LARGEST_SEED))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(_LARGEST_SEED, dtype=np.int64))
    if isinstance(random_state, int | np.integer) and 0 <= random_state <= _LARGEST_SEED:
        return int(random_state)
    raise ParameterError(
        f"random_state is {random_state!r}: give a whole number from 0 to {_LARGEST_SEED}, "
        "a numpy RandomState, or None"
    )


@contextmanager
def borrowed_generator(seed: int, device: torch.device) -> Iterator[None]:
    """Lend torch's global generator, seeded, to the body; then restore it.

    Within the body the first draws are those after ``torch.manual_seed(seed)``. Only the
    generators of the CPU and of this one device are used.

    Parameters
    ----------
    seed : int
    device : torch.device
        Where the body computes.
    """
    with unchanged_generator(device):
        for generator in generators_of(device):
            generator.manual_seed(seed)
        yield


@contextmanager
def unchanged_generator(device: torch.device) -> Iterator[None]:
    """Let the body draw from torch's global generator without moving it on.

    Parameters
    ----------
    device : torch.device
        Where the body computes.
    """
    with _LENT:
        generators = generators_of(device)
        states = [generator.get_state() for generator in generators]
        try:
            yield
        finally:
            for generator, state in zip(generators, states, strict=True):
                generator.set_state(state)


def generators_of(device: torch.device) -> list[torch.Generator]:
    """Give torch's global generators that layers on a device draw from.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    list of torch.Generator
        The CPU's first.
    """
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        index = torch.cuda.current_device() if device.index is None else device.index
        return [torch.default_generator, torch.cuda.default_generators[index]]
    if device.type == "mps":
        return [torch.default_generator, torch.mps._get_default_mps_generator()]
    return [torch.default_generator]
