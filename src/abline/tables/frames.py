"""Anybody's table as one polars frame of plain columns.

Whatever comes in (a dataframe that narwhals knows, a dict of columns, an array, a tensor, a
list of rows), what leaves has columns of numbers, booleans, text and naive UTC datetimes,
whose missing cells are nulls. Columns that are none of these (lists, bytes) stay as they
are, so that the schema can name them and leave them out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import polars as pl

from abline.errors import DataError
from abline.tables.cells import cell_text, objects_to_series
from abline.tables.conversion import eager_frame, from_tensor, is_dataframe

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_table(X: Any, names: Sequence[str] | None = None) -> pl.DataFrame:
    """Turn any eager table into a polars frame.

    Parameters
    ----------
    X : dataframe, dict of columns, array, tensor or list of rows, of shape (n, p)
        Categories become text, decimals floats, durations and times of day seconds, datetimes
        with a time zone naive UTC; NaN becomes null.
    names : sequence of str, optional
        The columns' names, where X has none; ``x0``, ``x1``, … otherwise. Names that are not
        text (pandas numbers its columns) count as none, as they do for scikit-learn.

    Returns
    -------
    polars.DataFrame of shape (n, p)

    Raises
    ------
    DataError
        If it is no table of two dimensions, is lazy, sparse or complex, has no columns or two
        of one name.

    Examples
    --------
    >>> as_table([[1, "red"], [None, "blue"]], names=["size", "colour"]).to_dict(as_series=False)
    {'size': [1, None], 'colour': ['red', 'blue']}
    """
    X = from_tensor(X)
    if isinstance(X, str | Path):
        raise DataError(f"the table is the name {str(X)!r}: read it first, with abline.read_table")
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise DataError("the table is a sparse matrix, which tables cannot be: pass X.toarray()")
    if isinstance(X, pl.DataFrame):
        frame = X
    elif isinstance(X, Mapping):
        frame = _from_mapping(X)
    elif hasattr(X, "collect") or is_dataframe(X):
        frame = _from_dataframe(X, names)
    else:
        frame = _from_array(X, names)
    if frame.width == 0:
        raise DataError(
            f"the table has no columns, 0 feature(s) (shape=({frame.height}, 0)) while a minimum "
            "of 1 is required. Pass at least one column"
        )
    return frame.select(_plain(name, dtype) for name, dtype in frame.schema.items())


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """Bring a column to one of the few types that the rest of the package knows."""
    column = pl.col(name)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if dtype.is_float():
        return column.fill_nan(None)
    if dtype.is_decimal():
        return column.cast(pl.Float64)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return column
    if isinstance(dtype, pl.Duration):
        return column.dt.total_nanoseconds().cast(pl.Float64) / 1e9
    if isinstance(dtype, pl.Time):
        return column.cast(pl.Int64).cast(pl.Float64) / 1e9
    return column


def _from_mapping(columns: Mapping[Any, Any]) -> pl.DataFrame:
    series = []
    for key, given in columns.items():
        name, values = str(key), from_tensor(given)
        wrapped = nw.from_native(values, allow_series=True, pass_through=True)
        if isinstance(wrapped, nw.Series):
            series.append(_from_narwhals(name, wrapped))
        elif isinstance(values, str | bytes) or not hasattr(values, "__len__"):
            raise DataError(f"column {name!r} is one {type(values).__name__}: pass a list of cells")
        else:
            series.append(_from_numpy(name, _cells(values, 1, f"column {name!r}"), nested=True))
    _refuse_duplicates([column.name for column in series])
    if len({len(column) for column in series}) > 1:
        lengths = ", ".join(f"{column.name!r} {len(column)}" for column in series[:6])
        raise DataError(f"the columns are not equally long ({lengths}): give each a cell per row")
    return pl.DataFrame(series)


def _from_dataframe(X: Any, names: Sequence[str] | None) -> pl.DataFrame:
    native = eager_frame(X).to_native()
    # pandas and pyarrow allow two columns of one name, at which narwhals stumbles
    given = list(getattr(native, "column_names", getattr(native, "columns", [])))
    if not any(isinstance(name, str) for name in given):
        labels = _names(len(given), names)
        native = native.set_axis(labels, axis=1) if hasattr(native, "set_axis") else native
    else:
        labels = [str(name) for name in given]
    _refuse_duplicates(labels)
    frame = eager_frame(native)
    return pl.DataFrame(
        [
            _from_narwhals(label, frame.get_column(name))
            for label, name in zip(labels, frame.columns, strict=True)
        ]
    )


def _from_narwhals(name: str, series: nw.Series[Any]) -> pl.Series:
    if not series.implementation.is_pandas_like():
        return series.to_polars().alias(name)
    # not to_polars: that would need pyarrow for pandas' text
    column = series.to_pandas()
    kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else "extension"
    if kind in "biufcMm":
        return _from_numpy(name, column.to_numpy(), nested=True)
    cells = column.to_numpy(dtype=object).copy()
    cells[column.isna().to_numpy()] = None
    if series.dtype in (nw.Categorical, nw.Enum):  # text even where they are numbers
        cells = np.array([None if c is None else cell_text(c) for c in cells], dtype=object)
    return objects_to_series(name, cells.tolist(), nested=True)


def _from_array(X: Any, names: Sequence[str] | None) -> pl.DataFrame:
    array = _cells(X, 2, "the table")
    labels = _names(array.shape[1], names)
    _refuse_duplicates(labels)
    if array.shape[1] == 0:
        raise DataError(
            f"the table has no columns, 0 feature(s) (shape={array.shape}) while a minimum of 1 is "
            "required. Pass at least one column"
        )
    return pl.DataFrame([_from_numpy(name, array[:, i]) for i, name in enumerate(labels)])


def _cells(values: Any, ndim: int, what: str) -> NDArray[Any]:
    """Cells as an array; lists keep the type of each cell, as numpy would turn all to text."""
    try:
        is_list = isinstance(values, list | tuple)
        array = np.array(values, dtype=object) if is_list else np.asarray(values)
        if is_list and ndim == 1 and array.ndim > 1:  # cells that are lists themselves
            array = np.empty(len(values), dtype=object)
            array[:] = values
    except ValueError:
        raise DataError(f"{what} has rows of different lengths: give each the same") from None
    if array.ndim == ndim:
        return array
    if ndim == 1:
        raise DataError(f"{what} has {array.ndim} dimensions: pass one cell per row")
    if array.ndim == 1 and is_list and any(hasattr(row, "__len__") for row in values):
        raise DataError(f"{what} has rows of different lengths: give each the same")
    if array.ndim < 2:
        raise DataError(
            f"Expected 2D array, got {array.ndim}D array instead. Reshape your data either using "
            "array.reshape(-1, 1) if it has a single feature or array.reshape(1, -1) if it is a "
            "single row"
        )
    raise DataError(f"Found array with dim {array.ndim}, but a table has two: reshape it")


def _from_numpy(name: str, cells: NDArray[Any], *, nested: bool = False) -> pl.Series:
    kind = cells.dtype.kind
    if kind == "c":
        raise DataError(f"column {name!r} is complex. Complex data not supported: pass its parts")
    if kind == "O":
        return objects_to_series(name, cells.tolist(), nested=nested)
    if kind == "U":
        return pl.Series(name, cells.tolist(), dtype=pl.String)
    if kind == "M":
        return pl.Series(name, cells.astype("datetime64[us]"))
    if kind == "m":
        seconds = cells.astype("timedelta64[ns]").astype(np.float64) / 1e9
        return pl.Series(name, np.where(np.isnat(cells), np.nan, seconds))
    if kind not in "biuf":
        raise DataError(f"column {name!r} holds {cells.dtype}: pass numbers, text or dates")
    if kind == "f" and cells.dtype.itemsize not in (4, 8):
        cells = cells.astype(np.float64)  # float16 and long double
    # native byte order and a stride that polars takes
    return pl.Series(name, np.ascontiguousarray(cells, dtype=cells.dtype.newbyteorder("=")))


def _names(width: int, names: Sequence[str] | None) -> list[str]:
    if names is None:
        return [f"x{i}" for i in range(width)]
    if len(names) != width:
        raise DataError(f"the table has {width} columns and {len(names)} names: give one each")
    return [str(name) for name in names]


def _refuse_duplicates(names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"the table has several columns called {twice[0]!r}: rename all but one")
