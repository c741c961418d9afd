"""What only a real process shows: streams, pipes, colours, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import abline as ab

pytestmark = pytest.mark.slow
ABLINE = [sys.executable, "-m", "abline"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("homes")
    rng = np.random.RandomState(0)
    area = rng.uniform(30, 200, 3000)
    table = pl.DataFrame({"area": area, "price": 3 * area + rng.normal(0, 5, 3000)})
    table.write_csv(place / "homes.csv")
    run = subprocess.run([*ABLINE, "fit", "homes.csv", "-t", "price", "-m", "line"], cwd=place,
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""  # no progress without a terminal, no warning of a dependency
    assert "\x1b" not in run.stdout
    return place


def call(folder, *arguments, **environment):
    return subprocess.run([*ABLINE, *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, env={**os.environ, **environment})  # fmt: skip


def test_json_is_alone_on_standard_output(folder):
    run = call(folder, "score", "homes.model", "homes.csv", "--json")
    assert json.loads(run.stdout)["schema"] == "abline.score/1"
    assert "RMSE" in run.stderr


def test_quiet_leaves_results_only(folder):
    run = call(folder, "score", "homes.model", "homes.csv", "--json", "--quiet")
    assert "note" not in run.stderr
    assert (
        call(folder, "fit", "homes.csv", "-t", "price", "-m", "line", "-q", "--force").stderr == ""
    )


def test_head_ends_quietly(folder):
    command = f"{' '.join(ABLINE)} predict homes.model homes.csv | head -2"
    run = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder,
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert run.returncode == 0
    assert run.stdout.splitlines()[0] == "prediction"
    assert run.stderr == ""


@pytest.mark.parametrize("command", ["show homes.model", "predict big.model big.csv"])
def test_head_ends_quietly_whatever_the_size(folder, command):
    if "big" in command and not (folder / "big.csv").exists():
        pl.DataFrame({"area": np.arange(300_000.0)}).write_csv(folder / "big.csv")
        (folder / "big.model").write_bytes((folder / "homes.model").read_bytes())
    piped = f"{' '.join(ABLINE)} {command} -q | head -1"
    run = subprocess.run(["bash", "-o", "pipefail", "-c", piped], cwd=folder,
                         capture_output=True, text=True, check=False)  # fmt: skip
    for name in ("big.csv", "big.model"):
        (folder / name).unlink(missing_ok=True)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("redirect", [">/dev/full", "2>&-", ">&-"])
def test_streams_that_take_nothing_are_no_defect(folder, redirect):
    piped = f"{' '.join(ABLINE)} show homes.model {redirect}"
    run = subprocess.run(["bash", "-c", piped], cwd=folder,
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert run.returncode == (2 if "full" in redirect else 0)
    assert "defect" not in run.stderr
    assert "Traceback" not in run.stderr


def test_no_color_is_plain_on_a_terminal(folder):
    import pty

    leader, follower = pty.openpty()
    arguments = [*ABLINE, "show", "homes.model", "--no-color"]
    subprocess.run(arguments, cwd=folder, stdout=follower, stderr=follower, check=True)
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 4096):
            shown += part
    except OSError:
        pass  # Linux says so at the end of a terminal
    assert b"line fitted on" in shown
    assert b"\x1b" not in shown


def test_version_and_bare_call(folder):
    assert call(folder, "--version").stdout.strip() == f"abline {ab.__version__}"
    bare = call(folder)
    assert bare.returncode == 0
    assert "abline fit houses.csv --target price" in bare.stdout


@pytest.mark.parametrize(
    "command", ["fit", "compare", "predict", "score", "show", "demo", "warmup"]
)
def test_help_leads_with_examples(folder, command):
    lines = [line.strip() for line in call(folder, command, "--help").stdout.splitlines()]
    assert [line for line in lines if line][1] == "Examples:"


def test_a_traceback_only_with_debug(folder):
    plain = call(folder, "fit", "nowhere.csv", "-t", "y")
    assert (plain.returncode, plain.stderr.count("\n")) == (2, 1)
    assert "Traceback" in call(folder, "fit", "nowhere.csv", "-t", "y", "--debug").stderr


def test_an_interrupt_in_mid_fit_leaves_the_old_model(folder):
    before = (folder / "homes.model").read_bytes()
    arguments = [
        "fit",
        "homes.csv",
        "-t",
        "price",
        "-m",
        "network",
        "--epochs",
        "100000",
        "--force",
    ]
    process = subprocess.Popen([*ABLINE, *arguments], cwd=folder, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "abline: interrupted\n"
    assert (folder / "homes.model").read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == ["homes.csv", "homes.model"]


@pytest.mark.slow
def test_warmup_compiles_once_and_says_where(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    first = json.loads(call(folder, "warmup", "--json").stdout)
    assert (first["compiled"], first["kept"]) == (["float32", "float64"],) * 2
    assert Path(first["folder"]).parent == tmp_path / "kept" / "abline"
    again = call(folder, "warmup")
    assert "Compiling" not in again.stdout
    assert first["folder"] in again.stdout
