"""Compiled kernels and where they are kept: an empty folder, a read-only one, two at once."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.special
from numba import njit

from abline.nets.engines.fused import elementary
from abline.nets.engines.fused.kernel_cache import cache_folder, sources_hash

#: compiles a kernel and prints what it computes
JOB = """
import numpy as np
from abline.nets.engines.fused.activations import ACTIVATIONS
z = np.linspace(-2, 2, 8)
ACTIVATIONS[2].apply(z.dtype, 0.0, np.zeros(1), z, z, 1, len(z))
print(repr(float(z[7])))
"""


def _start(folder):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", JOB],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answer(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return float(out)


EXPECTED = np.tanh(2.0)


def _files(folder):
    return sorted(path.name for path in folder.rglob("*.nb*"))


@pytest.mark.slow
def test_an_empty_cache_fills_and_two_processes_at_once_agree(tmp_path):
    both = [_start(tmp_path), _start(tmp_path)]
    assert [_answer(process) for process in both] == pytest.approx([EXPECTED] * 2, rel=1e-14)
    files = _files(tmp_path)
    assert any(name.startswith("activations._tanh-") for name in files)
    assert all(
        folder.name == f"kernels-{sources_hash()}" for folder in (tmp_path / "abline").iterdir()
    )
    assert _answer(_start(tmp_path)) == pytest.approx(EXPECTED, rel=1e-14)
    assert _files(tmp_path) == files  # it was read, and nothing compiled again


@pytest.mark.slow
@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
def test_a_cache_that_cannot_be_written_to(tmp_path, filled):
    folder = tmp_path / "abline" / f"kernels-{sources_hash()}"
    if filled:
        _answer(_start(tmp_path))
        for path in folder.glob("*.nbi"):
            path.chmod(0o400)
    else:
        # a file where the folder should be stops even root, who may write anywhere
        (tmp_path / "abline").write_text("in the way")
    assert _answer(_start(tmp_path)) == pytest.approx(EXPECTED, rel=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
def test_damaged_files_are_compiled_again(tmp_path, ending):
    _answer(_start(tmp_path))
    for path in tmp_path.rglob(f"*{ending}"):
        path.write_bytes(path.read_bytes()[:10])
    assert _answer(_start(tmp_path)) == pytest.approx(EXPECTED, rel=1e-14)


def test_the_folder_is_named_after_the_sources():
    assert cache_folder().name == f"kernels-{sources_hash()}"


@njit
def _apply(function, x, out):
    for i in range(len(x)):
        out[i] = function(x[i])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementary_functions_are_accurate(dtype):
    x = np.concatenate([np.linspace(-1, 1, 2001), np.linspace(-80, 80, 20_001)]).astype(dtype)
    wide = x.astype(np.longdouble)
    for function, exact in [
        (_exp, np.exp(wide)),
        (elementary.tanh, np.tanh(wide)),
        (elementary.sigmoid, 1 / (1 + np.exp(-wide))),
    ]:
        out = np.empty_like(x)
        _apply(function, x, out)
        assert np.max(np.abs(out - exact) / np.maximum(np.abs(exact), np.finfo(dtype).tiny)) < (
            3 * np.finfo(dtype).eps
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logarithms_and_error_functions_are_accurate(dtype):
    u = np.concatenate([np.linspace(0, 1, 2001), np.logspace(-30, 0, 2001)]).astype(dtype)
    out = np.empty_like(u)
    _apply(elementary.log1p, u, out)
    exact = np.log1p(u.astype(np.longdouble))
    assert np.max(np.abs(out - exact) / np.where(exact > 0, exact, 1)) < 3 * np.finfo(dtype).eps
    x = np.linspace(-6, 6, 4001).astype(dtype)
    out = np.empty_like(x)
    _apply(_erf, x, out)
    within = 3e-7 if dtype is np.float32 else 1e-15
    np.testing.assert_allclose(out, scipy.special.erf(x.astype(float)), atol=within, rtol=0)


@njit
def _exp(x):
    return elementary.exp(x)


@njit
def _erf(x):
    return elementary.erf(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementary_functions_keep_nan_and_infinity(dtype):
    x = np.array([np.nan, np.inf, -np.inf, 0.0], dtype)
    out = np.empty_like(x)
    _apply(_exp, x, out)
    np.testing.assert_allclose(out, [np.nan, np.inf, 0, 1], atol=1e-37)
    _apply(elementary.tanh, x, out)
    np.testing.assert_array_equal(out, [np.nan, 1, -1, 0])
    _apply(elementary.sigmoid, x, out)
    np.testing.assert_allclose(out, [np.nan, 1, 0, 0.5], atol=1e-37)


@pytest.mark.slow
def test_kernels_run_without_compiler():
    """Uncompiled, so that a person's debugger and coverage see them."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [str(Path(__file__).with_name("test_fused_plain.py"))]
    ran = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
