"""Moré's Levenberg–Marquardt steps, as MINPACK's ``lmder`` takes them, on LAPACK's factors.

A step depends on residuals r and Jacobian J only through the triangular factor of ``[J r]``, so
rows are LAPACK's work, and fewer residuals than parameters are no special case. SciPy's own
build of MINPACK is not called: its QR takes most of the time of a small network, holds up other
threads, and of equal runs ends some in other last digits.

References
----------
Moré, *The Levenberg–Marquardt algorithm: implementation and theory*, 1978.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from abline.nets.engines.lm_track import Track

#: accepted points without a better validation loss after which a training ends
PATIENCE = 6

#: scaled columns are at most of length 1, so that their products, which are ten times as fast as a
#: factor of twice the rows, cost a step none of the digits that matter from this damping on
_SAFE = 1e-7

#: the first region's radius, in sizes of the scaled parameters (MINPACK's ``factor``)
_RADIUS = 100.0

#: the least part of the expected decrease that a step must bring, and the growth of the squares
#: from which on it is only known to be far too long
_ACCEPTED, _FAR_WORSE = 1e-4, 100.0

_EPS = torch.finfo(torch.float64).eps
_TINY = torch.finfo(torch.float64).tiny


@dataclass(frozen=True)
class Ending:
    """Why a training ended, and whether that is convergence."""

    converged: bool
    message: str


class Linearised:
    """A problem around one point, in units of the scaled parameters.

    Parameters
    ----------
    factor : tensor of shape (1 + p, 1 + p)
        Triangular, of ``[J r]``.
    scale : tensor of shape (p,)
        A unit of each parameter is 1 over it.

    Attributes
    ----------
    R : tensor of shape (p, p)
        The triangular factor of the scaled Jacobian.
    b : tensor of shape (p, 1)
        The residuals in its coordinates.
    gradient : tensor of shape (p, 1)
    """

    def __init__(self, factor: Tensor, scale: Tensor) -> None:
        self.R = factor[:-1, :-1] / scale
        self.b = factor[:-1, -1:]
        self.gradient = self.R.T @ self.b
        self._products = self.R.T @ self.R

    def step(self, radius: float, damping: float) -> tuple[Tensor, float]:
        """Find the step of about the region's radius, and its damping.

        Parameters
        ----------
        radius : float
        damping : float
            That of the step before.

        Returns
        -------
        step : tensor of shape (p, 1)
            Within 10 % of the radius, or the undamped step where that is shorter.
        damping : float
        """
        least = 0.0
        if bool((self.R.diagonal() != 0).all()):
            step = torch.linalg.solve_triangular(self.R, -self.b, upper=True)
            size = _norm(step)
            excess = size - radius
            if excess <= 0.1 * radius:
                return step, 0.0
            if math.isfinite(size):
                least = excess / radius / _slope(self.R, step / size)
        most = _norm(self.gradient) / radius or _TINY / min(radius, 0.1)
        damping = min(max(damping, least), most) or max(_TINY, 1e-3 * most)
        return self._search(radius, damping, least, most)

    def _search(
        self, radius: float, damping: float, least: float, most: float
    ) -> tuple[Tensor, float]:
        """Improve a damping by Newton's method on the reciprocal of the step's size."""
        excess = math.inf
        for trial in range(10):
            damping = damping or max(_TINY, 1e-3 * most)
            R, step = self._damped(damping)
            size, before = _norm(step), excess
            excess = size - radius
            shrinking = least == 0.0 and excess <= before < 0
            if abs(excess) <= 0.1 * radius or shrinking or trial == 9 or size == 0.0:
                break
            if excess > 0:
                least = max(least, damping)
            else:
                most = min(most, damping)
            damping = max(least, damping + excess / radius / _slope(R, step / size))
        return step, damping

    def _damped(self, damping: float) -> tuple[Tensor, Tensor]:
        """Solve with the damping; give the factor of the damped Jacobian too."""
        if damping > _SAFE:
            products = self._products.clone()
            products.diagonal().add_(damping)
            factor = torch.linalg.cholesky(products)
            return factor.T, torch.cholesky_solve(-self.gradient, factor)
        size = len(self.R)
        rows = torch.zeros(2 * size, size + 1, dtype=torch.float64)
        rows[:size, :-1], rows[:size, -1:] = self.R, self.b
        rows[size:, :-1].diagonal().fill_(math.sqrt(damping))
        R = torch.linalg.qr(rows, mode="r").R
        step = torch.linalg.solve_triangular(R[:size, :-1], -R[:size, -1:], upper=True)
        return R[:size, :-1], step


def _norm(vector: Tensor) -> float:
    return float(torch.linalg.vector_norm(vector))


def _slope(R: Tensor, direction: Tensor) -> float:
    return _norm(torch.linalg.solve_triangular(R.T, direction, upper=False)) ** 2


class Region:
    """Trust-region steps along a track, to the end.

    Parameters
    ----------
    track : Track
    tol : float
        See `run_lm`.
    """

    def __init__(self, track: Track, tol: float) -> None:
        self._track, self._tol = track, max(tol, _EPS)
        self._largest = torch.zeros_like(track.theta)
        self._scale = torch.ones_like(track.theta)
        self._radius, self._damping, self._evaluations = 0.0, 0.0, 0

    def run(self, max_iter: int) -> Ending:
        """Take steps until nothing better is to be found, or evaluations are used up."""
        ending = self._first_point() or self._descend(max_iter)
        while ending is None:
            ending = self._next_point() or self._descend(max_iter)
        return self._unless_flat(ending)

    def _first_point(self) -> Ending | None:
        ending = self._next_point()
        self._radius = _RADIUS * _norm(self._scale * self._track.theta) or _RADIUS
        return ending

    def _next_point(self) -> Ending | None:
        """Linearise at the track's last point, unless training ends there."""
        if self._track.stopped:
            return Ending(True, "a callback ended it")
        if self._track.problem.has_valid and self._track.since_best >= PATIENCE:
            return Ending(True, f"no better validation loss in {PATIENCE} steps")
        factor = self._track.problem.triangle(self._track.theta)
        if not math.isfinite(factor.sum().item()):
            return Ending(False, "not converged: the derivatives are no longer finite")
        columns = torch.linalg.vector_norm(factor[:, :-1], dim=0)
        self._largest = torch.maximum(self._largest, columns)
        self._scale = torch.where(self._largest > 0, self._largest, 1.0)
        self._here = Linearised(factor, self._scale)
        self._norm = math.sqrt(self._track.squares)
        slopes = (self._here.gradient[:, 0] * self._scale).abs()
        cosines = slopes / torch.where(columns > 0, columns, 1.0)
        if cosines.max().item() <= self._tol * self._norm:
            return Ending(True, "the residuals are orthogonal to all derivatives")
        return None

    def _descend(self, max_iter: int) -> Ending | None:
        """Try shorter and shorter steps from a point until one is accepted."""
        ratio = 0.0
        while ratio < _ACCEPTED:
            step, self._damping = self._here.step(self._radius, self._damping)
            size = _norm(step)
            if self._evaluations == 0:
                self._radius = min(self._radius, size)
            theta = self._track.theta + step[:, 0] / self._scale
            squares = self._track.problem.squares(theta)
            self._evaluations += 1
            growth = squares / self._norm**2
            far_worse = not growth < _FAR_WORSE  # NaN as well
            actual = -1.0 if far_worse else 1 - growth
            linear = (_norm(self._here.R @ step) / self._norm) ** 2
            damped = self._damping * (size / self._norm) ** 2
            expected = linear + 2 * damped
            ratio = actual / expected if expected else 0.0
            shrink = self._shrinking(actual, linear + damped, far_worse)
            self._resize(ratio, shrink, size)
            if ratio >= _ACCEPTED:
                self._track.accept(theta, squares)
            if ending := self._ending(max(abs(actual), expected), ratio, max_iter):
                return ending
        return None

    def _shrinking(self, actual: float, slope: float, far_worse: bool) -> float:
        """Find the factor for the region if the step was not well foreseen."""
        if far_worse:
            return 0.1
        return 0.5 if actual >= 0 else max(0.1, 0.5 * slope / (slope - 0.5 * actual))

    def _resize(self, ratio: float, shrink: float, size: float) -> None:
        """Fit the region and the damping to how well the step was foreseen."""
        if ratio <= 0.25:
            self._radius = shrink * min(self._radius, 10 * size)
            self._damping /= shrink
        elif self._damping == 0.0 or ratio >= 0.75:
            self._radius = 2 * size
            self._damping *= 0.5

    def _ending(self, change: float, ratio: float, max_iter: int) -> Ending | None:
        if change <= self._tol and ratio <= 2:
            return Ending(True, "the loss hardly changes from step to step")
        if self._radius <= self._tol * _norm(self._scale * self._track.theta):
            return Ending(True, "the parameters hardly change from step to step")
        if self._evaluations >= max_iter:
            return Ending(False, f"not converged after {max_iter} evaluations: allow more of them")
        return None

    def _unless_flat(self, ending: Ending) -> Ending:
        """Refuse to call it convergence where a parameter has lost all influence on the way.

        Among layers' weights this is a unit that has died, and the others have converged.
        """
        problem = self._track.problem
        if not ending.converged or problem.model.weights_only:
            return ending
        factor = problem.triangle(self._track.theta)
        columns = torch.linalg.vector_norm(factor[:, :-1], dim=0)
        idle = int((columns < _EPS * self._largest).sum())
        if not idle:
            return ending
        return Ending(
            False,
            f"not converged: {idle} of {len(columns)} parameters have lost their influence on "
            "the outputs: start from other values",
        )
