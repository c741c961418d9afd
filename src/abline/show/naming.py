"""What the axes of a picture are called, from what a person passed."""

from __future__ import annotations

from typing import Any

import narwhals as nw


def target_name(y: Any) -> str:
    """Give a series' name, a one-column dataframe's column, or "y".

    Parameters
    ----------
    y : array, tensor, series or dataframe

    Returns
    -------
    str

    Examples
    --------
    >>> import polars as pl
    >>> target_name(pl.Series("price", [1.0])), target_name([1.0])
    ('price', 'y')
    """
    wrapped = nw.from_native(y, allow_series=True, pass_through=True)
    if isinstance(wrapped, nw.Series):
        return str(wrapped.name) if wrapped.name is not None and wrapped.name != "" else "y"
    if isinstance(wrapped, nw.DataFrame) and len(wrapped.columns) == 1:
        return str(wrapped.columns[0])
    return "y"
