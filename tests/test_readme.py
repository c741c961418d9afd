"""The README's commands and code run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
MAKEFILE = (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("houses")
    rng = np.random.RandomState(0)
    area = rng.uniform(30, 200, 60)
    frame = pd.DataFrame({"area": area, "price": 3 * area + rng.normal(size=60)})
    frame.to_csv(folder / "houses.csv", index=False)
    frame.to_csv(folder / "labelled.csv", index=False)
    frame.drop(columns="price").to_csv(folder / "new.csv", index=False)
    return folder


@pytest.mark.slow
def test_the_commands_run(houses):
    commands = re.findall(r"^    (abline (?!demo).*?)(?:\s+#.*)?$", README, flags=re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        arguments = [sys.executable, "-m", *shlex.split(command)]
        run = subprocess.run(arguments, cwd=houses, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{command}: {run.stderr}"


def test_make_targets_exist():
    targets = set(re.findall(r"(?:^    |`)make ([a-z]+)", README, flags=re.MULTILINE))
    assert {"demo", "test", "check"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE)


def test_every_link_leads_somewhere():
    root = Path(__file__).parents[1]
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (root / link).exists(), link


@pytest.mark.slow
def test_the_python_block_runs(tmp_path, monkeypatch):
    import matplotlib.pyplot as plt
    from torch import nn

    monkeypatch.chdir(tmp_path)
    rng = np.random.RandomState(0)
    X = rng.normal(size=(50, 1))
    y = 2 * X[:, 0] + 1
    names = {
        "X": X, "y": y, "X_val": X, "y_val": y, "my_module": nn.Linear(1, 1).double(),
        "df": pd.DataFrame({"area": np.exp(X[:, 0]), "price": y, "district": ["a", "b"] * 25}),
        "X_new": X[:9], "y_new": y[:9], "alphas": [0.1, 1.0],
        "blocks": [(X[:20], y[:20]), (X[20:], y[20:])],
    }  # fmt: skip
    block = re.findall(
        r"```python\n(import abline as ab\n\nline = ab\.Lin.*?)```", README, flags=re.DOTALL
    )
    assert len(block) == 1
    exec(block[0].replace("10_000", "20"), names)
    assert len(names["model"].history_["epoch"]) == 20
    assert names["factor"].n_rows == 59
    plt.close("all")


@pytest.mark.slow
def test_the_line_and_the_curve_run(tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(import numpy as np.*?)```", README, flags=re.DOTALL)
    names: dict = {}
    exec(block.replace("10_000", "300"), names)
    assert len(names["line"].history_["valid_loss"]) == 300
    assert names["curve"].predict(names["X"]).shape == (1200,)
    plt.close("all")
