"""The lasso and the elastic net: from the factor of a long table, by working sets on a wide one."""

from __future__ import annotations

from abline.linear.lasso.cross_validation import ElasticNetCV, LassoCV
from abline.linear.lasso.elastic_net import ElasticNet
from abline.linear.lasso.lasso import Lasso
from abline.linear.lasso.path import enet_path, lasso_path

__all__ = ["ElasticNet", "ElasticNetCV", "Lasso", "LassoCV", "enet_path", "lasso_path"]
