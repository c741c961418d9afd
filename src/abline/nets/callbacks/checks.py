"""Whether callbacks can be called back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abline.errors import ParameterError
from abline.nets.callbacks.base import HOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_callbacks(callbacks: Any) -> Sequence[Any]:
    """Check that callbacks can be called back.

    Parameters
    ----------
    callbacks : None or sequence of Callback

    Returns
    -------
    sequence of Callback

    Raises
    ------
    ParameterError
        If it is not a list, or one has none of the hooks.
    """
    if callbacks is None:
        return []
    if not isinstance(callbacks, list | tuple):
        raise ParameterError(f"callbacks is a {type(callbacks).__name__}: pass a list of callbacks")
    for callback in callbacks:
        if isinstance(callback, type):
            raise ParameterError(f"callbacks has the class {callback.__name__}: pass an instance")
        if not any(callable(getattr(callback, hook, None)) for hook in HOOKS):
            raise ParameterError(
                f"callbacks has {callback!r}, which has none of {', '.join(HOOKS)}: "
                "derive it from abline.Callback"
            )
    return list(callbacks)
