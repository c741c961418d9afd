"""How a text table is laid out: its encoding, delimiter, names, and cells per row.

CSV has no standard, so what a file does not say is found from its first rows, and every row
is then counted with the standard library's reader: a faster reader would fill short rows up
with missing cells and rename columns of one name without a word.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abline.errors import DataError, ParameterError
from abline.tables.source import READABLE, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

_SAMPLE = 1 << 16
_DELIMITERS = (",", ";", "\t", "|")
_DELIMITER_NAMES = {
    "\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ",
}  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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


def check_delimiter(delimiter: str | None) -> str | None:
    r"""Turn what a person calls a delimiter into the character.

    Parameters
    ----------
    delimiter : str or None
        A character, or ``"tab"``, ``"\\t"``, ``"comma"``, ``"semicolon"``, ``"pipe"``,
        ``"space"``; None stays None.

    Returns
    -------
    str or None

    Raises
    ------
    ParameterError
        If it is no single plain character.

    Examples
    --------
    >>> check_delimiter("tab")
    '\t'
    """
    if delimiter is None:
        return None
    character = _DELIMITER_NAMES.get(delimiter.lower(), delimiter)
    if (
        len(character) != 1
        or not character.isascii()
        or character.isalnum()
        or character in '"\r\n'
    ):
        raise ParameterError(
            f"--delimiter cannot be {delimiter!r}: give one character such as ';', or 'tab'"
        )
    return character


def check_encoding(encoding: str | None) -> str | None:
    """Check the name of an encoding.

    Parameters
    ----------
    encoding : str or None
        As Python knows it; None stays None.

    Returns
    -------
    str or None
        Its one name among several.

    Raises
    ------
    ParameterError
        If Python knows no text encoding of that name.

    Examples
    --------
    >>> check_encoding("latin1")
    'iso8859-1'
    """
    if encoding is None:
        return None
    try:
        "".encode(encoding)  # codecs.lookup knows some that are not for text
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise ParameterError(
            f"--encoding cannot be {encoding!r}: give one that Python knows, such as 'utf-8', "
            "'latin-1', 'cp1252' or 'utf-16'"
        ) from None
    return "utf-8" if name == "utf-8-sig" else name


def as_utf8(source: Source, encoding: str | None) -> tuple[Source, str]:
    """Bring a text to UTF-8; one that is so already is not copied.

    Parameters
    ----------
    source : Source
    encoding : str or None
        None: by the byte order mark at its start, UTF-8 where there is none.

    Returns
    -------
    source : Source
        Of UTF-8 (whether all its bytes are is seen when its rows are checked).
    encoding : str
        That it had.

    Raises
    ------
    DataError
        If it is no text, or not in that encoding.
    """
    head = source.head(1024)
    found = encoding or next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    if found == "utf-8":
        if b"\0" in head:
            raise DataError(
                f"{source.name} is not a table: it holds bytes that no text has "
                f"(abline reads {READABLE}; for UTF-16 text pass --encoding utf-16-le)"
            )
        return source, found
    out = io.BytesIO()
    try:
        with io.TextIOWrapper(source.open(), encoding=found, newline="") as text:
            while chunk := text.read(_SAMPLE):
                out.write(chunk.encode("utf-8"))
    except UnicodeError:
        _refuse_encoding(source, found)
    return Source(source.name, source.ending, data=out.getvalue()), found


def find_layout(source: Source, delimiter: str | None) -> Layout:
    """Find the delimiter and the names, and count the cells of every row.

    A blank line is no row, as for pandas; only in a table of one column, where it may be a
    missing cell, are those before the last row kept.

    Parameters
    ----------
    source : Source
        UTF-8 text.
    delimiter : str or None
        None: the one of ``, ; tab |`` that gives the first rows as many cells as the header,
        and a comma for a single column.

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
        sample = source.head(_SAMPLE)
        delimiter = _sniff(sample, whole=len(sample) < _SAMPLE)
        if delimiter != ",":
            notes = (f"the cells are separated by {_spoken(delimiter)}",)
    header, lines, blank = _count(source, delimiter)
    names, more = _name_columns(source, header)
    return Layout(delimiter, names, lines, tuple(blank), notes + more)


