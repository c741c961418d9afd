"""Find the stack of linear layers that a module is, or say what else it is.

The graph of a module's forward (``torch.fx``) is read operation by operation, so a person's own
class counts as much as ``nn.Sequential``, as long as rows pass from layer to layer and nowhere
else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.layer import Layer
from abline.nets.engines.fused.recorded import Unrecordable, record_forward
from abline.nets.engines.fused.same import computes_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import fx


class NotFused(Exception):  # noqa: N818 - no error: a person may have asked for any module
    """Why a training cannot run in compiled kernels, in words that finish "… since"."""


@dataclass(frozen=True)
class Stack:
    """A module as kernels see it.

    Attributes
    ----------
    layers : tuple of Layer
    """

    layers: tuple[Layer, ...]

    @property
    def n_parameters(self) -> int:
        """Weights and biases of all layers."""
        return sum(p.numel() for layer in self.layers for p in layer.linear.parameters())

    def tensors(self) -> list[torch.nn.Parameter]:
        """Give the parameters in the kernels' order: each layer's weights, then its biases."""
        return [p for layer in self.layers for p in layer.linear.parameters()]


def find_stack(module: nn.Module) -> Stack:
    """Read a module as a stack of layers.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    Stack

    Raises
    ------
    NotFused
        If it is none; the message says what is in the way.

    Examples
    --------
    >>> find_stack(nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))).n_parameters
    25
    """
    _check_parts(module)
    _check_parameters(module)
    linears = {name: part for name, part in module.named_modules() if type(part) is nn.Linear}
    layers = _layers(module, linears, train=True)
    in_evaluation = [replace(layer, dropout=0.0) for layer in layers]
    if _is_own(module) and in_evaluation != _layers(module, linears, train=False):
        raise NotFused("its forward does something else in training than in evaluation")
    if len({id(layer.linear) for layer in layers}) < len(layers):
        raise NotFused("it uses a linear layer twice")
    if len(layers) < len(linears):
        raise NotFused("its forward leaves some parameters without a gradient")
    if _is_own(module) and not computes_as(module, layers):
        raise NotFused("its forward does more than what it calls of torch")
    return Stack(tuple(layers))


def _is_own(module: nn.Module) -> bool:
    """Say whether a forward is in play that neither torch nor abline wrote."""
    return any(
        "forward" in vars(part) or not type(part).__module__.startswith(("torch.nn.", "abline."))
        for part in module.modules()
    )


def _check_parts(module: nn.Module) -> None:
    for part in module.modules():
        name = type(part).__name__
        hooks = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks)
        if any(hooks) or part._backward_pre_hooks:
            raise NotFused(f"{name} has hooks")
        if "training" not in vars(part):  # such as torch.compile's, which stands before another
            raise NotFused(f"{name} is another module's wrapper")
        if type(part) is nn.Linear:
            continue
        if part._parameters or part._buffers:
            if type(part).__module__.startswith("torch.nn."):
                raise NotFused(f"kernels do not know {name}")
            raise NotFused(f"{name} has parameters or buffers of its own")


def _check_parameters(module: nn.Module) -> None:
    parameters = [tensor for _, tensor in module.named_parameters(remove_duplicate=False)]
    if not parameters:
        raise NotFused("it has no linear layer")
    if any(p.device.type != "cpu" for p in parameters):
        raise NotFused("it is not on the CPU")
    if {p.dtype for p in parameters} not in ({torch.float32}, {torch.float64}):
        raise NotFused("its parameters are not all float32 or all float64")
    if not all(p.requires_grad for p in parameters):
        raise NotFused("some of its parameters are frozen")
    if len({id(p) for p in parameters}) < len(parameters):
        raise NotFused("some of its layers share weights")
    if any(p._backward_hooks or p._post_accumulate_grad_hooks for p in parameters):
        raise NotFused("some of its parameters have hooks")


def _layers(module: nn.Module, linears: dict[str, nn.Linear], *, train: bool) -> list[Layer]:
    """Read the layers of a module in one of its modes."""
    try:
        graph = record_forward(module, train=train)
    except Unrecordable as error:
        raise NotFused(f"its forward {error}") from error
    layers: list[Layer] = []
    rows, *nodes = (node for node in graph.nodes if node.op != "get_attr")
    last = rows
    for node in nodes:
        if not node.args or node.args[0] is not last:
            raise NotFused(f"{node.name} takes something else than the layer before it")
        if node.op != "output":
            _take(layers, node, linears)
            last = node
    return layers


def _take(layers: list[Layer], node: fx.Node, linears: dict[str, nn.Linear]) -> None:
    """Take up one more operation of a graph."""
    name = str(getattr(node.target, "__name__", node.target))
    if name == "linear":
        layers.append(Layer(_linear(node, linears)))
    elif any(isinstance(value, type(node)) for value in (*node.args[1:], *node.kwargs.values())):
        raise NotFused(f"{node.name} takes something else than the layer before it")
    elif name in _SHAPES:
        _check_shape(layers, node, name)
    elif name == "dropout":
        _drop(layers, *_dropout(*node.args[1:], **node.kwargs))
    else:
        found = _activation(name, node)
        if found is None:
            raise NotFused(f"kernels do not know {name}")
        _activate(layers, name, *found)


def _linear(node: fx.Node, linears: dict[str, nn.Linear]) -> nn.Linear:
    """Give the layer whose weights and biases an operation uses."""
    given = (*node.args[1:], *node.kwargs.values(), None)
    used = tuple(getattr(value, "target", value) for value in given)[:2]
    for prefix, part in linears.items():
        path = f"{prefix}." if prefix else ""
        if used == (f"{path}weight", None if part.bias is None else f"{path}bias"):
            return part
    raise NotFused("it uses weights otherwise than nn.Linear does")


def _activate(layers: list[Layer], name: str, code: int, parameter: float) -> None:
    if not layers:
        raise NotFused(f"{name} comes before the first linear layer")
    last = layers[-1]
    if last.activation != codes.IDENTITY or last.dropout:
        raise NotFused(f"{name} follows another activation or dropout")
    layers[-1] = Layer(last.linear, code, parameter)


def _dropout(
    p: Any = 0.5, training: Any = True, inplace: Any = False, train: Any = None
) -> tuple[float, bool]:
    """Give rate and mode of either of torch's functions, which name the mode differently."""
    del inplace  # the same values either way
    return float(p), bool(training if train is None else train)


