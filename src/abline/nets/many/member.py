"""One training of a stack: how it begins, and how those see it who judge it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from abline.nets.engines.choose import Engine
from abline.nets.mlp.epoch_parts import batch_size_of, update_rule
from abline.nets.mlp.options import check_options
from abline.nets.mlp.problem import begin, precision_of, target_scale
from abline.nets.mlp.steps import Data, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from abline.nets.many.jobs import Job
    from abline.nets.many.shuffles import ShuffleBook
    from abline.nets.many.stack import Stack
    from abline.nets.mlp.epochs import EpochJudge
    from abline.nets.mlp.problem import Problem
    from abline.nets.mlp.regressor import MLPRegressor
    from abline.nets.mlp.steps import SGD, Adam, Floats, OptimizerState


@dataclass(frozen=True)
class Member:
    """A training before its first step; its rows are numbers of a table's.

    Attributes
    ----------
    job : Job
    model : MLPRegressor
    problem : Problem
    task : Task
    batch_size : int
    """

    job: Job
    model: MLPRegressor
    problem: Problem
    task: Task
    batch_size: int

    @classmethod
    def of(cls, job: Job, book: ShuffleBook) -> Member:
        """Draw first weights and set rows apart, as for a training alone.

        Parameters
        ----------
        job : Job
        book : ShuffleBook

        Returns
        -------
        Member
        """
        model, table = job.model("loop"), job.part.table
        loss = check_options(model)
        dtype, numbered = precision_of(table), job.part.numbered()
        scale = target_scale(model, numbered)
        if scale is not None:
            numbered = scale.standardised(numbered)
        weights = numbered.sample_weight
        train = Data(
            numbered.X,
            numbered.y.astype(dtype, copy=False),
            None if weights is None else weights.astype(dtype, copy=False),
        )
        problem = begin(model, loss, table.X.shape[1], dtype, train, None, scale)
        problem = replace(problem, rng=book.reader(problem.rng, len(problem.train)))
        task = Task(model.activation, loss, float(model.alpha), update_rule(model, goes_on=False))
        return cls(job, model, problem, task, batch_size_of(model, problem.train))

    @property
    def train(self) -> Data:
        """The rows that train."""
        return self.problem.train

    @property
    def valid(self) -> Data | None:
        """The rows whose score says when to stop."""
        return self.problem.valid

    @property
    def rule(self) -> Adam | SGD:
        """By which its steps change the parameters."""
        assert self.task.rule is not None  # a search is by epochs
        return self.task.rule

    @property
    def arrays(self) -> list[Floats]:
        """First weights of shape (out, in), then biases."""
        return [*(coef.T for coef in self.problem.coefs), *self.problem.intercepts]

    @property
    def shape(self) -> tuple[int, ...]:
        """What trainings in one stack have in common: units, steps of an epoch, rows of a step.

        Where all rows are one step, trainings may have other numbers of them.
        """
        steps = -(-len(self.train) // self.batch_size)
        units = [len(bias) for bias in self.problem.intercepts]
        return (*units, steps, self.batch_size if steps > 1 else 0)

    @property
    def numbers(self) -> float:
        """Roughly the numbers that it keeps on the device."""
        weights = sum(int(array.size) for array in self.arrays)
        rows = len(self.train) + (0 if self.valid is None else len(self.valid))
        depth = sum(len(bias) for bias in self.problem.intercepts) + self.job.part.table.X.shape[1]
        # parameters, derivatives, moments and copies; row numbers in 64 bits; a step's values
        width: int = self.train.y.shape[1] + 8
        return float(8 * weights + rows * width + 4 * depth * self.batch_size)


class StackedNetwork:
    """A network of a stack, as `abline.nets.mlp.steps.Network` has it.

    Parameters
    ----------
    member : Member
    stack : Stack
    place : int
        In the stack.

    Attributes
    ----------
    params : list of tensors
        Views of the stack's, in its own memory once it has left the stack.
    """

    def __init__(self, member: Member, stack: Stack, place: int) -> None:
        self._member = member
        self._stack = stack
        self._state: OptimizerState = {}
        self.params: Sequence[Tensor] = []
        self.stand(place)

    def stand(self, place: int) -> None:
        """Stand at a place of the stack, which has moved its networks."""
        self._place = place
        self.params = self._stack.params_of(place)

    def leave(self) -> None:
        """Take everything out of the stack."""
        self.params = [tensor.clone() for tensor in self.params]
        state: dict[str, Any] = self._stack.state_of(self._place)
        self._state = {
            name: value if isinstance(value, int) else [each.cpu().numpy() for each in value]
            for name, value in state.items()
        }

    @torch.no_grad()
    def loss(self, data: Data) -> float:
        """Give the loss over the validation rows."""
        outputs = self._stack.outputs_of_valid(self._place)[: len(data)]
        weights = None if data.weights is None else torch.from_numpy(data.weights)
        loss = self._member.task.loss
        return float(loss.mean(loss.evaluate(outputs, torch.from_numpy(data.y))[0], weights))

    def predict(self, X: Any) -> Floats:
        """Give the last layer's outputs for the validation rows."""
        return self._stack.outputs_of_valid(self._place)[: len(X)].numpy()

    def get_state(self) -> OptimizerState:
        """Give the optimizer's state at the end."""
        return self._state


@dataclass(frozen=True)
class SolvedInStack:
    """A training that has left its stack, as `abline.nets.mlp.solvers.Solved` has it.

    Attributes
    ----------
    judge : EpochJudge
    rule : Adam or SGD
    """

    judge: EpochJudge
    rule: Adam | SGD
    engine = Engine("many")

    @property
    def params(self) -> Sequence[Tensor]:
        """The parameters."""
        return self.judge.network.params

    @property
    def good(self) -> Sequence[Tensor]:
        """Parameters of a moment when all was well."""
        return self.judge.good

    def results(self) -> dict[str, Any]:
        """Give the estimator's attributes."""
        return self.judge.results() | {"_optimizer_rule": asdict(self.rule)}
