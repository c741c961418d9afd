"""An estimator's parameters as plain data: numbers, and the names of well-known things.

PyTorch's classes of losses, optimizers and layers are kept by name, and looked up in a fixed
list; layers, losses and callbacks with arguments by those too. A parameter that is anything
else (a person's own class or function) cannot be kept: a stand-in takes its place, which lets
the estimator predict and says what is missing when it is to be fitted again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from abline.errors import DataError, ParameterError
from abline.nets.callbacks import EarlyStopping, LRScheduler, PrintLog, ProgressBar
from abline.nets.describe_errors import reading
from abline.nets.describe_layers import LAYERS, LOSSES, OWN, build_layers, describe_layers

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTIMIZERS = (
    "ASGD Adadelta Adagrad Adam AdamW Adamax LBFGS NAdam RAdam RMSprop Rprop SGD SparseAdam"
)
_SCHEDULERS = (
    "ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LinearLR "
    "MultiStepLR OneCycleLR PolynomialLR ReduceLROnPlateau StepLR"
)
_FUNCTIONS = "gaussian_nll_loss huber_loss l1_loss mse_loss poisson_nll_loss smooth_l1_loss"
_DTYPES = "bfloat16 float16 float32 float64"

#: what a file may name, and nothing else
NAMED: dict[str, Any] = {
    **{f"torch.nn.{name}": getattr(nn, name) for name in (*LAYERS, *LOSSES)},
    **{f"torch.optim.{name}": getattr(torch.optim, name) for name in _OPTIMIZERS.split()},
    **{
        f"torch.optim.lr_scheduler.{name}": getattr(torch.optim.lr_scheduler, name)
        for name in _SCHEDULERS.split()
    },
    **{f"torch.nn.functional.{name}": getattr(nn.functional, name) for name in _FUNCTIONS.split()},
    **{f"torch.{name}": getattr(torch, name) for name in _DTYPES.split()},
    **{f"abline.{name}": module for name, module in OWN.items()},
    "print": print,
}

#: callbacks, whose arguments are attributes of the same names
_CALLBACKS: dict[type, tuple[str, ...]] = {
    EarlyStopping: ("monitor", "patience", "min_delta", "restore_best", "greater_is_better"),
    LRScheduler: ("scheduler", "per", "arguments"),
    PrintLog: ("every", "write"),
    ProgressBar: ("description", "console"),
}


class NotKept:
    """Stands where a parameter was that a file cannot hold.

    Parameters
    ----------
    text : str
        What it was.

    Examples
    --------
    >>> NotKept("MyNet")
    NotKept('MyNet')
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"NotKept({self.text!r})"

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Refuse to be used.

        Raises
        ------
        ParameterError
            Always.
        """
        raise ParameterError(
            f"{self.text} was not kept in the model file, which holds no code: set the parameter "
            "again with set_params before fitting"
        )


def describe_parameter(value: Any) -> Any:
    """Write a parameter's value as plain data.

    Parameters
    ----------
    value : object

    Returns
    -------
    tree
        For `restore_parameter`.

    Examples
    --------
    >>> describe_parameter(torch.optim.Adam)
    {'is': 'named', 'value': 'torch.optim.Adam'}
    >>> describe_parameter({"lr": 0.1})
    {'is': 'dict', 'value': {'lr': 0.1}}
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.number | np.bool | np.str_):
        return value
    if isinstance(value, list):
        return [describe_parameter(item) for item in value]
    for kind, describe in _DESCRIBE.items():
        described = describe(value)
        if described is not None:
            return {"is": kind, "value": described}
    return {"is": "not kept", "value": _text(value)}


def restore_parameter(tree: Any) -> Any:
    """Make a parameter's value from what `describe_parameter` gave.

    Parameters
    ----------
    tree : tree

    Returns
    -------
    object
        The value, or a `NotKept` in its place.

    Raises
    ------
    ModelFileError
        If `describe_parameter` cannot have given this.
    """
    if isinstance(tree, list):
        return [restore_parameter(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    with reading("it has a parameter that this abline cannot read", "upgrade abline"):
        return _RESTORE[tree["is"]](tree["value"])


def _named(value: Any) -> str | None:
    return next((name for name, known in NAMED.items() if known is value), None)


def _tuple(value: Any) -> list[Any] | None:
    return [describe_parameter(item) for item in value] if type(value) is tuple else None


def _dict(value: Any) -> dict[str, Any] | None:
    if type(value) is not dict or not all(type(key) is str for key in value):
        return None
    return {key: describe_parameter(item) for key, item in value.items()}


def _array(value: Any) -> Any:
    plain = type(value) is np.ndarray and value.dtype.kind in "biuf"
    return value if plain and value.dtype.itemsize <= 8 else None


def _device(value: Any) -> str | None:
    return str(value) if isinstance(value, torch.device) else None


def _random_state(value: Any) -> list[Any] | None:
    if type(value) is not np.random.RandomState:
        return None
    name, keys, position, has_gauss, gauss = value.get_state()
    return [str(name), keys, int(position), int(has_gauss), float(gauss)]


def _restore_random_state(tree: Any) -> np.random.RandomState:
    name, keys, position, has_gauss, gauss = tree
    if type(position) is not int or not 0 <= position <= len(keys):  # which numpy takes on trust
        raise ValueError(f"a random state cannot be at {position!r}")
    state = np.random.RandomState()
    state.set_state((name, keys, position, has_gauss, gauss))
    return state


def _layers(value: Any) -> dict[str, Any] | None:
    try:
        return describe_layers(value) if isinstance(value, nn.Module) else None
    except DataError:
        return None


def _restore_layers(tree: Any) -> nn.Module:
    return build_layers(tree).train()  # as a module is that nobody has trained yet


def _callback(value: Any) -> dict[str, Any] | None:
    if type(value) not in _CALLBACKS:
        return None
    attributes = _CALLBACKS[type(value)]
    arguments = {name: describe_parameter(getattr(value, name)) for name in attributes}
    return {"class": type(value).__name__, **arguments}


def _restore_callback(tree: Any) -> Any:
    cls = {known.__name__: known for known in _CALLBACKS}[tree["class"]]
    callback: Any = object.__new__(cls)
    for name in _CALLBACKS[cls]:
        setattr(callback, name, restore_parameter(tree[name]))
    return callback


def _text(value: Any) -> str:
    """Say what a value was, in the same words every time (so without its address)."""
    if isinstance(value, NotKept):
        return value.text
    named = getattr(value, "__qualname__", None)
    return str(named) if named else f"an instance of {type(value).__qualname__}"


_DESCRIBE: dict[str, Callable[[Any], Any]] = {
    "named": _named,
    "tuple": _tuple,
    "dict": _dict,
    "array": _array,
    "device": _device,
    "random state": _random_state,
    "layers": _layers,
    "callback": _callback,
}

_RESTORE: dict[str, Callable[[Any], Any]] = {
    "named": NAMED.__getitem__,
    "tuple": lambda tree: tuple(restore_parameter(item) for item in tree),
    "dict": lambda tree: {key: restore_parameter(item) for key, item in tree.items()},
    "array": lambda tree: tree,
    "device": torch.device,
    "random state": _restore_random_state,
    "layers": _restore_layers,
    "callback": _restore_callback,
    "not kept": lambda tree: NotKept(str(tree)),
}
