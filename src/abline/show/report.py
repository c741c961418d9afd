"""A report in one HTML page that needs nothing else: no network, no scripts, no other file."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from abline import __version__
from abline.store.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.show.blocks import Picture, Section


def render_report(title: str, sections: Sequence[Section], *, lead: str = "") -> str:
    """Make the page.

    Parameters
    ----------
    title : str
        Of the page, and its first heading.
    sections : sequence of Section
        In reading order.
    lead : str, default=""
        What the page says, in a sentence or two; stands under the title.

    Returns
    -------
    str
        A whole HTML document. Text is escaped, so no name in a table can become markup.

    Examples
    --------
    >>> from abline.show.blocks import Paragraph, Section
    >>> page = render_report("A < B", [Section("First", (Paragraph("Some words."),))])
    >>> "<h1>A &lt; B</h1>" in page, "<p>Some words.</p>" in page
    (True, True)
    """
    environment = Environment(
        loader=PackageLoader("abline.show", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    template = environment.get_template("report.html.j2")
    return template.render(title=title, lead=lead, sections=sections, version=__version__)


def write_report(
    path: str | Path, title: str, sections: Sequence[Section], *, lead: str = ""
) -> Path:
    """Write the page to a file, whole or not at all.

    Parameters
    ----------
    path : str or Path
        In a folder that exists; a file already there is replaced.
    title : str
    sections : sequence of Section
    lead : str, default=""

    Returns
    -------
    Path
        Where the page is.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    page = render_report(title, sections, lead=lead)
    with atomic_write(path) as file:
        file.write(page.encode("utf-8"))
    return Path(path)


def _data_uri(picture: Picture) -> str:
    return "data:image/png;base64," + b64encode(picture.png).decode("ascii")
