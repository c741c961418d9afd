"""Anybody's table as the pandas frame that formulaic works on, with its rows complete.

Levels keep the order that a pandas categorical or a polars enumeration gives them, and those
that no complete row has are dropped, as in R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from abline.errors import ParameterError, did_you_mean
from abline.linear.inference.clusters import missing_labels
from abline.tables.cells import cell_text
from abline.tables.conversion import is_dataframe
from abline.tables.frames import as_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FormulaColumns:
    """A table's columns, and the order of levels where it has one.

    Attributes
    ----------
    table : polars.DataFrame
    levels : dict of str to tuple of str
    """

    table: pl.DataFrame
    levels: dict[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(self.table.columns)

    def complete(self, names: Sequence[str], also: Iterable[NDArray[Any]] = ()) -> tuple[Any, Mask]:
        """Give the rows that miss no cell.

        Parameters
        ----------
        names : sequence of str
            The columns wanted.
        also : iterable of arrays of shape (n,)
            Further ones that must have no missing cell.

        Returns
        -------
        frame : pandas.DataFrame of c rows
        complete : array of bool of shape (n,)
        """
        import pandas as pd

        complete = np.ones(self.table.height, dtype=bool)
        for name in names:
            complete &= self.table.get_column(name).is_not_null().to_numpy()
        for further in also:
            complete &= ~missing_labels(further)
        rows = self.table.select(names).filter(pl.Series(complete)) if names else self.table.clear()
        content = {name: self._pandas(rows.get_column(name)) for name in names}
        return pd.DataFrame(content, index=range(int(complete.sum()))), complete

    def _pandas(self, series: pl.Series) -> Any:
        import pandas as pd

        if series.name in self.levels:
            present = set(series.unique().to_list())
            levels = [level for level in self.levels[series.name] if level in present]
            return pd.Categorical(series.to_list(), categories=levels)
        if series.dtype.is_temporal():
            return pd.to_datetime(series.cast(pl.Datetime("us")).to_list())
        if series.dtype == pl.String:
            return np.array(series.to_list(), dtype=object)
        return series.to_numpy()


def formula_columns(table: Any) -> FormulaColumns:
    """Read a table.

    Parameters
    ----------
    table : dataframe or dict of columns

    Returns
    -------
    FormulaColumns

    Raises
    ------
    DataError
        If it is no table.
    """
    return FormulaColumns(as_table(table), _levels(table))


def _levels(table: Any) -> dict[str, tuple[str, ...]]:
    if not is_dataframe(table):
        return {}
    frame = nw.from_native(table, eager_only=True, pass_through=False)
    ordered = {}
    for name in frame.columns:
        series = frame.get_column(name)
        if isinstance(series.dtype, nw.Enum):
            levels = list(series.dtype.categories)
        elif series.dtype == nw.Categorical and series.implementation.is_pandas_like():
            levels = list(series.to_native().cat.categories)
        else:
            continue
        ordered[str(name)] = tuple(cell_text(level) for level in levels)
    return ordered


def column_or_array(value: Any, table: pl.DataFrame, what: str) -> Any:
    """Read columns by their names, or leave anything else as it is.

    Parameters
    ----------
    value : str, list of str, or anything else
    table : polars.DataFrame
    what : str
        What it is, for the message.

    Returns
    -------
    object

    Raises
    ------
    ParameterError
        If the table has no such column.
    """
    names = [value] if isinstance(value, str) else value
    if not (isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)):
        return value
    if len(names) == table.height and not set(names) <= set(table.columns):
        return value  # labels, one a row
    for name in names:
        if name not in table.columns:
            near = did_you_mean(name, table.columns) or "name one of its columns"
            raise ParameterError(f"{what} is {name!r}, which is no column of the table: {near}")
    columns = [table.get_column(name) for name in names]
    return columns[0] if len(columns) == 1 else columns
