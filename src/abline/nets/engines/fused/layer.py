"""One layer of a stack, and what its activation computes in plain PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from abline.nets.engines.fused import codes

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Layer:
    """A linear layer, the activation after it and the dropout after that.

    Attributes
    ----------
    linear : torch.nn.Linear
    activation : int
        From `codes`.
    parameter : float
        The slope or bend of an activation that has one.
    dropout : float
        The share of outputs that training sets to zero.
    """

    linear: nn.Linear
    activation: int = codes.IDENTITY
    parameter: float = 0.0
    dropout: float = 0.0


_FUNCTIONS: dict[int, Callable[[Tensor, float], Tensor]] = {
    codes.RELU: lambda z, _: torch.relu(z),
    codes.TANH: lambda z, _: torch.tanh(z),
    codes.SIGMOID: lambda z, _: torch.sigmoid(z),
    codes.LEAKY_RELU: functional.leaky_relu,
    codes.ELU: functional.elu,
    codes.SELU: lambda z, _: functional.selu(z),
    codes.SOFTPLUS: lambda z, _: functional.softplus(z),
    codes.SILU: lambda z, _: functional.silu(z),
    codes.MISH: lambda z, _: functional.mish(z),
    codes.GELU: lambda z, _: functional.gelu(z),
    codes.GELU_TANH: lambda z, _: functional.gelu(z, approximate="tanh"),
}


def activate(layer: Layer, z: Tensor) -> Tensor:
    """Compute a layer's outputs from its products with the weights, without dropout.

    Parameters
    ----------
    layer : Layer
    z : tensor

    Returns
    -------
    tensor of the same shape
    """
    if layer.activation == codes.IDENTITY:
        return z
    return _FUNCTIONS[layer.activation](z, layer.parameter)
