"""A network that was written down as a list of operations, and runs from that list.

The list is plain data: each operation has a name from `abline.nets.aten_ops` and arguments
that are numbers, dtypes, results of earlier operations (``{"node": 3}``), parameters and
buffers (``{"state": "hidden.weight"}``) or the input (``{"input": 0}``). Running it is a loop
over the list; no code comes with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._ops import OpOverload

from abline.nets import aten_ops
from abline.nets.describe_errors import reading
from abline.nets.describe_tensors import DTYPES, named_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: dtypes that operations may name; more than those that tensors in a file may have
OPERATION_DTYPES = {
    **DTYPES,
    "complex64": torch.complex64,
    "complex128": torch.complex128,
}

#: what an argument may be beside numbers, text and tensors
_CONSTANTS: dict[str, dict[str, Any]] = {
    "dtype": OPERATION_DTYPES,
    "layout": {"strided": torch.strided},
    "memory_format": {
        "contiguous_format": torch.contiguous_format,
        "preserve_format": torch.preserve_format,
    },
}

#: Python's whole numbers have no end, and a chain of products would fill the memory
_LARGEST_SIZE = 2**63 - 1


class _Slot(NamedTuple):
    """Where an argument comes from at the time of the run."""

    kind: str  # "node", "state", "input" or "device"
    key: int | str


class _Step(NamedTuple):
    """One operation with its arguments, ready to run."""

    operation: Callable[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]
    grad: bool
    on_sizes: bool
    done_with: list[int]  # the results that no later step needs


class AtenModule(nn.Module):
    """A network made of recorded operations; its parameters have the original's names.

    It computes what the original did in evaluation mode (dropout off, batch statistics
    fixed), also after ``train()``. It can be differentiated, moved, copied and pickled.

    Parameters
    ----------
    source : str
        The class of the network that was recorded.
    nodes : list of dict
        The operations in order: ``op``, ``args``, ``kwargs``, and ``grad`` (False) for those
        that ran without gradients.
    output : dict
        ``{"node": i}``, ``{"state": name}`` or ``{"input": 0}``.
    state : mapping of str to (tensor, role)
        From `abline.nets.describe_tensors.restore_state`.

    Raises
    ------
    ModelFileError
        If an operation is none of those allowed, or the list is malformed.

    Examples
    --------
    >>> double = {"op": "aten.mul.Tensor", "args": [{"input": 0}, 2], "kwargs": {}}
    >>> AtenModule("Double", [double], {"node": 0}, {})(torch.tensor([[1.0]]))
    tensor([[2.]])
    """

    def __init__(
        self,
        source: str,
        nodes: list[dict[str, Any]],
        output: dict[str, Any],
        state: Mapping[str, tuple[Tensor, str]],
    ) -> None:
        super().__init__()
        self._source = source
        self._nodes = nodes
        self._output = output
        for name, (tensor, role) in state.items():
            _register(self, name, tensor, role)
        self._compile(frozenset(state))
        self.eval()

    def recorded(self) -> dict[str, Any]:
        """Give what makes this module, apart from its tensors.

        Returns
        -------
        dict
            ``source``, ``nodes`` and ``output``.
        """
        return {"source": self._source, "nodes": self._nodes, "output": self._output}

    def forward(self, x: Tensor) -> Tensor:
        """Run the operations.

        Parameters
        ----------
        x : tensor of shape (n, p)
            Never changed, even where the original worked in place.

        Returns
        -------
        tensor
            What the original returned.
        """
        if self._changes_its_input:
            x = x.clone()
        results: list[Any] = [None] * len(self._steps)
        for i, step in enumerate(self._steps):
            args = self._fill(step.args, x, results)
            kwargs = self._fill(step.kwargs, x, results)
            if step.grad:
                results[i] = step.operation(*args, **kwargs)
            else:
                with torch.no_grad():
                    results[i] = step.operation(*args, **kwargs)
            if step.on_sizes and isinstance(results[i], int) and abs(results[i]) > _LARGEST_SIZE:
                raise OverflowError("the network computes a size beyond 64 bits")
            for finished in step.done_with:
                results[finished] = None
        output: Tensor = self._fill(self._result, x, results)
        return output

    def extra_repr(self) -> str:
        """Say what was recorded."""
        return f"{self._source}, recorded as {len(self._nodes)} operations"

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the steps, which hold PyTorch's operations themselves."""
        derived = ("_steps", "_result", "_changes_its_input")
        return {name: value for name, value in vars(self).items() if name not in derived}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._compile(frozenset(name for name, _, _ in named_state(self)))

    def _compile(self, names: frozenset[str]) -> None:
        trouble = "its network has an operation that abline cannot run"
        with reading(trouble, "save the model again with this version of abline and PyTorch"):
            self._steps = [_step(node, i, names) for i, node in enumerate(self._nodes)]
            self._result = _decode(self._output, len(self._nodes), names)
            if not isinstance(self._result, _Slot):
                raise ValueError("the output is no tensor")
        _free_early(self._steps, self._result)
        self._changes_its_input = any(_is_in_place(step.operation) for step in self._steps)

    def _fill(self, template: Any, x: Tensor, results: list[Any]) -> Any:
        if isinstance(template, _Slot):
            if template.kind == "node":
                return results[template.key]  # type: ignore[index]
            if template.kind == "state":
                return _find(self, str(template.key))
            return x if template.kind == "input" else x.device
        if isinstance(template, list):
            return [self._fill(item, x, results) for item in template]
        if isinstance(template, dict):
            return {key: self._fill(item, x, results) for key, item in template.items()}
        return template


