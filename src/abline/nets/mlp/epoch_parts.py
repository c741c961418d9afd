"""What a training by epochs is made of, from an estimator's parameters and its problem."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from abline.errors import DataWarning
from abline.nets.mlp.epochs import EpochJudge, EpochRules, Progress
from abline.nets.mlp.steps import SGD, Adam
from abline.nets.mlp.validation import make_score
from abline.nets.warned import warn

if TYPE_CHECKING:
    from abline.nets.mlp.listener import Listener
    from abline.nets.mlp.problem import Problem
    from abline.nets.mlp.regressor import MLPRegressor
    from abline.nets.mlp.steps import Data, Network, Steps


def epoch_judge(
    problem: Problem,
    network: Network,
    batch_size: int,
    progress: Progress,
    listener: Listener | None = None,
    *,
    one_epoch: bool = False,
) -> EpochJudge:
    """Make what draws a training's epochs and says when to stop.

    Parameters
    ----------
    problem : Problem
        Of Adam or gradient descent.
    network : Network
    batch_size : int
    progress : Progress
    listener : Listener, optional
    one_epoch : bool, default=False

    Returns
    -------
    EpochJudge
    """
    model, valid = problem.model, problem.valid
    score = None
    if model.early_stopping:
        assert valid is not None  # given, or set apart
        score = make_score(problem.loss, valid)
    rules = EpochRules(
        max_iter=model.max_iter,
        batch_size=batch_size,
        shuffle=bool(model.shuffle),
        tol=model.tol,
        n_iter_no_change=model.n_iter_no_change,
        verbose=bool(model.verbose),
        learning_rate=model.learning_rate if model.solver == "sgd" else "constant",
        learning_rate_init=float(model.learning_rate_init),
        power_t=model.power_t,
        one_epoch=one_epoch,
    )
    return EpochJudge(
        network,
        len(problem.train),
        rules,
        progress,
        problem.rng,
        score=score,
        valid=valid if problem.notes_valid else None,
        listener=listener,
    )


def batch_size_of(model: MLPRegressor, train: Data) -> int:
    """Give the rows of a step, at most all of them.

    Parameters
    ----------
    model : MLPRegressor
    train : Data

    Returns
    -------
    int

    Warns
    -----
    DataWarning
        If the parameter is clipped.
    """
    n = len(train)
    if model.batch_size == "auto":
        return min(200, n)
    if model.batch_size > n:
        warn(
            f"batch_size is {model.batch_size} and only {n} rows train: it is clipped to all of "
            "them",
            DataWarning,
        )
    return min(int(model.batch_size), n)


def update_rule(model: MLPRegressor, *, goes_on: bool) -> Adam | SGD:
    """Give the rule by which a step changes the parameters.

    Parameters
    ----------
    model : MLPRegressor
    goes_on : bool
        Whether with an earlier fit's optimizer, if it was one of this kind.
    """
    kept = getattr(model, "_optimizer_rule", None) if goes_on else None
    if kept is not None and ("beta_1" in kept) == (model.solver == "adam"):
        return Adam(**kept) if model.solver == "adam" else SGD(**kept)
    if model.solver == "adam":
        return Adam(float(model.beta_1), float(model.beta_2), float(model.epsilon))
    return SGD(float(model.momentum), bool(model.nesterovs_momentum))


def first_progress(problem: Problem, *, one_epoch: bool) -> Progress:
    """Go on from an earlier fit's curves, or begin new ones."""
    model = problem.model
    progress = Progress(float(model.learning_rate_init))
    if problem.goes_on:
        progress.take(model, rate=one_epoch)
    if model.early_stopping:
        progress.best_loss = None
        if progress.scores is None:
            progress.scores, progress.best_score = [], -math.inf
    else:
        progress.scores = progress.best_score = None
        progress.best_loss = math.inf if progress.best_loss is None else progress.best_loss
    if problem.notes_valid and progress.validation_losses is None:
        progress.validation_losses = []
    return progress


def take_optimizer(model: MLPRegressor, steps: Steps) -> None:
    """Go on with an earlier fit's optimizer, if it was one of this kind."""
    state = getattr(model, "_optimizer_state", None)
    if state is not None and ("step" in state) == (model.solver == "adam"):
        steps.set_state(state)
