"""How a text table is laid out: its delimiter, names, and cells per row.

CSV has no standard, so what a file does not say is found from its first rows, and every row
is then counted with the standard library's reader: a faster reader would fill short rows up
with missing cells and rename columns of one name without a word.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abline.errors import DataError
from abline.tables.csv_records import from_header, is_blank, open_records
from abline.tables.delimiter import find_delimiter, spoken
from abline.tables.text_encoding import refuse_encoding

if TYPE_CHECKING:
    from typing import Any, NoReturn

    from abline.tables.source import Source


@dataclass(frozen=True)
class Layout:
    """What is known of a text table before its cells are read.

    Attributes
    ----------
    delimiter : str
    names : tuple of str
        Of the columns, no two the same and none empty.
    lines : int
        Records below the header, blank ones included.
    blank : tuple of int
        Those records, counted from 0, which are no row of the table.
    notes : tuple of str
        What was found or decided that a person may want to know.
    """

    delimiter: str
    names: tuple[str, ...]
    lines: int
    blank: tuple[int, ...]
    notes: tuple[str, ...]


def find_layout(source: Source, delimiter: str | None, usual: str | None = None) -> Layout:
    """Find the delimiter and the names, and count the cells of every row.

    A blank line is no row, as for pandas; only in a table of one column, where it may be a
    missing cell, are those before the last row kept.

    Parameters
    ----------
    source : Source
        UTF-8 text.
    delimiter : str or None
        None is to be found.
    usual : str, optional
        The one that the file's ending promises.

    Returns
    -------
    Layout

    Raises
    ------
    DataError
        If it is not UTF-8, has no rows, a row of another length, two columns of one name, or
        a quote that is not closed.
    """
    notes: tuple[str, ...] = ()
    if delimiter is None:
        delimiter = find_delimiter(source, usual)
        if delimiter not in (",", usual):
            notes = (f"the cells are separated by {spoken(delimiter)}",)
    header, lines, blank = _count(source, delimiter)
    names, more = _name_columns(source, header)
    return Layout(delimiter, names, lines, tuple(blank), notes + more)


def _count(source: Source, delimiter: str) -> tuple[list[str], int, list[int]]:
    """Check that all rows are as long as the header; also tells which records are blank."""
    header: list[str] = []
    count = 0
    blank: list[int] = []
    with open_records(source, delimiter) as reader:
        try:
            rows = from_header(reader)
            header = next(rows, [])
            width = len(header)
            for row in rows:
                if len(row) != width:
                    if not is_blank(row):
                        _refuse_row(source, reader, row, count - len(blank) + 1, width)
                    blank.append(count)
                count += 1
        except csv.Error as error:
            _refuse_quote(source, error, reader.line_num)
        except UnicodeDecodeError:
            refuse_encoding(source, "utf-8")
    if width == 1:
        # a blank line in the middle may be a missing cell; those at the end are none
        tail = [row for index, row in enumerate(reversed(blank)) if row == count - 1 - index]
        blank = tail[::-1]
    if not header:
        raise DataError(
            f"{source.name} holds nothing but blank lines: name a file with a header and rows"
        )
    if count == len(blank):
        raise DataError(f"{source.name} has a header and no rows: add rows, or name another file")
    return header, count, blank


def _name_columns(source: Source, header: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    taken = Counter(name for name in header if name.strip())
    twice = next((name for name, count in taken.items() if count > 1), None)
    if twice is not None:
        first, second = [i + 1 for i, name in enumerate(header) if name == twice][:2]
        raise DataError(
            f"{source.name} has two columns called {twice!r} (columns {first} and {second}): "
            "rename one, and check that the first line holds the columns' names"
        )
    names, notes = list(header), []
    for index, name in enumerate(header):
        if not name.strip():
            names[index] = f"column_{index + 1}"
            while names[index] in taken:
                names[index] += "_"
            taken[names[index]] += 1
            notes.append(f"column {index + 1} has no name and is called {names[index]!r}")
    if all(_is_number(name) for name in header):
        notes.append("the first line, taken for the columns' names, holds nothing but numbers")
    return tuple(names), tuple(notes)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _refuse_row(source: Source, reader: Any, row: list[str], number: int, width: int) -> NoReturn:
    line = reader.line_num - sum(cell.count("\n") for cell in row)
    raise DataError(
        f"{source.name} has {_cells(len(row))} in row {number} (line {line}), where its header "
        f"has {width}: mend that row, quote cells that hold {reader.dialect.delimiter!r}, or name "
        "another --delimiter"
    )


def _refuse_quote(source: Source, error: csv.Error, line: int) -> NoReturn:
    if "expected after" in str(error):
        raise DataError(
            f'{source.name} has a quote (") inside a quoted cell in line {line}: double it ("") or '
            "name the right --delimiter"
        ) from error
    if "field limit" in str(error):
        raise DataError(
            f"{source.name} has a cell of more than {csv.field_size_limit():,} characters that "
            f'ends after line {line - 1}: close the quote (") before it'
        ) from error
    raise DataError(
        f'{source.name} ends inside a quoted cell: close the quote (") that is left open'
    ) from error
