"""Which hooks callbacks have, and when they are due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.nets.callbacks.base import Callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abline.nets.training import TrainingState

    Hook = Callable[[TrainingState], None]


def hooks_of(callbacks: Sequence[Any], name: str) -> list[Hook]:
    """Give the hooks of one name that do something.

    Parameters
    ----------
    callbacks : sequence of Callback
    name : str
        One of `HOOKS`.

    Returns
    -------
    list of callable
        In the callbacks' order, without those that `Callback` itself has.
    """
    if name == "on_batch_end":
        callbacks = [each for each in callbacks if getattr(each, "every_batch", True)]
    return [
        getattr(callback, name)
        for callback in callbacks
        if hasattr(callback, name)
        and getattr(type(callback), name, None) is not getattr(Callback, name)
    ]


def epochs_until_due(callbacks: Sequence[Any], epoch: int, max_epochs: int) -> int:
    """Count the epochs that can run before a callback has to be called.

    Parameters
    ----------
    callbacks : sequence of Callback
    epoch : int
        The next to run, counted from 0.
    max_epochs : int

    Returns
    -------
    int
        1 or more, as many as are left where no callback waits for an epoch.

    Examples
    --------
    >>> from abline.nets import PrintLog
    >>> epochs_until_due([PrintLog(every=100)], 1, 1000)
    100
    """
    last = max_epochs - 1
    for callback in callbacks:
        every = getattr(callback, "every", 1)
        if every is not None and hooks_of([callback], "on_epoch_end"):
            last = min(last, -(-epoch // every) * every)
    return last - epoch + 1


def due_hooks(callbacks: Sequence[Any], state: TrainingState) -> Iterator[Hook]:
    """Give the ``on_epoch_end`` of the callbacks that are to see this epoch.

    Parameters
    ----------
    callbacks : sequence of Callback
    state : TrainingState
        Where a hook stops the training, this epoch is the last, which all are to see.

    Yields
    ------
    callable
        In the callbacks' order, then those that run last; call each before asking for the next.
    """
    last, waiting = [], []
    for callback in callbacks:
        if getattr(callback, "runs_last", False):
            last.append(callback)
        elif _is_due(callback, state):
            yield from hooks_of([callback], "on_epoch_end")
        else:
            waiting.append(callback)
    if state.stop:
        yield from hooks_of(waiting, "on_epoch_end")
    for callback in last:
        if _is_due(callback, state):
            yield from hooks_of([callback], "on_epoch_end")


def _is_due(callback: Any, state: TrainingState) -> bool:
    every = getattr(callback, "every", 1)
    last = state.stop or state.epoch == state.max_epochs - 1
    return last or every is None or state.epoch % every == 0
