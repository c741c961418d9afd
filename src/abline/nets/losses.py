"""Criteria: as PyTorch has them, and weighted by rows."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from abline.errors import ParameterError
from abline.nets.criteria import criterion_class
from abline.nets.prefixed import call_with

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abline.nets.training import Loss


def make_criterion(criterion: Any, arguments: Mapping[str, Any], device: torch.device) -> Any:
    """Make a fit's own criterion.

    Parameters
    ----------
    criterion : str, class, instance or function
        A name (`abline.nets.criteria.NAMES`), ``torch.nn.MSELoss``,
        ``torch.nn.HuberLoss(delta=2)``, ``torch.nn.functional.l1_loss`` or anything that takes
        outputs and targets and gives one number.
    arguments : mapping
        ``criterion__…`` parameters, without their prefix.
    device : torch.device
        Where a criterion with tensors of its own goes.

    Returns
    -------
    callable

    Raises
    ------
    ParameterError
        If it cannot be called, or does not take the arguments.
    """
    if isinstance(criterion, str):
        criterion = criterion_class(criterion)
    if isinstance(criterion, type):
        made = call_with("criterion", criterion, arguments)
    elif not callable(criterion):
        raise ParameterError(
            f"criterion is {criterion!r}: pass a class such as torch.nn.MSELoss, or a function "
            "of outputs and targets"
        )
    elif isinstance(criterion, nn.Module):
        if arguments:
            raise ParameterError(
                f"criterion__{next(iter(arguments))} needs a class: criterion is an instance of "
                f"{type(criterion).__name__}, pass the class itself"
            )
        made = copy.deepcopy(criterion)
    else:
        made = functools.partial(criterion, **arguments) if arguments else criterion
    return made.to(device) if isinstance(made, nn.Module) else made


def make_loss(criterion: Any, *, weighted: bool) -> Loss:
    """Give a criterion the form that engines call.

    Without weights the criterion is called as it is. With them its values for each row (mean
    over the targets) are averaged by weight; a criterion that sums keeps summing.

    Parameters
    ----------
    criterion : callable
        From `make_criterion`.
    weighted : bool
        Whether rows will come with weights.

    Returns
    -------
    Loss

    Raises
    ------
    ParameterError
        If weights are wanted and the criterion has no ``reduction="none"``.
    """
    return CriterionLoss(criterion, *(_by_row(criterion) if weighted else (criterion, "mean")))


class CriterionLoss:
    """A criterion in the form that engines call.

    Attributes
    ----------
    criterion : callable
        Which it is, for engines that have their own way to compute it.
    """

    def __init__(
        self, criterion: Any, by_row: Callable[[Tensor, Tensor], Tensor], reduction: str
    ) -> None:
        self.criterion = criterion
        self._by_row = by_row
        self._reduction = reduction

    def __call__(self, outputs: Tensor, target: Tensor, weights: Tensor | None) -> Tensor:
        """Compute the loss."""
        if weights is None:
            plain: Tensor = self.criterion(outputs, target)
            return plain
        rows = self._by_row(outputs, target).reshape(len(target), -1)
        if self._reduction == "sum":
            return (weights * rows.sum(1)).sum()
        return (weights * rows.mean(1)).sum() / weights.sum()


def _by_row(criterion: Any) -> tuple[Callable[[Tensor, Tensor], Tensor], str]:
    """Find the form of a criterion that gives a value for each row."""
    if isinstance(criterion, nn.Module) and isinstance(getattr(criterion, "reduction", None), str):
        rows = copy.deepcopy(criterion)
        rows.reduction = "none"  # type: ignore[assignment]  # a str, as in every torch loss
        return rows, str(criterion.reduction)
    if not isinstance(criterion, nn.Module) and "reduction" in _parameters(criterion):
        reduction = _parameters(criterion)["reduction"].default
        return functools.partial(criterion, reduction="none"), str(reduction)
    name = getattr(criterion, "__name__", type(criterion).__name__)
    raise ParameterError(
        f"criterion {name} has no reduction='none', which sample_weight needs: give it one, or "
        "leave the weights out"
    )


def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C
        return {}
