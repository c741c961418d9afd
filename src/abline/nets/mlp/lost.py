"""The error of a training whose weights are no longer numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from abline.errors import DivergedError
from abline.nets.mlp.weights import as_module

if TYPE_CHECKING:
    from abline.nets.mlp.solvers import Solved


class NonFiniteWeightsError(DivergedError):
    """Weights that became infinite or NaN, said in scikit-learn's words first."""

    def __str__(self) -> str:
        loss, epoch, rate, *_ = self.args
        return (
            "Solver produced non-finite parameter weights. The input data may contain large values "
            f"and need to be preprocessed. The loss was {loss} in epoch {epoch + 1}: standardise X "
            f"and y, or lower learning_rate_init (now {rate:g})"
        )


def refuse_lost(solver: Solved, activation: str, rate: float) -> None:
    """Raise an error if weights are no longer numbers.

    Parameters
    ----------
    solver : Solved
        After its run.
    activation : str
    rate : float
        The learning rate.

    Raises
    ------
    NonFiniteWeightsError
        With the losses so far and a module of the last good weights.
    """
    if all(bool(torch.isfinite(p).all()) for p in solver.params):
        return
    results = solver.results()
    losses = results.get("loss_curve_", [])[:-1]
    history = {"epoch": [float(k) for k in range(len(losses))], "train_loss": losses}
    module = as_module(solver.good, activation)
    raise NonFiniteWeightsError(results["loss_"], results["n_iter_"] - 1, rate, history, module)
