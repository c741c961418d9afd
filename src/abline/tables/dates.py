"""Text as dates: ISO 8601 by itself, a few other habits where a person says it is a date."""

from __future__ import annotations

import polars as pl

from abline.errors import DataError

#: ISO dates, with or without a time of day, a fraction of a second and a time zone
ISO = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
)

#: what else a column may hold that a person calls a date
OTHER = ("%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")

_ISO_SHAPE = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*$"

_DATETIME = pl.Datetime("us")


def looks_like_dates(cells: pl.Series) -> bool:
    """Say whether every cell of a text column that is not missing is an ISO date.

    Parameters
    ----------
    cells : polars.Series of text

    Returns
    -------
    bool

    Examples
    --------
    >>> looks_like_dates(pl.Series(["2024-02-29", None, "2024-03-01T09:30"]))
    True
    >>> looks_like_dates(pl.Series(["2024-02-30"]))
    False
    """
    present = cells.drop_nulls()
    # almost any other text fails on its first cells already
    for part in (present.head(100), present):
        if part.is_empty() or not part.str.contains(_ISO_SHAPE).all():
            return False
    return parse_dates(cells, ISO).null_count() == cells.null_count()


def find_formats(cells: pl.Series) -> tuple[str, ...]:
    """Find how a column that a person calls dates writes them.

    Parameters
    ----------
    cells : polars.Series of text, whole numbers, dates or datetimes

    Returns
    -------
    tuple of str
        For `parse_dates`.

    Raises
    ------
    DataError
        If no format reads all cells, or two read them differently.

    Examples
    --------
    >>> find_formats(pl.Series("sold", ["31.01.2024", "01.02.2024"]))
    ('%d.%m.%Y',)
    """
    if cells.dtype.is_temporal():
        return ISO
    wanted = cells.len() - cells.null_count()
    readings = {}
    for formats in (ISO, *((one,) for one in OTHER)):
        dates = parse_dates(cells, formats)
        if dates.len() - dates.null_count() == wanted:
            readings[formats] = dates
    if not readings:
        first = cells.drop_nulls()
        raise DataError(
            f"column {cells.name!r} holds {first[0]!r}, say, which is no date that can be read: "
            "write dates as 2024-01-31, or drop it from --date"
            if len(first)
            else f"column {cells.name!r} has no date in any row: drop it from --date"
        )
    found, dates = next(iter(readings.items()))
    if any(not other.equals(dates) for other in readings.values()):
        raise DataError(
            f"column {cells.name!r} has dates such as {cells.drop_nulls()[0]!r}, where day and "
            "month cannot be told apart: write dates as 2024-01-31"
        )
    return found


def parse_dates(cells: pl.Series, formats: tuple[str, ...] = ISO) -> pl.Series:
    """Read a column as datetimes; cells that are none become null.

    Parameters
    ----------
    cells : polars.Series of text, whole numbers, dates or datetimes
    formats : tuple of str, default=ISO

    Returns
    -------
    polars.Series of datetimes, naive, UTC where the text has a time zone

    Raises
    ------
    DataError
        If the cells are of a type that cannot be dates.
    """
    if cells.dtype in (pl.Date, pl.Datetime, pl.Null):
        return cells.cast(_DATETIME)
    if cells.dtype.is_numeric():
        cells = cells.cast(pl.Int64, strict=False).cast(pl.String)
    if cells.dtype != pl.String:
        raise DataError(
            f"column {cells.name!r} holds cells of type {cells.dtype.base_type()}, not dates: "
            "give it dates"
        )
    text = cells.str.strip_chars().str.replace("T", " ", literal=True)
    text = text.str.replace(r"\s*Z$", "+00:00").str.replace(r"\s+([+-]\d{2}:?\d{2})$", "$1")
    distinct = text.unique()
    parsed = pl.DataFrame({"text": distinct}).select(
        "text", date=pl.coalesce(_strptime(one) for one in formats)
    )
    dates = pl.DataFrame({"text": text}).join(parsed, on="text", how="left", maintain_order="left")[
        "date"
    ]
    return dates.alias(cells.name)


def _strptime(one: str) -> pl.Expr:
    if "z" in one:
        zoned = pl.Datetime("us", "UTC")
        return pl.col("text").str.strptime(zoned, one, strict=False).dt.replace_time_zone(None)
    if "%H" in one:
        return pl.col("text").str.strptime(_DATETIME, one, strict=False)
    return pl.col("text").str.strptime(pl.Date, one, strict=False).cast(_DATETIME)
