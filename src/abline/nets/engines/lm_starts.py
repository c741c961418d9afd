"""First weights for restarts, and where a stack's units are placed on the data.

A ReLU unit that bends outside of the data is dead, or a plain line, from the first step on: with
PyTorch's default weights that leaves three in four starts of a small network stuck. So restarts
of a stack of layers scale each unit's inputs to unit variance over the training rows and let
it bend at one of them.

References
----------
Salimans and Kingma, *Weight Normalization*, 2016, §3 (first weights that depend on the data).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from abline.nets.engines.fused.layer import activate
from abline.nets.engines.lm_stack import StackModel
from abline.nets.randomness import borrowed_generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abline.nets.engines.lm_problem import Problem

#: how far, of its own size, a parameter that no layer can draw anew is moved
_SPREAD = 0.5


def first_weights(problem: Problem, n_restarts: int, seed: int) -> list[Tensor]:
    """Draw the parameters that each start begins with.

    Parameters
    ----------
    problem : Problem
    n_restarts : int
    seed : int
        Restart k depends on it and on k alone.

    Returns
    -------
    list of 1 + n_restarts tensors of shape (p,)
        First the module's own. The others are drawn anew by each layer's own
        ``reset_parameters``; a parameter outside such layers moves by half its own size, times
        a normal number.
    """
    starts = [problem.first]
    drawn = copy.deepcopy(problem.module)
    for restart in range(1, n_restarts + 1):
        own = int(np.random.SeedSequence([seed, restart]).generate_state(1)[0])
        with torch.no_grad(), borrowed_generator(own, torch.device("cpu")):
            problem.write(problem.first, drawn)
            for p in _reset(drawn):
                p.add_(_SPREAD * _size(p) * torch.randn_like(p))
            theta = problem.read(drawn)
            if isinstance(problem.model, StackModel):
                _place(problem.model, theta, problem.features)
        starts.append(theta)
    return starts


def _reset(module: nn.Module) -> Iterator[nn.Parameter]:
    """Draw anew what layers can draw; give the free parameters that none has drawn."""
    drawn: set[int] = set()
    for part in module.modules():
        fixed = [p for p in part.parameters() if not p.requires_grad]
        if callable(reset := getattr(part, "reset_parameters", None)) and not fixed:
            reset()
            drawn |= {id(p) for p in part.parameters()}
    return (p for p in module.parameters() if p.requires_grad and id(p) not in drawn)


def _size(p: Tensor) -> Tensor:
    """Give each number's size, that of the whole tensor where it is 0, else 1."""
    whole = p.square().mean().sqrt()
    fallback = torch.where(whole > 0, whole, torch.ones_like(whole))
    return torch.where(p == 0, fallback, p.abs())


def _place(model: StackModel, theta: Tensor, X: Tensor) -> None:
    """Let each hidden unit vary by 1 over the rows, and bend at a row drawn for it."""
    values = X.T[None]
    for layer, weight, bias in model.parts(theta[None])[:-1]:
        products = weight @ values
        spread = products.std(dim=2, correction=0, keepdim=True)
        scale = torch.where(spread > 0, 1 / spread, torch.ones_like(spread))
        weight.mul_(scale)
        products.mul_(scale)
        if bias is not None:
            rows = torch.randint(len(X), (1, weight.shape[1], 1))
            bias.copy_(-products.gather(2, rows))
            products.add_(bias)
        values = activate(layer, products)
