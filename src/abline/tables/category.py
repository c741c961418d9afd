"""A category as numbers: each level stands for one row of a small matrix.

One-hot columns and effects of levels differ in the matrix alone (see `one_hot` and
`level_effects`). It has a row for levels that training never saw, so that every text can be
encoded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abline.errors import DataError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: how a missing cell is shown as a level
MISSING = "(missing)"


#: stands in the names of columns that hold estimated effects of levels
EFFECT = "(effect"


@dataclass(frozen=True)
class Levels:
    """The distinct values of a category in the training rows.

    Attributes
    ----------
    name : str
        The column's.
    values : tuple of str
        Sorted, the missing cell not among them.
    codes : array of shape (n,)
        The place of each training cell in ``values``; ``len(values)`` for a missing one.
    """

    name: str
    values: tuple[str, ...]
    codes: Integers

    @classmethod
    def of(cls, cells: pl.Series) -> Self:
        """Find the levels of a column.

        Parameters
        ----------
        cells : polars.Series

        Returns
        -------
        Levels
        """
        text = as_text(cells)
        values = text.drop_nulls().unique().sort()
        return cls(cells.name, tuple(values.to_list()), codes_of(text, values))

    @property
    def rows(self) -> Integers:
        """How many training rows each level has, the missing cell last."""
        return np.bincount(self.codes, minlength=len(self.values) + 1)

    @property
    def count(self) -> int:
        """How many levels there are, the missing cell among them where it occurs."""
        return len(self.values) + int((self.codes == len(self.values)).any())

    def label(self, code: int) -> str:
        """How a level is shown to people.

        Parameters
        ----------
        code : int

        Returns
        -------
        str
        """
        return self.values[code] if code < len(self.values) else MISSING


@dataclass(frozen=True)
class CategoryEncoder:
    """The encoding of one category.

    Attributes
    ----------
    name : str
    levels : tuple of str
        Those of the training rows.
    has_missing : bool
        Whether a training cell was missing.
    places : array of shape (l + 2,)
        The row of ``matrix`` for each level, for a missing cell and for an unseen level.
    matrix : array of shape (m, k)
        The numbers.
    feature_names : tuple of k str
    notes : tuple of str
        What was decided.
    """

    name: str
    levels: tuple[str, ...] = field(repr=False)
    has_missing: bool
    places: Integers = field(repr=False)
    matrix: Floats = field(repr=False)
    feature_names: tuple[str, ...]
    notes: tuple[str, ...] = field(default=(), repr=False)

    @property
    def estimated(self) -> bool:
        """Whether the numbers are estimates: effects of the levels on the target."""
        return any(EFFECT in name for name in self.feature_names)

    @property
    def units(self) -> tuple[tuple[float, float], ...]:
        """What a step of each column is, and where they are 0: they are as they are."""
        return ((1.0, 0.0),) * len(self.feature_names)

    def transform(self, cells: pl.Series) -> Floats:
        """Encode a column.

        Parameters
        ----------
        cells : polars.Series of n cells
            Numbers are compared as text: 1 and 1.0 are the level ``"1"``.

        Returns
        -------
        array of shape (n, k)
        """
        return self.matrix[self.places[self._codes(cells)]]

    def notes_on(self, cells: pl.Series) -> tuple[str, ...]:
        """Say how many cells hold levels that training did not have.

        Parameters
        ----------
        cells : polars.Series of n cells

        Returns
        -------
        tuple of str
        """
        codes = self._codes(cells)
        unseen = int((codes == len(self.levels) + 1).sum())
        missing = int((codes == len(self.levels)).sum())
        notes = []
        if unseen:
            hold = "1 cell of" if unseen == 1 else f"{unseen:,} cells of"
            verb = "holds a level" if unseen == 1 else "hold levels"
            notes.append(f"{hold} {self.name!r} {verb} not seen in training")
        if missing and not self.has_missing:
            cells_are = "1 cell is" if missing == 1 else f"{missing:,} cells are"
            notes.append(f"{cells_are} missing in {self.name!r}, which had none in training")
        return tuple(notes)

    def _codes(self, cells: pl.Series) -> Integers:
        return codes_of(as_text(cells), pl.Series(self.levels, dtype=pl.String))

    def get_state(self) -> dict[str, Any]:
        """Give plain data, which `from_state` reads.

        Returns
        -------
        dict
        """
        return {
            "name": self.name,
            "levels": list(self.levels),
            "has_missing": self.has_missing,
            "places": self.places,
            "matrix": self.matrix,
            "feature_names": list(self.feature_names),
            "notes": list(self.notes),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make an encoder from what `get_state` gave.

        Parameters
        ----------
        state : dict

        Returns
        -------
        CategoryEncoder
        """
        texts = {key: tuple(state[key]) for key in ("levels", "feature_names", "notes")}
        return cls(**state | texts)


def as_text(cells: pl.Series) -> pl.Series:
    """Write cells as the text of levels, so that "1", 1 and 1.0 are one level.

    Parameters
    ----------
    cells : polars.Series

    Returns
    -------
    polars.Series of text

    Raises
    ------
    DataError
        If the cells are lists, bytes or the like.

    Examples
    --------
    >>> as_text(pl.Series([1.0, 2.5, None])).to_list(), as_text(pl.Series(["1.0"])).to_list()
    (['1', '2.5', None], ['1'])
    """
    if cells.dtype.is_nested() or cells.dtype in (pl.Binary, pl.Object):
        raise DataError(
            f"column {cells.name!r} holds cells of type {cells.dtype.base_type()}, and held text "
            "in training: give it text"
        )
    if cells.dtype.is_temporal():  # a date is that day at midnight
        cells = cells.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S%.f")
        return cells.str.strip_suffix(" 00:00:00")
    text = cells.cast(pl.String)
    if cells.dtype.is_float() or cells.dtype == pl.String:
        text = text.str.replace(r"^(-?\d+)\.0+$", "$1")
    return text


def codes_of(text: pl.Series, levels: pl.Series) -> Integers:
    """Look levels up.

    Parameters
    ----------
    text : polars.Series of n str
    levels : polars.Series of l str, all different

    Returns
    -------
    array of shape (n,)
        The place among the levels; l for a missing cell, l + 1 for any other text.
    """
    count = len(levels)
    if count == 0:
        codes = pl.Series([count + 1], dtype=pl.Int64).new_from_index(0, len(text))
    else:
        codes = text.cast(pl.Enum(levels), strict=False).to_physical().cast(pl.Int64)
        codes = codes.fill_null(count + 1)
    return np.where(text.is_null().to_numpy(), count, codes.to_numpy())
