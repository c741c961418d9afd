"""What a way of solving a ridge regression hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from abline.linear.system import System

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """The lines of all targets.

    Attributes
    ----------
    coef : array of shape (p, t), in units of y per unit of X
    intercept : array of shape (t,), in units of y
    engine : str
        What ran: ``gram``, ``refined``, ``kernel``, ``qr``, ``svd``, ``nnls``, ``lsqr`` or
        ``lbfgs``.
    n_iter : array of shape (t,), optional
        Iterations of an engine that iterates.
    dependent : dict of int to list of int
        For each feature that depends on others those it depends on, where it is known.
    """

    coef: Array
    intercept: Array
    engine: str
    n_iter: NDArray[np.int32] | None = None
    dependent: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def of_system(cls, coef: Array, system: System, engine: str) -> Answer:
        """Find the intercepts that belong to coefficients.

        Parameters
        ----------
        coef : array of shape (p, t)
        system : System
        engine : str

        Returns
        -------
        Answer
        """
        return cls(coef, system.y_mean - system.x_mean @ coef, engine)
