"""A result as a table of plain text."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from abline.linear.dependence import describe_dependence
from abline.linear.inference.clusters import FEW
from abline.linear.inference.numbers import align, cells, p_cell, p_text, plain

if TYPE_CHECKING:
    from abline.linear.inference.result import LinearResult

LEVEL = 0.95

#: place of the p-values in a row: their decimal points need not stand below each other
P_VALUE = 4

#: scaled condition number from which terms are hard to tell apart (Belsley, Kuh, Welsch 1980)
_COLLINEAR = 30.0

#: dependent terms that are named
_SENTENCES = 8

#: longest name of a term before it is cut
_NAME = 40


@dataclass(frozen=True)
class Table:
    """What a table of estimates shows, in any medium.

    Attributes
    ----------
    title : str
    figures : tuple of pairs of str
        Names and values of what describes the whole fit.
    header : tuple of str
    rows : tuple of tuples of str
        One a term: its name, then cells under the header's other names.
    notes : tuple of str
        Sentences that stand below.
    """

    title: str
    figures: tuple[tuple[str, str], ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def table(result: LinearResult) -> Table:
    """Write a result as cells and sentences.

    Parameters
    ----------
    result : LinearResult

    Returns
    -------
    Table
    """
    ends = result.conf_int(LEVEL).array
    rows = []
    for i, (name, estimate) in enumerate(result.params.items()):
        error = float(result.bse[i])
        numbers = cells([float(estimate), error, *map(float, ends[i])], error)
        test = [_statistic(float(result.tvalues[i])), p_cell(float(result.pvalues[i]))]
        rows.append((name, *numbers[:2], *test, *numbers[2:]))
    letter = "t" if result.use_t else "z"
    header = ("term", "estimate", "std. error", letter, "p", "95 % from", "to")
    kind = "Weighted least squares" if result.weighted else "Least squares"
    return Table(
        f"{kind}: {result.target_name}", _figures(result), header, tuple(rows), notes(result)
    )


def text_table(result: LinearResult, most: int | None = None) -> str:
    """Print a result.

    Parameters
    ----------
    result : LinearResult
    most : int, optional
        Where there are more terms, the intercept and those with the largest test statistics
        are shown, in their order.

    Returns
    -------
    str
        Some 80 columns wide where the terms' names are not long.
    """
    content = table(result)
    if most is not None and len(content.rows) > most:
        content = _surest(content, result, most)
    names = ["", *(_cut(row[0]) for row in content.rows)]
    width = max(map(len, names))
    columns = []
    for j in range(1, len(content.header)):
        body = [row[j] for row in content.rows]
        body = body if j == P_VALUE else align(body)
        across = max(len(content.header[j]), *map(len, body), 0)
        columns.append([cell.rjust(across) for cell in [content.header[j], *body]])
    lines = [
        "  ".join([name.ljust(width), *(column[i] for column in columns)]).rstrip()
        for i, name in enumerate(names)
    ]
    across = max(map(len, lines))
    rule = "─" * across
    figures = textwrap.wrap(
        "   ".join(f"{name} {value}".replace(" ", "\0") for name, value in content.figures),
        width=max(across, 72),
    )
    footer = [line for note in content.notes for line in textwrap.wrap(note, max(across, 72))]
    parts = [content.title, *(line.replace("\0", " ") for line in figures), rule, lines[0], rule]
    return "\n".join([*parts, *lines[1:], rule, *footer])


def _surest(content: Table, result: LinearResult, most: int) -> Table:
    size = np.nan_to_num(np.abs(result.tvalues.array), nan=-1.0)
    if result.estimates.fit_intercept:
        size[0] = np.inf
    shown = np.sort(np.argsort(-size, kind="stable")[:most])
    left = len(content.rows) - most
    said = f"{left:,} more terms have smaller {content.header[3]} or none."
    rows = tuple(content.rows[i] for i in shown)
    return replace(content, rows=rows, notes=(said, *content.notes))


def notes(result: LinearResult) -> tuple[str, ...]:
    """Say how the numbers were come by, and what to be careful with.

    Parameters
    ----------
    result : LinearResult

    Returns
    -------
    tuple of str
    """
    covariance = result.covariance
    said = [f"{_errors(result)}; p-values and intervals from {covariance.reference.name}."]
    if result.estimates.constant is None:
        said.append("R² is about zero, not about the mean, because there is no constant.")
    if result.weighted:
        said.append("Weights are inverse variances up to a factor: n counts rows.")
    if result.df_resid <= 0:
        said.append("There are as many terms as rows, which leaves nothing to judge errors by.")
    if len(result.estimates.dropped):
        said.append(f"Not estimated: {_dependence(result)}.")
    if covariance.clusters and min(covariance.clusters) < FEW:
        said.append(f"Fewer than about {FEW} clusters: standard errors come out too small.")
    if np.isnan(result.bse.array[result.estimates.places]).any() and result.df_resid > 0:
        said.append("Some variances came out negative, and their standard errors are missing.")
    if result.scaled_condition_number > _COLLINEAR and len(result.estimates.kept):
        vif = result.vif()
        worst = vif.labels[int(np.nanargmax(vif.array))]
        said.append(
            f"Terms are hard to tell apart (scaled condition number "
            f"{result.scaled_condition_number:,.0f}); most of all {worst!r}, whose variance the "
            f"others inflate {np.nanmax(vif.array):,.0f} times."
        )
    return (*said, *result.notes)


def _dependence(result: LinearResult) -> str:
    features = list(result.estimates.features)
    found = {int(j): result.model.dependent_.get(int(j)) for j in result.estimates.dropped}
    known = {j: of for j, of in found.items() if of is not None}
    said = describe_dependence(known, features)
    said += [repr(features[j]) for j in found if j not in known]
    return "; ".join(said[:_SENTENCES]) + ("; …" if len(said) > _SENTENCES else "")


def _figures(result: LinearResult) -> tuple[tuple[str, str], ...]:
    found = [
        ("n", f"{result.nobs:,}"),
        ("df", f"{result.df_resid:,}"),
        ("R²", _share(result.rsquared)),
        ("adjusted R²", _share(result.rsquared_adj)),
        ("residual SD", plain(math.sqrt(result.scale), 5)),
    ]
    test = result.overall
    if not math.isnan(test.statistic):
        found.append((test.distribution, f"= {plain(test.statistic, 5)}, p {p_text(test.p_value)}"))
    return (*found, ("AIC", _criterion(result.aic)), ("BIC", _criterion(result.bic)))


def _errors(result: LinearResult) -> str:
    kind = result.cov_type
    if kind == "nonrobust":
        return "Standard errors assume unrelated errors of equal variance"
    if kind != "cluster":
        return f"Standard errors are robust to unequal variances ({kind})"
    counts = " and ".join(f"{count:,}" for count in result.covariance.clusters)
    return f"Standard errors are robust within {counts} clusters, with factor G/(G-1)·(n-1)/df"


def _statistic(value: float) -> str:
    if not math.isfinite(value):
        return plain(value)
    return f"{value:.2f}" if abs(value) < 1e5 else f"{value:.3g}"


def _share(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.4f}" if value < 0.9999 else plain(value, 8)


def _criterion(value: float) -> str:
    return f"{value:,.1f}" if math.isfinite(value) else plain(value)


def _cut(name: str) -> str:
    return name if len(name) <= _NAME else name[: _NAME - 1] + "…"
