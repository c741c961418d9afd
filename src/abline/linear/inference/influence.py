"""How much each row decides: leverage, standardised residuals, Cook's distance.

References
----------
Cook (1977), "Detection of influential observation in linear regression", *Technometrics* 19(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from abline.linear.inference.seen_again import Part, SeenAgain

Array = NDArray[np.float64]

#: what is left of a row whose leverage is 1, but for rounding errors
_ALONE = 1e-10


@dataclass(frozen=True)
class Influence:
    """What each row does to the fit.

    Attributes
    ----------
    leverage : array of shape (n,)
        The share of its own target in its prediction, 0 without a weight.
    std_residual : array of shape (n,)
        The residual (times the root of the weight) over its standard deviation; NaN where the
        row has no weight, or a leverage of 1.
    cooks_distance : array of shape (n,)
        How far all predictions move when the row is left out, in standard errors squared.
    """

    leverage: Array
    std_residual: Array
    cooks_distance: Array


def influence(rows: SeenAgain) -> Influence:
    """Measure each row.

    Parameters
    ----------
    rows : SeenAgain

    Returns
    -------
    Influence
    """
    estimates = rows.estimates

    def squares(part: Part) -> Array:
        return np.asarray(np.einsum("ij,ij->i", part.basis, part.basis))

    with one_blas_thread():
        leverage = np.concatenate(list(rows.parts(squares)))
    free = 1.0 - leverage
    usable = rows.counted & (free > _ALONE)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.where(usable, rows.errors / np.sqrt(estimates.scale * free), np.nan)
        distance = np.square(residual) * leverage / free / estimates.rank
    return Influence(leverage, residual, distance)
