"""Bring an estimator back from its file, and put one estimator inside another's file.

A file holds arrays and JSON, never code: the kind of estimator is looked up by name in the
list below and nowhere else, so loading a file runs nothing that came with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from abline.errors import DataError, ModelFileError
from abline.store import Saveable, read_model

if TYPE_CHECKING:
    from pathlib import Path

#: every kind of estimator that a file may hold, and its home
KINDS = {
    "ElasticNet": "abline.linear",
    "ElasticNetCV": "abline.linear",
    "Lasso": "abline.linear",
    "LassoCV": "abline.linear",
    "LinearRegression": "abline.linear",
    "MLPRegressor": "abline.nets",
    "MLPRegressorCV": "abline.nets",
    "MeanRegressor": "abline.linear",
    "NetworkRegressor": "abline.nets",
    "RFactor": "abline.linear",
    "Ridge": "abline.linear",
    "RidgeCV": "abline.linear",
    "TableRegressor": "abline.pipeline",
    "TorchRegressor": "abline.nets",
}


def load(path: str | Path) -> Any:
    """Load an estimator that was written by its ``save`` method.

    Parameters
    ----------
    path : str or Path
        A model file.

    Returns
    -------
    estimator
        Of the class that was saved; its predictions are those it gave when saved, bit for bit.
        Networks come back on the CPU.

    Raises
    ------
    ModelFileError
        If the file does not exist, is not a model, was damaged, cut short or edited, or was
        written by a newer abline.

    Examples
    --------
    >>> import abline as ab, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "line.model"
    >>> ab.LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).save(path)
    >>> ab.load(path).predict([[3.0]]).round(6)
    array([7.])
    """
    content = read_model(path)
    if content.kind == "Snapshot":
        raise ModelFileError(
            f"{path} is a checkpoint of a training, not a model: go on from it with "
            "fit(X, y, resume_from=path)"
        )
    try:
        return restore(content.kind, content.state)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # the checksum is right, so another program or a defect wrote it
        raise ModelFileError(
            f"{path} is not a model that this abline can read ({error!r}): save it again"
        ) from error


def restore(kind: str, state: dict[str, Any]) -> Any:
    """Make an estimator from its kind and state.

    Parameters
    ----------
    kind : str
        The name of its class, one of `KINDS`.
    state : dict
        What its ``_get_state`` gave.

    Returns
    -------
    estimator

    Raises
    ------
    ModelFileError
        If the kind is none that this version knows.
    """
    if kind not in KINDS:
        raise ModelFileError(f"it holds a {kind!r}, which this abline does not know: upgrade it")
    cls = getattr(import_module(KINDS[kind]), kind)
    estimator = cls.__new__(cls)
    estimator._set_state(state)
    return estimator


def nested_state(estimator: object, role: str) -> dict[str, Any]:
    """Give the state of an estimator that is part of another one.

    Parameters
    ----------
    estimator : object
    role : str
        What it is to the other, for the message (``"estimator"``).

    Returns
    -------
    dict
        With ``kind`` and ``state``, for `restore`.

    Raises
    ------
    DataError
        If it is not one of abline's own: its state would need code.
    """
    kind = type(estimator).__name__
    if not isinstance(estimator, Saveable) or kind not in KINDS:
        raise DataError(
            f"a {kind} cannot be saved as the {role}, since abline's files hold no code: "
            "use one of abline's estimators, or pickle the whole"
        )
    return {"kind": kind, "state": estimator._get_state()}
