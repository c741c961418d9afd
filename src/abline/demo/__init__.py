"""The first two jobs from end to end: a line, and a curve where the line fails.

Names are resolved on first use, because the fits load torch and the report matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abline.demo.agreement import Agreement, demo_tables
    from abline.demo.run import DemoResult, run_demo

_HOMES = {
    "Agreement": "agreement",
    "DemoResult": "run",
    "demo_tables": "agreement",
    "run_demo": "run",
}

__all__ = ["Agreement", "DemoResult", "demo_tables", "run_demo"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value = getattr(import_module(f"abline.demo.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'abline.demo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
