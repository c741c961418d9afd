"""The solvers of a perceptron's fit, each made from its problem."""

from __future__ import annotations

import math
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from abline.errors import DataWarning
from abline.linear.threads import one_blas_thread
from abline.nets.engines.choose import Engine
from abline.nets.mlp.choose import make_steps
from abline.nets.mlp.epochs import EpochRules, EpochTraining, Progress
from abline.nets.mlp.lbfgs import LBFGSTraining
from abline.nets.mlp.levenberg import LevenbergTraining
from abline.nets.mlp.listener import Listener
from abline.nets.mlp.steps import SGD, Adam, Data, Task
from abline.nets.mlp.validation import make_score
from abline.nets.mlp.weights import as_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from abline.nets.mlp.problem import Problem
    from abline.nets.mlp.regressor import MLPRegressor
    from abline.nets.mlp.steps import Steps


class Training(Protocol):
    """A training by one solver."""

    def run(self) -> None:
        """Train until a rule says stop, writing to the parameters that it was made with."""
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
            batch_size = _batch_size(model, problem.train)
            epochs = 1 if one_epoch else model.max_iter
            n_steps = epochs * -(-len(problem.train) // batch_size)
            steps = self._make_steps(problem, _rule(model), n_steps, batch_size)
            progress = _progress(problem, one_epoch=one_epoch)
            if one_epoch and problem.goes_on:
                _take_optimizer(model, steps)
            self._listen(problem, progress.rate, one_epoch=one_epoch)
            self.training = _epochs(
                problem, steps, batch_size, progress, self.listener, one_epoch=one_epoch
            )
        self._first = [p.clone() for p in self.params]

    def run(self) -> None:
        """Train."""
        with one_blas_thread(), self.listener.training() if self.listener else nullcontext():
            self.training.run()

    @property
    def good(self) -> Sequence[Tensor]:
        """Parameters of a moment when all was well, near the last one."""
        return self.training.good if isinstance(self.training, EpochTraining) else self._first

    @property
    def is_finite(self) -> bool:
        """Whether all parameters are numbers."""
        return all(bool(torch.isfinite(p).all()) for p in self.params)

    @property
    def failed_late(self) -> bool:
        """Whether a callback raised when an epoch had ended."""
        listener = self.listener
        return listener is not None and listener.state.failed and listener.n_epochs > 0

    def _make_steps(
        self, problem: Problem, rule: Adam | SGD | None, n_steps: int, batch_size: int
    ) -> Steps:
        model = problem.model
        task = Task(model.activation, problem.loss, float(model.alpha), rule)
        weights = [coef.T for coef in problem.coefs]
        steps, self.engine = make_steps(
            task, weights, problem.intercepts, problem.train, problem.device,
            engine=model.engine, n_steps=n_steps, batch_size=batch_size,
        )  # fmt: skip
        self.params = steps.params
        return steps

    def _listen(self, problem: Problem, rate: float, *, one_epoch: bool) -> None:
        if problem.callbacks:
            self.listener = Listener(
                problem.callbacks,
                as_module(self.params, problem.model.activation),
                1 if one_epoch else problem.model.max_iter,
                rate,
                has_validation=problem.notes_valid,
                engine=str(self.engine),
            )


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


def _epochs(
    problem: Problem,
    steps: Steps,
    batch_size: int,
    progress: Progress,
    listener: Listener | None,
    *,
    one_epoch: bool,
) -> EpochTraining:
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
    return EpochTraining(
        steps,
        len(problem.train),
        rules,
        progress,
        problem.rng,
        score=score,
        valid=valid if problem.notes_valid else None,
        listener=listener,
    )


def _batch_size(model: MLPRegressor, train: Data) -> int:
    n = len(train)
    if model.batch_size == "auto":
        return min(200, n)
    if model.batch_size > n:
        warnings.warn(
            f"batch_size is {model.batch_size} and only {n} rows train: it is clipped to all of "
            "them",
            DataWarning,
            stacklevel=2,
        )
    return min(int(model.batch_size), n)


def _rule(model: MLPRegressor) -> Adam | SGD:
    if model.solver == "adam":
        return Adam(float(model.beta_1), float(model.beta_2), float(model.epsilon))
    return SGD(float(model.momentum), bool(model.nesterovs_momentum))


def _progress(problem: Problem, *, one_epoch: bool) -> Progress:
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


def _take_optimizer(model: MLPRegressor, steps: Steps) -> None:
    """Go on with an earlier fit's optimizer, if it was one of this kind."""
    state = getattr(model, "_optimizer_state", None)
    if state is not None and ("step" in state) == (model.solver == "adam"):
        steps.set_state(state)
