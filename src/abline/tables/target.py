"""Take the target, and the weights, out of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from abline.errors import DataError, ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelledTable:
    """A table whose rows all have a target.

    Attributes
    ----------
    features : polars.DataFrame of n rows
        All columns but the target and the weights.
    target : polars.Series of n floats
        Named as in the table.
    weights : array of shape (n,), or None
    notes : tuple of str
        What was left out, one sentence each.
    weights_name : str or None
        The column that the weights came from.
    """

    features: pl.DataFrame
    target: pl.Series
    weights: NDArray[np.float64] | None
    notes: tuple[str, ...]
    weights_name: str | None = None

    @property
    def y(self) -> NDArray[np.float64]:
        """The target as an array of shape (n,)."""
        return self.target.to_numpy()


def split_target(
    table: pl.DataFrame, target: str, *, weights: str | None = None, constant_ok: bool = False
) -> LabelledTable:
    """Split a table into features, target and weights.

    Parameters
    ----------
    table : polars.DataFrame
    target : str
        The column to predict: numbers (or true and false). Rows where it is missing are left
        out.
    weights : str, optional
        The column of the rows' weights, none negative or missing; it is no feature.
    constant_ok : bool, default=False
        Whether one single value may do, as for scoring a single row.

    Returns
    -------
    LabelledTable

    Raises
    ------
    DataError
        If there is no such column, or it is text, constant, infinite or empty.
    ParameterError
        If target and weights are one column.

    Examples
    --------
    >>> homes = pl.DataFrame({"rooms": [1, 2, 3], "price": [100.0, None, 300.0]})
    >>> split_target(homes, "price").notes
    ("1 of 3 rows has no 'price' and is left out",)
    """
    check_known([target], table.columns, "--target")
    if weights is not None:
        check_known([weights], table.columns, "--weights")
        if weights == target:
            raise ParameterError(
                f"{target!r} cannot be both the target and the weights: name another for --weights"
            )
    if table.width == 1 + (weights is not None):
        raise DataError(
            f"the table has no column but the target {target!r}: add columns to predict it from"
        )
    numbers = _as_numbers(table[target], f"the target {target!r}")
    present = numbers.is_not_null()
    missing = int((~present).sum())
    if missing == table.height:
        raise DataError(f"the target {target!r} is missing in every row: choose another column")
    table, numbers = table.filter(present), numbers.filter(present)
    _check_finite(numbers, present, f"the target {target!r}")
    if not constant_ok and numbers.n_unique() == 1:
        raise DataError(
            f"the target {target!r} is {numbers[0]:g} in every row: there is nothing to predict, "
            "choose another column"
        )
    notes: tuple[str, ...] = ()
    if missing:
        verb = "has" if missing == 1 else "have"
        left = "is left out" if missing == 1 else "are left out"
        notes = (f"{missing:,} of {len(present):,} rows {verb} no {target!r} and {left}",)
    out = [target] if weights is None else [target, weights]
    return LabelledTable(
        table.drop(out),
        numbers,
        None if weights is None else _weights(table[weights]),
        notes,
        weights,
    )


def check_roles(
    roles: Mapping[str, Iterable[str] | None], target: str, weights: str | None = None
) -> None:
    """Check that no role is asked for the target or the weights.

    Parameters
    ----------
    roles : mapping from role option to columns
    target : str
    weights : str, optional

    Raises
    ------
    ParameterError
        If one is.
    """
    taken = {target: "the target"} | ({} if weights is None else {weights: "the weights"})
    for option, names in roles.items():
        for name in names or ():
            if name in taken:
                raise ParameterError(
                    f"--{option} names {name!r}, which is {taken[name]}: leave it out there"
                )


def check_known(names: Iterable[str], columns: Iterable[str], option: str) -> None:
    """Check that columns exist.

    Parameters
    ----------
    names : iterable of str
        Those asked for.
    columns : iterable of str
        Those of the table.
    option : str
        Where they were asked for (``"--keep"``).

    Raises
    ------
    DataError
        If one does not; the message has the nearest names.
    """
    known = list(columns)
    for name in names:
        if name not in known:
            near = did_you_mean(name, known)
            hint = f": {near}" if near else ""
            raise DataError(f"the table has no column {name!r}, named by {option}{hint}")


def _as_numbers(column: pl.Series, what: str) -> pl.Series:
    if column.dtype == pl.Boolean or column.dtype.is_decimal():
        column = column.cast(pl.Float64)
    if column.dtype == pl.Null:
        column = column.cast(pl.Float64)
    if not column.dtype.is_numeric():
        example = next((value for value in column if value is not None), None)
        raise DataError(
            f"{what} is not a number ({str(example)!r}, say): choose a column of numbers, "
            "or name its text for missing cells with --na"
        )
    return column.cast(pl.Float64).fill_nan(None)


def _check_finite(numbers: pl.Series, present: pl.Series, what: str) -> None:
    infinite = numbers.is_infinite().to_numpy()
    if infinite.any():
        row = int(np.flatnonzero(present.to_numpy())[np.flatnonzero(infinite)[0]]) + 1
        raise DataError(f"{what} is infinite in row {row}: mend or leave out that row")


def _weights(column: pl.Series) -> NDArray[np.float64]:
    what = f"the weights column {column.name!r}"
    weights = _as_numbers(column, what)
    wrong = (weights.is_null() | ~weights.is_finite() | (weights < 0)).fill_null(True)
    if wrong.any():
        raise DataError(
            f"{what} has {int(wrong.sum())} missing, infinite or negative cells: give every row "
            "with a target a weight of zero or more"
        )
    if not (weights > 0).any():
        raise DataError(f"{what} is zero in every row: give at least one row a weight")
    return weights.to_numpy()
