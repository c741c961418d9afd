"""Fits by gradient: modules, losses, the training engines and the network estimators."""

from abline.nets.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    LRScheduler,
    PrintLog,
    ProgressBar,
)
from abline.nets.criteria import GammaLoss, GaussianNLL, PoissonLoss, QuantileLoss
from abline.nets.ensemble import MLPEnsemble
from abline.nets.many import MLPRegressorCV
from abline.nets.mlp import MLPRegressor
from abline.nets.modules import MLP
from abline.nets.network import NetworkRegressor
from abline.nets.torch_regressor import TorchRegressor
from abline.nets.training import TrainingState

__all__ = [
    "MLP",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "GammaLoss",
    "GaussianNLL",
    "LRScheduler",
    "MLPEnsemble",
    "MLPRegressor",
    "MLPRegressorCV",
    "NetworkRegressor",
    "PoissonLoss",
    "PrintLog",
    "ProgressBar",
    "QuantileLoss",
    "TorchRegressor",
    "TrainingState",
]
