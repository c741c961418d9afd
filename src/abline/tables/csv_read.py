"""Read a text table with polars, once its layout is known."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import polars as pl

from abline.errors import DataError
from abline.tables.csv_layout import find_layout
from abline.tables.csv_records import from_header, open_records
from abline.tables.text_columns import (
    blank_words,
    has_decimal_commas,
    nearly_numbers,
    type_column,
)
from abline.tables.text_encoding import as_utf8

if TYPE_CHECKING:
    from abline.tables.csv_layout import Layout
    from abline.tables.source import Source

#: rows that polars first finds the types by; several times faster than by all
_TYPED_BY = 10_000


def read_text(
    source: Source,
    *,
    delimiter: str | None,
    decimal: str | None,
    encoding: str | None,
    words: tuple[str, ...],
    usual: str | None = None,
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a text table.

    Parameters
    ----------
    source : Source
    delimiter : str or None
        None is to be found.
    decimal : {".", ","} or None
        None: a comma where the delimiter is another, some columns look like 1234,5 and none
        like 1234.5.
    encoding : str or None
        None: by the byte order mark, or UTF-8.
    words : tuple of str
        For a missing cell.
    usual : str, optional
        The delimiter that the file's ending promises.

    Returns
    -------
    frame : polars.DataFrame
    notes : tuple of str
        What was found.

    Raises
    ------
    DataError
        If it is no such table.
    """
    source, found = as_utf8(source, encoding)
    notes: tuple[str, ...] = ()
    if found != "utf-8" and encoding is None:
        notes = (f"the text is {found.upper()}",)
    layout = find_layout(source, delimiter, usual)
    frame = _parse(source, layout, words, as_text=decimal == ",")
    frame = frame.with_columns(
        blank_words(column, words) for column in _text_columns(frame).values()
    )
    if decimal is None:
        decimal, more = _find_decimal(frame, layout.delimiter)
        notes += more
    texts = {name: type_column(column, decimal) for name, column in _text_columns(frame).items()}
    frame = frame.with_columns(texts.values())
    nearly = (nearly_numbers(column, decimal) for column in _text_columns(frame).values())
    return frame, (*notes, *layout.notes, *(note for note in nearly if note))


def _text_columns(frame: pl.DataFrame) -> dict[str, pl.Series]:
    return {column.name: column for column in frame if column.dtype == pl.String}


def _parse(
    source: Source, layout: Layout, words: tuple[str, ...], *, as_text: bool
) -> pl.DataFrame:
    """Read the cells; polars types plain numbers itself unless ``as_text``."""

    def read(origin: Any) -> pl.DataFrame | None:
        try:
            frame = _polars_csv(origin, layout.delimiter, words, as_text)
        except pl.exceptions.PolarsError:
            return None
        return frame if frame.shape == (layout.lines, len(layout.names)) else None

    frame = read(source.path or source.data)
    if frame is None:
        # quotes inside of unquoted cells, or bare carriage returns as line ends: polars and
        # the standard library read them differently, so write them as both read them
        frame = read(_rewrite(source, layout.delimiter))
    if frame is None:
        raise DataError(f"{source.name} cannot be read as CSV: quote its cells, or use Parquet")
    frame.columns = list(layout.names)
    if layout.blank:
        is_blank = pl.Series([False]).extend_constant(False, frame.height - 1)
        frame = frame.filter(~is_blank.scatter(list(layout.blank), True))
    return frame


def _polars_csv(origin: Any, delimiter: str, words: tuple[str, ...], as_text: bool) -> pl.DataFrame:
    def read(typed_by: int | None) -> pl.DataFrame:
        return pl.read_csv(
            origin,
            separator=delimiter,
            null_values=list(words),
            infer_schema=not as_text,
            infer_schema_length=typed_by,
            glob=False,
        )

    try:
        return read(_TYPED_BY)
    except pl.exceptions.PolarsError:
        return read(None)  # a later row is of another type: look at all, which is slower


def _rewrite(source: Source, delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    width = 0
    with open_records(source, delimiter) as reader:
        for record in from_header(reader):
            width = width or len(record)
            # a blank line stays a record, so that they can be told by their number
            writer.writerow(record if len(record) == width else [""] * width)
    return text.getvalue().encode("utf-8")


def _find_decimal(frame: pl.DataFrame, delimiter: str) -> tuple[str, tuple[str, ...]]:
    if delimiter == ",":
        return ".", ()
    commas = [name for name, column in _text_columns(frame).items() if has_decimal_commas(column)]
    if not commas:
        return ".", ()
    points = [column.name for column in frame if column.dtype.is_float()]
    if points:
        return ".", (
            f"column {commas[0]!r} has decimal commas and {points[0]!r} decimal points: "
            "pass --decimal , if the commas are right",
        )
    return ",", (f"decimal commas are read as such (in {commas[0]!r}, say)",)
