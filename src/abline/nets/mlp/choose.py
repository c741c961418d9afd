"""Which implementation of a perceptron's steps is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abline.nets.engines.choose import Engine
from abline.nets.mlp.torch_steps import TorchSteps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from abline.nets.mlp.steps import Data, Floats, Steps, Task


def make_steps(
    task: Task,
    weights: Sequence[Floats],
    biases: Sequence[Floats],
    data: Data,
    device: torch.device,
) -> tuple[Steps, Engine]:
    """Make what runs the steps.

    Parameters
    ----------
    task : Task
    weights : list of arrays of shape (out, in)
    biases : list of arrays of shape (out,)
        Both are copied.
    data : Data
        The training rows, in the weights' precision.
    device : torch.device

    Returns
    -------
    steps : Steps
    engine : Engine
        Its name, and why it is not a faster one.
    """
    return TorchSteps(task, weights, biases, data, device), Engine("loop", "")
