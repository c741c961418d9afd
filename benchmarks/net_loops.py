"""The peers' side of `nets.py`: training loops as PyTorch's tutorials write them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from abline.demo.jobs import Job


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(42)
        return make()


def full_batch(
    make: Callable[[], nn.Module], job: Job, epochs: int, *, until: float | None = None
) -> tuple[float, nn.Module]:
    """Train on all rows at once, both losses noted in each epoch; stop at a test MSE if asked."""
    module = seeded(make)
    X, y = torch.from_numpy(job.X_train), torch.from_numpy(job.y_train).reshape(-1, 1)
    V, w = torch.from_numpy(job.X_valid), torch.from_numpy(job.y_valid).reshape(-1, 1)
    T, t = torch.from_numpy(job.X_test), torch.from_numpy(job.y_test).reshape(-1, 1)
    loss_of = nn.MSELoss()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    losses = []
    for epoch in range(epochs):
        module.train()
        loss = loss_of(module(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        module.eval()
        with torch.inference_mode():
            losses.append((loss.item(), loss_of(module(V), w).item()))
            if until is not None and epoch % 100 == 99 and loss_of(module(T), t) <= until:
                break
    return losses[-1][0], module


def mini_batches(
    hidden: tuple[int, ...], X: np.ndarray, y: np.ndarray, epochs: int, *, batch: int, alpha: float
) -> float:
    """Train as scikit-learn's MLPRegressor does, from its first weights, in its shuffles.

    Gives the last epoch's loss.
    """
    rng = np.random.RandomState(0)
    sizes = [X.shape[1], *hidden, 1]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        bound = np.sqrt(6 / (fan_in + fan_out))
        linear = nn.utils.skip_init(nn.Linear, fan_in, fan_out, dtype=torch.from_numpy(X).dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(rng.uniform(-bound, bound, (fan_in, fan_out)).T))
            linear.bias.copy_(torch.tensor(rng.uniform(-bound, bound, fan_out)))
        layers += [linear, nn.ReLU()]
    module = nn.Sequential(*layers[:-1])
    features, target = torch.from_numpy(X), torch.from_numpy(y).reshape(-1, 1)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, weight_decay=alpha / batch)
    loss_of = nn.MSELoss()
    order = np.arange(len(X))
    total = 0.0
    for _ in range(epochs):
        places = np.arange(len(X))
        rng.shuffle(places)
        order = order[places]
        total = 0.0
        for rows in torch.from_numpy(order).split(batch):
            loss = loss_of(module(features[rows]), target[rows]) / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    return total / len(X)
