"""From a graph of ``torch.export`` to the plain list that `AtenModule` runs."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx

from abline.nets import aten_ops
from abline.nets.aten_module import OPERATION_DTYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch.export import ExportedProgram

_DTYPE_NAMES = {dtype: name for name, dtype in OPERATION_DTYPES.items()}

#: what a new tensor holds where the network never writes is left to no one
_REPLACED = {
    "aten.empty.memory_format": "aten.zeros.default",
    "aten.empty_like.default": "aten.zeros_like.default",
    "aten.new_empty.default": "aten.new_zeros.default",
}

#: notes of torch.export to itself, which compute nothing
_NOTES = ("aten._assert", "aten.sym_constrain", "aten._functional_assert")


class UnwritableError(Exception):
    """A graph has something that the plain list has no place for."""


def record(
    program: ExportedProgram,
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Tensor]]:
    """Write an exported program's operations as plain data.

    Parameters
    ----------
    program : torch.export.ExportedProgram
        Of one input.

    Returns
    -------
    nodes : list of dict
        The operations, for `AtenModule`.
    output : dict
        Where the result comes from.
    constants : dict of str to tensor
        Tensors of the program that are no parameters or buffers, under names of their own.

    Raises
    ------
    UnwritableError
        If there is more than one input or output, or an operation that is not allowed.
    """
    recorder = _Recorder()
    results = recorder.follow(program.graph_module, _inputs(program, recorder))
    kinds = [spec.kind.name for spec in program.graph_signature.output_specs]
    changed = [
        spec.target
        for spec in program.graph_signature.output_specs
        if spec.kind.name == "BUFFER_MUTATION"
    ]
    if changed:
        raise UnwritableError(f"it changes its buffer {changed[0]!r}")
    if kinds.count("USER_OUTPUT") != 1:
        raise UnwritableError("it does not return one tensor")
    return recorder.nodes, results[kinds.index("USER_OUTPUT")], recorder.constants


def _inputs(program: ExportedProgram, recorder: _Recorder) -> list[dict[str, Any]]:
    """Say what each placeholder of the graph stands for."""
    inputs: list[dict[str, Any]] = []
    for spec in program.graph_signature.input_specs:
        kind = spec.kind.name
        if kind in ("PARAMETER", "BUFFER"):
            inputs.append({"state": spec.target})
        elif kind == "CONSTANT_TENSOR":
            inputs.append(recorder.constant(program.constants[str(spec.target)]))
        elif kind == "USER_INPUT" and {"input": 0} not in inputs:
            inputs.append({"input": 0})
        else:
            raise UnwritableError(f"it needs a {kind.lower().replace('_', ' ')} beside its rows")
    return inputs


class _Recorder:
    """Collects operations while it follows a graph and the graphs within."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.constants: dict[str, Tensor] = {}

    def constant(self, tensor: Any) -> dict[str, Any]:
        """Keep a tensor that is neither parameter nor buffer."""
        if not isinstance(tensor, Tensor):
            raise UnwritableError(f"it uses a {type(tensor).__name__}")
        name = f"_constant_{len(self.constants)}"
        self.constants[name] = tensor.detach()
        return {"state": name}

    def follow(
        self, graph_module: fx.GraphModule, inputs: Sequence[Any], *, grad: bool = True
    ) -> list[Any]:
        """Write a graph's operations after those that are there already."""
        known: dict[fx.Node, Any] = {}
        rest = iter(inputs)
        for node in graph_module.graph.nodes:
            if node.op == "placeholder":
                known[node] = next(rest)
            elif node.op == "get_attr":
                held = getattr(graph_module, node.target)
                known[node] = held if isinstance(held, fx.GraphModule) else self.constant(held)
            elif node.op == "output":
                return [self._plain(value, known) for value in node.args[0]]
            else:
                known[node] = self._call(node, known, grad)
        raise UnwritableError("it returns nothing")

    def _call(self, node: fx.Node, known: dict[fx.Node, Any], grad: bool) -> Any:
        name = aten_ops.name_of(node.target)
        first = known.get(node.args[0]) if node.args and isinstance(node.args[0], fx.Node) else None
        if name.startswith(_NOTES):
            return None
        if getattr(node.target, "__name__", "") == "wrap_with_set_grad_enabled":
            enabled, inner, *operands = node.args
            inputs = [self._plain(operand, known) for operand in operands]
            return self.follow(known[inner], inputs, grad=grad and bool(enabled))  # type: ignore[index]
        if node.target is operator.getitem and isinstance(first, list):
            return first[node.args[1]]  # type: ignore[index]
        return self._write(name, node, known, grad)

    def _write(
        self, name: str, node: fx.Node, known: dict[fx.Node, Any], grad: bool
    ) -> dict[str, int]:
        kwargs = {key: self._plain(value, known) for key, value in node.kwargs.items()}
        if name in _REPLACED:
            name = _REPLACED[name]
            kwargs.pop("memory_format", None)
        try:
            aten_ops.find(name)
        except KeyError:
            raise UnwritableError(f"it uses {name.removeprefix('aten.')}") from None
        written = {
            "op": name,
            "args": [self._plain(arg, known) for arg in node.args],
            "kwargs": kwargs,
        }
        self.nodes.append(written if grad else {**written, "grad": False})
        return {"node": len(self.nodes) - 1}

    def _plain(self, value: Any, known: dict[fx.Node, Any]) -> Any:
        if isinstance(value, fx.Node):
            if not isinstance(known[value], dict):
                raise UnwritableError(f"it uses {value.name} as a value")
            return known[value]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list | tuple):
            return [self._plain(item, known) for item in value]
        if isinstance(value, torch.device):
            # the example was on the CPU: any other place was written into the code
            if value.type != "cpu":
                raise UnwritableError(f"it computes on {value} whatever the device of its rows")
            return {"device": "input"}
        if isinstance(value, torch.dtype) and value in _DTYPE_NAMES:
            return {"dtype": _DTYPE_NAMES[value]}
        if isinstance(value, torch.memory_format | torch.layout):
            kind = "layout" if isinstance(value, torch.layout) else "memory_format"
            return {kind: str(value).removeprefix("torch.")}
        raise UnwritableError(f"it uses {value!r}, a {type(value).__name__}")
