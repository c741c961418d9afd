"""Targets in units of their own spread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from abline.nets.training import Metric
    from abline.tables.arrays import TrainingArrays


@dataclass(frozen=True)
class TargetScale:
    """The mean and spread of each target.

    Attributes
    ----------
    mean, scale : arrays of shape (t,), float64
        In the target's units.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, data: TrainingArrays) -> TargetScale:
        """Measure the targets of training rows, by weight.

        Parameters
        ----------
        data : TrainingArrays

        Returns
        -------
        TargetScale
            A target that does not vary has the scale 1.
        """
        y = data.y.astype(np.float64)
        mean = np.average(y, axis=0, weights=data.sample_weight)
        scale = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=data.sample_weight))
        # a constant column's mean may miss it by a rounding error
        constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, scale))

    def standardised(self, data: TrainingArrays) -> TrainingArrays:
        """Give rows whose targets have this mean and scale taken away."""
        return replace(data, y=(data.y.astype(np.float64) - self.mean) / self.scale)

    def in_own_units(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Give a network's outputs, of shape (n,) or (n, t), in the target's units.

        They keep their precision.
        """
        return (outputs.astype(np.float64) * self.scale + self.mean).astype(outputs.dtype)

    def metric_in_own_units(self, metric: Metric) -> Metric:
        """Let a metric see outputs and targets in the target's units."""
        return _InOwnUnits(metric, self)


class _InOwnUnits:
    def __init__(self, metric: Metric, target: TargetScale) -> None:
        self.metric, self.target = metric, target

    def __call__(self, outputs: Tensor, target: Tensor) -> float:
        scale = torch.as_tensor(self.target.scale).to(outputs)
        mean = torch.as_tensor(self.target.mean).to(outputs)
        return self.metric(outputs * scale + mean, target * scale + mean)
