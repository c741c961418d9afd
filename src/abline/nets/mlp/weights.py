"""A perceptron's weights: as they are drawn, and as a module of PyTorch's that shares them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from torch import nn

from abline.nets.mlp.activations import ACTIVATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.floating[Any]]


def first_weights(
    units: Sequence[int], activation: str, rng: np.random.RandomState, dtype: np.dtype[Any]
) -> tuple[list[Floats], list[Floats]]:
    """Draw first weights, the draws being scikit-learn's.

    Parameters
    ----------
    units : sequence of int
        Of each layer, the features first.
    activation : str
    rng : RandomState
        Moves on.
    dtype : numpy.dtype

    Returns
    -------
    coefs : list of arrays of shape (in, out)
    intercepts : list of arrays of shape (out,)

    References
    ----------
    Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*,
    2010.
    """
    coefs, intercepts = [], []
    factor = 2.0 if activation == "logistic" else 6.0
    for fan_in, fan_out in pairwise(units):
        bound = math.sqrt(factor / (fan_in + fan_out))
        coefs.append(rng.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype, copy=False))
        intercepts.append(rng.uniform(-bound, bound, fan_out).astype(dtype, copy=False))
    return coefs, intercepts


def as_module(params: Sequence[Tensor], activation: str) -> nn.Sequential:
    """Give the network as a module whose parameters share the memory of these.

    Parameters
    ----------
    params : weights of shape (out, in), then biases
    activation : str

    Returns
    -------
    torch.nn.Sequential
        Its outputs are the last layer's, before any link.
    """
    layers: list[nn.Module] = []
    half = len(params) // 2
    for weight, bias in zip(params[:half], params[half:], strict=True):
        # made without memory of its own, so nothing is drawn
        linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
        linear.weight, linear.bias = nn.Parameter(weight), nn.Parameter(bias)
        layers += [linear, ACTIVATIONS[activation].module()]
    return nn.Sequential(*layers[:-1])


def as_coefs(params: Sequence[Tensor]) -> tuple[list[Floats], list[Floats]]:
    """Copy parameters to arrays in scikit-learn's layout.

    Parameters
    ----------
    params : weights of shape (out, in), then biases

    Returns
    -------
    coefs : list of arrays of shape (in, out)
    intercepts : list of arrays of shape (out,)
    """
    half = len(params) // 2
    arrays = [tensor.detach().cpu().numpy() for tensor in params]
    return [weight.T.copy() for weight in arrays[:half]], [bias.copy() for bias in arrays[half:]]
