"""Anybody's arrays, tensors and dataframes as plain numpy arrays of floats.

Torch and SciPy's sparse module are never imported: a tensor or a sparse matrix can only exist
where its module has been loaded already.
"""

from __future__ import annotations

import sys
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError

Floats = NDArray[np.floating[Any]]


def from_tensor(value: Any) -> Any:
    """Turn a torch tensor into a numpy array; leave anything else as it is.

    Parameters
    ----------
    value : object
        A tensor may have gradients, live on any device and be of any dtype; bfloat16, which
        numpy lacks, becomes float32.

    Returns
    -------
    object
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return value
    tensor = value.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    return tensor.resolve_conj().resolve_neg().numpy()


def is_dataframe(value: Any) -> bool:
    """Say whether narwhals knows this as an eager dataframe.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool
    """
    return bool(nw.dependencies.is_into_dataframe(value)) or isinstance(value, nw.DataFrame)


def eager_frame(value: Any) -> nw.DataFrame[Any]:
    """Wrap any eager dataframe with narwhals.

    Parameters
    ----------
    value : dataframe

    Returns
    -------
    narwhals.DataFrame

    Raises
    ------
    DataError
        If it is not a dataframe, is a lazy one (the message says to collect it), or has two
        columns of one name.
    """
    try:
        wrapped = nw.from_native(value)
    except nw.exceptions.DuplicateError:
        names = list(getattr(value, "column_names", value.columns))  # pyarrow's, pandas'
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"the table has several columns called {twice!r}: rename all but one"
        ) from None
    except TypeError:
        raise DataError(
            f"a {type(value).__name__} is not a dataframe that narwhals knows: "
            "pass one of pandas, polars or pyarrow, or a numpy array"
        ) from None
    if isinstance(wrapped, nw.LazyFrame):
        raise DataError("the table is a lazy frame: call .collect() on it first")
    eager: nw.DataFrame[Any] = wrapped
    return eager


def is_sparse(X: Any) -> bool:
    """Say whether this is one of SciPy's sparse matrices or arrays.

    Parameters
    ----------
    X : object

    Returns
    -------
    bool
    """
    if type(X) is np.ndarray:
        return False
    # a sparse matrix can only exist where its module has been loaded already
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(X))


def frame_to_numpy(frame: nw.DataFrame[Any]) -> Floats:
    """Give a dataframe of numbers as an array of shape (n, p)."""
    columns = [_column_to_numpy(frame.get_column(name)) for name in frame.columns]
    if not columns:
        raise DataError("the table has no columns (0 feature(s)): pass at least one")
    return np.column_stack(columns)


def _column_to_numpy(series: nw.Series[Any]) -> Floats:
    if series.dtype == nw.Boolean or series.dtype.is_decimal():
        series = series.cast(nw.Float64)
    if not series.dtype.is_numeric():
        values = np.asarray(series.to_list(), dtype=object)
        return as_floats(values, f"column {series.name!r}" if series.name else "the series")
    array = np.asarray(series.to_numpy())
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def series_to_numpy(value: Any) -> Any:
    """Give a series or dataframe of numbers as an array; leave anything else as it is."""
    if isinstance(value, np.ndarray | list | tuple | int | float):
        return value
    wrapped = nw.from_native(value, allow_series=True, pass_through=True)
    if isinstance(wrapped, nw.LazyFrame):
        raise DataError("the target is a lazy frame: call .collect() on it first")
    if isinstance(wrapped, nw.Series):
        return _column_to_numpy(wrapped)
    if isinstance(wrapped, nw.DataFrame):
        return frame_to_numpy(wrapped)
    return value


def as_floats(array: NDArray[Any], what: str) -> Floats:
    """Give an array as floats; ``what`` it is, for the message where it is no numbers."""
    if array.dtype.kind == "f":
        return array if array.dtype in (np.float64, np.float32) else array.astype(np.float64)
    if array.dtype.kind == "c":
        raise DataError(f"{what} is complex. Complex data not supported: pass real numbers")
    if array.dtype.kind in "mM":
        raise DataError(
            f"{what} holds dates or times: make numbers of them first, such as days since the first"
        )
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{what} holds {_example(array)!r}, which is not a number: encode text first, "
            "or use TableRegressor, which does so for features"
        ) from None


def _example(array: NDArray[Any]) -> object:
    for value in array.ravel().tolist():
        try:
            float(value)
        except (TypeError, ValueError):
            return value
    return array.ravel().tolist()[0]
