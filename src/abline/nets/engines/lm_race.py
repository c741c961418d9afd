"""The race of restarts: a few cheap steps each, after which the better half goes on.

The steps are Levenberg's, on the normal equations, several starts in each operation; for a
stack of layers in single precision. They are less exact than those of `lm_region` and several
times as fast, which is what counts while most starts are going to be dropped.

References
----------
Madsen, Nielsen and Tingleff, *Methods for Non-Linear Least Squares Problems*, 2004, §3.2.
Jamieson and Talwalkar, *Non-stochastic Best Arm Identification*, 2016 (successive halving).
"""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from abline.nets.engines.lm_problem import Problem

#: steps of each round
STEPS = 8

#: starts in one operation, whatever the number of threads, so that sums stay as they are
_TOGETHER = 4

#: the first damping, of the largest squared column, and the most that a good step divides it by
_DAMPING, _EASING = 1e-4, 5.0


class Runner:
    """One start of the race.

    Parameters
    ----------
    problem : Problem
    theta : tensor of shape (p,), float64
        Where it begins.

    Attributes
    ----------
    trail : list of pair (tensor, float)
        The points it came through and when, as ``time.perf_counter()`` says.
    best : tensor of shape (p,)
        The point of the least validation loss, or training loss without validation rows.
    best_score, best_train_loss : float
        That loss, infinite where none was finite, and the training loss there.
    """

    def __init__(self, problem: Problem, theta: Tensor) -> None:
        self.theta = self.best = theta.to(problem.quick_dtype)
        self.squares = problem.quick_squares(self.theta[None])[0]
        self.damping = self.theta.new_zeros(())
        self.growth = self.theta.new_full((), 2.0)
        self.largest = torch.zeros_like(self.theta)
        self.trail = [(theta, time.perf_counter())]
        self.best_score = self.best_train_loss = math.inf

    def note(self, train_loss: float, score: float) -> None:
        """Take up the losses of the last point of the trail."""
        if score < self.best_score:
            self.best = self.trail[-1][0]
            self.best_score, self.best_train_loss = score, train_loss


def race(problem: Problem, starts: Sequence[Tensor], n_threads: int) -> tuple[int, Runner]:
    """Run all starts side by side, halving their number until one is left.

    Parameters
    ----------
    problem : Problem
    starts : sequence of tensors of shape (p,)
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    place : int
        That of the one left.
    runner : Runner
    """
    runners = [Runner(problem, theta) for theta in starts]
    left = list(range(len(starts)))
    # a thread of its own starts with as many of torch's threads as there are processors
    with ThreadPoolExecutor(n_threads, "lm", torch.set_num_threads, (1,)) as pool:
        while len(left) > 1:
            groups = [
                [runners[k] for k in left[first : first + _TOGETHER]]
                for first in range(0, len(left), _TOGETHER)
            ]
            list(pool.map(lambda group: _advance(problem, group), groups))
            left = _ranked(problem, runners, left)[: len(left) // 2]
    return left[0], runners[left[0]]


def _ranked(problem: Problem, runners: Sequence[Runner], left: Sequence[int]) -> list[int]:
    """Sort places from the best runner to the worst, the earlier first among equals.

    Validation rows are few, and of many starts one looks good on them by luck. So all whose
    loss there is within one standard error of the least come first, by their training loss.
    """
    leader = min(left, key=lambda k: (runners[k].best_score, k))
    close = {k: _is_close(problem, runners[leader].best, runners[k].best) for k in left}

    def key(k: int) -> tuple[bool, float, int]:
        runner = runners[k]
        return not close[k], runner.best_train_loss if close[k] else runner.best_score, k

    return sorted(left, key=key)


def _is_close(problem: Problem, leader: Tensor, other: Tensor) -> bool:
    """Say whether validation losses differ by at most a standard error, row by row."""
    if not problem.has_valid:
        return False
    shares = problem.valid_shares(other) - problem.valid_shares(leader)
    return bool(shares.sum() <= math.sqrt(len(shares)) * shares.std(correction=0))


def _advance(problem: Problem, group: Sequence[Runner]) -> None:
    """Try a round's steps for some runners at once."""
    theta = torch.stack([runner.theta for runner in group])
    squares, damping, growth, largest = (
        torch.stack([getattr(runner, name) for runner in group])
        for name in ("squares", "damping", "growth", "largest")
    )
    stale = torch.ones(len(group), dtype=torch.bool)
    gram = theta.new_empty(len(group), theta.shape[1] + 1, theta.shape[1] + 1)
    scale = torch.ones_like(theta)
    for _ in range(STEPS):
        if bool(stale.any()):
            gram[stale] = problem.quick_gram(theta[stale])
        columns = gram.diagonal(dim1=1, dim2=2)[:, :-1]
        if not problem.model.weights_only:
            # layers' weights are of one kind; other parameters may differ by powers of ten
            largest = torch.maximum(largest, columns)
            scale = torch.where(largest > 0, largest, 1.0)
        first = _DAMPING * (columns / scale).amax(dim=1)
        damping = torch.where(damping == 0, torch.where(first > 0, first, _DAMPING), damping)
        step, expected = _solve(gram, damping[:, None] * scale)
        tried = problem.quick_squares(theta - step)
        gain = (squares - tried) / expected
        stale = (gain > 0) & (expected > 0)  # false for NaN
        theta = torch.where(stale[:, None], theta - step, theta)
        squares = torch.where(stale, tried, squares)
        easing = (1 - (2 * gain - 1) ** 3).clamp(min=1 / _EASING)
        damping = damping * torch.where(stale, easing, growth)
        growth = torch.where(stale, 2.0, 2 * growth)
        _note(problem, group, theta, squares, stale)
    for k, runner in enumerate(group):
        runner.theta, runner.squares = theta[k], squares[k]
        runner.damping, runner.growth, runner.largest = damping[k], growth[k], largest[k]


def _solve(gram: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Give the damped steps, and the decrease of the squares that is expected of them."""
    damped = gram[:, :-1, :-1].clone()
    damped.diagonal(dim1=1, dim2=2).add_(damping)
    factor, failed = torch.linalg.cholesky_ex(damped)
    gradient = gram[:, :-1, -1]
    step = torch.cholesky_solve(gradient[:, :, None], factor)[:, :, 0]
    expected = (step * (gradient + damping * step)).sum(dim=1)
    return step, torch.where(failed == 0, expected, math.nan)


def _note(
    problem: Problem, group: Sequence[Runner], theta: Tensor, squares: Tensor, moved: Tensor
) -> None:
    train = (squares * problem.quick_loss_scale).tolist()
    scores = problem.quick_valid_losses(theta).tolist() if problem.has_valid else train
    now = time.perf_counter()
    for k in torch.nonzero(moved)[:, 0].tolist():
        group[k].trail.append((theta[k].double(), now))
        group[k].note(train[k], scores[k])
