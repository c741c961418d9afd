"""Fits with an exact answer, all from one small triangular factor; no torch here."""

from __future__ import annotations

from abline.linear.factor import RFactor
from abline.linear.inference.ols import ols
from abline.linear.lasso import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    enet_path,
    lasso_path,
)
from abline.linear.linear_regression import LinearRegression
from abline.linear.mean import MeanRegressor
from abline.linear.ridge import Ridge, RidgeCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "MeanRegressor",
    "RFactor",
    "Ridge",
    "RidgeCV",
    "enet_path",
    "lasso_path",
    "ols",
]
