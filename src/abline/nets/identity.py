"""What a training is of: its module, options and data, so that no checkpoint goes on elsewhere."""

from __future__ import annotations

import functools
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from abline.errors import ParameterError
from abline.nets.snapshot import has_state, read_snapshot
from abline.nets.weights import weights_of
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abline.nets.snapshot import Snapshot
    from abline.nets.training import TrainingJob

#: what is data, by its name in the sentence that refuses other data
_DATA = ("X", "y", "sample_weight", "eval_set's X", "eval_set's y", "eval_set's weights")


def identity_of(job: TrainingJob, options: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what a training is of.

    Parameters
    ----------
    job : TrainingJob
        Not begun yet.
    options : mapping of str to object
        The estimator's parameters that the job does not show.

    Returns
    -------
    dict of str to text, number or list
        Equal for trainings of which one can go on from the other's checkpoint: they differ in
        nothing but the number of epochs and callbacks that remember nothing. What a function of
        your own computes is not looked at.
    """
    weights = weights_of(job.module)
    return {
        "estimator": "TorchRegressor",
        **{name: as_text(value) for name, value in options.items()},
        **data_identity(job.train, job.valid),
        "module": as_text(job.module) + str([(_kind(w), tuple(w.shape)) for w in weights]),
        "criterion": as_text(getattr(job.loss, "criterion", job.loss)),
        "optimizer": as_text(type(job.optimizer)),
        **_settings(job.optimizer),
        "batch_size": job.batch_size,
        "shuffle": bool(job.shuffle),
        "clip_grad_norm": job.clip_grad_norm,
        "clip_grad_value": job.clip_grad_value,
        "schedule": as_text(job.schedule),
        "metrics": list(job.metrics),
        "callbacks": [as_text(callback) for callback in job.callbacks if has_state(callback)],
        "device": weights[0].device.type,
    }


def data_identity(train: Any, valid: Any) -> dict[str, Any]:
    """Describe the data of a training.

    Parameters
    ----------
    train : object
        Its ``X``, ``y`` and ``weights`` (or None) are tensors, arrays or CSR matrices.
    valid : object or None
        Like it.

    Returns
    -------
    dict of str to list or None
    """
    parts = (*_hashes(train), *(_hashes(valid) if valid is not None else (None,) * 3))
    return dict(zip(_DATA, parts, strict=True))


def read_own_snapshot(path: str | Path, estimator: str) -> Snapshot | None:
    """Read a checkpoint that is to be of one kind of estimator.

    Parameters
    ----------
    path : str or Path
    estimator : str
        The name of its class.

    Returns
    -------
    Snapshot or None
        None where there is no file.

    Raises
    ------
    ModelFileError
        If the file is damaged or no checkpoint.
    ParameterError
        If it is another estimator's.
    """
    snapshot = read_snapshot(path)
    if snapshot is not None:
        check_identity(snapshot.identity, {"estimator": estimator}, path)
    return snapshot


def check_identity(kept: Mapping[str, Any], here: Mapping[str, Any], path: str | Path) -> None:
    """Refuse a checkpoint of another training.

    Parameters
    ----------
    kept : mapping
        The checkpoint's, from `identity_of`.
    here : mapping
        Of this training.
    path : str or Path
        For the message.

    Raises
    ------
    ParameterError
        If they differ; the message names what.
    """
    other = [name for name in here if kept.get(name) != here[name]]
    if not other:
        return
    name = other[0]
    was, now = kept.get(name), here[name]
    if name in _DATA:
        found = f"its {name} {_difference(was, now)}"
    elif name == "module":
        found = "its module is another one"
    else:
        found = f"its {name} is {was} and here it is {now}"
    raise ParameterError(
        f"resume_from: {path} is the checkpoint of another training, since {found}: fit with what "
        "it was made with, or remove it to start anew"
    )


def _difference(was: Any, now: Any) -> str:
    if was is None or now is None:
        return f"was {'not ' if was is None else ''}given and here it is {'' if now else 'not '}so"
    if was[0] != now[0]:
        return f"has shape {tuple(was[0])} and here it is {tuple(now[0])}"
    return "has other values"


def _hashes(rows: Any) -> tuple[Any, Any, Any]:
    return _hash(rows.X), _hash(rows.y), None if rows.weights is None else _hash(rows.weights)


def _hash(values: Any) -> list[Any]:
    """Give the shape of a tensor, array or CSR matrix, and a hash of what is in it."""
    parts = (values.data, values.indices, values.indptr) if is_sparse(values) else (values,)
    found = sha256()
    for part in parts:
        found.update(_kind(part).encode())
        found.update(_bytes(part))
    return [list(values.shape), found.hexdigest()]


def _bytes(values: Any) -> memoryview:
    if isinstance(values, torch.Tensor):  # some of whose kinds numpy does not have
        values = values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return np.ascontiguousarray(values).data


def _kind(values: Any) -> str:
    return str(values.dtype).removeprefix("torch.")


def as_text(value: Any) -> str:
    """Say what a value is, in the same words in every process (so without its address).

    Parameters
    ----------
    value : object

    Returns
    -------
    str

    Examples
    --------
    >>> as_text([1, nn.Tanh()])
    '[1, Tanh{}]'
    """
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, functools.partial):
        return f"{as_text(value.func)}{value.args}{as_text(value.keywords)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {as_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_text, value)) + "]"
    if isinstance(value, nn.Module):
        parts = (f"{name} {_attributes(part)}" for name, part in value.named_modules())
        return ", ".join(parts).lstrip()  # the module itself has no name
    if has_state(value):
        return _attributes(value)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _attributes(value: object) -> str:
    public = {key: item for key, item in vars(value).items() if key[0] != "_" and key != "training"}
    return f"{type(value).__qualname__}{as_text(public)}"


def _settings(optimizer: torch.optim.Optimizer) -> dict[str, str]:
    groups = [
        {key: as_text(value) for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]
    if len(groups) > 1:
        return {"optimizer's groups": as_text(groups)}
    return {f"optimizer's {key}": text for key, text in groups[0].items()}
