"""Kernels compile where nothing can be written."""

import subprocess
import sys

import pytest

CODE = """
from numba.core import caching
caching.CacheImpl._locator_classes = []  # as where no folder can be written to
import abline as ab
print(ab.Lasso(0.0625).fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]).coef_)
"""


@pytest.mark.slow
def test_no_folder_for_the_cache_is_no_error():
    ran = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["[0.95]"]
