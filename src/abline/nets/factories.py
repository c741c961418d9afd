"""A fit's own module and optimizer, from whatever a person passed."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from abline.errors import ParameterError
from abline.nets.prefixed import call_with, signature_of
from abline.nets.randomness import unchanged_generator
from abline.nets.tensors import check_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abline.nets.training import Loss, Rows

#: what a module's factory may call the number of columns in and out
FEATURE_NAMES = ("n_features", "in_features")
OUTPUT_NAMES = ("n_outputs", "out_features")


def make_module(
    module: Any,
    arguments: Mapping[str, Any],
    *,
    n_features: int,
    n_outputs: int,
    dtype: torch.dtype,
) -> nn.Module:
    """Make the module that a fit will train.

    Parameters
    ----------
    module : torch.nn.Module, callable or None
        An instance is copied. A class or factory is called with the numbers of features and
        outputs where its signature has them. None is one linear layer.
    arguments : mapping
        ``module__…`` parameters, without their prefix.
    n_features, n_outputs : int
    dtype : torch.dtype
        Of the linear layer that None stands for.

    Returns
    -------
    torch.nn.Module
        Not moved to any device yet.

    Raises
    ------
    ParameterError
        If it is something else, or its factory does not take the arguments.
    """
    if module is None:
        module = nn.Linear
        arguments = {"dtype": dtype, **arguments}
    if isinstance(module, nn.Module):
        if arguments:
            raise ParameterError(
                f"module__{next(iter(arguments))} needs a class or factory: module is an instance "
                f"of {type(module).__name__}, pass the class itself"
            )
        return copy.deepcopy(module)
    if not callable(module):
        raise ParameterError(
            f"module is {module!r}: pass a torch.nn.Module, its class, or a function that makes one"
        )
    widths = _widths(module, n_features, n_outputs)
    made = call_with("module", module, {**widths, **arguments})
    if not isinstance(made, nn.Module):
        raise ParameterError(f"module made a {type(made).__name__}: it must make a torch.nn.Module")
    return made


def _widths(factory: Any, n_features: int, n_outputs: int) -> dict[str, int]:
    """Give the numbers of columns under the names that the signature has."""
    widths: dict[str, int] = {}
    for names, count in ((FEATURE_NAMES, n_features), (OUTPUT_NAMES, n_outputs)):
        for name, parameter in (signature_of(factory) or {}).items():
            if name in names and parameter.kind is not inspect.Parameter.VAR_KEYWORD:
                widths[name] = count
    return widths


def make_optimizer(
    optimizer: Any, module: nn.Module, lr: float, arguments: Mapping[str, Any]
) -> torch.optim.Optimizer:
    """Make the optimizer of a module's parameters.

    Parameters
    ----------
    optimizer : class or callable
        Such as ``torch.optim.Adam``; called with the parameters, ``lr`` and the arguments.
    module : torch.nn.Module
    lr : float
    arguments : mapping
        ``optimizer__…`` parameters, without their prefix.

    Returns
    -------
    torch.optim.Optimizer

    Raises
    ------
    ParameterError
        If it is no optimizer, or refuses an argument.
    """
    if isinstance(optimizer, torch.optim.Optimizer):
        raise ParameterError(
            f"optimizer is an instance of {type(optimizer).__name__}: pass its class, each fit "
            "makes a new one for its own module"
        )
    if not callable(optimizer) or isinstance(optimizer, str):
        raise ParameterError(f"optimizer is {optimizer!r}: pass a class such as torch.optim.Adam")
    parameters = list(module.parameters())
    name = next(iter(signature_of(optimizer) or ()), "params")
    try:
        made = call_with("optimizer", optimizer, {name: parameters, "lr": lr, **arguments})
    except ParameterError:
        raise
    except ValueError as error:
        raise ParameterError(f"optimizer {optimizer.__name__} refuses: {error}") from error
    if not isinstance(made, torch.optim.Optimizer):
        raise ParameterError(
            f"optimizer made a {type(made).__name__}: pass a class such as torch.optim.Adam"
        )
    return made


def first_floating(module: nn.Module) -> Tensor:
    """Give the parameter whose precision and device are the module's.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    tensor

    Raises
    ------
    ParameterError
        If the module has nothing to train.
    """
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    floating = [parameter for parameter in module.parameters() if parameter.is_floating_point()]
    if not trainable or not floating:
        raise ParameterError(
            f"module {type(module).__name__} has no parameter to train: give it a layer with "
            "weights, or set requires_grad"
        )
    return floating[0]


def probe(module: nn.Module, rows: Rows, n_outputs: int, why: str = "") -> Tensor:
    """Try a module on two rows before it is trained.

    Lazy layers get their sizes here; torch's generator, batch statistics and dropout do not
    notice.

    Parameters
    ----------
    module : torch.nn.Module
        Left in evaluation mode.
    rows : Rows
        To train on.
    n_outputs : int
        Columns that it should give.
    why : str, optional
        What needs as many, for the message; by default there is one for each target.

    Returns
    -------
    tensor of shape (rows,) or (rows, n_outputs)

    Raises
    ------
    ParameterError
        If it does not take rows of this width, or gives outputs of another shape.
    """
    features = rows.X[:2]
    module.eval()
    try:
        with unchanged_generator(features.device), torch.no_grad():
            outputs = module(features)
    except RuntimeError as error:
        raise ParameterError(
            f"module {type(module).__name__} fails on rows of {features.shape[1]} features "
            f"({_one_line(error)}): its first layer must be that wide"
        ) from error
    check_outputs(outputs, len(features), n_outputs, why)
    return outputs  # type: ignore[no-any-return]  # check_outputs has seen to it


def probe_loss(loss: Loss, criterion: Any, outputs: Tensor, rows: Rows) -> None:
    """Try a loss on a few outputs before the training.

    Parameters
    ----------
    loss : Loss
    criterion : callable
        For the message.
    outputs : tensor
        From `probe`.
    rows : Rows
        To train on, with targets of the outputs' shape.

    Raises
    ------
    ParameterError
        If it fails, or does not give one number.
    """
    few = rows.take(slice(0, len(outputs)))
    name = getattr(criterion, "__name__", type(criterion).__name__)
    try:
        value = loss(outputs, few.y, few.weights)
    except (RuntimeError, TypeError) as error:
        raise ParameterError(
            f"criterion {name} fails on outputs and targets of shape {tuple(outputs.shape)} "
            f"({_one_line(error)}): choose one for regression"
        ) from error
    if value.ndim:
        raise ParameterError(
            f"criterion {name} gives {value.numel()} numbers: it must give one, "
            "as with reduction='mean'"
        )


def _one_line(error: Exception) -> str:
    return str(error).splitlines()[0]
