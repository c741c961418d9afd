"""Centres and scales, and how to fold them into an ensemble so that it takes raw numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from abline.errors import DataError

if TYPE_CHECKING:
    from abline.nets.ensemble import MLPEnsemble
    from abline.tables.conversion import Floats


@dataclass(frozen=True)
class Scaling:
    """The mean and the spread of each column.

    Attributes
    ----------
    center, scale : array of shape (p,), float64
        The scale is the standard deviation; of a column with two values their difference (a
        rare level at many standard deviations would rule the network), of a constant 1.
    """

    center: Floats
    scale: Floats

    @classmethod
    def of(cls, table: Floats, weights: Floats | None) -> Scaling:
        """Measure a table's columns, rows counted by their weights.

        Raises
        ------
        DataError
            If squares are too large for float64.
        """
        center = np.average(table, axis=0, weights=weights).astype(np.float64)
        with np.errstate(over="ignore"):
            squares = np.square(table - center)
            scale = np.sqrt(np.average(squares, axis=0, weights=weights))
        if not np.isfinite(scale).all():
            raise DataError(
                "X or y has values whose squares are too large to add up: divide them first"
            )
        # what rounding leaves of a constant is no spread
        constant = scale <= 1e-12 * np.abs(center)
        low, high = table.min(axis=0), table.max(axis=0)
        two = ((table == low) | (table == high)).all(axis=0)
        return cls(center, np.where(constant, 1.0, np.where(two, high - low, scale)))

    def apply(self, table: Floats) -> Floats:
        """Standardise a table."""
        return np.asarray((table - self.center) / self.scale, dtype=np.float64)


def fold(
    ensemble: MLPEnsemble,
    coef: Floats,
    intercept: Floats,
    features: Scaling,
    target: Scaling,
) -> None:
    """Give an ensemble its line, and let it take and give numbers in their own units.

    Parameters
    ----------
    ensemble : MLPEnsemble
        Trained on standardised features and targets; changed in place.
    coef : array of shape (t, p)
    intercept : array of shape (t,)
        Of the line, between standardised features and targets.
    features, target : Scaling
    """
    first, last, line = ensemble.first, ensemble.last, ensemble.line

    def like(values: Floats) -> torch.Tensor:
        return torch.from_numpy(values).to(line.weight)

    with torch.no_grad():
        last.weight.mul_(like(target.scale))
        last.bias.mul_(like(target.scale))
        slopes = coef * target.scale[:, None] / features.scale
        line.weight.copy_(like(slopes))
        line.bias.copy_(like(intercept * target.scale + target.center - slopes @ features.center))
        first.weight.div_(like(features.scale)[:, None])
        first.bias.sub_((like(features.center) @ first.weight).unsqueeze(1))
