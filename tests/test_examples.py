"""Every example runs from beginning to end, shortened, without a warning or a window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

MADE = {
    "line_to_curve.py": {"line.png", "line_losses.png", "curve.png", "curve_losses.png"},
    "own_table.py": {"own.model", "own.png"},
}


def test_every_example_is_run():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(MADE)


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_an_example_runs(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name, tmp_path, "--epochs", "12"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "R²" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == MADE[name]


@pytest.mark.slow
def test_a_table_of_ones_own(tmp_path, data):
    arguments = ["--table", data / "mpg.parquet", "--epochs", "3"]
    command = [sys.executable, EXAMPLES / "own_table.py", tmp_path, *arguments]
    wrong = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "no column 'price'" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    done = subprocess.run(
        [*command, "--target", "hwy"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
