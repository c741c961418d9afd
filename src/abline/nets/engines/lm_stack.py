"""A stack of linear layers and its Jacobian, by batched products instead of a graph.

For the networks that tables need, nearly all of a ``torch.func`` Jacobian's time goes into
building it up; by hand it is one outer product a layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.layer import Layer, activate

if TYPE_CHECKING:
    from abline.nets.engines.fused.stack import Stack


def _activate_with_slope(layer: Layer, z: Tensor) -> tuple[Tensor, Tensor | None]:
    """Compute a layer's outputs and their derivative; None is 1 everywhere."""
    if layer.activation == codes.IDENTITY:
        return z, None
    with torch.enable_grad():
        outputs = activate(layer, z.requires_grad_())
        (slope,) = torch.autograd.grad(outputs, z, torch.ones_like(z))
    return outputs.detach(), slope


class StackModel:
    """A stack of layers as a function of one flat vector of parameters.

    Parameters
    ----------
    stack : Stack
        Its vector holds each layer's weights, row by row, then its biases.

    Attributes
    ----------
    tensors : list of torch.nn.Parameter
        In the vector's order.
    rows_apart : bool
        True: one row's output depends on no other row.
    weights_only : bool
        True: all parameters are weights of layers, so of one kind, and some may be idle.
    """

    rows_apart = True
    weights_only = True

    def __init__(self, stack: Stack) -> None:
        self.layers = stack.layers
        self.tensors = stack.tensors()
        self._sizes = [p.numel() for p in self.tensors]

    def parts(self, theta: Tensor) -> list[tuple[Layer, Tensor, Tensor | None]]:
        """Give the layers with their weights (k, out, in) and biases (k, out, 1), as views."""
        pieces = iter(torch.split(theta, self._sizes, dim=1))
        found: list[tuple[Layer, Tensor, Tensor | None]] = []
        for layer in self.layers:
            weight = next(pieces).view(-1, *layer.linear.weight.shape)
            bias = None if layer.linear.bias is None else next(pieces)[:, :, None]
            found.append((layer, weight, bias))
        return found

    def outputs(self, theta: Tensor, X: Tensor) -> Tensor:
        """Compute the outputs for several vectors at once.

        Parameters
        ----------
        theta : tensor of shape (k, p)
        X : tensor of shape (n, features)

        Returns
        -------
        tensor of shape (k, t, n)
        """
        values = X.T.expand(len(theta), -1, -1)
        for layer, weight, bias in self.parts(theta):
            values = activate(layer, _products(weight, bias, values))
        return values

    def jacobian(self, theta: Tensor, X: Tensor, out: Tensor) -> Tensor:
        """Compute the outputs and their derivatives.

        Parameters
        ----------
        theta : tensor of shape (k, p)
        X : tensor of shape (n, features)
        out : tensor of shape (k, p, t, n)
            Filled with the derivatives.

        Returns
        -------
        tensor of shape (k, t, n)
            The outputs.
        """
        parts, inputs, slopes = self.parts(theta), [X.T.expand(len(theta), -1, -1)], []
        for layer, weight, bias in parts:
            values, slope = _activate_with_slope(layer, _products(weight, bias, inputs[-1]))
            inputs.append(values)
            slopes.append(slope)
        outputs = inputs.pop()
        # deltas: derivatives of each output by a layer's products, (k, units, t, n)
        eye = torch.eye(outputs.shape[1], dtype=out.dtype)
        deltas = eye[None, :, :, None].expand(len(theta), -1, -1, len(X))
        place = out.shape[1]
        for (_, weight, bias), values, slope in zip(
            reversed(parts), reversed(inputs), reversed(slopes), strict=True
        ):
            n_units = weight.shape[1]
            if slope is not None:
                deltas = deltas * slope[:, :, None]
            if bias is not None:
                place -= n_units
                out[:, place : place + n_units] = deltas
            place -= weight[0].numel()
            block = out[:, place : place + weight[0].numel()]
            block = block.view(*weight.shape, *out.shape[2:])
            torch.mul(deltas[:, :, None], values[:, None, :, None], out=block)
            if place:
                deltas = (weight.mT @ deltas.flatten(2)).view(len(theta), -1, *out.shape[2:])
        return outputs


def _products(weight: Tensor, bias: Tensor | None, values: Tensor) -> Tensor:
    return weight @ values if bias is None else torch.baddbmm(bias, weight, values)
