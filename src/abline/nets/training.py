"""What a training engine is given and what callbacks see, free of any engine's details.

An engine is a function from a `TrainingJob` to a history; the estimators assemble the job and
know nothing of the steps, so another way to run them replaces the engine alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from abline.nets.randomness import generators_of
from abline.nets.weights import weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abline.nets.callbacks import Callback
    from abline.nets.schedule import Schedule
    from abline.nets.snapshot import Snapshot

#: one list per column, all of the same length: epoch, train_loss, valid_loss, seconds, lr, …
History = dict[str, list[float]]

#: rows that pass through a module at once where no gradient is kept: bounds the memory of
#: large tables, and layers' outputs of this many rows still fit a processor's cache
CHUNK_ROWS = 16_384


class Loss(Protocol):
    """From outputs, targets of their shape and the rows' weights (or None) to one number."""

    def __call__(self, outputs: Tensor, target: Tensor, weights: Tensor | None) -> Tensor:
        """Compute the loss."""
        ...


class Metric(Protocol):
    """From outputs and targets of one shape to one number."""

    def __call__(self, outputs: Tensor, target: Tensor) -> float:
        """Compute the metric."""
        ...


@dataclass(frozen=True)
class Rows:
    """Rows on the device that trains, in the module's precision.

    Attributes
    ----------
    X : tensor of shape (n, p)
    y : tensor of the shape of the module's outputs, (n,) or (n, t)
    weights : tensor of shape (n,), or None where every row counts the same
    """

    X: Tensor
    y: Tensor
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, index: Tensor | slice) -> Rows:
        """Give some of the rows, in the index's order."""
        weights = None if self.weights is None else self.weights[index]
        return Rows(self.X[index], self.y[index], weights)

    def shaped_as(self, outputs: Tensor) -> Rows:
        """Give the targets the number of dimensions of a module's outputs."""
        y = self.y.reshape(-1) if outputs.ndim == 1 else self.y
        return Rows(self.X, y, self.weights)


class Job(Protocol):
    """What callbacks and checkpoints need to know of a training, whatever it is."""

    @property
    def module(self) -> nn.Module:
        """What is trained, in place."""
        ...

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """Its state is all that the next step depends on besides the weights and draws."""
        ...

    @property
    def max_epochs(self) -> int:
        """Epochs at the most."""
        ...

    @property
    def callbacks(self) -> Sequence[Any]:
        """Called back."""
        ...

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Two columns of the history each."""
        ...

    @property
    def has_validation(self) -> bool:
        """Whether validation rows are scored."""
        ...

    @property
    def seed(self) -> Any:
        """What the first draws are made from, as plain data."""
        ...

    @property
    def generators(self) -> Sequence[Any]:
        """What later draws are made from; each has ``get_state()`` and ``set_state(state)``."""
        ...

    @property
    def identity(self) -> Mapping[str, Any] | None:
        """What a checkpoint must be of to go on from it; None keeps none."""
        ...

    @property
    def resume(self) -> Snapshot | None:
        """From where to go on."""
        ...


@dataclass(frozen=True)
class TrainingJob:
    """Everything that one fit needs; a `Job`.

    Attributes
    ----------
    module : torch.nn.Module
        Trained in place.
    loss : Loss
    optimizer : torch.optim.Optimizer
        Of the module's parameters.
    train, valid : Rows
        ``valid`` is None where there is none.
    max_epochs : int
    batch_size : int or None
        None is all rows in one step.
    shuffle : bool
        Whether minibatches are drawn anew in each epoch.
    generator : torch.Generator
        On the CPU; draws the minibatches and nothing else.
    callbacks : sequence of Callback
    metrics : mapping of str to Metric
    clip_grad_norm, clip_grad_value : float or None
        The most that the gradients' length, and each of their elements, may be in a step; the
        elements are bounded first.
    schedule : Schedule or None
        What the learning rate is multiplied by in each step.
    identity : mapping or None
        What a checkpoint must be of for this training to go on from it, from
        `abline.nets.identity.identity_of`; None where it is not to be kept in checkpoints.
    resume : Snapshot or None
        From where to go on.
    n_restarts : int
        Further first weights to try, for engines that try several.
    n_jobs : int or None
        Threads over these; None is as many as there are processors.
    """

    module: nn.Module
    loss: Loss
    optimizer: torch.optim.Optimizer
    train: Rows
    valid: Rows | None
    max_epochs: int
    batch_size: int | None
    shuffle: bool
    generator: torch.Generator
    callbacks: Sequence[Callback]
    metrics: Mapping[str, Metric]
    clip_grad_norm: float | None = None
    clip_grad_value: float | None = None
    schedule: Schedule | None = None
    identity: Mapping[str, Any] | None = None
    resume: Snapshot | None = None
    n_restarts: int = 0
    n_jobs: int | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        n = len(self.train)
        return 1 if self.batch_size is None else -(-n // self.batch_size)

    @property
    def has_validation(self) -> bool:
        """Whether validation rows are scored."""
        return self.valid is not None

    @property
    def seed(self) -> int:
        """Of the generator of the minibatches."""
        return self.generator.initial_seed()

    @property
    def generators(self) -> list[torch.Generator]:
        """Of the minibatches, then torch's own that the module draws from."""
        return [self.generator, *generators_of(weights_of(self.module)[0].device)]


@dataclass
class TrainingState:
    """What a callback sees of a fit that is under way.

    Attributes
    ----------
    epoch : int
        Counted from 0.
    max_epochs : int
    module : torch.nn.Module
        With the weights of this moment.
    optimizer : torch.optim.Optimizer
    history : dict of str to list of float
        The epochs so far, this one included once it has ended.
    has_validation : bool
        Whether validation rows are scored.
    stop : bool
        Set it to True to end the training after this epoch.
    engine : str
        What runs the steps.
    job : Job or None
        What is trained.
    failed : bool
        Whether a callback raised.
    """

    epoch: int
    max_epochs: int
    module: nn.Module
    optimizer: torch.optim.Optimizer
    history: History
    has_validation: bool
    stop: bool = False
    engine: str = "loop"
    job: Job | None = None
    failed: bool = False


def outputs_of(module: nn.Module, features: Tensor) -> Tensor:
    """Compute a module's outputs without gradients, chunk by chunk.

    Parameters
    ----------
    module : torch.nn.Module
        In the mode (training or evaluation) that is wanted.
    features : tensor of shape (n, p)

    Returns
    -------
    tensor of shape (n,) or (n, t)
    """
    with torch.inference_mode():
        if len(features) <= CHUNK_ROWS:
            outputs: Tensor = module(features)
            return outputs
        return torch.cat([module(chunk) for chunk in torch.split(features, CHUNK_ROWS)])
