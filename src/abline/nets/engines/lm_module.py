"""Any module as a function of one flat vector of parameters, with its Jacobian.

Rows pass through ``torch.func``: reverse mode for each row, all rows at once. A module that mixes
rows, or that ``torch.func`` cannot take, is differentiated output by output instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

if TYPE_CHECKING:
    from collections.abc import Mapping

    Named = Mapping[str, Tensor]

#: rows on which it is tried whether a row alone gives what it gives among others
_TRIED = 64


class ModuleModel:
    """A module as a function of those of its parameters that may be trained.

    Parameters
    ----------
    module : torch.nn.Module
        In float64 on the CPU, in evaluation mode.
    X : tensor of shape (n, features)
        Rows to try it on.

    Attributes
    ----------
    tensors : list of torch.nn.Parameter
        In the vector's order, which is the module's.
    rows_apart : bool
        Whether a row's outputs depend on no other row; else rows must not be parted.
    weights_only : bool
        Whether all belong to layers that can draw their weights anew.
    """

    def __init__(self, module: nn.Module, X: Tensor) -> None:
        self._module = module
        free = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self._shapes = {name: p.shape for name, p in free.items()}
        self.tensors = list(free.values())
        weights = {
            id(p)
            for part in module.modules()
            if hasattr(part, "reset_parameters")
            for p in part.parameters()
        }
        self.weights_only = all(id(p) in weights for p in self.tensors)
        self.rows_apart = self._takes_single_rows(X[:_TRIED])

    def outputs(self, theta: Tensor, X: Tensor) -> Tensor:
        """Compute the outputs, as `StackModel.outputs` does."""
        return torch.stack([self._call(self._named(one), X).T for one in theta])

    def jacobian(self, theta: Tensor, X: Tensor, out: Tensor) -> Tensor:
        """Compute the outputs and their derivatives, as `StackModel.jacobian` does."""
        differentiate = self._row_by_row if self.rows_apart else self._one_by_one
        return torch.stack([differentiate(*pair, X) for pair in zip(theta, out, strict=True)])

    def _row_by_row(self, theta: Tensor, out: Tensor, X: Tensor) -> Tensor:
        def single(named: Named, row: Tensor) -> tuple[Tensor, Tensor]:
            outputs = self._call(named, row[None])[0]
            return outputs, outputs

        differentiate = vmap(jacrev(single, has_aux=True), in_dims=(None, 0))
        parts, outputs = differentiate(self._named(theta), X)
        flat = [part.reshape(*outputs.shape, -1) for part in parts.values()]
        out.copy_(torch.cat(flat, dim=-1).permute(2, 1, 0))
        turned: Tensor = outputs.T
        return turned

    def _one_by_one(self, theta: Tensor, out: Tensor, X: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = theta.detach().requires_grad_()
            outputs = self._call(self._named(leaf), X).T
            for target, values in enumerate(outputs):
                for row, value in enumerate(values):
                    (slope,) = torch.autograd.grad(value, leaf, retain_graph=True)
                    out[:, target, row] = slope
        return outputs.detach()

    def _named(self, theta: Tensor) -> dict[str, Tensor]:
        pieces = torch.split(theta, [shape.numel() for shape in self._shapes.values()])
        return {
            name: piece.view(shape)
            for (name, shape), piece in zip(self._shapes.items(), pieces, strict=True)
        }

    def _call(self, named: Named, X: Tensor) -> Tensor:
        outputs: Tensor = functional_call(self._module, dict(named), (X,))
        return outputs.reshape(len(X), -1)

    def _takes_single_rows(self, X: Tensor) -> bool:
        """Say whether rows alone give what they give together, derivatives included."""
        theta = torch.cat([p.detach().reshape(-1) for p in self.tensors]).requires_grad_()
        together = self._call(self._named(theta), X)
        (slopes,) = torch.autograd.grad(together.sum(), theta)
        out = X.new_empty(len(theta), together.shape[1], len(X))
        try:
            apart = self._row_by_row(theta.detach(), out, X).T
        except (RuntimeError, ValueError, TypeError, NotImplementedError):
            return False  # a forward that looks at its numbers, or an operation without a rule
        return all(
            torch.allclose(ours, torchs, rtol=1e-9, atol=1e-12, equal_nan=True)
            for ours, torchs in ((apart, together), (out.sum(dim=(1, 2)), slopes))
        )
