"""Many trainings in threads: each alone, as it would be without the others."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from abline.errors import DivergedError, ParameterError
from abline.linear.threads import one_blas_thread
from abline.nets.callbacks import Callback
from abline.nets.devices import cpu_threads
from abline.nets.many.folds import take
from abline.nets.many.jobs import Job, Outcome, finish
from abline.nets.many.shuffles import ShuffleBook
from abline.nets.mlp.epochs import EpochTraining
from abline.nets.mlp.options import STOCHASTIC, check_options
from abline.nets.mlp.problem import pose
from abline.nets.mlp.solvers import Solver
from abline.nets.warned import gathered_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abline.nets.training import TrainingState


def count_threads(n_jobs: int | None) -> int:
    """Count the threads that ``n_jobs`` asks for.

    Parameters
    ----------
    n_jobs : int or None
        None and -1 are as many as there are processors, -2 one less.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If it is 0 or no whole number.

    Examples
    --------
    >>> count_threads(3)
    3
    """
    if n_jobs is None:
        n_jobs = -1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0:
        raise ParameterError(
            f"n_jobs is {n_jobs!r}: give 1 or more threads, or None for all processors"
        )
    return n_jobs if n_jobs > 0 else max(1, len(os.sched_getaffinity(0)) + 1 + n_jobs)


def train_in_threads(jobs: Sequence[Job], engine: str, n_threads: int) -> Iterator[Outcome]:
    """Train in threads, those that take longest first.

    Numbers do not depend on the number of threads, since none trains more than one network at a
    time. If the caller is interrupted or stops asking, trainings end with their next epoch.

    Parameters
    ----------
    jobs : sequence of Job
    engine : {"loop", "fused"}
    n_threads : int

    Yields
    ------
    Outcome
        As they end.
    """
    stop, book = threading.Event(), ShuffleBook()
    for job in jobs:
        _ = job.part.arrays  # copied here, not by several threads at once
    order = sorted(jobs, key=lambda job: -job.cost)
    # all is limited here and once: threads that begin in it have torch's number from it
    with one_blas_thread(), cpu_threads(None), ThreadPoolExecutor(n_threads) as pool:
        waiting = [pool.submit(train, job, engine, stop, book) for job in order]
        try:
            for future in as_completed(waiting):
                yield future.result()
                waiting.remove(future)  # or each model would be kept until the end
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def train(job: Job, engine: str, stop: threading.Event, book: ShuffleBook) -> Outcome:
    """Train one.

    Parameters
    ----------
    job : Job
    engine : {"loop", "fused"}
    stop : threading.Event
        Ends it when set.
    book : ShuffleBook

    Returns
    -------
    Outcome
    """
    start = time.perf_counter()
    guard, error = _Stop(stop), None
    by_epochs = job.parameters["solver"] in STOCHASTIC
    # a callback sees a module, whose making takes a while
    model = job.model(engine, None if by_epochs else [guard])
    with gathered_warnings() as said:
        problem = pose(model, check_options(model), job.part.arrays, None, goes_on=False)
        if by_epochs:
            problem = replace(problem, rng=book.reader(problem.rng, len(problem.train)))
        solver = Solver(problem, one_epoch=False)
        if isinstance(solver.training, EpochTraining):
            solver.training.before_epoch = guard.check
        solver.run()
        try:
            finish(job, model, problem, solver)
        except DivergedError as found:
            error = found
    fitted = model if error is None else None
    return Outcome(job, fitted, time.perf_counter() - start, said, error)


class _StoppedError(Exception):
    """A training that nobody waits for any more."""


class _Stop(Callback):
    """Ends a training when an event is set."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def on_epoch_end(self, state: TrainingState) -> None:  # noqa: ARG002 - a hook's signature
        """Look at the event."""
        self.check()

    def check(self) -> None:
        """Raise an error if the event is set."""
        if self._event.is_set():
            raise _StoppedError


def warm_up(job: Job, engine: str) -> None:
    """Train a few rows for an epoch, so that kernels are compiled once and errors come early.

    Parameters
    ----------
    job : Job
    engine : {"loop", "fused"}

    Raises
    ------
    ParameterError
        If the engine cannot run such trainings.
    """
    few: dict[str, Any] = {"max_iter": 1, "max_fun": 1, "early_stopping": False, "batch_size": 1}
    model = job.model(engine).set_params(**few)
    arrays = job.part.arrays
    row = 0 if arrays.sample_weight is None else int(np.argmax(arrays.sample_weight))
    with gathered_warnings(), one_blas_thread(), cpu_threads(None):
        few_rows = take(arrays, np.array([row]))
        problem = pose(model, check_options(model), few_rows, None, goes_on=False)
        Solver(problem, one_epoch=True).run()
