"""A training job run by Levenberg–Marquardt: what it takes of the job, and what it tells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sklearn.exceptions import ConvergenceWarning

from abline.errors import ParameterError
from abline.nets.engines.fused import codes
from abline.nets.engines.fused.rules import LossRule, find_loss
from abline.nets.engines.fused.stack import NotFused
from abline.nets.engines.lm import run_lm
from abline.nets.session import Session, training_session
from abline.nets.training import outputs_of
from abline.nets.warned import warn

if TYPE_CHECKING:
    from abline.nets.training import History, Rows, TrainingJob


def train_by_lm(job: TrainingJob) -> History:
    """Train a job's module by Levenberg–Marquardt.

    Parameters
    ----------
    job : TrainingJob
        Of squared error. Its module is changed in place and ends in evaluation mode; the
        optimizer is left alone.

    Returns
    -------
    dict of str to list of float
        As of `run_loop`, but both losses of a line are those of the same weights: first of the
        first ones, then of those after each accepted step. ``lr`` is NaN.

    Raises
    ------
    ParameterError
        If the loss is another, or as `run_lm`.

    Warns
    -----
    ConvergenceWarning
        If it ended because ``max_epochs`` was up, or without a way on.
    """
    _check_loss(job)
    with training_session(job, "lm") as session:
        result = run_lm(
            job.module,
            job.train,
            job.valid,
            max_iter=job.max_epochs,
            n_restarts=job.n_restarts,
            seed=job.generator.initial_seed(),
            n_jobs=job.n_jobs,
            watch=lambda line: _tell(session, line),
        )
        session.close()
    if not result.converged:
        warn(
            f"Levenberg–Marquardt has {result.message} (max_epochs={job.max_epochs}, "
            f"n_restarts={job.n_restarts})",
            ConvergenceWarning,
        )
    return session.state.history


def _check_loss(job: TrainingJob) -> None:
    criterion = getattr(job.loss, "criterion", None)
    try:
        rule = find_loss(criterion)
    except NotFused:
        rule = None
    if rule != LossRule(codes.SQUARED):
        name = getattr(criterion, "__name__", type(criterion).__name__)
        raise ParameterError(
            f"engine='lm' is for the mean squared error alone and criterion is {name}: use "
            "engine='loop', or criterion=torch.nn.MSELoss"
        )


def _tell(session: Session, line: dict[str, float]) -> bool:
    """Add a point's line to the history and call the callbacks; say whether one ends it all."""
    job, state = session.job, session.state
    state.epoch = int(line["epoch"])
    scores = _metrics(job, "train", job.train) | _metrics(job, "valid", job.valid)
    session.end_epoch(line | scores)
    return state.stop


def _metrics(job: TrainingJob, side: str, rows: Rows | None) -> dict[str, float]:
    if rows is None or not job.metrics:
        return {f"{side}_{name}": math.nan for name in job.metrics}
    outputs = outputs_of(job.module, rows.X)
    return {f"{side}_{name}": metric(outputs, rows.y) for name, metric in job.metrics.items()}
