"""The state of optimizers and callbacks as plain data, which a file without code can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from abline.errors import DataError
from abline.nets.describe_errors import reading
from abline.nets.describe_tensors import describe_tensor, restore_tensor

_SIMPLE = (type(None), bool, int, float, str)


def to_plain(value: Any) -> Any:
    """Write a state as plain data.

    Parameters
    ----------
    value : number, text, tensor, array, list, tuple or dict of them
        Dictionaries may have any of these as keys.

    Returns
    -------
    tree
        For `from_plain`; shares no memory with the state.

    Raises
    ------
    DataError
        If there is anything else in it.

    Examples
    --------
    >>> to_plain({0: (1.5, None)})
    {'dict': [[0, {'tuple': [1.5, None]}]]}
    """
    if type(value) in _SIMPLE or isinstance(value, np.number | np.bool):
        return value
    if isinstance(value, Tensor):
        return {"tensor": describe_tensor(value)}
    if isinstance(value, np.ndarray):
        return {"array": value.copy()}
    if isinstance(value, dict):
        return {"dict": [[to_plain(key), to_plain(item)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [to_plain(item) for item in value]}
    raise DataError(
        f"a {type(value).__name__} cannot be kept in a checkpoint, which holds no code: let "
        "state_dict give numbers, text, tensors, lists and dictionaries"
    )


def from_plain(tree: Any) -> Any:
    """Make a state from what `to_plain` gave.

    Parameters
    ----------
    tree : tree

    Returns
    -------
    object
        Tensors are on the CPU; subclasses of dictionaries, lists and tuples are these themselves.

    Raises
    ------
    ModelFileError
        If `to_plain` cannot have given this.

    Examples
    --------
    >>> from_plain(to_plain({0: (1.5, None)}))
    {0: (1.5, None)}
    """
    if not isinstance(tree, dict):
        return tree
    with reading("it has a malformed state"):
        ((kind, content),) = tree.items()
        if kind == "tensor":
            return restore_tensor(content)
        if kind == "array":
            return content
        if kind == "dict":
            return {from_plain(key): from_plain(item) for key, item in content}
        return {"list": list, "tuple": tuple}[kind](from_plain(item) for item in content)
