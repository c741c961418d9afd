"""Which rows a picture draws where there are more than an eye can tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils import check_random_state

from abline.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rows_to_draw(
    n_rows: int, subsample: int | None, random_state: int | np.random.RandomState | None
) -> NDArray[np.intp]:
    """Choose rows at random, without putting any twice, in their order.

    Random, because every k-th row of a table kept by the hour would be the same hour.

    Parameters
    ----------
    n_rows : int
    subsample : int or None
        How many rows at the most; None for all.
    random_state : int or RandomState or None

    Returns
    -------
    array of row numbers, rising

    Raises
    ------
    ParameterError
        If subsample is not 1 or more.

    Examples
    --------
    >>> rows_to_draw(4, None, 0)
    array([0, 1, 2, 3])
    >>> len(rows_to_draw(300_000, 5_000, 0))
    5000
    """
    if subsample is not None and subsample < 1:
        raise ParameterError(f"subsample is {subsample}: give 1 or more, or None for all rows")
    if subsample is None or n_rows <= subsample:
        return np.arange(n_rows)
    chosen = check_random_state(random_state).choice(n_rows, subsample, replace=False)
    return np.sort(chosen)
