"""Which encoding a text has, and the text as UTF-8."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING

from abline.errors import DataError, ParameterError
from abline.tables.source import READABLE, Source

if TYPE_CHECKING:
    from typing import NoReturn

_CHUNK = 1 << 16

#: bytes that a binary file soon has and a text never
_CONTROL = frozenset(range(9)) | frozenset(range(14, 26))
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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
        if _CONTROL.intersection(head):
            raise DataError(
                f"{source.name} is not a table: it holds bytes that no text has "
                f"(abline reads {READABLE}; for UTF-16 text pass --encoding utf-16-le)"
            )
        return source, found
    out = io.BytesIO()
    try:
        with io.TextIOWrapper(source.open(), encoding=found, newline="") as text:
            while chunk := text.read(_CHUNK):
                out.write(chunk.encode("utf-8"))
    except UnicodeError:
        refuse_encoding(source, found)
    return Source(source.name, source.ending, data=out.getvalue()), found


def refuse_encoding(source: Source, encoding: str) -> NoReturn:
    """Name the line whose bytes an encoding does not have.

    Parameters
    ----------
    source : Source
    encoding : str
        That has failed.

    Raises
    ------
    DataError
    """
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
