"""Targets in units of their own spread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.errors import DataError, ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from abline.nets.training import Metric
    from abline.tables.arrays import TrainingArrays


#: what predictions must tell apart, and how far they may be, in the target's standard deviations
_LEAST_DIGIT, _FARTHEST = 1e-5, 1e6


def is_too_coarse(
    dtype: np.dtype[Any], mean: NDArray[np.floating[Any]], scale: NDArray[np.floating[Any]]
) -> bool:
    """Say whether a precision cannot hold a target's values, or not tell them apart.

    Parameters
    ----------
    dtype : numpy.dtype
    mean, scale : arrays of shape (t,)
        The target's, in its own units.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_too_coarse(np.dtype(np.float32), np.array([1.7e9]), np.array([10.0]))
    True
    """
    known = np.finfo(dtype)
    too_large = np.abs(mean) / known.max + _FARTHEST * (scale / known.max) > 1
    coarse = np.maximum(known.eps * np.abs(mean), known.tiny) > _LEAST_DIGIT * scale
    return bool((too_large | coarse).any())


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

        Raises
        ------
        DataError
            If its values are too large for float64 to add them up.
        """
        y = data.y.astype(np.float64)
        with np.errstate(over="ignore"):
            mean = np.average(y, axis=0, weights=data.sample_weight)
        if not np.isfinite(mean).all():
            raise DataError("y has values that are too large to add up: divide y by a constant")
        # in powers of two, whose squares neither overflow nor vanish
        unit = np.exp2(np.frexp(np.abs(y - mean).max(axis=0))[1])
        squares = np.average(((y - mean) / unit) ** 2, axis=0, weights=data.sample_weight)
        scale = unit * np.sqrt(squares)
        # a constant column's mean may miss it by a rounding error
        constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, scale))

    @classmethod
    def goes_on(cls, model: Any) -> TargetScale | None:
        """Give the scale that an estimator's weights know, if there is one.

        Parameters
        ----------
        model : estimator
            Fitted, with ``target_scaling``.

        Returns
        -------
        TargetScale or None

        Raises
        ------
        ParameterError
            If ``target_scaling`` has changed since.
        """
        known = hasattr(model, "y_mean_")
        if known != bool(model.target_scaling):
            raise ParameterError(
                f"target_scaling is {model.target_scaling} and the weights that go on were trained "
                f"with {known}: set that again, or fit anew (warm_start=False)"
            )
        return cls(model.y_mean_, model.y_scale_) if known else None

    def standardised(self, data: TrainingArrays) -> TrainingArrays:
        """Give rows whose targets have this mean and scale taken away."""
        return replace(data, y=(data.y.astype(np.float64) - self.mean) / self.scale)

    def in_own_units(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Give a network's outputs, of shape (n,) or (n, t), in the target's units.

        They keep their precision, unless it is too coarse for targets that are far from zero.
        """
        return self._precise(outputs.astype(np.float64) * self.scale + self.mean, outputs.dtype)

    def std_in_own_units(self, std: NDArray[Any]) -> NDArray[Any]:
        """Give standard deviations, of shape (n, t), in the target's units and like precision."""
        return self._precise(std.astype(np.float64) * self.scale, std.dtype)

    def _precise(self, answer: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        return answer if is_too_coarse(dtype, self.mean, self.scale) else answer.astype(dtype)

    def metric_in_own_units(self, metric: Metric) -> Metric:
        """Let a metric see outputs and targets in the target's units."""
        return _InOwnUnits(metric, self)


class _InOwnUnits:
    def __init__(self, metric: Metric, target: TargetScale) -> None:
        self.metric, self.target = metric, target

    def __call__(self, outputs: Tensor, target: Tensor) -> float:
        if outputs.device.type != "mps":  # which has no float64
            outputs, target = outputs.double(), target.double()
        scale = torch.as_tensor(self.target.scale).to(outputs)
        mean = torch.as_tensor(self.target.mean).to(outputs)
        return self.metric(outputs * scale + mean, target * scale + mean)
