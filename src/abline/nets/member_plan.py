"""What each member of an ensemble is to learn, and from which rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from abline.linear import RidgeCV
from abline.nets.members import held_out
from abline.nets.standardise import Scaling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.tables.arrays import TrainingArrays

    Array = NDArray[np.floating[Any]]
    _Line = tuple[Array, Array]  # coef of shape (t, p), intercept of shape (t,)

#: penalties to choose from for the line below the networks; its features have unit variance
PENALTIES = np.logspace(-3, 4, 15)

#: leave-one-out needs as many rows to choose a penalty; with fewer the line is flat
FEWEST_FOR_A_LINE = 5


@dataclass(frozen=True)
class MemberRows:
    """Standardised rows with what each member's line leaves of the target.

    Attributes
    ----------
    X : array of shape (n, p)
    residuals : array of shape (n, members · t)
    weights : array of shape (n, members)
        Zero where the row is not the member's.
    """

    X: Array
    residuals: Array
    weights: Array

    def used(self) -> MemberRows:
        """Leave out the rows that are nobody's."""
        some = self.weights.any(axis=1)
        if some.all():
            return self
        return MemberRows(self.X[some], self.residuals[some], self.weights[some])


@dataclass(frozen=True)
class MemberPlan:
    """The rows to train and to validate on, and the line below the networks.

    Attributes
    ----------
    train, valid : MemberRows
    features, target : Scaling
    coef : array of shape (t, p)
    intercept : array of shape (t,)
        The mean of the members' lines, between standardised features and targets.
    """

    train: MemberRows
    valid: MemberRows
    features: Scaling
    target: Scaling
    coef: Array
    intercept: Array


def plan_members(
    data: TrainingArrays,
    valid: TrainingArrays | None,
    *,
    members: int,
    fraction: float,
    seed: int,
) -> MemberPlan:
    """Part the rows among the members and fit the line of each.

    Parameters
    ----------
    data : TrainingArrays
    valid : TrainingArrays or None
        Rows on which all members are to be validated; then each trains on all of ``data``.
    members : int
    fraction : float
        About the share of the rows that a member holds out otherwise.
    seed : int
        Of the partition.

    Returns
    -------
    MemberPlan
    """
    features = Scaling.of(data.X, data.sample_weight)
    target = Scaling.of(data.y, data.sample_weight)
    held = np.zeros((len(data.X), members), dtype=bool)
    if valid is None:
        held = held_out(len(data.X), members, fraction, np.random.RandomState(seed))
    X, z = features.apply(data.X), target.apply(data.y)
    weights = np.ones(len(X)) if data.sample_weight is None else data.sample_weight
    lines = _lines(X, z, weights, held)
    train = MemberRows(X, _residuals(X, z, lines), ~held * weights[:, None])
    if valid is not None:
        X, z = features.apply(valid.X), target.apply(valid.y)
        valid_rows = MemberRows(X, _residuals(X, z, lines), np.ones((len(X), members)))
    elif held.any():
        valid_rows = MemberRows(X, train.residuals, held * weights[:, None]).used()
    else:
        valid_rows = train
    coef = np.mean([coef for coef, _ in lines], axis=0)
    intercept = np.mean([intercept for _, intercept in lines], axis=0)
    return MemberPlan(train.used(), valid_rows, features, target, coef, intercept)


def _lines(X: Array, z: Array, weights: Array, held: NDArray[np.bool_]) -> list[_Line]:
    if not held.any():
        return [_line(X, z, weights)] * held.shape[1]
    return [_line(X[rows], z[rows], weights[rows]) for rows in ~held.T]


def _line(X: Array, z: Array, weights: Array) -> _Line:
    if len(X) < FEWEST_FOR_A_LINE:
        return np.zeros((z.shape[1], X.shape[1])), np.average(z, axis=0, weights=weights)
    line = RidgeCV(alphas=PENALTIES).fit(X, z, sample_weight=weights)
    return np.atleast_2d(line.coef_), line.intercept_


def _residuals(X: Array, z: Array, lines: list[_Line]) -> Array:
    return np.column_stack([z - X @ coef.T - intercept for coef, intercept in lines])
