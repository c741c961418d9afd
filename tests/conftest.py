"""Shared by all tests."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("agg")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of small real tables."""
    return Path(__file__).parent / "data"
