"""Any trained module as plain data, and back with the same predictions to the bit.

A file of abline holds no code, so a module is kept in one of two ways: a network of known
layers as their names, arguments and weights (`abline.nets.describe_layers`); anything else as
the list of PyTorch operations that its ``forward`` comes down to (`abline.nets.aten_capture`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from abline.errors import ModelFileError
from abline.nets.aten_capture import capture, rebuild, recapture
from abline.nets.aten_module import AtenModule
from abline.nets.describe_layers import build_layers, describe_layers

if TYPE_CHECKING:
    from torch import nn


def describe_module(module: nn.Module, n_features: int) -> dict[str, Any]:
    """Write a trained module as plain data.

    Parameters
    ----------
    module : torch.nn.Module
        Of any class and on any device; left as it is.
    n_features : int
        The width of the rows that it takes.

    Returns
    -------
    dict
        A tree of dictionaries, lists, numbers, text and arrays, for `build_module`.

    Raises
    ------
    DataError
        If its ``forward`` cannot be written so (it branches on the rows' values, calls other
        libraries, returns more than one tensor); the message has the reason.

    Examples
    --------
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    >>> again = build_module(describe_module(module, 2))
    >>> rows = torch.ones(3, 2)
    >>> torch.equal(module(rows), again(rows))
    True
    """
    if isinstance(module, AtenModule):
        return {"kind": "operations", **recapture(module)}
    layers = describe_layers(module)
    if layers is not None:
        return {"kind": "layers", **layers}
    return {"kind": "operations", **capture(module, n_features)}


def build_module(tree: Any) -> nn.Module:
    """Make a module from what `describe_module` gave.

    Parameters
    ----------
    tree : dict

    Returns
    -------
    torch.nn.Module
        On the CPU, in evaluation mode: of the same class if that is one of known layers, else
        an `AtenModule` with parameters of the same names.

    Raises
    ------
    ModelFileError
        If `describe_module` cannot have given this.
    """
    kind = tree.get("kind") if isinstance(tree, dict) else None
    if not isinstance(kind, str) or kind not in ("layers", "operations"):
        raise ModelFileError("it has no network that this abline knows: upgrade abline")
    with torch.inference_mode(False):  # weights made within it could not be trained on
        return build_layers(tree) if kind == "layers" else rebuild(tree)
