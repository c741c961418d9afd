"""Find the stack of linear layers that a module is, or say what else it is.

Parts of ``nn.Sequential`` are read one by one. Any other module is read through its traced graph
(``torch.fx``), so a person's own class counts as much, as long as rows pass from layer to layer and
nowhere else.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn

from abline.nets.engines.fused import codes
from abline.nets.modules import MLP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


#: tracing changes torch.nn.Module for the whole process while it lasts
_TRACING = threading.Lock()


class NotFused(Exception):  # noqa: N818 - no error: a person may have asked for any module
    """Why a training cannot run in compiled kernels, in words that finish "… since"."""


@dataclass(frozen=True)
class Layer:
    """A linear layer, the activation after it and the dropout after that.

    Attributes
    ----------
    linear : torch.nn.Linear
    activation : int
        From `codes`.
    parameter : float
        The slope or bend of an activation that has one.
    dropout : float
        The share of outputs that training sets to zero.
    """

    linear: nn.Linear
    activation: int = codes.IDENTITY
    parameter: float = 0.0
    dropout: float = 0.0


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
    _check_parameters(module)
    layers: list[Layer] = []
    parts = _parts_in_turn(module)
    if parts is None:
        _follow_forward(layers, module)
    else:
        for part in parts:
            _take(layers, part)
    if not layers:
        raise NotFused("it has no linear layer")
    if {id(p) for x in layers for p in x.linear.parameters()} != {
        id(p) for p in module.parameters()
    }:
        raise NotFused("it has parameters besides those of its linear layers")
    if len({id(x.linear) for x in layers}) < len(layers):
        raise NotFused("it uses a linear layer twice")
    tensors = [p for x in layers for p in x.linear.parameters()]
    if len({id(p) for p in tensors}) < len(tensors):
        raise NotFused("some of its layers share weights")
    if any(p._backward_hooks or p._post_accumulate_grad_hooks for p in tensors):
        raise NotFused("some of its parameters have hooks")
    return Stack(tuple(layers))


def _parts_in_turn(module: nn.Module) -> list[nn.Module] | None:
    """Give the parts of a module that is known to call one after the other, else None."""
    if "forward" in vars(module):
        return None
    if type(module) is MLP and module.skip is None:
        return _parts_in_turn(module.layers)
    if type(module) is nn.Sequential:
        each = [_parts_in_turn(child) for child in module]
        return None if None in each else [part for parts in each for part in parts or ()]
    known = type(module).__module__.startswith("torch.nn.") and not list(module.children())
    return [module] if known else None


def _follow_forward(layers: list[Layer], module: nn.Module) -> None:
    """Take up the operations of a module's forward."""
    module = nn.Sequential(module)  # tracing looks into the outermost module, whatever it is
    try:
        graph, in_evaluation = (_traced(module, train=train) for train in (True, False))
        gives_none = _gives_no_gradient(module)
    except Exception as error:  # whatever a person's forward raises when its inputs are no numbers
        raise NotFused(f"its forward cannot be traced ({_first_line(error)})") from error
    if gives_none:
        raise NotFused("its forward leaves some parameters without a gradient")
    if str(graph) != str(in_evaluation):
        raise NotFused("its forward does something else in training than in evaluation")
    last: fx.Node | None = None
    for node in graph.nodes:
        if node.op == "placeholder" and last is None:
            last = node
        elif node.op == "output":
            if node.args[0] is not last:
                raise NotFused("its output is not that of its last layer")
        elif not node.args or node.args[0] is not last or _other_nodes(node):
            raise NotFused(f"{node.name} takes something else than the layer before it")
        else:
            _extend(layers, module, node)
            last = node


def _gives_no_gradient(module: nn.Module) -> bool:
    """Say whether a parameter has none after a row of zeros, as under ``torch.no_grad``."""
    first = next((part for part in module.modules() if isinstance(part, nn.Linear)), None)
    if first is None:
        return False
    # in evaluation, so that dropout draws nothing
    with _in_mode(module, train=False), torch.enable_grad():
        outputs = module(first.weight.new_zeros(1, first.in_features)).sum()
        if not outputs.requires_grad:
            return True
        found = torch.autograd.grad(outputs, list(module.parameters()), allow_unused=True)
    return any(each is None for each in found)


def _traced(module: nn.Module, *, train: bool) -> fx.Graph:
    with _in_mode(module, train=train), _TRACING:
        return fx.symbolic_trace(module).graph


