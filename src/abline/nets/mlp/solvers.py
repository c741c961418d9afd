"""The solvers of a perceptron's fit, each made from its problem."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from abline.linear.threads import one_blas_thread
from abline.nets.engines.choose import Engine
from abline.nets.mlp.choose import make_steps
from abline.nets.mlp.epoch_parts import (
    batch_size_of,
    epoch_judge,
    first_progress,
    take_optimizer,
    update_rule,
)
from abline.nets.mlp.epochs import EpochTraining
from abline.nets.mlp.lbfgs import LBFGSTraining
from abline.nets.mlp.levenberg import LevenbergTraining
from abline.nets.mlp.listener import Listener, RateHolder, WatchedJob
from abline.nets.mlp.steps import Task
from abline.nets.mlp.weights import as_module
from abline.nets.plain_tree import to_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from abline.nets.mlp.problem import Problem
    from abline.nets.mlp.steps import SGD, Adam, Steps


class Training(Protocol):
    """A training by one solver."""

    def run(self) -> None:
        """Train until a rule says stop, writing to the parameters that it was made with."""
        ...

    def results(self) -> dict[str, Any]:
        """Give the attributes that the estimator gets, but for the weights."""
        ...


class Solved(Protocol):
    """A training that has ended, however it ran."""

    @property
    def engine(self) -> Engine:
        """What ran its steps."""
        ...

    @property
    def params(self) -> Sequence[Tensor]:
        """The parameters, weights of shape (out, in) first."""
        ...

    @property
    def good(self) -> Sequence[Tensor]:
        """Parameters of a moment when all was well, near the last one."""
        ...

    def results(self) -> dict[str, Any]:
        """Give the attributes that the estimator gets, but for the weights."""
        ...


class Solver:
    """A training with everything that looks on.

    Parameters
    ----------
    problem : Problem
    one_epoch : bool
        Whether to train for one epoch with the optimizer of an earlier fit.

    Attributes
    ----------
    params : list of tensors
        The live parameters, weights of shape (out, in) first.
    engine : Engine
    training : Training
    listener : Listener or None
    """

    def __init__(self, problem: Problem, *, one_epoch: bool) -> None:
        model = problem.model
        self.listener: Listener | None = None
        self._rate_holder: RateHolder | None = None
        self._rule: Adam | SGD | None = None
        self.params: Sequence[Tensor]
        self.training: Training
        if model.solver == "lm":
            self.engine = Engine("lm")
            transposed = [np.ascontiguousarray(coef.T) for coef in problem.coefs]
            self.params = [torch.tensor(p) for p in [*transposed, *problem.intercepts]]
            self._listen(problem, math.nan, one_epoch=False)
            self.training = _levenberg(problem, self.params, self.listener)
        elif model.solver == "lbfgs":
            problem = problem.in_double()
            steps = self._make_steps(problem, None, model.max_fun, len(problem.train))
            self._listen(problem, math.nan, one_epoch=False)
            self.training = _lbfgs(problem, steps, self.listener)
        else:
            batch_size = batch_size_of(model, problem.train)
            epochs = 1 if one_epoch else model.max_iter
            n_steps = epochs * -(-len(problem.train) // batch_size)
            self._rule = update_rule(model, goes_on=one_epoch and problem.goes_on)
            steps = self._make_steps(problem, self._rule, n_steps, batch_size)
            progress = first_progress(problem, one_epoch=one_epoch)
            if one_epoch and problem.goes_on:
                take_optimizer(model, steps)
            self._listen(problem, progress.rate, one_epoch=one_epoch)
            judge = epoch_judge(
                problem, steps, batch_size, progress, self.listener, one_epoch=one_epoch
            )
            self.training = EpochTraining(steps, judge)
            if self._rate_holder:
                self._rate_holder.training = self.training
        self._first = [p.clone() for p in self.params]

    def run(self) -> None:
        """Train."""
        with one_blas_thread(), self.listener.under_way() if self.listener else nullcontext():
            self.training.run()
            if self.listener:
                self.listener.close()

    def results(self) -> dict[str, Any]:
        """Give the attributes that the estimator gets, but for the weights."""
        results = self.training.results()
        return results | {"_optimizer_rule": asdict(self._rule)} if self._rule else results

    @property
    def good(self) -> Sequence[Tensor]:
        """Parameters of a moment when all was well, near the last one."""
        training = self.training
        return training.judge.good if isinstance(training, EpochTraining) else self._first

    @property
    def failed_late(self) -> bool:
        """Whether a callback raised when an epoch had ended."""
        listener = self.listener
        if listener is None or not listener.state.failed:
            return False
        return listener.n_epochs > listener.first_epoch

    def _make_steps(
        self, problem: Problem, rule: Adam | SGD | None, n_steps: int, batch_size: int
    ) -> Steps:
        model = problem.model
        task = Task(model.activation, problem.loss, float(model.alpha), rule)
        weights = [coef.T for coef in problem.coefs]
        snapshot = problem.origin.snapshot
        engine = model.engine if snapshot is None else snapshot.engine
        steps, self.engine = make_steps(
            task, weights, problem.intercepts, problem.train, problem.device,
            engine=engine, n_steps=n_steps, batch_size=batch_size,
        )  # fmt: skip
        self.params = steps.params
        return steps

    def _listen(self, problem: Problem, rate: float, *, one_epoch: bool) -> None:
        origin = problem.origin
        if not problem.callbacks and origin.snapshot is None:
            return
        module = as_module(self.params, problem.model.activation)
        self._rate_holder = RateHolder(module, rate)
        job = WatchedJob(
            module=module,
            optimizer=self._rate_holder,
            max_epochs=1 if one_epoch else problem.model.max_iter,
            callbacks=problem.callbacks,
            has_validation=problem.notes_valid,
            seed=to_plain(problem.first_draw),
            generators=[problem.rng],
            identity=origin.identity,
            resume=origin.snapshot,
        )
        self.listener = Listener(job, str(self.engine))


def _levenberg(
    problem: Problem, params: Sequence[Tensor], listener: Listener | None
) -> LevenbergTraining:
    model = problem.model
    return LevenbergTraining(
        as_module(params, model.activation),
        problem.train,
        problem.valid,
        max_iter=model.max_iter,
        n_restarts=model.n_restarts,
        seed=int(problem.rng.randint(np.iinfo(np.int32).max)),
        tol=model.tol,
        verbose=bool(model.verbose),
        listener=listener,
    )


def _lbfgs(problem: Problem, steps: Steps, listener: Listener | None) -> LBFGSTraining:
    model = problem.model
    return LBFGSTraining(
        steps,
        max_iter=model.max_iter,
        max_fun=model.max_fun,
        tol=model.tol,
        verbose=bool(model.verbose),
        valid=problem.valid,
        listener=listener,
    )
