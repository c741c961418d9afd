"""What gives every estimator its ``save`` method, and what ``load`` reads back."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from abline import __version__
from abline.errors import ModelFileError
from abline.store.atomic import check_writable
from abline.store.container import FORMAT, read_container, write_container
from abline.store.tree import flatten, unflatten

if TYPE_CHECKING:
    from pathlib import Path

#: packages whose version a file records where they are loaded: they may move the last digits
_RECORDED = {"numpy": "numpy", "sklearn": "scikit-learn", "torch": "torch"}


@dataclass(frozen=True)
class Content:
    """What a model file holds.

    Attributes
    ----------
    kind : str
        The name of the class that was saved.
    versions : dict of str to str
        Of abline, Python and the packages that the model was fitted with.
    state : dict
        What the object's ``_get_state`` gave.
    """

    kind: str
    versions: dict[str, str]
    state: dict[str, Any]


class Saveable:
    """Give an estimator its ``save`` method; inherit it first.

    The state is a tree of plain values and arrays (see `abline.store.tree`). By default it is
    the parameters and what ``fit`` learnt; a class that holds anything richer overrides
    ``_get_state`` and ``_set_state``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> class Scale(Saveable):
    ...     def get_params(self, deep=True):
    ...         return {"factor": self.factor}
    >>> scale = Scale()
    >>> scale.factor, scale.mean_ = 2.0, 0.5
    >>> place = pathlib.Path(tempfile.mkdtemp()) / "scale.model"
    >>> scale.save(place)
    >>> read_model(place).state
    {'params': {'factor': 2.0}, 'fitted': {'mean_': 0.5}}
    """

    if TYPE_CHECKING:

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            """Give the parameters; scikit-learn's ``BaseEstimator`` has it."""
            ...

    def save(self, path: str | Path) -> None:
        """Write the model to one checksummed file, which ``abline.load`` reads.

        Parameters
        ----------
        path : str or Path
            Where the file is to stand; one that is there already is replaced, in one step.

        Raises
        ------
        OutputError
            If it cannot be written there.
        DataError
            If an attribute or parameter is of a kind that a file without code cannot hold.
        """
        check_writable(path)
        state, arrays = flatten(self._get_state())
        content = {
            "format": FORMAT,
            "kind": type(self).__name__,
            "versions": _versions(),
            "state": state,
        }
        write_container(path, content, arrays)

    def _get_state(self) -> dict[str, Any]:
        fitted = {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_")
        }
        return {"params": self.get_params(deep=False), "fitted": fitted}

    def _set_state(self, state: dict[str, Any]) -> None:
        for name, value in {**state["params"], **state["fitted"]}.items():
            setattr(self, name, value)


def read_model(path: str | Path) -> Content:
    """Read what a model file holds, without making an estimator of it.

    Parameters
    ----------
    path : str or Path
        A file written by ``save``.

    Returns
    -------
    Content

    Raises
    ------
    ModelFileError
        If the file does not exist, is no model, is damaged or cut short, or was written by a
        newer abline.
    """
    content, arrays = read_container(path)
    kind, versions = content.get("kind"), content.get("versions")
    try:
        state = unflatten(content.get("state"), arrays)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    if not isinstance(kind, str) or not isinstance(versions, dict) or not isinstance(state, dict):
        raise ModelFileError(f"{path} holds something other than a model: save the model again")
    return Content(kind=kind, versions=versions, state=state)


def _versions() -> dict[str, str]:
    loaded = {
        name: str(sys.modules[module].__version__)
        for module, name in _RECORDED.items()
        if module in sys.modules
    }
    return {"abline": __version__, "python": platform.python_version(), **loaded}
