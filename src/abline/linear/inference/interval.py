"""Intervals for the mean at new rows, and for single new observations there."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataWarning, one_of
from abline.linear.inference.seen_again import centred
from abline.linear.rows import Rows
from abline.linear.threads import in_order, one_blas_thread

if TYPE_CHECKING:
    from abline.linear.inference.covariance import Covariance
    from abline.linear.inference.estimates import Estimates

Array = NDArray[np.float64]

#: how far from the fitted dependency, in its own units, a dependent feature may be
_NEAR = 1e-8


def predict_interval(
    estimates: Estimates, covariance: Covariance, X: Any, *, level: float, kind: str
) -> Array:
    """Give an interval for each row.

    Parameters
    ----------
    estimates : Estimates
    covariance : Covariance
    X : array or sparse matrix of shape (n, p)
    level : float
        Between 0 and 1.
    kind : {"mean", "observation"}

    Returns
    -------
    array of shape (n, 2), in units of y

    Raises
    ------
    ParameterError
        If ``level`` or ``kind`` cannot be what it is.

    Warns
    -----
    DataWarning
        If rows do not follow the dependencies between the fitted features: nothing is known of
        them, and their intervals are infinite.
    """
    one_of("kind", kind, ["mean", "observation"])
    width = covariance.reference.half_width(level)
    extra = estimates.scale if kind == "observation" else 0.0
    rows = Rows.of(X, np.empty((X.shape[0], 0)))
    root, centre = estimates.root, estimates.centre
    spread = root.last_the_constant(covariance.middle)

    def look(part: slice) -> tuple[Array, NDArray[np.bool_]]:
        block = centred(rows, part, estimates)
        features = block[:, : len(estimates.kept)]
        middle = features @ estimates.coef + (centre.y + centre.y_rest)
        strange = _strange(estimates, rows, part, features)
        root.orthonormalise(block)
        variance = np.einsum("ij,ij->i", block @ spread, block) + extra
        half = width * np.sqrt(variance)
        half[strange] = np.inf
        return np.column_stack([middle - half, middle + half]), strange

    with one_blas_thread(), np.errstate(invalid="ignore"):
        found = list(in_order(look, rows.slices()))
    n_strange = sum(int(strange.sum()) for _, strange in found)
    if n_strange:
        names = ", ".join(repr(estimates.features[j]) for j in estimates.dropped[:3])
        warnings.warn(
            f"{n_strange} of {X.shape[0]} rows do not follow the dependencies between the features "
            f"fitted ({names}), so nothing is known of them and their intervals are infinite: fit "
            "rows that tell these features apart",
            DataWarning,
            stacklevel=3,
        )
    return np.concatenate([np.empty((0, 2)), *(interval for interval, _ in found)])


def _strange(estimates: Estimates, rows: Rows, part: slice, block: Array) -> NDArray[np.bool_]:
    """Find rows whose dropped features are not the fitted combination of the others."""
    dropped = estimates.dropped
    if len(dropped) == 0:
        return np.zeros(len(block), dtype=bool)
    shift = estimates.centre.x
    others = rows.load(part, shift)[:, dropped]
    expected = block @ estimates.combinations
    size = np.abs(block) @ np.abs(estimates.combinations) + np.abs(others)
    if shift is not None:
        size += np.abs(shift[dropped])
    return np.asarray((np.abs(others - expected) > _NEAR * size).any(axis=1))
