"""Where a training stands between two epochs, and going on from there, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.errors import ModelFileError, ParameterError
from abline.nets.describe_errors import reading
from abline.nets.plain_tree import from_plain, to_plain
from abline.nets.weights import weights_of
from abline.store import Saveable, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abline.nets.training import History, Job, TrainingState

#: what a snapshot's file holds, by name
_PARTS: dict[str, type | tuple[type, ...]] = {
    "engine": str,
    "seed": (int, dict),
    "stop": bool,
    "identity": dict,
    "history": dict,
    "weights": list,
    "optimizer": dict,
    "generators": list,
    "callbacks": list,
}


@dataclass(frozen=True)
class Snapshot(Saveable):
    """The whole state of a training after an epoch, as plain data.

    Attributes
    ----------
    engine : str
        What ran the steps.
    seed : int or tree
        What the first draws were made from.
    stop : bool
        Whether the training was ended before its last epoch.
    identity : mapping of str to object
        What the training is of.
    history : dict of str to array
    weights : list of tree
        Of the module's parameters and buffers.
    optimizer, generators, callbacks : tree
        Their states; of those callbacks that have one.
    """

    engine: str
    seed: Any
    stop: bool
    identity: Mapping[str, Any]
    history: Mapping[str, Any]
    weights: Sequence[Any]
    optimizer: Any
    generators: Any
    callbacks: Any

    @classmethod
    def take(cls, state: TrainingState, job: Job) -> Snapshot:
        """Copy the state of a training that stands between two epochs.

        Parameters
        ----------
        state : TrainingState
        job : Job

        Returns
        -------
        Snapshot

        Raises
        ------
        DataError
            If the optimizer or a callback has a state that a file cannot hold.
        """
        return cls(
            engine=state.engine,
            seed=job.seed,
            stop=state.stop,
            identity=dict(job.identity or {}),
            history={column: np.array(values) for column, values in state.history.items()},
            weights=[to_plain(tensor) for tensor in weights_of(state.module)],
            optimizer=to_plain(state.optimizer.state_dict()),
            generators=[to_plain(generator.get_state()) for generator in job.generators],
            callbacks=[to_plain(each.state_dict()) for each in _with_state(job)],
        )

    def past(self) -> History:
        """Give the history so far."""
        return {column: values.tolist() for column, values in self.history.items()}

    def put_weights(self, job: Job) -> None:
        """Give the module its weights."""
        with reading("the checkpoint's weights do not fit", "start anew"), torch.no_grad():
            for tensor, kept in zip(weights_of(job.module), self.weights, strict=True):
                tensor.copy_(from_plain(kept))

    def put_rest(self, job: Job) -> None:
        """Give optimizer, callbacks and generators their states, after the callbacks' beginning."""
        with reading("the checkpoint's state does not fit", "start anew"):
            job.optimizer.load_state_dict(from_plain(self.optimizer))
            for callback, kept in zip(_with_state(job), self.callbacks, strict=True):
                callback.load_state_dict(from_plain(kept))
            for generator, kept in zip(job.generators, self.generators, strict=True):
                generator.set_state(from_plain(kept))

    def _get_state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _PARTS}


def _with_state(job: Job) -> list[Any]:
    return [callback for callback in job.callbacks if has_state(callback)]


def has_state(callback: object) -> bool:
    """Say whether a callback remembers something that a checkpoint keeps.

    Parameters
    ----------
    callback : object

    Returns
    -------
    bool
    """
    return hasattr(callback, "state_dict") and hasattr(callback, "load_state_dict")


def read_snapshot(path: str | Path) -> Snapshot | None:
    """Read a snapshot's file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Snapshot or None
        None where there is no file.

    Raises
    ------
    ModelFileError
        If the file is damaged or no checkpoint.
    ParameterError
        If it is no path.
    """
    if not isinstance(path, str | PathLike):
        raise ParameterError(f"resume_from is {path!r}: give the path of a checkpoint's file")
    if not Path(path).exists():
        return None
    try:
        content = read_model(path)
    except ModelFileError as error:
        raise ModelFileError(f"resume_from: {error}, or remove it to start anew") from error
    parts = content.state
    right = content.kind == Snapshot.__name__ and parts.keys() == _PARTS.keys()
    if not right or not all(isinstance(parts[name], kind) for name, kind in _PARTS.items()):
        raise ModelFileError(
            f"resume_from: {path} is no checkpoint but a {content.kind}: give a file that "
            "abline.Checkpoint wrote"
        )
    return Snapshot(**parts)
