"""How good several quantiles are, in one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import d2_pinball_score

from abline.tables.arrays import check_target, check_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def quantile_score(
    y: Any, quantiles: NDArray[Any], levels: Sequence[float], sample_weight: Any = None
) -> float:
    """Give the mean D² of quantiles: the part of the pinball loss that they save.

    Parameters
    ----------
    y : array of shape (n,) or (n, t)
    quantiles : array of shape (n, levels) or (n, t, levels)
    levels : sequence of float
    sample_weight : array of shape (n,), optional

    Returns
    -------
    float
        1 at best, 0 for y's own quantiles, the plain average over levels and targets.

    References
    ----------
    Koenker, Machado (1999), "Goodness of fit and related inference processes for quantile
    regression", *JASA* 94.

    Examples
    --------
    >>> y = np.arange(5.0)
    >>> quantile_score(y, np.column_stack([np.full(5, 1.0), y]), [0.25, 0.75])
    0.5
    """
    target = check_target(y)
    weights = check_weights(sample_weight, len(target))
    scores = [
        d2_pinball_score(target, quantiles[..., place], sample_weight=weights, alpha=level)
        for place, level in enumerate(levels)
    ]
    return float(np.mean(scores))
