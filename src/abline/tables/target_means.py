"""A category of very many levels as the mean target of each, shrunken.

A level of few rows says little about its own mean, so the means are drawn towards that of all
rows: by w / (w + m), where w is the level's weight and m the variance of the target within
levels over that between them, both estimated from the training rows. A column whose
levels differ by no more than chance shrinks to nothing.

The training rows get means that were learnt on the other folds' rows: a row's own target must
not be in its features, or the fit would trust them more than new rows deserve.

References
----------
Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes",
SIGKDD Explorations 3 (2001). Searle, Casella, McCulloch, *Variance Components* (1992), §3.6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from abline.tables.category import CategoryEncoder, Levels
from abline.tables.number import weighted_moments

Floats = NDArray[np.float64]

_FOLDS = 5


def fit_target_means(
    levels: Levels, y: Floats, weights: Floats, random_state: np.random.RandomState
) -> tuple[CategoryEncoder, Floats]:
    """Learn the means, and encode the training rows without their own targets.

    Parameters
    ----------
    levels : Levels
        Of the n training rows.
    y : array of shape (n, t)
    weights : array of shape (n,)
        All positive.
    random_state : RandomState
        Of the folds.

    Returns
    -------
    CategoryEncoder
        With a standardised column for each target whose means differ.
    array of shape (n, k)
        The training rows, cross-fitted.
    """
    deviations = y - np.average(y, axis=0, weights=weights)
    size = len(levels.values) + 1
    means, crossed = [], []
    folds = _fold_of_rows(len(y), random_state)
    for target in deviations.T:
        sums = _Sums.of(levels.codes, folds, target, weights, size)
        means.append(sums.shrunken_means(None))
        by_fold = np.stack([sums.shrunken_means(fold) for fold in range(_FOLDS)])
        crossed.append(by_fold[folds, levels.codes])

    columns, rows, names = [], [], []
    for i, (mean, cross) in enumerate(zip(means, crossed, strict=True)):
        center, scale = weighted_moments(cross, weights)
        if scale > 0 and mean.any():
            # unseen levels have the overall mean, a deviation of 0
            columns.append((np.append(mean, 0.0) - center) / scale)
            rows.append((cross - center) / scale)
            names.append(f"{levels.name} (mean target{f' {i + 1}' if y.shape[1] > 1 else ''})")
    matrix = np.column_stack(columns) if columns else np.empty((size + 1, 0))
    encoder = CategoryEncoder(
        levels.name,
        levels.values,
        bool(levels.rows[-1]),
        np.arange(size + 1),
        matrix,
        tuple(names),
        (_note(levels, bool(names)),),
    )
    return encoder, np.column_stack(rows) if rows else np.empty((len(y), 0))


@dataclass(frozen=True)
class _Sums:
    """Weight, weighted sum of the target and rows of each fold and level, (folds, levels)."""

    weight: Floats
    total: Floats
    rows: Floats
    squares: Floats  # of each fold, (folds,)

    @classmethod
    def of(
        cls,
        codes: NDArray[np.int64],
        folds: NDArray[np.int64],
        target: Floats,
        weights: Floats,
        size: int,
    ) -> _Sums:
        cell = folds * size + codes
        weight, total, rows = (
            np.bincount(cell, weights=each, minlength=_FOLDS * size)
            .reshape(_FOLDS, size)
            .astype(np.float64)
            for each in (weights, weights * target, None)
        )
        squares = np.bincount(folds, weights=weights * target**2, minlength=_FOLDS)
        return cls(weight, total, rows, squares.astype(np.float64))

    def shrunken_means(self, left_out: int | None) -> Floats:
        """The shrunken mean of each level, of all rows or those of the other folds."""
        kept = np.arange(_FOLDS) != left_out
        weight, total = self.weight[kept].sum(axis=0), self.total[kept].sum(axis=0)
        rows, squares = self.rows[kept].sum(axis=0), float(self.squares[kept].sum())
        seen = rows > 0
        if seen.sum() < 2 or rows.sum() <= seen.sum():
            return np.zeros(len(weight))
        overall = total.sum() / weight.sum()
        ratio = _variance_ratio(
            weight[seen],
            total[seen] - overall * weight[seen],
            rows.sum(),
            squares - overall**2 * weight.sum(),
        )
        # deviations are from the mean of all rows, which differs from that of the others
        shrunken = (total + ratio * overall) / (weight + ratio) if np.isfinite(ratio) else 0.0
        return np.where(seen & np.isfinite(ratio), shrunken, overall)


def _variance_ratio(weight: Floats, total: Floats, rows: float, squares: float) -> float:
    """The variance within levels over that between them (analysis of variance)."""
    between = float((total**2 / weight).sum())
    within = max(squares - between, 0.0) / (rows - len(weight))
    spread = weight.sum() - float((weight**2).sum()) / weight.sum()
    variance = (between - (len(weight) - 1) * within) / spread
    if variance <= 0:
        return np.inf
    return float(within / variance)


def _fold_of_rows(n_rows: int, random_state: np.random.RandomState) -> NDArray[np.int64]:
    """Folds of equal size, at random."""
    return random_state.permutation(n_rows) % _FOLDS


def _note(levels: Levels, used: bool) -> str:
    what = f"{levels.name!r} has {levels.count:,} levels"
    if not used:
        return f"{what}, whose mean targets differ by no more than chance: it is left out"
    return f"{what}: each stands as its mean target, shrunken towards that of all rows"
