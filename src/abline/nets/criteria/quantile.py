"""The loss whose minimum is a quantile, for one level or for several that cannot cross.

References
----------
Koenker, Bassett, "Regression quantiles", *Econometrica* 46, 1978, §3.
"""

from __future__ import annotations

import itertools
import numbers
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from abline.errors import ParameterError
from abline.nets.criteria.base import Criterion

if TYPE_CHECKING:
    from collections.abc import Sequence


class QuantileLoss(Criterion):
    """The quantile (pinball) loss.

    Of one level, outputs are the quantiles. Of several, a target's outputs stand side by side:
    that of the level nearest to 0.5 is its quantile, and each other one is, through a softplus,
    the distance from its neighbour on that side. So levels never cross, each can go anywhere
    above the one below it, and none of them rests on the least certain one.

    Parameters
    ----------
    quantile : float or increasing sequence of float in (0, 1), default=0.5
    reduction : {"mean", "sum", "none"}, default="mean"
        The mean is over rows, targets and levels.

    Attributes
    ----------
    levels : tuple of float
    middle : int
        The place of the level nearest to 0.5.

    Raises
    ------
    ParameterError
        If a level is not between 0 and 1, or they do not increase.

    Examples
    --------
    >>> QuantileLoss(0.9)(torch.tensor([1.0]), torch.tensor([3.0]))
    tensor(1.8000)
    >>> loss = QuantileLoss([0.1, 0.5, 0.9])
    >>> loss.n_outputs(1)
    3
    >>> loss.predict(torch.tensor([[0.0, 2.0, 1.0]]))
    tensor([[[1.3069, 2.0000, 3.3133]]])
    """

    def __init__(self, quantile: float | Sequence[float] = 0.5, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.levels = check_levels("quantile", quantile)
        self.quantile = self.levels[0] if isinstance(quantile, numbers.Real) else self.levels
        self.middle = middle_of(self.levels)

    def values(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of each row, target and level."""
        if isinstance(self.quantile, float):
            return _pinball(outputs - target, self.levels[0])
        levels = outputs.new_tensor(self.levels)
        return _pinball(self.predict(outputs) - target.reshape(len(target), -1, 1), levels)

    def n_outputs(self, n_targets: int) -> int:
        """Give how many columns a module is to have: one for each level of each target."""
        return n_targets * len(self.levels)

    def predict(self, outputs: Tensor) -> Tensor:
        """Give the quantiles, of shape (n, t, levels), or the outputs themselves of one level."""
        if isinstance(self.quantile, float):
            return outputs
        by_target = outputs.reshape(len(outputs), -1, len(self.levels))
        below, centre, above = torch.tensor_split(by_target, (self.middle, self.middle + 1), dim=2)
        down = softplus(below).flip(2).cumsum(2).flip(2)
        return torch.cat([centre - down, centre, centre + softplus(above).cumsum(2)], dim=2)

    def constructor_args(self) -> dict[str, Any]:
        """Give the arguments that make a loss like this one."""
        return {"quantile": self.quantile, **super().constructor_args()}


def check_levels(name: str, levels: Any) -> tuple[float, ...]:
    """Check a level or several of them.

    Parameters
    ----------
    name : str
        The parameter, for the message.
    levels : float or sequence of float

    Returns
    -------
    tuple of float

    Raises
    ------
    ParameterError
        If one is not between 0 and 1, or they do not increase.

    Examples
    --------
    >>> check_levels("quantile", [0.1, 0.9])
    (0.1, 0.9)
    """
    values = [levels] if isinstance(levels, numbers.Real) else levels
    try:
        found = () if isinstance(values, str) else tuple(float(each) for each in values)
    except (TypeError, ValueError):
        found = ()
    inside = all(0 < each < 1 for each in found)
    if not found or not inside or any(low >= high for low, high in itertools.pairwise(found)):
        raise ParameterError(
            f"{name} is {levels!r}: give a number between 0 and 1, or several that increase"
        )
    return found


def middle_of(levels: Sequence[float]) -> int:
    """Give the place of the level nearest to 0.5, the lower one of two that are as near."""
    return min(range(len(levels)), key=lambda place: (round(abs(levels[place] - 0.5), 12), place))


def _pinball(error: Tensor, level: float | Tensor) -> Tensor:
    # relu's slope at 0 is 0, so a row that lies on its quantile pulls nowhere
    return (1 - level) * relu(error) + level * relu(-error)
