"""The wheel, installed in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_runs_in_a_clean_environment(tmp_path):
    def call(*command: object, cwd: Path = tmp_path) -> str:
        run = subprocess.run(
            [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    call(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    call(sys.executable, "-m", "venv", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    call(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(f"{i},{2 * i + 1}" for i in range(30)))
    abline = tmp_path / "env" / "bin" / "abline"
    call(abline, "fit", "t.csv", "-t", "y", "--epochs", "2")
    assert "prediction" in call(abline, "predict", "t.model", "t.csv")
    typed = "import abline, pathlib; p = pathlib.Path(abline.__file__).parent;"
    code = f"{typed} print((p / 'py.typed').exists(), any(p.rglob('*.j2')), any(p.rglob('*.json')))"
    assert call(python, "-c", code).split() == ["True"] * 3
