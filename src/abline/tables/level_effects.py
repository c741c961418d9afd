"""Categories of very many levels as one number a level: its effect on the target.

A level's effect is the mean of what the other columns leave of the target (the residuals
of a linear fit on them) over its rows, drawn towards 0 by w / (w + m): w is the level's weight,
m the variance of the residuals within levels over that between them, estimated from the
training rows. So a level of few rows gets little, and a column whose levels differ by no more
than chance gets nothing. Several such columns share the residuals by taking turns. Plain mean
targets per level would count twice what other columns know already.

The training rows get effects that were learnt on the other folds' rows: a row's own target must
not be in its features, or the fit would trust them more than new rows deserve.

References
----------
Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes",
SIGKDD Explorations 3 (2001). Searle, Casella, McCulloch, *Variance Components* (1992), §3.6
and chapter 7: these are predictions of random effects, cross-fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from abline.tables.category import EFFECT, CategoryEncoder, Levels
from abline.tables.number import weighted_moments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FOLDS = 5
#: how often several columns take turns at the residuals
_ROUNDS = 10
#: squared length that the linear fit's coefficients pay for, in rows: enough to keep a table
#: of nearly as many columns as rows from explaining everything
_PENALTY = 1.0


@dataclass(frozen=True)
class LevelEffects:
    """What was learnt about one category.

    Attributes
    ----------
    encoder : CategoryEncoder
        With a standardised column for each target on which levels have an effect.
    training : array of shape (n, k)
        The training rows as encoded by effects that were learnt on other rows.
    """

    encoder: CategoryEncoder
    training: Floats


def fit_level_effects(
    groups: Sequence[Levels],
    rest: Floats,
    y: Floats,
    weights: Floats,
    random_state: np.random.RandomState,
) -> list[LevelEffects]:
    """Learn the effects of the levels of some categories.

    Parameters
    ----------
    groups : sequence of Levels
        Of the n training rows.
    rest : array of shape (n, p)
        The other columns, encoded and of similar size.
    y : array of shape (n, t)
    weights : array of shape (n,)
        All positive.
    random_state : RandomState
        Of the folds.

    Returns
    -------
    list of LevelEffects
        One for each of the groups.
    """
    folds = random_state.permutation(len(y)) % _FOLDS
    crossed = [np.zeros_like(y) for _ in groups]
    whole: list[Floats] = []
    for left_out, residuals in _residuals(rest, y, weights, folds):
        inside = folds != left_out
        effects = _take_turns(groups, residuals, np.where(inside, weights, 0.0))
        if left_out is None:
            whole = effects
            continue
        for cross, group, effect in zip(crossed, groups, effects, strict=True):
            cross[~inside] = effect[group.codes[~inside]]
    return [_encoder(*each, weights) for each in zip(groups, whole, crossed, strict=True)]


def _residuals(
    rest: Floats, y: Floats, weights: Floats, folds: Integers
) -> Iterator[tuple[int | None, Floats]]:
    """Fit the other columns, to all rows and without each fold, from one pass over them."""
    design = np.column_stack([np.ones(len(y)), rest])
    squares, products = [], []
    for fold in range(_FOLDS):
        part = design[folds == fold]
        weighted = part * weights[folds == fold, None]
        squares.append(weighted.T @ part)
        products.append(weighted.T @ y[folds == fold])
    for left_out in (None, *range(_FOLDS)):
        kept = [fold for fold in range(_FOLDS) if fold != left_out]
        square = sum((squares[fold] for fold in kept), start=np.zeros_like(squares[0]))
        product = sum((products[fold] for fold in kept), start=np.zeros_like(products[0]))
        # no rows at all but those of one fold: any penalty gives their effects as zero
        penalty = np.full(len(square), _PENALTY * weights.mean())
        penalty[0] *= 1e-9  # the intercept's: only so that an empty fit has an answer
        square[np.diag_indices_from(square)] += penalty
        yield left_out, y - design @ scipy.linalg.solve(square, product, assume_a="pos")


def _take_turns(groups: Sequence[Levels], residuals: Floats, weights: Floats) -> list[Floats]:
    """The shrunken mean of the residuals for each level, (levels + 1, t) for each group."""
    effects = [np.zeros((len(group.values) + 1, residuals.shape[1])) for group in groups]
    left = residuals.copy()
    for _ in range(_ROUNDS if len(groups) > 1 else 1):
        for group, effect in zip(groups, effects, strict=True):
            left += effect[group.codes]
            for i, target in enumerate(left.T):
                effect[:, i] = _shrunken_means(group.codes, target, weights, len(effect))
            left -= effect[group.codes]
    return effects


def _shrunken_means(codes: Integers, target: Floats, weights: Floats, size: int) -> Floats:
    weight = np.bincount(codes, weights=weights, minlength=size).astype(np.float64)
    total = np.bincount(codes, weights=weights * target, minlength=size).astype(np.float64)
    seen = weight > 0
    mean = total.sum() / (weight.sum() or 1.0)  # no rows at all but those of one fold
    squares = float(weights @ (target - mean) ** 2)
    rows = int((weights > 0).sum())
    ratio = _variance_ratio(weight[seen], total[seen] - mean * weight[seen], rows, squares)
    if not np.isfinite(ratio):
        return np.zeros(size)
    return np.where(seen, total / np.where(seen, weight + ratio, 1.0), 0.0)


def _variance_ratio(weight: Floats, total: Floats, rows: int, squares: float) -> float:
    """Divide the variance within levels by that between them (analysis of variance)."""
    levels = len(weight)
    if levels < 2 or rows <= levels:
        return np.inf
    between = float((total**2 / weight).sum())
    within = max(squares - between, 0.0) / (rows - levels)
    spread = float(weight.sum() - (weight**2).sum() / weight.sum())
    variance = (between - (levels - 1) * within) / spread
    return within / variance if variance > 0 else np.inf


def _encoder(group: Levels, whole: Floats, crossed: Floats, weights: Floats) -> LevelEffects:
    columns, training, names = [], [], []
    targets = whole.shape[1]
    for i in range(targets):
        center, scale = weighted_moments(crossed[:, i], weights)
        if scale > 0 and whole[:, i].any():
            # the last row is for unseen levels, which have no effect
            columns.append((np.append(whole[:, i], 0.0) - center) / scale)
            training.append((crossed[:, i] - center) / scale)
            names.append(f"{group.name} {EFFECT}{f' on target {i + 1}' if targets > 1 else ''})")
    size = len(whole) + 1
    encoder = CategoryEncoder(
        group.name,
        group.values,
        bool(group.rows[-1]),
        np.arange(size),
        np.column_stack(columns) if columns else np.empty((size, 0)),
        tuple(names),
        (_note(group, bool(names)),),
    )
    return LevelEffects(encoder, np.column_stack(training) if training else crossed[:, :0])


def _note(group: Levels, used: bool) -> str:
    what = f"{group.name!r} has {group.count:,} levels"
    if not used:
        return f"{what}, whose effects differ by no more than chance: it is left out"
    return f"{what}: each stands as its mean effect on the target, shrunken towards none"
