"""From numpy to tensors and back, and the shapes of a module's outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from abline.errors import DataError, ParameterError
from abline.nets.training import CHUNK_ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.tables.conversion import Floats


def to_tensor(array: Floats, like: Tensor, what: str) -> Tensor:
    """Copy an array to the device and precision of a tensor.

    Parameters
    ----------
    array : array of floats
        Read-only, strided, of any byte order.
    like : tensor
        Of the device and dtype that are wanted.
    what : str
        For the message (``"X"``).

    Returns
    -------
    tensor
        Shares no memory with the array.

    Raises
    ------
    DataError
        If a value is too large for the precision.
    """
    half = like.dtype in (torch.float16, torch.bfloat16)  # numpy lacks the second
    with np.errstate(over="ignore"):
        wide = np.float64 if like.dtype == torch.float64 else np.float32
        tensor = torch.from_numpy(np.array(array, dtype=wide, order="C"))
    if half:
        tensor = tensor.to(like.dtype)
    if not torch.isfinite(tensor.sum(dtype=torch.float64)):
        raise DataError(
            f"{what} has values too large for the module's {str(like.dtype).removeprefix('torch.')}"
            ": standardise them, or use a module in float64 (module.double())"
        )
    return tensor.to(like.device)


def check_weigh(weights: Any) -> None:
    """Refuse rows' weights that are all zero once they are in a training's precision.

    Parameters
    ----------
    weights : array or tensor of shape (n,), or None

    Raises
    ------
    DataError
    """
    if weights is not None and not (weights > 0).any():
        raise DataError(
            f"sample_weight has values too small for {str(weights.dtype).removeprefix('torch.')}: "
            "multiply all of them by a constant"
        )


def check_outputs(outputs: Any, n_rows: int, n_outputs: int, why: str = "") -> None:
    """Check the shape of what a module gives.

    Parameters
    ----------
    outputs : object
    n_rows : int
        Rows that it was given.
    n_outputs : int
        Columns that it should have.
    why : str, optional
        What needs as many, for the message; by default there is one for each target.

    Raises
    ------
    ParameterError
        If it is not a tensor of shape ``(n, n_outputs)``, or ``(n,)`` for one column.
    """
    if not isinstance(outputs, Tensor):
        raise ParameterError(
            f"module gives a {type(outputs).__name__}: its forward must return one tensor"
        )
    shape = tuple(outputs.shape)
    if shape == (n_rows, n_outputs) or (n_outputs == 1 and shape == (n_rows,)):
        return
    why = why or f"y has {n_outputs}"
    if len(shape) == 2 and shape[0] == n_rows:
        raise ParameterError(
            f"module gives {shape[1]} column{'s' if shape[1] != 1 else ''}, {why}: its last layer "
            "must give as many"
        )
    raise ParameterError(
        f"module gives outputs of shape {shape} for {n_rows} rows, {why}: its last layer must give "
        f"({n_rows}, {n_outputs})"
    )


def predict_numpy(module: nn.Module, features: Floats, like: Tensor) -> NDArray[np.floating[Any]]:
    """Compute a module's outputs for an array, chunk by chunk.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    features : array of shape (n, p)
    like : tensor
        Of the module's device and dtype.

    Returns
    -------
    array of shape (n,) or (n, t)
        In the module's precision; half precisions as float32.
    """
    parts = []
    with torch.inference_mode():
        for first in range(0, len(features), CHUNK_ROWS):
            chunk = to_tensor(features[first : first + CHUNK_ROWS], like, "X")
            outputs = module(chunk).cpu()
            if outputs.dtype in (torch.float16, torch.bfloat16):
                outputs = outputs.float()
            parts.append(outputs.numpy())
    return np.concatenate(parts)
