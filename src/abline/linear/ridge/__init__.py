"""Ridge regression: linear regression with a penalty on the squares of the coefficients."""

from __future__ import annotations

from abline.linear.ridge.ridge import Ridge
from abline.linear.ridge.ridge_cv import RidgeCV

__all__ = ["Ridge", "RidgeCV"]
