"""From where a perceptron's training goes on, and of what a checkpoint of it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from abline.errors import ParameterError
from abline.nets.callbacks import Checkpoint, check_callbacks
from abline.nets.identity import as_text, check_identity, data_identity, read_own_snapshot
from abline.nets.mlp.options import STOCHASTIC, hidden_sizes
from abline.nets.snapshot import has_state
from abline.nets.start import check_goes_on

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abline.nets.mlp.regressor import MLPRegressor
    from abline.nets.mlp.steps import Data
    from abline.nets.snapshot import Snapshot

#: parameters that may change where a training goes on, that other solvers have, or that an identity
#: has in other words
_NOT_SAID = (
    *("engine", "max_iter", "verbose", "warm_start"),
    *("max_fun", "n_restarts"),
    *("callbacks", "device", "hidden_layer_sizes"),
)


@dataclass(frozen=True)
class Origin:
    """From where a training goes on; by default it starts anew and is not kept.

    Attributes
    ----------
    keeps : bool
        Whether checkpoints are written or read.
    path : str, Path or None
        The checkpoint that was asked for.
    snapshot : Snapshot or None
        What it holds, if there is one.
    identity : mapping or None
        What the training is of; for those that are kept.
    """

    keeps: bool = False
    path: str | Path | None = None
    snapshot: Snapshot | None = None
    identity: Mapping[str, Any] | None = None

    def of(self, model: MLPRegressor, train: Data, valid: Data | None, *, goes_on: bool) -> Origin:
        """Give the same with the identity of a training, which must be that of the checkpoint.

        Parameters
        ----------
        model : MLPRegressor
        train : Data
            Before any part is set aside.
        valid : Data or None
            Given.
        goes_on : bool
            Whether from the weights of an earlier fit.

        Returns
        -------
        Origin

        Raises
        ------
        ParameterError
            If the checkpoint is of another training.
        """
        if not self.keeps:
            return self
        identity = _identity(model, train, valid, goes_on=goes_on)
        if self.snapshot is not None and self.path is not None:
            check_identity(self.snapshot.identity, identity, self.path)
        return replace(self, identity=identity)


def read_origin(model: MLPRegressor, resume_from: str | Path | None) -> Origin:
    """Find out from where a fit goes on.

    Parameters
    ----------
    model : MLPRegressor
        With checked parameters.
    resume_from : str, Path or None

    Returns
    -------
    Origin

    Raises
    ------
    ModelFileError
        If the file is damaged or no checkpoint.
    ParameterError
        If it is another estimator's, of another engine or of more epochs; or the solver's
        trainings cannot be kept.
    """
    writes = any(isinstance(each, Checkpoint) for each in check_callbacks(model.callbacks))
    if not writes and resume_from is None:
        return Origin()
    if model.solver not in STOCHASTIC:
        what = "resume_from" if resume_from is not None else "a Checkpoint among the callbacks"
        raise ParameterError(
            f"{what} is for trainings by epochs, and solver is {model.solver!r}, whose state is "
            "not ours to keep: leave it out, or set solver='adam' or 'sgd'"
        )
    if resume_from is None:
        return Origin(keeps=True)
    snapshot = read_own_snapshot(resume_from, "MLPRegressor")
    if snapshot is not None:
        check_goes_on(snapshot, resume_from, model.engine, "max_iter", model.max_iter)
    return Origin(True, resume_from, snapshot)


def _identity(
    model: MLPRegressor, train: Data, valid: Data | None, *, goes_on: bool
) -> dict[str, Any]:
    """Describe what a training is of; equal for those that can go on from one another."""
    params = model.get_params(deep=False)
    callbacks = [each for each in check_callbacks(model.callbacks) if has_state(each)]
    return {
        "estimator": "MLPRegressor",
        "hidden_layer_sizes": hidden_sizes(model.hidden_layer_sizes),
        **{name: as_text(value) for name, value in params.items() if name not in _NOT_SAID},
        **data_identity(train, valid),
        "callbacks": [as_text(callback) for callback in callbacks],
        "device": str(model.device).partition(":")[0],
        "beginning": "an earlier fit" if goes_on else "new weights",
    }