def _drop(layers: list[Layer], rate: float, training: bool) -> None:
    if not training:
        return
    if not layers:
        raise NotFused("dropout comes before the first linear layer")
    if layers[-1].dropout:
        raise NotFused("one dropout follows another")
    if rate >= 1:
        raise NotFused("dropout of 1 leaves nothing")
    layers[-1] = replace(layers[-1], dropout=rate)


#: calls after which rows of one output are a vector of as many
_SHAPES = {
    "squeeze": ((-1,), (1,)),
    "flatten": ((), (0,), (0, -1)),
    "reshape": ((-1,),),
    "view": ((-1,),),
    "getitem": (((slice(None), 0),),),
}


def _check_shape(layers: list[Layer], node: fx.Node, name: str) -> None:
    arguments = (*node.args[1:], *node.kwargs.values())
    if name == "flatten" and arguments in ((1,), (1, -1)):
        return  # rows of numbers are flat already
    last = bool(layers) and all(user.op == "output" for user in node.users)
    if not last or layers[-1].linear.out_features != 1 or arguments not in _SHAPES[name]:
        raise NotFused(f"kernels do not know {name}")


def _softplus(beta: float = 1, threshold: float = 20) -> tuple[int, float] | None:
    return (codes.SOFTPLUS, 0.0) if (beta, threshold) == (1, 20) else None


def _gelu(approximate: str = "none") -> tuple[int, float]:
    return (codes.GELU if approximate == "none" else codes.GELU_TANH), 0.0


def _plain(code: int) -> Callable[..., tuple[int, float]]:
    return lambda inplace=False: (code, 0.0)  # noqa: ARG005 - the same values either way


#: torch's functions and methods, called with their arguments after the rows
_ACTIVATIONS: dict[str, Callable[..., tuple[int, float] | None]] = {
    "relu": _plain(codes.RELU),
    "relu_": _plain(codes.RELU),
    "tanh": _plain(codes.TANH),
    "sigmoid": _plain(codes.SIGMOID),
    "silu": _plain(codes.SILU),
    "mish": _plain(codes.MISH),
    "selu": _plain(codes.SELU),
    "leaky_relu": lambda negative_slope=0.01, inplace=False: (codes.LEAKY_RELU, negative_slope),  # noqa: ARG005 - as above
    "elu": lambda alpha=1.0, inplace=False: (codes.ELU, alpha),  # noqa: ARG005 - as above
    "gelu": _gelu,
    "softplus": _softplus,
}


def _activation(name: str, node: fx.Node) -> tuple[int, float] | None:
    find = _ACTIVATIONS.get(name)
    try:
        return None if find is None else find(*node.args[1:], **node.kwargs)
    except TypeError:  # arguments that it does not have
        return None
