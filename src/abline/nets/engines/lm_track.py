"""The way that a training by Levenberg–Marquardt takes: points, losses, and the best of them."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from abline.nets.engines.lm_problem import Problem
    from abline.nets.training import History

    Watch = Callable[[Tensor, dict[str, float]], bool]


class Track:
    """Every point that was accepted, and the best of them.

    Parameters
    ----------
    problem : Problem
    began : float
        What ``time.perf_counter()`` said when the training began.
    watch : callable
        Is given each point and its line of the history; True ends the training.

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
    stopped : bool
        Whether the watch has ended the training.
    """

    theta: Tensor
    squares: float
    best: Tensor

    def __init__(self, problem: Problem, began: float, watch: Watch) -> None:
        self.problem = problem
        self._began, self._watch = began, watch
        self._best_score, self.since_best, self.stopped = math.inf, 0, False
        self._lines: list[dict[str, float]] = []

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
        line = {"epoch": len(self._lines), "train_loss": train, "valid_loss": valid}
        self._lines.append({**line, "seconds": seconds, "lr": math.nan})
        score = valid if self.problem.has_valid else train
        self.since_best += 1
        if score < self._best_score or len(self._lines) == 1:
            self.best, self.since_best = theta, 0
            self._best_score = math.inf if math.isnan(score) else score
        self.stopped = self._watch(theta, self._lines[-1])

    def history(self) -> History:
        """Give the way as engines give it; the first line is that of the first point."""
        return {column: [line[column] for line in self._lines] for column in self._lines[0]}
