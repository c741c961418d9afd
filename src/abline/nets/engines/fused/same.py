"""Whether a module computes what the layers read off it do: on numbers, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from abline.nets.engines.fused.layer import activate
from abline.nets.engines.fused.recorded import kept_as_it_is

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from abline.nets.engines.fused.layer import Layer

#: rows that are tried
_ROWS = 3


def computes_as(module: nn.Module, layers: Sequence[Layer]) -> bool:
    """Try a module on some rows, in evaluation, against its layers one after the other.

    A recorded forward shows what it calls of torch. It does not show derivatives of its own
    (``torch.autograd.Function``), nor that it does otherwise with numbers than with a stand-in.

    Parameters
    ----------
    module : torch.nn.Module
        Its parts hold what they held before afterwards.
    layers : sequence of Layer

    Returns
    -------
    bool
        Whether outputs and derivatives agree, to rounding errors.
    """
    weight = layers[0].linear.weight
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(_ROWS, weight.shape[1], generator=generator, dtype=torch.float64)
    rows = rows.to(weight)
    with kept_as_it_is(module), torch.enable_grad():
        module.eval()
        try:
            found = _outputs_and_slopes(module(rows), layers)
        except Exception:  # whatever a person's forward raises
            return False
        values = rows
        for layer in layers:
            products = functional.linear(values, layer.linear.weight, layer.linear.bias)
            values = activate(layer, products)
        expected = _outputs_and_slopes(values, layers)
    tolerance = 1e-9 if weight.dtype == torch.float64 else 1e-3
    return all(
        one.shape == other.shape and _close(one, other, tolerance)
        for one, other in zip(found, expected, strict=True)
    )


def _close(one: Tensor, other: Tensor, tolerance: float) -> bool:
    scale = float(other.abs().max()) if other.numel() else 0.0
    return torch.allclose(one, other, rtol=tolerance, atol=tolerance * scale, equal_nan=True)


def _outputs_and_slopes(outputs: Tensor, layers: Sequence[Layer]) -> list[Tensor]:
    """Give the outputs as one vector, and the derivatives of a sum of them by all parameters."""
    flat = outputs.reshape(-1)
    sum_of_them = (flat * torch.arange(1, len(flat) + 1).to(flat)).sum()
    parameters = [p for layer in layers for p in layer.linear.parameters()]
    return [flat.detach(), *torch.autograd.grad(sum_of_them, parameters)]
