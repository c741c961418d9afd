"""A result as a table of HTML, for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from abline.linear.inference.numbers import align
from abline.linear.inference.text import P_VALUE, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abline.linear.inference.result import LinearResult

#: inherits the notebook's colours, so it is read on dark ones too
_STYLE = """
.abline-result {font-variant-numeric: tabular-nums; line-height: 1.45; max-width: 56em}
.abline-result caption, .abline-result .title {text-align: left; font-weight: 600}
.abline-result dl {display: flex; flex-wrap: wrap; gap: 0 1.6em; margin: .3em 0 .6em}
.abline-result dl div {display: flex; gap: .45em}
.abline-result dt {opacity: .65}
.abline-result dd {margin: 0}
.abline-result table {border-collapse: collapse; border: 0; color: inherit; font: inherit}
.abline-result th, .abline-result td {padding: .12em .8em; border: 0; text-align: right;
  background: none; white-space: pre}
.abline-result td:nth-child(n+2) {font-family: ui-monospace, Menlo, Consolas, monospace;
  font-size: .95em}
.abline-result th:first-child, .abline-result td:first-child {text-align: left; padding-left: 0}
.abline-result thead th {font-weight: 600; border-bottom: 1px solid currentColor}
.abline-result tbody tr:last-child td {border-bottom: 1px solid currentColor}
.abline-result p {margin: .35em 0 0; font-size: .9em; opacity: .8}
"""


def html_table(result: LinearResult) -> str:
    """Write a result as HTML.

    Parameters
    ----------
    result : LinearResult

    Returns
    -------
    str
        One ``<div>`` with its style in it; all names are escaped.
    """
    content = table(result)
    columns = [[row[j] for row in content.rows] for j in range(1, len(content.header))]
    columns = [c if j == P_VALUE else align(c) for j, c in enumerate(columns, start=1)]
    body = "".join(
        f"<tr>{_cells('td', [row[0], *(column[i] for column in columns)])}</tr>"
        for i, row in enumerate(content.rows)
    )
    figures = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in content.figures
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in content.notes)
    return (
        f'<div class="abline-result"><style>{_STYLE}</style>'
        f'<div class="title">{escape(content.title)}</div><dl>{figures}</dl>'
        f"<table><thead><tr>{_cells('th', content.header)}</tr></thead>"
        f"<tbody>{body}</tbody></table>{notes}</div>"
    )


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
