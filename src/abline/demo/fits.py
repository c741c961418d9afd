"""The fits of the two jobs: each a line in closed form, and one trained step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from torch import nn

from abline.linear import LinearRegression
from abline.nets import Callback, TorchRegressor

if TYPE_CHECKING:
    from abline.demo.jobs import Job
    from abline.nets import TrainingState

#: what a listener is told: what is being fitted, the epochs done, and the epochs in all
Progress = Callable[[str, int, int], None]

#: as many epochs as the published figures stand for
EPOCHS = 10_000

_SEED = 42
_EPOCHS_BETWEEN_REPORTS = 50


@dataclass(frozen=True)
class Score:
    """How good a model is on the test rows.

    Attributes
    ----------
    r2 : float
    mse : float
        Mean squared error, in squared units of y.
    mae : float
        Mean absolute error, in units of y.
    """

    r2: float
    mse: float
    mae: float


@dataclass(frozen=True)
class Fits:
    """What was fitted for one job.

    Attributes
    ----------
    job : Job
    line : LinearRegression
        In closed form.
    trained : TorchRegressor
        By gradient descent: a line in the first job, a network in the second.
    line_score, trained_score : Score
        On the test rows.
    seconds : float
        That the training took.
    """

    job: Job
    line: LinearRegression
    trained: TorchRegressor
    line_score: Score
    trained_score: Score
    seconds: float

    @property
    def epochs(self) -> int:
        """How many epochs the training had."""
        return len(self.trained.history_["epoch"])

    @property
    def n_weights(self) -> int:
        """How many numbers the training adjusted."""
        return sum(parameter.numel() for parameter in self.trained.module_.parameters())


def small_network() -> nn.Sequential:
    """Make the second job's network: one input, three hidden layers of eight, one output.

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> sum(weights.numel() for weights in small_network().parameters())
    169
    """
    return nn.Sequential(
        nn.Linear(1, 8), nn.ReLU(),
        nn.Linear(8, 8), nn.ReLU(),
        nn.Linear(8, 8), nn.ReLU(),
        nn.Linear(8, 1),
    )  # fmt: skip


def fit_job(
    job: Job,
    module: Callable[[], nn.Module] | None,
    *,
    epochs: int = EPOCHS,
    name: str = "",
    progress: Progress | None = None,
) -> Fits:
    """Fit a job both ways and score both on the test rows.

    Parameters
    ----------
    job : Job
    module : callable or None
        Makes what gradient descent trains; None is a line.
    epochs : int, default=10_000
    name : str, default=""
        What a listener is told is being fitted.
    progress : callable, optional
        Told the name, the epochs done and the epochs in all, every so often.

    Returns
    -------
    Fits

    Raises
    ------
    ParameterError
        If epochs is not a whole number of at least 1.
    """
    line = LinearRegression().fit(job.X_train, job.y_train)
    trained = TorchRegressor(
        module,
        max_epochs=epochs,
        device="cpu",  # the published figures are a CPU's
        random_state=_SEED,
        callbacks=None if progress is None else [_Listen(name, progress)],
    )
    started = time.perf_counter()
    trained.fit(job.X_train, job.y_train, eval_set=(job.X_valid, job.y_valid))
    seconds = time.perf_counter() - started
    return Fits(job, line, trained, _score(line, job), _score(trained, job), seconds)


def _score(model: Any, job: Job) -> Score:
    observed = job.y_test.astype(np.float64)
    predicted = model.predict(job.X_test).astype(np.float64)
    return Score(
        float(r2_score(observed, predicted)),
        float(mean_squared_error(observed, predicted)),
        float(mean_absolute_error(observed, predicted)),
    )


class _Listen(Callback):
    """Pass the epochs on to whoever shows the progress."""

    every = _EPOCHS_BETWEEN_REPORTS

    def __init__(self, name: str, progress: Progress) -> None:
        self.name = name
        self.progress = progress

    def on_epoch_end(self, state: TrainingState) -> None:
        self.progress(self.name, state.epoch + 1, state.max_epochs)
