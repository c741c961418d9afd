"""Compile the kernels ahead of the first training."""

from __future__ import annotations

import torch
from torch import nn

from abline.nets.engines.fused.engine import run_fused
from abline.nets.losses import make_loss
from abline.nets.randomness import unchanged_generator
from abline.nets.training import Rows, TrainingJob


def warm_up(dtype: torch.dtype) -> None:
    """Compile the kernels of one precision, or load what was compiled before.

    Parameters
    ----------
    dtype : torch.float32 or torch.float64

    Examples
    --------
    >>> warm_up(torch.float32)
    """
    with unchanged_generator(torch.device("cpu")):
        module = nn.Linear(1, 1, dtype=dtype)
    rows = Rows(torch.zeros(2, 1, dtype=dtype), torch.zeros(2, 1, dtype=dtype))
    run_fused(
        TrainingJob(
            module=module,
            loss=make_loss(nn.MSELoss(), weighted=False),
            optimizer=torch.optim.Adam(module.parameters()),
            train=rows,
            valid=rows,
            max_epochs=1,
            batch_size=None,
            shuffle=False,
            generator=torch.Generator().manual_seed(0),
            callbacks=[],
            metrics={},
        )
    )
