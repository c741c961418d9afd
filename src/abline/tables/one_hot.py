"""One column of zeros and ones for each common level of a category but the commonest.

The commonest level is the reference, as in R: the intercept then belongs to it, each
coefficient is a difference from it, and a category does not make the columns collinear.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from abline.tables.category import CategoryEncoder, Levels

Floats = NDArray[np.float64]

#: rarer levels share one column: 5 rows, or 5 % of the rows of a small table
_RARE_ROWS = 5
_RARE_SHARE = 0.05

_OTHER = "(other)"


def rare_below(n_rows: int) -> int:
    """How many rows a level needs for a column of its own.

    Parameters
    ----------
    n_rows : int
        Of the training rows.

    Returns
    -------
    int

    Examples
    --------
    >>> rare_below(1000), rare_below(40), rare_below(4)
    (5, 2, 1)
    """
    return min(_RARE_ROWS, int(np.ceil(_RARE_SHARE * n_rows)))


def common_levels(levels: Levels) -> int:
    """Count the levels that would have a column of their own.

    Parameters
    ----------
    levels : Levels

    Returns
    -------
    int
    """
    return int((levels.rows >= rare_below(len(levels.codes))).sum())


def rare_share(levels: Levels) -> float:
    """Give the share of the training rows whose level is too rare for a column of its own.

    Parameters
    ----------
    levels : Levels

    Returns
    -------
    float
    """
    rows = levels.rows
    return float(rows[rows < rare_below(len(levels.codes))].sum() / max(len(levels.codes), 1))


def fit_one_hot(levels: Levels, weights: Floats) -> CategoryEncoder:
    """Learn one-hot columns.

    Levels of too few rows share the column ``(other)``, to which levels not seen in training
    belong as well; where no level is rare, an unseen one gets the average row of the training
    rows.

    Parameters
    ----------
    levels : Levels
        Of the n training rows.
    weights : array of shape (n,)
        All positive. Whether a level is rare is a matter of rows, not of weights.

    Returns
    -------
    CategoryEncoder
    """
    rows, smallest = levels.rows, rare_below(len(levels.codes))
    kept = np.flatnonzero(rows >= smallest)
    rare = np.flatnonzero((rows > 0) & (rows < smallest))
    has_other = len(rare) > 0
    labels = [levels.label(int(code)) for code in kept] + [_OTHER] * has_other

    places = np.full(len(rows) + 1, len(labels) - has_other, dtype=np.int64)
    places[kept] = np.arange(len(kept))
    shares = np.bincount(places[levels.codes], weights=weights, minlength=len(labels))
    shares = shares[: len(labels)] / shares[: len(labels)].sum()

    common = rows[kept].tolist() + [int(rows[rare].sum())] * has_other
    reference = int(np.argmax(common))
    matrix = np.eye(len(labels))
    if not has_other:
        matrix = np.vstack([matrix, shares])  # what is not seen is like the average
    matrix = np.delete(matrix, reference, axis=1)
    names = tuple(f"{levels.name} = {label}" for label in labels)
    return CategoryEncoder(
        levels.name,
        levels.values,
        bool(rows[-1]),
        places,
        matrix,
        names[:reference] + names[reference + 1 :],
        _notes(levels.name, len(rare), smallest, labels[reference] if len(labels) > 1 else None),
    )


def _notes(name: str, rare: int, smallest: int, reference: str | None) -> tuple[str, ...]:
    if reference is None:
        return (f"{name!r} has no two levels of {smallest} rows each, and is left out",)
    if not rare:
        return ()
    levels = "1 level" if rare == 1 else f"{rare:,} levels"
    verb = "counts" if rare == 1 else "count"
    return (f"{levels} of {name!r} in fewer than {smallest} rows {verb} as {_OTHER}",)
