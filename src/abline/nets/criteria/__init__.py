"""Losses, and what a module's outputs stand for under each of them.

They follow torch's habits: a class with a ``reduction``, called with outputs and targets.
"""

from abline.nets.criteria.base import Criterion
from abline.nets.criteria.gaussian import GaussianNLL
from abline.nets.criteria.log_link import GammaLoss, PoissonLoss
from abline.nets.criteria.names import NAMES, criterion_class
from abline.nets.criteria.quantile import QuantileLoss

__all__ = [
    "NAMES",
    "Criterion",
    "GammaLoss",
    "GaussianNLL",
    "PoissonLoss",
    "QuantileLoss",
    "criterion_class",
]
