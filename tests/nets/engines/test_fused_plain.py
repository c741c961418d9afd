"""Kernels on a few rows, which `test_fused_cache.py` runs once more without the compiler."""

import copy

import pytest
import torch
from torch import nn

from abline.nets import GammaLoss, GaussianNLL, QuantileLoss
from abline.nets.engines.fused.engine import run_fused
from abline.nets.engines.loop import run_loop
from abline.nets.losses import make_loss
from abline.nets.training import Rows, TrainingJob

ACTIVATIONS = [
    nn.Identity(),
    nn.ReLU(),
    nn.Tanh(),
    nn.Sigmoid(),
    nn.LeakyReLU(),
    nn.ELU(),
    nn.SELU(),
    nn.Softplus(),
    nn.SiLU(),
    nn.Mish(),
    nn.GELU(),
    nn.GELU("tanh"),
]
LOSSES = [
    nn.MSELoss(),
    nn.L1Loss(),
    nn.HuberLoss(),
    nn.SmoothL1Loss(),
    nn.PoissonNLLLoss(),
    GammaLoss(),
    QuantileLoss(0.7),
    QuantileLoss([0.2, 0.5, 0.9]),
    GaussianNLL(),
]
OPTIMIZERS = [
    lambda p: torch.optim.Adam(p, lr=0.01),
    lambda p: torch.optim.AdamW(p, lr=0.01),
    lambda p: torch.optim.SGD(p, lr=0.01),
    lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
]


@pytest.mark.parametrize("number", range(len(ACTIVATIONS)))
def test_a_few_steps(number):
    torch.manual_seed(number)
    criterion = LOSSES[number % len(LOSSES)]
    outputs = getattr(criterion, "n_outputs", int)(2)
    first, last = nn.Linear(2, 3), nn.Linear(3, outputs)
    module = nn.Sequential(first, ACTIVATIONS[number], last).double()
    X, y = torch.randn(9, 2).double(), torch.rand(9, 2).double()
    rows = Rows(X, y, torch.rand(9).double() + 0.5 if number % 2 else None)
    histories = []
    for run in (run_loop, run_fused):
        own = copy.deepcopy(module)
        loss = make_loss(criterion, weighted=bool(number % 2))
        job = TrainingJob(
            module=own,
            loss=loss,
            optimizer=OPTIMIZERS[number % len(OPTIMIZERS)](own.parameters()),
            train=rows,
            valid=rows,
            max_epochs=3,
            batch_size=4,
            shuffle=True,
            generator=torch.Generator().manual_seed(1),
            callbacks=[],
            metrics={},
        )
        histories.append(run(job))
    plain, fused = histories
    for column in ("train_loss", "valid_loss"):
        assert fused[column] == pytest.approx(plain[column], rel=1e-10)
