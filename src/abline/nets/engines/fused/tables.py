"""The arrays by which kernels know a network and its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from abline.nets.engines.fused import passes
from abline.nets.engines.fused.activations import ACTIVATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from abline.nets.engines.fused.stack import Stack


@dataclass(frozen=True)
class FusedLayer:
    """A linear layer with what follows it.

    Attributes
    ----------
    width, units : int
        In and out.
    weight, bias : int
        Where weights of shape (units, width) and biases begin among all parameters; -1 for no bias.
    activation : int
        From `codes`.
    parameter : float
        The activation's.
    dropout : float
        The share of outputs that training sets to zero.
    """

    width: int
    units: int
    weight: int
    bias: int
    activation: int
    parameter: float = 0.0
    dropout: float = 0.0


def layers_of(stack: Stack) -> list[FusedLayer]:
    """Lay out the parameters of a stack: each layer's weights, then its biases.

    Parameters
    ----------
    stack : Stack

    Returns
    -------
    list of FusedLayer
    """
    found, place = [], 0
    for layer in stack.layers:
        linear = layer.linear
        width, units = linear.in_features, linear.out_features
        bias = -1 if linear.bias is None else place + units * width
        options = (layer.activation, layer.parameter, layer.dropout)
        found.append(FusedLayer(width, units, place, bias, *options))
        place += units * width + (0 if linear.bias is None else units)
    return found


@dataclass(frozen=True)
class Tables:
    """A network as `passes` takes it.

    Attributes
    ----------
    sizes, layers : arrays of int64
    options : array of float64
    """

    sizes: NDArray[np.int64]
    layers: NDArray[np.int64]
    options: NDArray[np.float64]


def tables_of(
    layers: Sequence[FusedLayer], n_parameters: int, block: int, dtype: np.dtype[Any]
) -> Tables:
    """Make the arrays; activations that are not compiled yet are.

    Parameters
    ----------
    layers : sequence of FusedLayer
    n_parameters : int
    block : int
        Rows of a block.
    dtype : float32 or float64

    Returns
    -------
    Tables
    """
    rows, options = [], []
    for layer in layers:
        pieces = ACTIVATIONS[layer.activation]
        addresses = (pieces.apply.address(dtype), pieces.chain.address(dtype))
        place = (layer.width, layer.units, layer.weight, layer.bias)
        rows.append([*place, *addresses, int(pieces.writes), int(layer.dropout > 0)])
        options.append([layer.parameter, layer.dropout])
    features, outputs = layers[0].width, layers[-1].units
    depth = features + sum(layer.units for layer in layers)
    widest = max(max(layer.width, layer.units) for layer in layers)
    sizes = [len(layers), features, outputs, depth, widest, n_parameters, block]
    return Tables(
        np.array(sizes, dtype=np.int64),
        np.array(rows, dtype=np.int64),
        np.array(options, dtype=np.float64),
    )


@dataclass(frozen=True)
class FusedRows:
    """Rows in one precision, C-contiguous.

    Attributes
    ----------
    X : array of shape (n, p), or (n, p + 1) with offsets
    y : array of shape (n, t)
    weights : array of shape (n,) or None
        None is 1 for all.
    has_offset : bool
        Whether the last column of X is added to the outputs instead of being a feature.
    table : array of int64
        As `passes` takes them: their addresses and sizes.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[Any] | None = None
    has_offset: bool = False
    table: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        """Note the addresses."""
        table = np.zeros(passes.ROWS_COLUMNS, dtype=np.int64)
        table[passes.X], table[passes.Y] = self.X.ctypes.data, self.y.ctypes.data
        table[passes.ROWS], table[passes.STRIDE] = self.X.shape
        table[passes.TARGETS] = self.y.shape[1]
        if self.weights is not None:
            table[passes.WEIGHTS] = self.weights.ctypes.data
        if self.has_offset:
            table[passes.OFFSETS] = self.X[:, -1:].ctypes.data
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        return len(self.X)
