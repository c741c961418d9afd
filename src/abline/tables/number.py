"""A column of numbers as standardised numbers, with its missing cells marked.

Centre and scale are the (weighted) mean and standard deviation of the training rows after
their missing cells got the median, as scikit-learn's SimpleImputer and StandardScaler would
have it; a row of weight 2 counts as that row twice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abline.errors import DataError
from abline.tables.far_cells import Bounds, find_bounds

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NumberEncoder:
    """The encoding of one column of numbers.

    Attributes
    ----------
    name : str
    lenient : bool
        Whether text that is no number counts as missing (or is an error).
    bounds : Bounds
        Where cells are clipped, and the range that most of the training cells lie in.
    fill : float
        What missing cells get: the median of the training rows.
    center, scale : float
        Of the standardisation; a scale of 0 leaves the column out.
    indicator : bool
        Whether missing cells have a column of their own.
    notes : tuple of str
        What was unusual in the training rows.
    """

    name: str
    lenient: bool
    bounds: Bounds
    fill: float
    center: float
    scale: float
    indicator: bool
    notes: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def fit(cls, cells: pl.Series, weights: Floats, *, lenient: bool = False) -> Self:
        """Learn the encoding.

        Parameters
        ----------
        cells : polars.Series of n numbers
        weights : array of shape (n,)
            All positive.
        lenient : bool, default=False

        Returns
        -------
        NumberEncoder
        """
        numbers = parse_numbers(cells, lenient=lenient)
        check_finite(numbers)
        values = numbers.to_numpy()
        present = ~np.isnan(values)
        if not present.any():
            return cls(cells.name, lenient, Bounds(0.0, 0.0), 0.0, 0.0, 0.0, False)
        bounds, far = find_bounds(values[present])
        values = bounds.clip(values)
        fill = weighted_median(values[present], weights[present])
        values = np.where(present, values, fill)
        center, scale = weighted_moments(values, weights)
        notes = (far_note(cells.name, far, bounds),) if len(far) else ()
        return cls(cells.name, lenient, bounds, fill, center, scale, not bool(present.all()), notes)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns that `transform` gives."""
        value = (self.name,) if self.scale > 0 else ()
        return (*value, f"{self.name} (missing)") if self.indicator else value

    @property
    def units(self) -> tuple[tuple[float, float], ...]:
        """What a step of each of those columns is in the table's units, and where they are 0."""
        value = ((self.scale, self.center),) if self.scale > 0 else ()
        return (*value, (1.0, 0.0)) if self.indicator else value

    def transform(self, cells: pl.Series) -> Floats:
        """Encode a column.

        Parameters
        ----------
        cells : polars.Series of n cells

        Returns
        -------
        array of shape (n, k), k the number of `feature_names`

        Raises
        ------
        DataError
            If a cell is text that is no number, or infinite.
        """
        numbers = parse_numbers(cells, lenient=self.lenient)
        check_finite(numbers)
        values = numbers.to_numpy()
        missing = np.isnan(values)
        columns = []
        if self.scale > 0:
            values = np.where(missing, self.fill, self.bounds.clip(values))
            columns.append((values - self.center) / self.scale)
        if self.indicator:
            columns.append(missing.astype(np.float64))
        return np.column_stack(columns) if columns else np.empty((len(values), 0))

    def notes_on(self, cells: pl.Series) -> tuple[str, ...]:
        """Say what is unusual about new cells: those clipped, and those missing for once.

        Parameters
        ----------
        cells : polars.Series of n cells

        Returns
        -------
        tuple of str
        """
        values = parse_numbers(cells, lenient=self.lenient).to_numpy()
        notes = []
        far = values[(values < self.bounds.lowest) | (values > self.bounds.highest)]
        if len(far):
            notes.append(far_note(self.name, far, self.bounds))
        missing = int(np.isnan(values).sum())
        if missing and not self.indicator:
            cells_are = "1 cell is" if missing == 1 else f"{missing:,} cells are"
            notes.append(
                f"{cells_are} missing in {self.name!r}, which had none in training: "
                f"the median {self.fill:.4g} takes the place"
            )
        return tuple(notes)

    def get_state(self) -> dict[str, Any]:
        """Give plain data, which `from_state` reads.

        Returns
        -------
        dict
        """
        return asdict(self) | {"notes": list(self.notes)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make an encoder from what `get_state` gave.

        Parameters
        ----------
        state : dict

        Returns
        -------
        NumberEncoder
        """
        return cls(**state | {"bounds": Bounds(**state["bounds"]), "notes": tuple(state["notes"])})


def parse_numbers(cells: pl.Series, *, lenient: bool = False) -> pl.Series:
    """Read cells as floats; missing ones become NaN.

    Parameters
    ----------
    cells : polars.Series of numbers, booleans or text; dates count in days since 1970
    lenient : bool, default=False
        Whether text that is no number counts as missing (or is an error).

    Returns
    -------
    polars.Series of floats

    Raises
    ------
    DataError
        If a cell is no number; the message names the column and the row.

    Examples
    --------
    >>> parse_numbers(pl.Series("size", ["1", " 2.5 ", None])).to_list()
    [1.0, 2.5, nan]
    """
    if cells.dtype == pl.String:
        text = cells.str.strip_chars()
        numbers = text.cast(pl.Float64, strict=False)
        lost = numbers.is_null() & cells.is_not_null()
        if lost.any():
            flags = text.str.to_lowercase().replace_strict(
                {"true": 1.0, "false": 0.0}, default=None, return_dtype=pl.Float64
            )
            numbers, lost = numbers.fill_null(flags), lost & flags.is_null()
        if lost.any() and not lenient:
            row = int(lost.arg_true()[0])
            raise DataError(
                f"column {cells.name!r} holds {cells[row]!r} in row {row + 1}, which is not a "
                "number as in training: mend it, or leave the cell empty"
            )
    elif cells.dtype.is_numeric() or cells.dtype in (pl.Boolean, pl.Null):
        numbers = cells.cast(pl.Float64)
    elif cells.dtype in (pl.Date, pl.Datetime):
        if not lenient:
            raise DataError(
                f"column {cells.name!r} holds dates, and held numbers in training: give it numbers"
            )
        numbers = cells.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 86_400e6
    else:
        raise DataError(
            f"column {cells.name!r} holds cells of type {cells.dtype.base_type()}, not numbers: "
            "give it numbers"
        )
    return numbers.fill_null(float("nan"))


def check_finite(cells: pl.Series) -> None:
    """Refuse infinite cells.

    Parameters
    ----------
    cells : polars.Series

    Raises
    ------
    DataError
        If one is infinite; the message names the column and the row.
    """
    if not cells.dtype.is_float():
        return
    infinite = cells.is_infinite().fill_null(False)
    if infinite.any():
        rows = infinite.arg_true()
        raise DataError(
            f"column {cells.name!r} is infinite (infinity, {cells[int(rows[0])]}) in row "
            f"{int(rows[0]) + 1}{_and_more(len(rows))}: mend that cell, or leave it empty"
        )


def weighted_median(values: Floats, weights: Floats) -> float:
    """The median of values that are repeated as often as their weights say.

    Parameters
    ----------
    values : array of shape (n,), none missing
    weights : array of shape (n,), all positive, of any scale

    Returns
    -------
    float

    Examples
    --------
    >>> weighted_median(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 2.0]))
    5.5
    """
    order = np.argsort(values, kind="stable")
    values, share = values[order], np.cumsum(weights[order])
    half = share[-1] / 2
    i = int(np.searchsorted(share, half * (1 - 1e-12)))
    if i + 1 < len(values) and share[i] <= half * (1 + 1e-12):
        return float(values[i] / 2 + values[i + 1] / 2)
    return float(values[i])


def weighted_moments(values: Floats, weights: Floats) -> tuple[float, float]:
    """Mean and standard deviation; the deviation of one single value is exactly 0.

    Parameters
    ----------
    values : array of shape (n,), none missing
    weights : array of shape (n,), all positive

    Returns
    -------
    tuple of float, float
    """
    size = float(np.abs(values).max(initial=0.0))
    if values.min() == values.max():
        return float(values[0]), 0.0
    scaled = values / size  # squares of 1e200 would overflow
    mean = float(np.average(scaled, weights=weights))
    spread = float(np.sqrt(np.average((scaled - mean) ** 2, weights=weights)))
    return mean * size, spread * size


def far_note(name: str, far: Floats, bounds: Bounds) -> str:
    """Say that cells were clipped.

    Parameters
    ----------
    name : str
        The column's.
    far : array
        The cells, before.
    bounds : Bounds

    Returns
    -------
    str
    """
    values = np.unique(far)
    shown = ", ".join(f"{value:.6g}" for value in values[:3]) + (", …" if len(values) > 3 else "")
    limits = [
        f"{limit:.4g}"
        for limit, hit in (
            (bounds.low, bool((far < bounds.lowest).any())),
            (bounds.high, bool((far > bounds.highest).any())),
        )
        if hit
    ]
    cells = "1 cell of" if len(far) == 1 else f"{len(far):,} cells of"
    verb = "is" if len(far) == 1 else "are"
    return (
        f"{cells} {name!r} {verb} far outside the rest ({shown}; the others lie in "
        f"{bounds.low:.4g} … {bounds.high:.4g}): clipped to {' and '.join(limits)}"
    )


def _and_more(count: int) -> str:
    return "" if count == 1 else f" and {count - 1:,} more"
