"""What a report is made of, as plain data: paragraphs, tables and pictures under headings.

Nothing here knows HTML or the terminal, so the same table can go to either.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Paragraph:
    """A few sentences of plain text.

    Parameters
    ----------
    text : str
        Shown as it is: no markup.

    Examples
    --------
    >>> Paragraph("A line is a slope and an intercept.").kind
    'paragraph'
    """

    text: str
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Table:
    """A table of figures, ready to show.

    Parameters
    ----------
    title : str
        What the table holds, in a few words.
    columns : tuple of str
        The headings.
    rows : tuple of tuples of str
        Cells as they are to be shown. A row of one cell is a heading for the rows after it.
    note : str, default=""
        What a reader must know beside the figures.
    text_columns : int, default=1
        How many columns from the left hold words; the others hold numbers and line up right.

    Raises
    ------
    ValueError
        If a row has neither one cell nor as many as there are columns.

    Examples
    --------
    >>> Table("A line", ("quantity", "abline"), (("slope", "4.3867"),)).rows
    (('slope', '4.3867'),)
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    text_columns: int = 1
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) not in (1, len(self.columns)):
                raise ValueError(
                    f"row {number} of the table {self.title!r} has {len(row)} cells: "
                    f"give {len(self.columns)}, or 1 for a heading"
                )


@dataclass(frozen=True)
class Picture:
    """A picture with the words that stand in for it.

    Parameters
    ----------
    png : bytes
        The picture as a PNG file.
    alt : str
        What the picture shows, for those who cannot see it.
    caption : str, default=""
        The line below it.
    scale : float, default=2.0
        Picture dots for each dot of the page: 2 keeps it sharp on fine screens.
    """

    png: bytes
    alt: str
    caption: str = ""
    scale: float = 2.0
    kind: ClassVar[str] = "picture"

    @classmethod
    def from_figure(cls, figure: Figure, *, alt: str, caption: str = "") -> Picture:
        """Draw a matplotlib figure into a picture; pyplot is not involved.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
        alt : str
        caption : str, default=""

        Returns
        -------
        Picture

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> Picture.from_figure(Figure(figsize=(6, 4)), alt="An empty sheet.").size
        (600, 400)
        """
        file = BytesIO()
        # no software name inside: the same figure gives the same bytes
        figure.savefig(file, format="png", dpi=200, facecolor="white", metadata={"Software": None})
        return cls(file.getvalue(), alt, caption)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, in CSS pixels."""
        width, height = struct.unpack(">II", self.png[16:24])  # the first chunk of every PNG
        return round(width / self.scale), round(height / self.scale)


#: anything that can stand in a section
Block = Paragraph | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it.

    Parameters
    ----------
    heading : str
    blocks : tuple of Paragraph, Table or Picture
    """

    heading: str
    blocks: tuple[Block, ...]