def _register(root: nn.Module, name: str, tensor: Tensor, role: str) -> None:
    """Put a tensor under its dotted name, in modules that are made as needed."""
    *path, leaf = name.split(".")
    owner = root
    with reading(f"its network cannot hold a tensor called {name!r}", "rename it and train again"):
        for part in path:
            child = owner._modules.get(part)
            if child is None:
                child = nn.Module()
                owner.add_module(part, child)
            owner = child
        if role == "parameter":
            owner.register_parameter(leaf, tensor)  # type: ignore[arg-type]  # restore_state's
        else:
            owner.register_buffer(leaf, tensor, persistent=role == "buffer")


def _find(root: nn.Module, name: str) -> Tensor:
    """Look a tensor up by its dotted name, among parameters and buffers alone."""
    *path, leaf = name.split(".")
    owner: Any = root
    for part in path:
        owner = owner._modules[part]
    found: Tensor = owner._parameters[leaf] if leaf in owner._parameters else owner._buffers[leaf]
    return found


def _step(node: dict[str, Any], index: int, names: frozenset[str]) -> _Step:
    operation = aten_ops.find(node["op"])
    args, kwargs = _decode(node["args"], index, names), node["kwargs"]
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise TypeError(f"{node['op']} has malformed arguments")
    kwargs = {key: _decode(value, index, names) for key, value in kwargs.items()}
    _check_arguments(operation, args, kwargs)
    on_sizes = not isinstance(operation, OpOverload)
    return _Step(operation, args, kwargs, node.get("grad") is not False, on_sizes, [])


def _check_arguments(
    operation: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
) -> None:
    if not isinstance(operation, OpOverload):
        return
    known = operation._schema.arguments
    positional = [argument.name for argument in known if not argument.kwarg_only]
    given = {*positional[: len(args)], *kwargs}
    needed = {argument.name for argument in known if not argument.has_default_value()}
    if len(args) > len(positional) or not needed <= given <= {a.name for a in known}:
        raise TypeError(f"{operation} does not take the arguments {sorted(given)}")


def _decode(value: Any, limit: int, names: frozenset[str]) -> Any:
    """Turn an argument's plain form into a value, or into the slot that will hold one."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_decode(item, limit, names) for item in value]
    ((kind, key),) = value.items()
    if kind == "node" and type(key) is int and 0 <= key < limit:
        return _Slot(kind, key)
    if (kind == "state" and key in names) or (kind == "input" and key == 0):
        return _Slot(kind, key)
    if kind == "device" and key == "input":
        return _Slot(kind, key)
    if kind in _CONSTANTS:
        return _CONSTANTS[kind][key]
    raise KeyError(f"{kind} {key!r}")


def _free_early(steps: list[_Step], result: Any) -> None:
    """Note with each step which results nothing after it needs."""
    needed = {result.key} if result.kind == "node" else set()
    for step in reversed(steps):
        for slot in _slots([step.args, step.kwargs]):
            if slot.kind == "node" and slot.key not in needed:
                needed.add(slot.key)
                step.done_with.append(int(slot.key))


def _slots(template: Any) -> Iterator[_Slot]:
    if isinstance(template, _Slot):
        yield template
    elif isinstance(template, list | dict):
        for item in template.values() if isinstance(template, dict) else template:
            yield from _slots(item)


def _is_in_place(operation: Callable[..., Any]) -> bool:
    return isinstance(operation, OpOverload) and operation._schema.is_mutable
