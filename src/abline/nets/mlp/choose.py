"""Which implementation of a perceptron's steps is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abline.errors import ParameterError
from abline.nets.engines.choose import Engine, estimate, tell_of_compiling, too_short
from abline.nets.mlp.torch_steps import TorchSteps
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from abline.nets.mlp.steps import Data, Floats, Steps, Task

ENGINES = ("auto", "loop", "fused")


def make_steps(
    task: Task,
    weights: Sequence[Floats],
    biases: Sequence[Floats],
    data: Data,
    device: torch.device,
    *,
    engine: str,
    n_steps: float,
    batch_size: int,
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
    engine : {"auto", "loop", "fused"}
    n_steps : float
        Most steps that there will be, and
    batch_size : int
        their rows: compiling is for long trainings.

    Returns
    -------
    steps : Steps
    engine : Engine
        Its name, and why it is not a faster one.

    Raises
    ------
    ParameterError
        If ``engine="fused"`` cannot run them.
    """

    def loop(why: str) -> tuple[Steps, Engine]:
        return TorchSteps(task, weights, biases, data, device), Engine("loop", why)

    if engine == "loop":
        return loop("it was asked for")
    precision = weights[0].dtype.name
    products = n_steps * batch_size * sum(weight.size for weight in weights)
    why = ""
    if is_sparse(data.X):
        why = "kernels take no sparse features"
    elif device.type != "cpu":
        why = "it is not on the CPU"
    elif engine == "auto":
        why = too_short(estimate(n_steps, 2 * len(weights), products), precision)
    if why and engine == "auto":
        return loop(why)
    if why:
        raise ParameterError(
            f"engine='fused' cannot run this training, since {why}: use engine='loop'"
        )
    from abline.nets.mlp.fused_steps import FusedSteps

    tell_of_compiling(precision)
    return FusedSteps(task, weights, biases, data), Engine("fused")
