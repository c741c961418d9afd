"""Something to look at: displays of fitted models and a report in one HTML page.

Names are resolved on first use, because the blocks of a report are plain data that a
command can print without loading matplotlib, which the displays need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abline.show.blocks import Block, Paragraph, Picture, Section, Table
    from abline.show.fit_display import FitDisplay
    from abline.show.loss_display import LossDisplay
    from abline.show.prediction_display import PredictionDisplay
    from abline.show.report import render_report, write_report

_HOMES = {
    "Block": "blocks",
    "Paragraph": "blocks",
    "Picture": "blocks",
    "Section": "blocks",
    "Table": "blocks",
    "FitDisplay": "fit_display",
    "LossDisplay": "loss_display",
    "PredictionDisplay": "prediction_display",
    "render_report": "report",
    "write_report": "report",
}

__all__ = [
    "Block",
    "FitDisplay",
    "LossDisplay",
    "Paragraph",
    "Picture",
    "PredictionDisplay",
    "Section",
    "Table",
    "render_report",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value = getattr(import_module(f"abline.show.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'abline.show' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
