"""One training among many: what it is, and what became of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from abline.nets.mlp.lost import refuse_lost
from abline.nets.mlp.options import hidden_sizes
from abline.nets.mlp.regressor import MLPRegressor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abline.errors import DivergedError
    from abline.nets.many.folds import Part
    from abline.nets.mlp.problem import Problem
    from abline.nets.mlp.solvers import Solved
    from abline.nets.warned import Said


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes
    ----------
    setting, fold, restart : int
        Which.
    parameters : mapping of str to object
        All of `MLPRegressor`'s, the seed included.
    part : Part
        The rows that train.
    """

    setting: int
    fold: int
    restart: int
    parameters: Mapping[str, Any] = field(repr=False)
    part: Part = field(repr=False)

    @property
    def cost(self) -> float:
        """Roughly how long it takes beside others."""
        table = self.part.table
        units = [table.X.shape[1], *self.hidden, table.y.shape[1]]
        return float(len(self.part) * sum(a * b for a, b in pairwise(units)))

    @property
    def hidden(self) -> tuple[int, ...]:
        """The units of each hidden layer."""
        return tuple(hidden_sizes(self.parameters["hidden_layer_sizes"]))

    def model(self, engine: str, callbacks: list[Any] | None = None) -> MLPRegressor:
        """Make the estimator, which knows how many features there are."""
        model = MLPRegressor(**self.parameters, engine=engine, callbacks=callbacks)
        model.n_features_in_ = self.part.table.X.shape[1]
        return model


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : Job
    model : MLPRegressor or None
        Fitted; None where it diverged.
    seconds : float
    said : list of (message, category)
        Its warnings.
    error : DivergedError or None
    """

    job: Job
    model: MLPRegressor | None
    seconds: float
    said: Said
    error: DivergedError | None = None

    @property
    def merit(self) -> float:
        """What chooses among restarts, larger for better; no test row has a part in it."""
        model = self.model
        if model is None:
            return -math.inf
        if model.early_stopping and model.solver in ("adam", "sgd"):
            merit = float(model.best_validation_score_)
        elif model.early_stopping and model.solver == "lm":
            merit = -min(model.validation_loss_curve_)
        else:
            merit = -float(model.loss_)
        return -math.inf if math.isnan(merit) else merit


def finish(job: Job, model: MLPRegressor, problem: Problem, solved: Solved) -> MLPRegressor:
    """Let an estimator keep what its training found.

    Parameters
    ----------
    job : Job
    model : MLPRegressor
        The problem's.
    problem : Problem
    solved : Solved

    Returns
    -------
    MLPRegressor
        The same.

    Raises
    ------
    DivergedError
        If weights are no longer numbers.
    """
    refuse_lost(solved, model.activation, model.learning_rate_init)
    model._keep(problem, solved, job.part.table.y_ndim)
    model.callbacks = None
    return model
