"""What a column of text means: numbers, true and false, dates, or text after all.

Polars has read plain numbers already; what comes here are columns with blanks around cells,
words for missing cells, decimal commas or dates.
"""

from __future__ import annotations

import polars as pl

#: pandas' words for a missing cell
MISSING_WORDS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip

#: share of cells that must be numbers for a text column to be worth a note
_NEARLY = 0.9
#: cells that are numbers, from which on a column's being text is worth a note
_MOSTLY = 0.5

_COMMA_NUMBER = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d*)?([eE][+-]?\d+)?$|^[+-]?,\d+$|^[+-]?inf$"
_WHOLE_NUMBER = r"^[+-]?\d+$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_OFFSET = r"(Z|[+-]\d{2}:?\d{2})$"
_DATETIME = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"


def blank_words(column: pl.Series, words: tuple[str, ...]) -> pl.Series:
    """Turn words for a missing cell into nulls, blanks around them or not.

    Parameters
    ----------
    column : polars.Series of text
    words : tuple of str

    Returns
    -------
    polars.Series of text
        Other cells keep their blanks.

    Examples
    --------
    >>> blank_words(pl.Series([" NA", " red"]), ("NA",)).to_list()
    [None, ' red']
    """
    is_word = column.str.strip_chars().is_in(list(words))
    return column.set(is_word, None) if is_word.any() else column


def type_column(column: pl.Series, decimal: str = ".") -> pl.Series:
    """Give a column of text the type that all its cells have.

    Parameters
    ----------
    column : polars.Series of text
        Missing cells are nulls.
    decimal : {".", ","}, default="."
        Of numbers. With a comma, points between thousands may stand too.

    Returns
    -------
    polars.Series
        Of booleans, whole numbers, floats, dates, datetimes (those with an offset in naive
        UTC), or the text as it was. A column without cells is one of floats.

    Examples
    --------
    >>> type_column(pl.Series(["1.250,5 ", None, "3"]), decimal=",").to_list()
    [1250.5, None, 3.0]
    >>> type_column(pl.Series(["2024-02-29", "2024-03-01 06:30Z"])).dtype
    Datetime(time_unit='us', time_zone=None)
    """
    if column.null_count() == len(column):
        return column.cast(pl.Float64)
    cells = column.str.strip_chars()
    lower = cells.str.to_lowercase()
    if lower.is_in(["true", "false"]).all():  # nulls do not count
        return lower == "true"
    numbers = as_numbers(cells, decimal)
    if numbers.null_count() == column.null_count():
        return _whole(cells, numbers)
    dates = _as_dates(cells)
    return column if dates is None else dates


def as_numbers(cells: pl.Series, decimal: str) -> pl.Series:
    """Turn text into numbers where it is one, and into nulls elsewhere.

    Parameters
    ----------
    cells : polars.Series of text without blanks around it
    decimal : {".", ","}

    Returns
    -------
    polars.Series of float64
    """
    if decimal == ",":
        # not str.replace_all on every cell: "1.5" must not become 15
        cells = cells.set(~cells.str.contains(_COMMA_NUMBER), None)
        cells = cells.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return cells.cast(pl.Float64, strict=False)


def has_decimal_commas(column: pl.Series) -> bool:
    """Say whether a column of text looks like numbers with decimal commas.

    Parameters
    ----------
    column : polars.Series of text
        Missing cells are nulls.

    Returns
    -------
    bool

    Examples
    --------
    >>> has_decimal_commas(pl.Series(["1,5", "2"])), has_decimal_commas(pl.Series(["1.5"]))
    (True, False)
    """
    cells = column.str.strip_chars().drop_nulls()
    if not cells.str.contains(",", literal=True).any():
        return False
    return bool(cells.str.contains(_COMMA_NUMBER).sum() >= _NEARLY * len(cells))


def nearly_numbers(column: pl.Series, decimal: str = ".") -> str | None:
    """Explain why a column is text although nearly all of its cells are numbers.

    Parameters
    ----------
    column : polars.Series of text
    decimal : {".", ","}, default="."

    Returns
    -------
    str or None
        A sentence with the first cell that is no number, its row and a remedy; None if fewer
        than half of the cells are numbers.

    Examples
    --------
    >>> nearly_numbers(pl.Series("area", ["1"] * 9 + ["?"]))
    "column 'area' is text because of '?' in row 10: --na '?' would make it a number"
    """
    numbers = as_numbers(column.str.strip_chars(), decimal)
    filled = len(column) - column.null_count()
    parsed = len(numbers) - numbers.null_count()
    if parsed < _MOSTLY * filled or parsed == filled:
        return None
    wrong = numbers.is_null() & column.is_not_null()
    row = wrong.arg_max() or 0
    cell = column[row]
    others = column.filter(wrong).str.strip_chars().n_unique() - 1
    remedy = f"--na {cell.strip()!r} would make it a number"
    if others:
        verb = "cell is" if others == 1 else "different cells are"
        remedy = f"{others} other {verb} no number either, name with --na those that mean missing"
    return f"column {column.name!r} is text because of {cell!r} in row {row + 1}: {remedy}"


def _whole(cells: pl.Series, numbers: pl.Series) -> pl.Series:
    if not cells.str.contains(_WHOLE_NUMBER).all():
        return numbers
    whole = cells.str.strip_prefix("+").cast(pl.Int64, strict=False)
    return whole if whole.null_count() == cells.null_count() else numbers  # too large for 64 bits


def _as_dates(cells: pl.Series) -> pl.Series | None:
    cells = cells.str.replace(" ", "T", literal=True)
    if not cells.str.contains(_DATETIME).all():
        return None
    if cells.str.contains(_DATE).all():
        dates = cells.str.to_date("%Y-%m-%d", strict=False)
    else:
        # one form for all: midnight where there is only a date, whole seconds, UTC
        full = cells.str.replace(r"^(.{10})$", "${1}T00:00:00")
        full = full.str.replace(r"^(.{16})(Z|[+-].*)?$", "${1}:00${2}")
        offset = full.str.contains(_OFFSET)
        full = full.zip_with(offset.fill_null(value=True), full + "Z")
        times = full.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", strict=False)
        dates = times.dt.replace_time_zone(None)
    return dates if dates.null_count() == cells.null_count() else None
