"""Record what a module's forward does to its rows, as a graph of torch.fx.

``torch.fx.symbolic_trace`` changes ``torch.nn.Module`` for the whole process while it lasts, so
another thread that calls any module meanwhile would be recorded too. A forward needs no more than a
`torch.fx.Proxy` for its rows, which takes down each function of torch that it is given to.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import fx
from torch.fx.proxy import GraphAppendingTracer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn


class Unrecordable(Exception):  # noqa: N818 - no error: a person may write any forward
    """Why a forward cannot be told by its graph, in words that follow "its forward"."""


def record_forward(module: nn.Module, *, train: bool) -> fx.Graph:
    """Call a module's forward with a stand-in for its rows.

    Parameters
    ----------
    module : torch.nn.Module
        Its parts hold what they held before afterwards, mode included.
    train : bool
        The mode to record.

    Returns
    -------
    torch.fx.Graph
        Of functions and methods alone: parts are followed to what they call. A parameter is a node
        ``get_attr`` with its qualified name.

    Raises
    ------
    Unrecordable
        If the forward looks at its numbers, uses other tensors than the module's parameters,
        computes without gradients or in another precision, or stores something in the module.

    Examples
    --------
    >>> import torch
    >>> graph = record_forward(torch.nn.Linear(2, 1), train=True)
    >>> [node.op for node in graph.nodes]
    ['placeholder', 'get_attr', 'get_attr', 'call_function', 'output']
    """
    recorder = _Recorder(module)
    rows = recorder.create_proxy("placeholder", "rows", (), {})
    with kept_as_it_is(module) as kept, torch.enable_grad():
        module.train(train)
        try:
            outputs = module(rows)
        except Exception as error:  # whatever a person's forward raises when rows are no numbers
            raise Unrecordable(_reason(error)) from error
    if kept.changed:
        raise Unrecordable("stores values in the module")
    if recorder.refused is not None:  # by a forward that carries on after errors, too
        raise recorder.refused
    recorder.create_node("output", "output", (recorder.create_arg(outputs),), {})
    return recorder.graph


class _Rows(fx.Proxy):
    """A stand-in for rows, or for what a forward makes of them."""

    @classmethod
    def __torch_function__(
        cls, orig_method: Any, types: Any, args: Any = None, kwargs: Any = None
    ) -> fx.Proxy:
        # fx.Proxy's own way searches all arguments as trees, which takes ten times as long
        if not args or not isinstance(args[0], cls):
            return super().__torch_function__(orig_method, types, args, kwargs)
        method = torch.overrides.is_tensor_method_or_property(orig_method)
        target = orig_method.__name__ if method else orig_method
        kind = "call_method" if method else "call_function"
        return args[0].tracer.create_proxy(kind, target, args, kwargs or {})


class _Recorder(GraphAppendingTracer):
    def __init__(self, module: nn.Module) -> None:
        super().__init__(fx.Graph())
        self.refused: Unrecordable | None = None
        self._names = {id(tensor): name for name, tensor in module.named_parameters()}

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Rows(node, self)

    def create_arg(self, a: Any) -> Any:
        if not isinstance(a, torch.Tensor):
            return super().create_arg(a)
        name = self._names.get(id(a))
        if name is None:
            raise self._refuse("uses other tensors than its parameters")
        return self.create_node("get_attr", name, (), {})

    def create_node(self, kind: str, *args: Any, **kwargs: Any) -> fx.Node:
        if not torch.is_grad_enabled() and kind.startswith("call"):
            raise self._refuse("leaves some parameters without a gradient")
        if torch.is_autocast_enabled("cpu"):
            raise self._refuse("runs under autocast")
        return super().create_node(kind, *args, **kwargs)

    def _refuse(self, words: str) -> Unrecordable:
        self.refused = Unrecordable(words)
        return self.refused


@contextmanager
def kept_as_it_is(module: nn.Module) -> Iterator[Kept]:
    """Let a module's parts hold what they held before the body after it, mode included.

    Parameters
    ----------
    module : torch.nn.Module

    Yields
    ------
    Kept
    """
    kept = Kept(module)
    try:
        yield kept
    finally:
        kept.put_back()


class Kept:
    """What the parts of a module hold: their modes, attributes and the lists and dicts in those.

    Parameters
    ----------
    module : torch.nn.Module

    Attributes
    ----------
    changed : bool
        Whether anything besides modes had changed when it was put back.
    """

    changed = False

    def __init__(self, module: nn.Module) -> None:
        self._parts = [
            (part, dict(vars(part)), [(held, copy.copy(held)) for held in _containers(part)])
            for part in module.modules()
        ]

    def put_back(self) -> None:
        """Give all of it back to the parts."""
        for part, attributes, containers in self._parts:
            now = vars(part)
            self.changed |= not _same({**now, "training": attributes["training"]}, attributes)
            now.update(attributes)
            for name in now.keys() - attributes.keys():
                del now[name]
            for held, content in containers:
                if not _same(held, content):
                    self.changed = True
                    held.clear()
                    (held.extend if isinstance(held, list) else held.update)(content)


def _containers(part: nn.Module) -> list[Any]:
    return [held for held in vars(part).values() if type(held) in (list, dict, set)]


def _same(now: Any, before: Any) -> bool:
    """Say whether two containers hold the same objects, equal or not."""
    if isinstance(now, dict):
        return now.keys() == before.keys() and all(now[key] is before[key] for key in now)
    if isinstance(now, set):
        return bool(now == before)
    return len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True))


def _reason(error: Exception) -> str:
    if isinstance(error, Unrecordable):
        return str(error)
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    return f"cannot be traced ({first_line})"
