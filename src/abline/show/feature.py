"""The single feature of a table, and the grid along which a fitted curve is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from abline.tables.conversion import eager_frame, from_tensor, is_dataframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: enough for a smooth curve on any screen
_GRID_POINTS = 500


@dataclass(frozen=True)
class Feature:
    """One feature of numbers.

    Attributes
    ----------
    name : str
    values : array of shape (n,)
        Of the rows; nan where missing.
    grid : array of shape (500,)
        From the least value to the greatest, evenly.
    grid_rows : array or dataframe of shape (500, 1)
        The grid as rows that a model fitted on such data can predict.
    """

    name: str
    values: NDArray[Any]
    grid: NDArray[Any]
    grid_rows: Any


def single_feature(X: Any) -> Feature | None:
    """Find out whether a table has one feature only, of numbers.

    Parameters
    ----------
    X : array, tensor or dataframe of shape (n, p)

    Returns
    -------
    Feature or None
        None where there are several features, or one of text or dates.

    Examples
    --------
    >>> single_feature([[0.0], [2.0]]).grid[[0, -1]]
    array([0., 2.])
    >>> single_feature([[0.0, 1.0]]) is None
    True
    """
    if is_dataframe(X):
        return _from_frame(eager_frame(X))
    array = np.asarray(from_tensor(X))
    if array.ndim != 2 or array.shape[1] != 1 or array.dtype.kind not in "fiub":
        return None
    values = array[:, 0].astype(array.dtype if array.dtype.kind == "f" else np.float64)
    grid = _grid(values)
    return None if grid is None else Feature("x", values, grid, grid[:, None])


def _from_frame(frame: nw.DataFrame[Any]) -> Feature | None:
    if len(frame.columns) != 1:
        return None
    name = frame.columns[0]
    series = frame.get_column(name)
    if not series.dtype.is_numeric():
        return None
    values = np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64)
    grid = _grid(values)
    if grid is None:
        return None
    rows = nw.from_dict({name: grid}, backend=frame.implementation)
    return Feature(str(name), values, grid, nw.to_native(rows))


def _grid(values: NDArray[Any]) -> NDArray[Any] | None:
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return None
    return np.linspace(finite.min(), finite.max(), _GRID_POINTS, dtype=values.dtype)
