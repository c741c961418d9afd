"""A module's parameters and buffers as plain arrays, and back without a bit's change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from abline.errors import DataError, ModelFileError
from abline.nets.describe_errors import reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SAME_IN_NUMPY = (
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
)

#: formats that numpy lacks are kept as integers of their width
_AS_BITS = {
    "bfloat16": torch.int16,
    "float8_e4m3fn": torch.uint8,
    "float8_e4m3fnuz": torch.uint8,
    "float8_e5m2": torch.uint8,
    "float8_e5m2fnuz": torch.uint8,
}

#: every dtype that a file may hold, by name
DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name) for name in (*_SAME_IN_NUMPY, *_AS_BITS)
}

_PLAIN = (Tensor, nn.Parameter, nn.Buffer)


def describe_tensor(tensor: Tensor) -> dict[str, Any]:
    """Write a tensor as plain data.

    The order of the dimensions in memory is kept, because a product may round differently
    with a transposed weight.

    Parameters
    ----------
    tensor : tensor
        Real and dense, of any device; gradients are left behind.

    Returns
    -------
    dict
        ``dtype``, ``order`` (the dimensions from the slowest to the fastest in memory) and
        ``data``, an array of the dimensions in that order.

    Raises
    ------
    DataError
        If it is complex, sparse, quantized or of a class of its own.

    Examples
    --------
    >>> describe_tensor(torch.tensor([1.0, 2.0]))
    {'dtype': 'float32', 'order': [0], 'data': array([1., 2.], dtype=float32)}
    """
    name = str(tensor.dtype).removeprefix("torch.")
    if type(tensor) not in _PLAIN or tensor.layout != torch.strided or name not in DTYPES:
        raise DataError(
            f"a {type(tensor).__name__} of {name} ({tensor.layout}) cannot be kept in a file: "
            "use a dense tensor of real numbers"
        )
    strides = tensor.stride()
    order = sorted(range(tensor.ndim), key=lambda dim: -strides[dim])
    values = tensor.detach().cpu().permute(order).contiguous()
    if name in _AS_BITS:
        values = values.view(_AS_BITS[name])
    return {"dtype": name, "order": order, "data": np.array(values.numpy())}


def restore_tensor(tree: Any) -> Tensor:
    """Make a tensor from what `describe_tensor` gave.

    Parameters
    ----------
    tree : dict

    Returns
    -------
    tensor
        On the CPU, with memory of its own.

    Raises
    ------
    ModelFileError
        If `describe_tensor` cannot have given this.
    """
    with reading("it has a malformed tensor"):
        name, order, data = tree["dtype"], tree["order"], tree["data"]
        kept_as = _AS_BITS.get(name, DTYPES[name])
        # a copy: torch aligns its own memory, on which the last bit of a product may depend
        values = torch.tensor(data, device="cpu").contiguous()
        if not isinstance(data, np.ndarray) or values.dtype != kept_as:
            raise ValueError(f"{type(data).__name__} is no array of {name}")
        if sorted(order) != list(range(values.ndim)):
            raise ValueError(f"{order} does not order {values.ndim} dimensions")
        inverse = sorted(range(values.ndim), key=order.__getitem__)
        restored: Tensor = values.view(DTYPES[name]).permute(inverse)
    return restored


def describe_state(module: nn.Module) -> list[dict[str, Any]]:
    """Write all parameters and buffers of a module as plain data.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    list of dict
        Each with its ``name``; one that is shared by several layers is there once with its
        numbers, then as ``same_as`` the first.

    Raises
    ------
    DataError
        If one cannot be kept; the message names it.
    """
    state: list[dict[str, Any]] = []
    first: dict[int, str] = {}
    for name, tensor, role in named_state(module):
        if id(tensor) in first:
            state.append({"name": name, "role": role, "same_as": first[id(tensor)]})
            continue
        first[id(tensor)] = name
        try:
            described = describe_tensor(tensor)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        learns = {"requires_grad": tensor.requires_grad} if role == "parameter" else {}
        state.append({"name": name, "role": role, **learns, **described})
    return state


def named_state(module: nn.Module) -> Iterator[tuple[str, Tensor, str]]:
    """Go through all parameters and buffers, shared ones under each of their names.

    Parameters
    ----------
    module : torch.nn.Module

    Yields
    ------
    name : str
    tensor : tensor
    role : str
        ``"parameter"``, ``"buffer"``, or ``"temporary"`` for a buffer out of ``state_dict``.
    """
    for path, part in module.named_modules(remove_duplicate=False):
        prefix = f"{path}." if path else ""
        for name, parameter in part._parameters.items():
            if parameter is not None:
                yield prefix + name, parameter, "parameter"
        for name, buffer in part._buffers.items():
            if buffer is not None:
                temporary = name in part._non_persistent_buffers_set
                yield prefix + name, buffer, "temporary" if temporary else "buffer"


def restore_state(state: Any) -> dict[str, tuple[Tensor, str]]:
    """Make the tensors of `describe_state`.

    Parameters
    ----------
    state : list of dict

    Returns
    -------
    dict of str to (tensor, role)
        By name; shared ones are one object.

    Raises
    ------
    ModelFileError
        If `describe_state` cannot have given this.
    """
    found: dict[str, tuple[Tensor, str]] = {}
    with reading("its network's weights are malformed"):
        for entry in state:
            name, role = entry["name"], entry["role"]
            if not isinstance(name, str) or name in found:
                raise ValueError(f"the name {name!r} is there twice or no text")
            if role not in ("parameter", "buffer", "temporary"):
                raise ValueError(f"{name} is a {role!r}")
            if "same_as" in entry:
                found[name] = (found[entry["same_as"]][0], role)
                continue
            tensor = restore_tensor(entry)
            if role == "parameter":
                tensor = nn.Parameter(tensor, requires_grad=entry["requires_grad"] is True)
            found[name] = (tensor, role)
    return found


def fill_state(module: nn.Module, state: Mapping[str, tuple[Tensor, str]]) -> None:
    """Put tensors in the place of a module's own, which may have no memory yet.

    Parameters
    ----------
    module : torch.nn.Module
        Made on the ``meta`` device.
    state : mapping of str to (tensor, role)
        From `restore_state`.

    Raises
    ------
    ModelFileError
        If names, roles or shapes are not the module's.
    """
    own = {name: (tensor, role) for name, tensor, role in named_state(module)}
    if set(own) != set(state):
        odd = min(set(own) ^ set(state))
        raise ModelFileError(
            f"its network and weights disagree about {odd!r}: save the model again"
        )
    for name, (tensor, role) in state.items():
        here, expected = own[name]
        if role != expected or tensor.shape != here.shape:
            raise ModelFileError(
                f"its network's {name!r} is a {role} of shape {tuple(tensor.shape)}, not a "
                f"{expected} of shape {tuple(here.shape)}: save the model again"
            )
        path, _, leaf = name.rpartition(".")
        part = module.get_submodule(path)
        (part._parameters if role == "parameter" else part._buffers)[leaf] = tensor  # type: ignore[assignment]


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors are equal to the bit, NaNs included.

    Parameters
    ----------
    one, other : tensor

    Returns
    -------
    bool

    Examples
    --------
    >>> same_bits(torch.tensor([float("nan")]), torch.tensor([float("nan")]))
    True
    >>> same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))
    False
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    bits = [
        tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8) for tensor in (one, other)
    ]
    return torch.equal(*bits)
