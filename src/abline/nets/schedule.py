"""Learning rates that follow a curve over the whole training.

References
----------
Loshchilov, Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", *ICLR*.
Smith, Topin (2019), "Super-convergence: very fast training of neural networks using large
learning rates", *SPIE* 11006.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: the names of the curves
SCHEDULES = ("cosine", "one_cycle")

#: one cycle: the share of steps that rise, and what the rate is divided by at first and at last
_RISING, _FIRST, _LAST = 0.3, 25.0, 25.0 * 1e4


@dataclass(frozen=True)
class Schedule:
    """What a learning rate is multiplied by in each step of a training.

    The numbers are those of torch's ``CosineAnnealingLR`` and ``OneCycleLR`` (without its
    momentum), stepped after each batch.

    Parameters
    ----------
    name : {"cosine", "one_cycle"}
    steps : int
        Of the whole training; later ones have the last one's rate.

    Examples
    --------
    >>> [round(Schedule("cosine", 4).factor(step), 3) for step in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """

    name: str
    steps: int

    def factor(self, step: int) -> float:
        """Give the factor of a step, counted from 0."""
        step = min(step, self.steps - 1)
        if self.name == "cosine":
            return _between(1.0, 0.0, step / self.steps)
        top = max(_RISING * self.steps - 1, 0.0)
        if step < top:
            return _between(1 / _FIRST, 1.0, step / top)
        return _between(1.0, 1 / _LAST, (step - top) / max(self.steps - 1 - top, 1.0))


def _between(start: float, end: float, share: float) -> float:
    """Go from start to end along half a cosine wave."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))
