"""Activations of a perceptron's hidden units, with their derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Activation:
    """One activation.

    Attributes
    ----------
    module : class
        PyTorch's own.
    function : callable
        From a tensor to one of its shape, which may be the same.
    in_place : callable
        The same, which may write over its argument.
    backward : callable
        From the inputs, the outputs and a loss's derivative by the outputs to that by the inputs;
        it may change the last.
    """

    module: type[nn.Module]
    function: Callable[[Tensor], Tensor]
    in_place: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor, Tensor], Tensor]


def _gelu_backward(inputs: Tensor, _: Tensor, delta: Tensor) -> Tensor:
    share = 0.5 * (1 + torch.erf(inputs / math.sqrt(2)))
    density = torch.exp(-0.5 * inputs**2) / math.sqrt(2 * math.pi)
    return delta * (share + inputs * density)


def _silu_backward(inputs: Tensor, _: Tensor, delta: Tensor) -> Tensor:
    share = torch.sigmoid(inputs)
    return delta * share * (1 + inputs * (1 - share))


def _gelu(z: Tensor) -> Tensor:
    return nn.functional.gelu(z)


def _silu(z: Tensor) -> Tensor:
    return nn.functional.silu(z, inplace=True)


def _same(z: Tensor) -> Tensor:
    return z


ACTIVATIONS = {
    "identity": Activation(nn.Identity, _same, _same, lambda _, __, delta: delta),
    "logistic": Activation(
        nn.Sigmoid, torch.sigmoid, torch.sigmoid_, lambda _, a, delta: delta * a * (1 - a)
    ),
    "tanh": Activation(nn.Tanh, torch.tanh, torch.tanh_, lambda _, a, delta: delta * (1 - a**2)),
    "relu": Activation(
        nn.ReLU, torch.relu, torch.relu_, lambda _, a, delta: delta.masked_fill_(a == 0, 0.0)
    ),
    "gelu": Activation(nn.GELU, _gelu, _gelu, _gelu_backward),
    "silu": Activation(nn.SiLU, nn.functional.silu, _silu, _silu_backward),
}
