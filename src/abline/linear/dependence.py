"""Which columns depend on which: those that can be made of columns before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.singular import equilibrate
from abline.linear.threads import one_blas_thread
from abline.linear.triangular import solve_upper

if TYPE_CHECKING:
    from abline.linear.system import System

Array = NDArray[np.float64]

#: columns have unit norm, so a coefficient below this takes no part in a combination
_NO_PART = 1e-7


def dependent_columns(R: Array, tolerance: float) -> dict[int, list[int]]:
    """Find the columns that are combinations of columns before them, as R's ``lm`` does.

    Parameters
    ----------
    R : array of shape (k, p)
        Any matrix with the table's Gram matrix, its triangular factor for one.
    tolerance : float
        The part of a column of unit norm that may be left when it counts as dependent.

    Returns
    -------
    dict of int to list of int
        For each dependent column the columns that make it up; none for a constant.

    Examples
    --------
    >>> dependent_columns(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]), 1e-12)
    {1: [0]}
    """
    k, p = R.shape
    columns, _ = equilibrate(R)
    norms = np.linalg.norm(columns, axis=0)
    columns = columns / np.where(norms > 0, norms, 1.0)
    basis, triangle = np.zeros((k, min(k, p))), np.zeros((min(k, p), p))
    kept: list[int] = []
    found: dict[int, list[int]] = {}
    with one_blas_thread():
        for j in range(p):
            rank = len(kept)
            rest = columns[:, j]
            for _ in range(2):  # once more, for what rounding left of the first time
                along = basis[:, :rank].T @ rest
                triangle[:rank, j] += along
                rest = rest - basis[:, :rank] @ along
            left = float(np.linalg.norm(rest))
            if left > tolerance and rank < k:
                triangle[rank, j] = left
                basis[:, rank] = rest / left
                kept.append(j)
            elif rank == 0:
                found[j] = []
            else:
                parts = solve_upper(triangle[:rank][:, kept], triangle[:rank, j : j + 1])[:, 0]
                found[j] = [kept[i] for i in np.flatnonzero(np.abs(parts) > _NO_PART)]
    return found


def dependent_features(system: System) -> dict[int, list[int]]:
    """Find the features that depend on features before them.

    Parameters
    ----------
    system : System

    Returns
    -------
    dict of int to list of int
        None where there are fewer rows than features: it is then not these that depend on
        each other.
    """
    if system.n_rows <= system.R.shape[1]:
        return {}
    return dependent_columns(system.R, system.tolerance * len(system.R) ** 0.5)


def describe_dependence(found: dict[int, list[int]], names: list[str]) -> list[str]:
    """Say which columns depend on which, a sentence each.

    Parameters
    ----------
    found : dict of int to list of int
        From `dependent_columns`.
    names : list of str
        Of all columns.

    Returns
    -------
    list of str

    Examples
    --------
    >>> describe_dependence({1: [0], 2: []}, ["metres", "feet", "one"])
    ["'feet' depends on 'metres'", "'one' is constant"]
    """
    return [
        f"{names[j]!r} depends on {', '.join(repr(names[i]) for i in parts)}"
        if parts
        else f"{names[j]!r} is constant"
        for j, parts in found.items()
    ]
