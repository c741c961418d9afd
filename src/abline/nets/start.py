"""From where a training goes on: a module, a checkpoint, the call before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from abline.errors import ParameterError
from abline.nets.callbacks import Checkpoint
from abline.nets.identity import as_text, check_identity, identity_of

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from abline.nets.snapshot import Snapshot
    from abline.nets.torch_regressor import TorchRegressor
    from abline.nets.training import TrainingJob


@dataclass(frozen=True)
class Start:
    """From where a training goes on; by default it starts anew.

    Attributes
    ----------
    module : torch.nn.Module or None
        Trained before.
    snapshot : Snapshot or None
        The state of a training that goes on.
    path : str, Path or None
        The checkpoint that was asked for.
    one_epoch : bool
        Whether to train one further epoch, of any rows, rather than all.
    """

    module: nn.Module | None = None
    snapshot: Snapshot | None = None
    path: str | Path | None = None
    one_epoch: bool = False

    def place(self, job: TrainingJob, model: TorchRegressor) -> tuple[TrainingJob, str]:
        """Let a job begin where it goes on.

        Parameters
        ----------
        job : TrainingJob
        model : TorchRegressor
            Whose job it is.

        Returns
        -------
        job : TrainingJob
        engine : str
            What is to run it.

        Raises
        ------
        ParameterError
            If the checkpoint is of another training.
        """
        snapshot = self.snapshot
        if self.one_epoch:
            _check_optimizer(snapshot, job)
            job = replace(job, max_epochs=1 + _past(snapshot), resume=snapshot)
            return job, model.engine
        if self.path is None and not any(isinstance(each, Checkpoint) for each in job.callbacks):
            return job, model.engine
        options = {"random_state": model.random_state, "target_scaling": model.target_scaling}
        job = replace(job, identity=identity_of(job, options), resume=snapshot)
        if snapshot is None or self.path is None:
            return job, model.engine
        check_identity(snapshot.identity, job.identity or {}, self.path)
        check_goes_on(snapshot, self.path, model.engine, "max_epochs", job.max_epochs)
        return job, snapshot.engine


def named_by_optimizer(job: TrainingJob) -> TrainingJob:
    """Give a job of one epoch with what the job of the next must be of.

    Parameters
    ----------
    job : TrainingJob

    Returns
    -------
    TrainingJob
    """
    return replace(job, identity={"optimizer": as_text(type(job.optimizer))})


def _check_optimizer(snapshot: Snapshot | None, job: TrainingJob) -> None:
    """Refuse to go on with another kind of optimizer than that of the calls before."""
    was = snapshot and snapshot.identity["optimizer"]
    now = as_text(type(job.optimizer))
    if was and was != now:
        raise ParameterError(
            f"optimizer is {now} and partial_fit goes on with {was}, which the first call began "
            "with: set that one again, or call fit"
        )


def check_goes_on(
    snapshot: Snapshot, path: str | Path, engine: str, name: str, max_epochs: int
) -> None:
    """Refuse to go on from a checkpoint that is of another engine or too many epochs.

    Parameters
    ----------
    snapshot : Snapshot
    path : str or Path
        For the message.
    engine : str
        That was asked for.
    name : str
        Of the parameter that is
    max_epochs : int

    Raises
    ------
    ParameterError
    """
    remedy = "or remove the file to start anew"
    if _past(snapshot) > max_epochs:
        raise ParameterError(
            f"{name} is {max_epochs} and {path} has {_past(snapshot)} epochs already: raise it, "
            f"{remedy}"
        )
    if engine not in ("auto", snapshot.engine):
        raise ParameterError(
            f"engine is {engine!r} and {path} was made by {snapshot.engine!r}: pass that engine, "
            f"{remedy}"
        )


def _past(snapshot: Snapshot | None) -> int:
    return len(snapshot.history["epoch"]) if snapshot else 0
