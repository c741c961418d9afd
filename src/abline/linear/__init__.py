"""Fits with an exact answer, all from one small triangular factor; no torch here."""

from __future__ import annotations

from abline.linear.factor import RFactor
from abline.linear.linear_regression import LinearRegression
from abline.linear.mean import MeanRegressor
from abline.linear.ridge import Ridge
from abline.linear.ridge_cv import RidgeCV

__all__ = ["LinearRegression", "MeanRegressor", "RFactor", "Ridge", "RidgeCV"]
