"""Columns of Python objects, whose type only their cells can tell."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from abline.errors import DataError

_NUMBERS = (int, float, np.integer, np.floating, np.bool_, Decimal, Fraction)
_WHOLE = (int, np.integer)
_FLAGS = (bool, np.bool_)
_DATES = (dt.date, np.datetime64)  # a datetime is a date
_SPANS = (dt.timedelta, np.timedelta64)
_NESTED = (dict, list, tuple, set, frozenset, np.ndarray, bytes, bytearray)

#: pandas' own marks of a missing cell, known by name since pandas may not be installed
_MISSING = ("NAType", "NaTType")


def objects_to_series(name: str, cells: list[Any], *, nested: bool = False) -> pl.Series:
    """Find the type that all cells of a column share.

    Parameters
    ----------
    name : str
        The column's.
    cells : list
        None, NaN, NaT and pandas' NA are missing cells.
    nested : bool, default=False
        Whether lists, dicts and bytes may stay (for a schema to leave out) or are an error.

    Returns
    -------
    polars.Series
        Of booleans, whole numbers, floats, datetimes (naive UTC), seconds (for durations), or
        text where the cells share nothing else.

    Raises
    ------
    DataError
        If a cell is complex, or nested where that may not be.

    Examples
    --------
    >>> objects_to_series("size", [1, 2.5, None]).to_list()
    [1.0, 2.5, None]
    >>> objects_to_series("size", [1.0, "large"]).to_list()
    ['1', 'large']
    """
    cells = [None if _is_missing(cell) else cell for cell in cells]
    types = {type(cell) for cell in cells if cell is not None}
    if any(issubclass(kind, complex | np.complexfloating) for kind in types):
        raise DataError(f"column {name!r} is complex. Complex data not supported: pass its parts")
    if any(issubclass(kind, _NESTED) for kind in types):
        return _nested(name, cells, nested)
    if not types:
        return pl.Series(name, cells, dtype=pl.Null)
    if _all(types, _FLAGS):
        return pl.Series(name, [_map(bool, cell) for cell in cells], dtype=pl.Boolean)
    if _all(types, _WHOLE) and not any(issubclass(kind, _FLAGS) for kind in types):
        return _whole(name, cells)
    if _all(types, _NUMBERS):
        return _floats(name, [_map(float, cell) for cell in cells])
    if _all(types, _DATES):
        return pl.Series(name, [_map(_naive, cell) for cell in cells], dtype=pl.Datetime("us"))
    if _all(types, _SPANS):
        return pl.Series(name, [_map(_seconds, cell) for cell in cells], dtype=pl.Float64)
    return pl.Series(name, [_map(cell_text, cell) for cell in cells], dtype=pl.String)


def cell_text(cell: Any) -> str:
    """Write a cell as the text of a category: 1, 1.0 and "1" are the same.

    Parameters
    ----------
    cell : object

    Returns
    -------
    str

    Examples
    --------
    >>> cell_text(1.0), cell_text(True), cell_text("red")
    ('1', 'true', 'red')
    """
    if isinstance(cell, _FLAGS):
        return "true" if cell else "false"
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def _all(types: set[type], allowed: tuple[type, ...]) -> bool:
    return all(issubclass(kind, allowed) for kind in types)


def _map(function: Any, cell: Any) -> Any:
    return None if cell is None else function(cell)


def _is_missing(cell: Any) -> bool:
    if cell is None or type(cell).__name__ in _MISSING:
        return True
    if isinstance(cell, float | np.floating | Decimal):
        return math.isnan(cell)
    return isinstance(cell, np.datetime64 | np.timedelta64) and bool(np.isnat(cell))


def _whole(name: str, cells: list[Any]) -> pl.Series:
    try:
        return pl.Series(name, [_map(int, cell) for cell in cells], dtype=pl.Int64)
    except (OverflowError, TypeError):
        return _floats(name, [_map(float, cell) for cell in cells])


def _floats(name: str, cells: list[Any]) -> pl.Series:
    return pl.Series(name, cells, dtype=pl.Float64)


def _naive(cell: Any) -> dt.datetime:
    if isinstance(cell, np.datetime64):
        cell = cell.astype("datetime64[us]").item()
    if not isinstance(cell, dt.datetime):
        return dt.datetime(cell.year, cell.month, cell.day)
    return cell if cell.tzinfo is None else cell.astimezone(dt.UTC).replace(tzinfo=None)


def _seconds(cell: Any) -> float:
    if isinstance(cell, np.timedelta64):
        return float(cell / np.timedelta64(1, "s"))
    return float(cell.total_seconds())


def _nested(name: str, cells: list[Any], allowed: bool) -> pl.Series:
    if allowed:
        return pl.Series(name, cells, dtype=pl.Object)
    example = next(cell for cell in cells if isinstance(cell, _NESTED))
    raise DataError(
        f"column {name!r} holds {example!r}: a cell (argument must be a string or a real number) "
        f"cannot be a {type(example).__name__}, so leave that column out"
    )