def records(source: Source, delimiter: str, *, strict: bool = True) -> Iterator[list[str]]:
    """Read records one by one, leaving out blank lines above the header.

    Parameters
    ----------
    source : Source
        UTF-8 text.
    delimiter : str
    strict : bool, default=True
        Whether a misplaced quote is an error.

    Yields
    ------
    list of str
        Empty for a blank line.
    """
    with io.TextIOWrapper(source.open(), encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, strict=strict)
        yield from _from_header(reader)


def _from_header(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    for record in reader:
        if not _is_blank(record):
            yield record
            break
    yield from reader


def _is_blank(record: list[str]) -> bool:
    return not record or (len(record) == 1 and not record[0].strip())


def _count(source: Source, delimiter: str) -> tuple[list[str], int, list[int]]:
    """Check that all rows are as long as the header; also tells which records are blank."""
    header: list[str] = []
    count = 0
    blank: list[int] = []
    with io.TextIOWrapper(source.open(), encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            rows = _from_header(reader)
            header = next(rows, [])
            width = len(header)
            for row in rows:
                if len(row) != width:
                    if not _is_blank(row):
                        _refuse_row(source, reader, row, count - len(blank) + 1, width)
                    blank.append(count)
                count += 1
        except csv.Error as error:
            _refuse_quote(source, error, reader.line_num)
        except UnicodeDecodeError:
            _refuse_encoding(source, "utf-8")
    if width == 1:
        # a blank line in the middle may be a missing cell; those at the end are none
        tail = [row for index, row in enumerate(reversed(blank)) if row == count - 1 - index]
        blank = tail[::-1]
    if not header:
        raise DataError(f"{source.name} holds nothing but blank lines: there is no table in it")
    if count == len(blank):
        raise DataError(f"{source.name} has a header and no rows: there is nothing to read")
    return header, count, blank


def _name_columns(source: Source, header: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    taken = Counter(name for name in header if name.strip())
    twice = next((name for name, count in taken.items() if count > 1), None)
    if twice is not None:
        first, second = [i + 1 for i, name in enumerate(header) if name == twice][:2]
        raise DataError(
            f"{source.name} has two columns called {twice!r}, the {first}. and {second}.: rename "
            "one (the first line must hold the columns' names)"
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


def _sniff(sample: bytes, *, whole: bool) -> str:
    text = sample.decode("utf-8-sig", errors="replace")
    if not whole:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    scores = {delimiter: _agreement(text, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: scores[delimiter])  # the first where equal
    return best if scores[best] > (0.0, 1) else ","


def _agreement(text: str, delimiter: str) -> tuple[float, int]:
    """Share of rows as long as the header, and that length; nothing for a single column."""
    # not strict: a quote that one delimiter makes misplaced is in its place with another
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in _from_header(reader):
            if row:
                rows.append(row)
            if len(rows) > 200:
                break
    except csv.Error:
        pass  # a cell too long: judge by the rows before it
    if not rows or len(rows[0]) == 1:
        return 0.0, 1
    width = len(rows[0])
    same = sum(len(row) == width for row in rows[1:])
    return same / max(len(rows) - 1, 1), width


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _spoken(delimiter: str) -> str:
    return {"\t": "tabs", ";": "semicolons", "|": "bars (|)"}.get(delimiter, repr(delimiter))


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


def _refuse_encoding(source: Source, encoding: str) -> NoReturn:
    where = ""
    if not encoding.startswith(("utf-16", "utf-32")):  # whose line ends are several bytes
        with source.open() as lines:
            for number, line in enumerate(lines, 1):
                try:
                    line.decode(encoding)
                except UnicodeDecodeError as error:
                    where = f" in line {number} (byte {line[error.start]:#04x})"
                    break
    other = "latin-1" if encoding == "utf-8" else "utf-8"
    raise DataError(
        f"{source.name} is not {encoding.upper()} text{where}: pass --encoding {other}, or the one "
        "that it was saved in"
    ) from None
