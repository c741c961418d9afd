"""A perceptron's parameters in one vector, in the order in which L-BFGS has them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor


def to_flat(tensors: Sequence[Tensor]) -> NDArray[np.float64]:
    """Put parameters, or their derivatives, in one vector.

    Parameters
    ----------
    tensors : weights of shape (out, in), then biases

    Returns
    -------
    array of shape (q,), float64
        Each weight as (in, out), row by row, then each bias.
    """
    return (
        torch.cat(
            [tensor.T.reshape(-1) for tensor in tensors[: len(tensors) // 2]]
            + list(tensors[len(tensors) // 2 :])
        )
        .double()
        .cpu()
        .numpy()
    )


def put_flat(flat: NDArray[np.float64], tensors: Sequence[Tensor]) -> None:
    """Write a vector of `to_flat` into parameters.

    Parameters
    ----------
    flat : array of shape (q,)
    tensors : weights of shape (out, in), then biases
    """
    ends = np.cumsum([0, *(tensor.numel() for tensor in tensors)])
    for tensor, (first, last) in zip(tensors, pairwise(ends), strict=True):
        part = torch.from_numpy(flat[first:last])
        tensor.copy_(part.reshape(tensor.T.shape).T if tensor.ndim == 2 else part)
