"""What is loaded, seen in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "sklearn", "numba", "polars", "pandas", "matplotlib")


def loaded_after(code: str) -> set[str]:
    seen = f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    script = f"import sys, json\nfrom abline.cli.main import run\n{code}\n{seen}"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import abline",
        "run(['--help'])",
        "run(['fit', '--help'])",
        "assert run(['fit', 'x.csv']) == 2",
        "assert run(['fit', 'nowhere.csv', '-t', 'y']) == 2",
        "assert run(['fit', 'x', '-t', 'y', '--epochs', '-1']) == 2",
        "assert run(['fit', 'x', '-t', 'y', '--model', 'lin']) == 2",
        "assert run(['predict', 'nowhere.model', 'x.csv']) == 2",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code):
    assert loaded_after(code) == set()


def test_a_line_loads_no_torch():
    code = "import abline; abline.LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])"
    assert loaded_after(code).isdisjoint({"torch", "matplotlib", "polars"})


def test_every_public_name_resolves():
    import abline

    assert sorted(abline._HOMES) == sorted(set(abline.__all__) - {"__version__"})
    for name in abline.__all__:
        assert getattr(abline, name) is not None
    assert dir(abline) == sorted(abline.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        abline.nonsense  # noqa: B018 - the access is the test
