"""The way that a training by Levenberg–Marquardt takes: points, losses, and the best of them."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from abline.nets.engines.lm_problem import Problem
    from abline.nets.training import History


class Track:
    """Every point that was accepted, and the best of them.

    Parameters
    ----------
    problem : Problem
    theta : tensor of shape (p,)
        Where it begins.
    began : float
        What ``time.perf_counter()`` said when the training began.

    Attributes
    ----------
    theta : tensor
        The last point.
    squares : float
        Its sum of squared residuals.
    best : tensor
        The point of the least validation loss, or training loss without validation rows.
    since_best : int
        Points accepted after it.
    """

    def __init__(self, problem: Problem, theta: Tensor, began: float) -> None:
        self.problem = problem
        self._began = began
        self._best_score, self.since_best = math.inf, 0
        self._lines: list[tuple[float, float, float]] = []
        self.best = theta
        self.accept(theta, problem.squares(theta))

    def accept(self, theta: Tensor, squares: float, when: float | None = None) -> None:
        """Go on to a point.

        Parameters
        ----------
        theta : tensor of shape (p,)
        squares : float
            The sum of squared residuals there.
        when : float, optional
            What ``time.perf_counter()`` said; by default it is asked.
        """
        self.theta, self.squares = theta, squares
        train, valid = squares * self.problem.loss_scale, self.problem.valid_loss(theta)
        seconds = (time.perf_counter() if when is None else when) - self._began
        self._lines.append((train, valid, seconds))
        score = valid if self.problem.has_valid else train
        self.since_best += 1
        if score < self._best_score:
            self.best, self._best_score, self.since_best = theta, score, 0

    def history(self) -> History:
        """Give the way as engines give it; the first line is that of the first point."""
        train, valid, seconds = (list(column) for column in zip(*self._lines, strict=True))
        return {
            "epoch": [float(k) for k in range(len(train))],
            "train_loss": train,
            "valid_loss": valid,
            "seconds": seconds,
            "lr": [math.nan] * len(train),
        }
