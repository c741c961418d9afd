"""abline's figures beside the published ones."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from abline.demo.fits import EPOCHS
from abline.show.blocks import Table

if TYPE_CHECKING:
    from abline.demo.fits import Fits
    from abline.demo.run import DemoResult

#: that a 32-bit number carries
_DIGITS = 7

_HEADINGS = {
    "line": "Line, closed form",
    "trained": "{trained}, after {epochs:,} epochs",
    "train": "{trained}: training loss at epoch",
    "valid": "{trained}: validation loss at epoch",
}

_NOTE_LINE = (
    "“Digits” counts the leading digits in which the two agree (n digits: a relative difference "
    "of at most 5·10⁻ⁿ). The arithmetic is that of 32-bit numbers, which carry about 7; “all” "
    "means the very same number."
)
_NOTE_CURVE = (
    "“PyTorch” is the same training written out in plain PyTorch on the same data, and “digits” "
    "counts how far abline agrees with it. The published figures come from noise that was drawn "
    "without a seed: other data of the same kind, so they can only be alike. Small differences in "
    "rounding between machines grow over thousands of epochs."
)
_NOTE_SHORT = (
    " The published figures after training are those of {full:,} epochs; this run had {epochs:,}, "
    "so they are left out."
)


@dataclass(frozen=True)
class Agreement:
    """One figure of abline's beside the figure it is to reproduce.

    Attributes
    ----------
    group : str
        ``"line"`` (closed form), ``"trained"`` (by gradient descent), ``"train"`` or ``"valid"``
        (its losses).
    quantity : str
    abline : float
    reference : float or None
        The figure to reproduce: the tutorial's, or plain PyTorch's where the tutorial's data
        cannot be had again.
    published : float or None
        The tutorial's.
    """

    group: str
    quantity: str
    abline: float
    reference: float | None
    published: float | None

    @property
    def digits(self) -> float | None:
        """Leading digits that agree: n for a relative difference of at most 5·10⁻ⁿ.

        Infinite where the two are equal, and None where there is nothing to compare with.

        Examples
        --------
        >>> Agreement("line", "slope", 4.38671, 4.3867, 4.3867).digits
        6
        """
        if self.reference is None:
            return None
        if self.abline == self.reference:
            return math.inf
        apart = abs(self.abline - self.reference) / max(abs(self.reference), 1e-300)
        return max(0, math.floor(math.log10(5 / apart)))


@cache
def published_figures() -> dict[str, Any]:
    """Read the tutorial's figures, and plain PyTorch's on the same data.

    Returns
    -------
    dict
        ``["linear" or "curve"]["published" or "plain_pytorch"]``.

    Examples
    --------
    >>> published_figures()["linear"]["published"]["weight"]
    4.3867
    """
    text = files("abline.demo").joinpath("figures.json").read_text(encoding="utf-8")
    figures: dict[str, Any] = json.loads(text)
    return figures


def line_agreement(fits: Fits) -> tuple[Agreement, ...]:
    """Hold the first job against the tutorial.

    Parameters
    ----------
    fits : Fits
        Of `line_job`.

    Returns
    -------
    tuple of Agreement
    """
    published = published_figures()["linear"]["published"]
    ols = published["ols"]
    weight, bias = (float(p.detach().reshape(-1)[0]) for p in fits.trained.module_.parameters())
    whole = fits.epochs == EPOCHS

    def after_training(quantity: str, value: float, figure: float) -> Agreement:
        known = figure if whole else None
        return Agreement("trained", quantity, value, known, known)

    return (
        *_closed_form(fits, ols, ols),
        after_training("slope", weight, published["weight"]),
        after_training("intercept", bias, published["bias"]),
        after_training("R² on test rows", fits.trained_score.r2, published["test_r2"]),
        after_training("MSE on test rows", fits.trained_score.mse, published["test_mse"]),
        *_losses(fits, published, published),
    )


def curve_agreement(fits: Fits) -> tuple[Agreement, ...]:
    """Hold the second job against plain PyTorch, with the tutorial's figures beside.

    Parameters
    ----------
    fits : Fits
        Of `curve_job`.

    Returns
    -------
    tuple of Agreement
    """
    figures = published_figures()["curve"]
    published, plain = figures["published"], figures["plain_pytorch"]
    whole = fits.epochs == EPOCHS
    after_training = [
        Agreement(
            "trained",
            quantity,
            value,
            plain[key] if whole else None,
            published[key] if whole else None,
        )
        for quantity, value, key in [
            ("R² on test rows", fits.trained_score.r2, "test_r2"),
            ("MSE on test rows", fits.trained_score.mse, "test_mse"),
        ]
    ]
    return (
        *_closed_form(fits, plain["ols"], published["ols"]),
        *after_training,
        *_losses(fits, plain, published),
    )


def demo_tables(result: DemoResult) -> list[Table]:
    """Lay out the figures of both jobs, one table each, for a terminal or a page.

    Parameters
    ----------
    result : DemoResult

    Returns
    -------
    list of Table
        A row of one cell is a heading for the rows after it.
    """
    line = Table(
        "Job 1: a straight line",
        ("quantity", "abline", "published", "digits"),
        _rows(result.line_agreement, result.line, "Line by gradient descent", show_published=False),
        _NOTE_LINE + _note_if_short(result.line),
    )
    curve = Table(
        "Job 2: a curve",
        ("quantity", "abline", "PyTorch", "digits", "published"),
        _rows(result.curve_agreement, result.curve, "Network", show_published=True),
        _NOTE_CURVE + _note_if_short(result.curve),
    )
    return [line, curve]


def _closed_form(
    fits: Fits, reference: dict[str, float], published: dict[str, float]
) -> list[Agreement]:
    figures = {
        "slope": (float(fits.line.coef_[0]), "coef"),
        "intercept": (float(fits.line.intercept_), "intercept"),
        "R² on test rows": (fits.line_score.r2, "test_r2"),
        "MSE on test rows": (fits.line_score.mse, "test_mse"),
    }
    return [
        Agreement("line", quantity, value, reference[key], published[key])
        for quantity, (value, key) in figures.items()
    ]


def _losses(fits: Fits, reference: dict[str, Any], published: dict[str, Any]) -> list[Agreement]:
    """Take both losses at the epochs that the tutorial lists, as far as the training went."""
    history = fits.trained.history_
    there = {epoch: losses for epoch, *losses in reference["epochs"]}
    return [
        Agreement(group, f"{epoch:,}", history[column][epoch], there[epoch][place], losses[place])
        for place, (group, column) in enumerate([("train", "train_loss"), ("valid", "valid_loss")])
        for epoch, *losses in published["epochs"]
        if epoch < fits.epochs
    ]


def _rows(
    agreements: tuple[Agreement, ...], fits: Fits, trained: str, *, show_published: bool
) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = []
    group = ""
    for each in agreements:
        if each.group != group:
            group = each.group
            rows.append((_HEADINGS[group].format(trained=trained, epochs=fits.epochs),))
        last = (_number(each.published),) if show_published else ()
        rows.append(
            (each.quantity, _number(each.abline), _number(each.reference), _digits(each), *last)
        )
    return tuple(rows)


def _note_if_short(fits: Fits) -> str:
    return "" if fits.epochs == EPOCHS else _NOTE_SHORT.format(full=EPOCHS, epochs=fits.epochs)


def _number(value: float | None) -> str:
    """Write seven digits, what a 32-bit number has, or fewer where fewer were published."""
    if value is None:
        return "–"
    return min(f"{value:#.{_DIGITS}g}", repr(value), key=len)


def _digits(agreement: Agreement) -> str:
    digits = agreement.digits
    if digits is None:
        return "–"
    return "all" if digits == math.inf else f"{min(digits, _DIGITS)}"
