"""A date as years since the first one, and its place in the year, the week and the day.

The places are angles, given as sine and cosine so that midnight is beside 23:59, and only
those that the training rows vary in. Where many rows share a day, the day itself can have an
effect as well (see `level_effects`); a day that training did not have has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abline.errors import DataError
from abline.tables.category import CategoryEncoder
from abline.tables.dates import ISO, parse_dates
from abline.tables.number import NumberEncoder

Floats = NDArray[np.float64]

_DAY = 86_400e6  # microseconds
_YEAR = 365.2425  # days

#: a year's cycle needs some months of it to be told from a trend
_YEAR_CYCLE_DAYS = 120.0


@dataclass(frozen=True)
class DateEncoder:
    """The encoding of one column of dates.

    Attributes
    ----------
    name : str
    formats : tuple of str
        How text writes them.
    origin : float
        The first date of the training rows, in days since 1970.
    fill : float
        The median date, in days since 1970, which missing cells get.
    years : NumberEncoder
        Of the years since the origin.
    cycles : tuple of str
        Those of ``"year"``, ``"week"`` and ``"day"`` that have columns.
    effects : CategoryEncoder or None
        Of the days, as `days_of` names them.
    """

    name: str
    formats: tuple[str, ...] = field(repr=False)
    origin: float
    fill: float
    years: NumberEncoder
    cycles: tuple[str, ...]
    effects: CategoryEncoder | None = field(default=None, repr=False)

    @classmethod
    def fit(cls, cells: pl.Series, weights: Floats, *, formats: tuple[str, ...] = ISO) -> Self:
        """Learn the encoding.

        Parameters
        ----------
        cells : polars.Series of n dates, datetimes or text
        weights : array of shape (n,)
            All positive.
        formats : tuple of str
            From the schema.

        Returns
        -------
        DateEncoder
        """
        days = _days(cells, formats)
        present = days[~np.isnan(days)]
        origin = float(present.min()) if len(present) else 0.0
        years = NumberEncoder.fit(_years(cells.name, days, origin), weights)
        fill = origin + years.fill * _YEAR
        span = (years.bounds.high - years.bounds.low) * _YEAR
        cycles = tuple(
            name
            for name, place in _places(present).items()
            if len(np.unique(place)) > 1 and (name != "year" or span >= _YEAR_CYCLE_DAYS)
        )
        return cls(cells.name, formats, origin, fill, years, cycles)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns that `transform` gives."""
        waves = (f"{self.name} ({c} {wave})" for c in self.cycles for wave in ("sine", "cosine"))
        effects = () if self.effects is None else self.effects.feature_names
        return (*self.years.feature_names, *waves, *effects)

    @property
    def units(self) -> tuple[tuple[float, float], ...]:
        """What a step of each of those columns is: years since the first date, waves, effects."""
        effects = () if self.effects is None else self.effects.units
        return (*self.years.units, *[(1.0, 0.0)] * (2 * len(self.cycles)), *effects)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was unusual in the training rows."""
        return self.years.notes + (() if self.effects is None else self.effects.notes)

    def transform(self, cells: pl.Series) -> Floats:
        """Encode a column.

        Parameters
        ----------
        cells : polars.Series of n dates, datetimes or text

        Returns
        -------
        array of shape (n, k), k the number of `feature_names`

        Raises
        ------
        DataError
            If a cell is no date; the message names the column and the row.
        """
        days = _days(cells, self.formats)
        columns = [self.years.transform(_years(self.name, days, self.origin))]
        places = _places(np.where(np.isnan(days), self.fill, days))
        for cycle in self.cycles:
            angle = 2 * np.pi * places[cycle]
            columns += [np.sin(angle)[:, None], np.cos(angle)[:, None]]
        if self.effects is not None:
            columns.append(self.effects.transform(days_of(cells, self.formats)))
        return np.hstack(columns)

    def notes_on(self, cells: pl.Series) -> tuple[str, ...]:
        """Say what is unusual about new cells.

        Parameters
        ----------
        cells : polars.Series of n cells

        Returns
        -------
        tuple of str
        """
        years = (_days(cells, self.formats) - self.origin) / _YEAR
        bounds, missing = self.years.bounds, int(np.isnan(years).sum())
        far = int(((years < bounds.lowest) | (years > bounds.highest)).sum())
        notes = []
        if far:
            are = "1 cell of" if far == 1 else f"{far:,} cells of"
            verb = "is" if far == 1 else "are"
            first, last = (_day(self.origin + end * _YEAR) for end in (bounds.low, bounds.high))
            notes.append(
                f"{are} {self.name!r} {verb} far outside the dates of the training rows "
                f"({first} … {last}): the years are clipped"
            )
        if missing and not self.years.indicator:
            are = "1 cell is" if missing == 1 else f"{missing:,} cells are"
            notes.append(
                f"{are} missing in {self.name!r}, which had none in training: "
                f"{_day(self.fill)}, the median, takes the place"
            )
        return tuple(notes)

    def get_state(self) -> dict[str, Any]:
        """Give plain data, which `from_state` reads.

        Returns
        -------
        dict
        """
        return {
            "name": self.name,
            "formats": list(self.formats),
            "origin": self.origin,
            "fill": self.fill,
            "years": self.years.get_state(),
            "cycles": list(self.cycles),
            "effects": None if self.effects is None else self.effects.get_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make an encoder from what `get_state` gave.

        Parameters
        ----------
        state : dict

        Returns
        -------
        DateEncoder
        """
        texts = {key: tuple(state[key]) for key in ("formats", "cycles")}
        years, effects = NumberEncoder.from_state(state["years"]), state["effects"]
        if effects is not None:
            effects = CategoryEncoder.from_state(effects)
        return cls(**state | texts | {"years": years, "effects": effects})


def days_of(cells: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """Name the day of each cell.

    Parameters
    ----------
    cells : polars.Series of n dates, datetimes or text
    formats : tuple of str

    Returns
    -------
    polars.Series of text, such as ``"2024-01-31"``, called ``"… (day)"``
    """
    return parse_dates(cells, formats).dt.strftime("%Y-%m-%d").alias(f"{cells.name} (day)")


def _days(cells: pl.Series, formats: tuple[str, ...]) -> Floats:
    """Days since 1970, NaN where missing."""
    dates = parse_dates(cells, formats)
    lost = dates.is_null() & cells.is_not_null()
    if lost.any():
        row = int(lost.arg_true()[0])
        raise DataError(
            f"column {cells.name!r} holds {cells[row]!r} in row {row + 1}, which is no date as in "
            "training: mend it, or leave the cell empty"
        )
    micros = dates.dt.epoch("us").cast(pl.Float64)
    return np.asarray(micros.fill_null(float("nan")).to_numpy()) / _DAY


def _years(name: str, days: Floats, origin: float) -> pl.Series:
    return pl.Series(f"{name} (years since {_day(origin)})", (days - origin) / _YEAR)


def _day(days: float) -> np.datetime64:
    return np.datetime64(int(np.floor(days)), "D")


def _places(days: Floats) -> dict[str, Floats]:
    """Place each date in its year, week (from Monday) and day, from 0 to 1."""
    dates = np.floor(days).astype("datetime64[D]")
    year = dates.astype("datetime64[Y]")
    start = year.astype("datetime64[D]").astype(np.int64)
    length = (year + 1).astype("datetime64[D]").astype(np.int64) - start
    return {
        "year": (days - start) / length,
        "week": (np.floor(days) + 3) % 7 / 7,  # 1 January 1970 was a Thursday
        "day": days % 1.0,
    }