@contextmanager
def _in_mode(module: nn.Module, *, train: bool) -> Iterator[None]:
    """Set a mode in the body, and leave each part in the one that it has."""
    modes = [(part, part.training) for part in module.modules()]
    module.train(train)
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _check_parameters(module: nn.Module) -> None:
    for part in module.modules():
        hooks = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks)
        if any(hooks) or part._backward_pre_hooks:
            raise NotFused(f"{type(part).__name__} has hooks")
    parameters = list(module.parameters())
    if any(p.device.type != "cpu" for p in parameters):
        raise NotFused("it is not on the CPU")
    if {p.dtype for p in parameters} not in ({torch.float32}, {torch.float64}):
        raise NotFused("its parameters are not all float32 or all float64")
    if not all(p.requires_grad for p in parameters):
        raise NotFused("some of its parameters are frozen")


def _other_nodes(node: fx.Node) -> bool:
    return any(isinstance(value, fx.Node) for value in (*node.args[1:], *node.kwargs.values()))


def _extend(layers: list[Layer], module: nn.Module, node: fx.Node) -> None:
    """Take up one more operation of a graph."""
    if node.op == "call_module":
        _take(layers, module.get_submodule(str(node.target)))
        return
    name = str(getattr(node.target, "__name__", node.target))
    if name in ("squeeze", "flatten", "view", "reshape"):
        _check_squeeze(layers, node, name)
        return
    plain = len(node.args) == 1 and not set(node.kwargs) - {"inplace"}
    if not plain or name not in _FUNCTIONS:
        raise NotFused(f"kernels do not know {name}")
    _activate(layers, name, _FUNCTIONS[name], 0.0)


def _take(layers: list[Layer], part: nn.Module) -> None:
    """Take up one more part."""
    if type(part) is nn.Linear:
        layers.append(Layer(part))
    elif type(part) is nn.Dropout:
        _drop(layers, part.p)
    elif type(part) not in (nn.Identity, nn.Flatten):  # rows of numbers are flat already
        name, found = type(part).__name__, _activation_of(part)
        if found is None:
            raise NotFused(f"kernels do not know {name}")
        _activate(layers, name, *found)


def _activate(layers: list[Layer], name: str, code: int, parameter: float) -> None:
    if not layers:
        raise NotFused(f"{name} comes before the first linear layer")
    last = layers[-1]
    if last.activation != codes.IDENTITY or last.dropout:
        raise NotFused(f"{name} follows another activation or dropout")
    layers[-1] = Layer(last.linear, code, parameter)


def _drop(layers: list[Layer], rate: float) -> None:
    if not layers:
        raise NotFused("dropout comes before the first linear layer")
    last = layers[-1]
    if last.dropout:
        raise NotFused("one dropout follows another")
    if rate >= 1:
        raise NotFused("dropout of 1 leaves nothing")
    layers[-1] = Layer(last.linear, last.activation, last.parameter, rate)


def _check_squeeze(layers: list[Layer], node: fx.Node, name: str) -> None:
    last = bool(layers) and all(user.op == "output" for user in node.users)
    single = last and layers[-1].linear.out_features == 1
    if name != "squeeze" or not single or node.args[1:] not in ((-1,), (1,)):
        raise NotFused(f"kernels do not know {name}")


_FUNCTIONS = {
    "relu": codes.RELU, "relu_": codes.RELU, "tanh": codes.TANH, "sigmoid": codes.SIGMOID,
    "silu": codes.SILU, "mish": codes.MISH, "gelu": codes.GELU, "selu": codes.SELU,
    "softplus": codes.SOFTPLUS,
}  # fmt: skip


def _leaky(part: Any) -> tuple[int, float]:
    return codes.LEAKY_RELU, float(part.negative_slope)


def _elu(part: Any) -> tuple[int, float]:
    return codes.ELU, float(part.alpha)


def _gelu(part: Any) -> tuple[int, float]:
    return (codes.GELU if part.approximate == "none" else codes.GELU_TANH), 0.0


def _softplus(part: Any) -> tuple[int, float] | None:
    plain = part.beta == 1 and part.threshold == 20
    return (codes.SOFTPLUS, 0.0) if plain else None


_ACTIVATIONS: dict[type, Callable[[Any], tuple[int, float] | None]] = {
    nn.ReLU: lambda _: (codes.RELU, 0.0),
    nn.Tanh: lambda _: (codes.TANH, 0.0),
    nn.Sigmoid: lambda _: (codes.SIGMOID, 0.0),
    nn.SiLU: lambda _: (codes.SILU, 0.0),
    nn.Mish: lambda _: (codes.MISH, 0.0),
    nn.SELU: lambda _: (codes.SELU, 0.0),
    nn.LeakyReLU: _leaky,
    nn.ELU: _elu,
    nn.GELU: _gelu,
    nn.Softplus: _softplus,
}


def _activation_of(part: nn.Module) -> tuple[int, float] | None:
    find = _ACTIVATIONS.get(type(part))
    return None if find is None else find(part)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
