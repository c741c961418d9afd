"""Regression in PyTorch, from a straight line to a deep network.

Does a table need more than a line, by how much, and how sure can one be? The estimators
have scikit-learn's interface; the command line is ``abline --help``.

Names are resolved on first use (PEP 562), so ``import abline`` costs nothing: a line loads
scikit-learn, and only the networks load torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from abline.errors import (
        AblineError,
        DataError,
        DataWarning,
        ModelFileError,
        OutputError,
        ParameterError,
    )
    from abline.judge.compare import Comparison, compare
    from abline.linear import (
        ElasticNet,
        ElasticNetCV,
        Lasso,
        LassoCV,
        LinearRegression,
        RFactor,
        Ridge,
        RidgeCV,
        enet_path,
        lasso_path,
        ols,
    )
    from abline.nets import (
        MLP,
        Callback,
        Checkpoint,
        EarlyStopping,
        MLPRegressor,
        MLPRegressorCV,
        NetworkRegressor,
        TorchRegressor,
    )
    from abline.pipeline import TableRegressor
    from abline.saving import load
    from abline.show import FitDisplay, LossDisplay, PredictionDisplay
    from abline.tables import read_table

#: where each public name lives; the only list of them
_HOMES = {
    "AblineError": "errors",
    "DataError": "errors",
    "DataWarning": "errors",
    "ModelFileError": "errors",
    "OutputError": "errors",
    "ParameterError": "errors",
    "read_table": "tables",
    "ElasticNet": "linear",
    "ElasticNetCV": "linear",
    "Lasso": "linear",
    "LassoCV": "linear",
    "LinearRegression": "linear",
    "RFactor": "linear",
    "Ridge": "linear",
    "RidgeCV": "linear",
    "enet_path": "linear",
    "lasso_path": "linear",
    "ols": "linear",
    "Callback": "nets",
    "Checkpoint": "nets",
    "EarlyStopping": "nets",
    "MLP": "nets",
    "MLPRegressor": "nets",
    "MLPRegressorCV": "nets",
    "NetworkRegressor": "nets",
    "TorchRegressor": "nets",
    "TableRegressor": "pipeline",
    "load": "saving",
    "Comparison": "judge",
    "compare": "judge",
    "FitDisplay": "show",
    "LossDisplay": "show",
    "PredictionDisplay": "show",
}

__all__ = [
    "MLP",
    "AblineError",
    "Callback",
    "Checkpoint",
    "Comparison",
    "DataError",
    "DataWarning",
    "EarlyStopping",
    "ElasticNet",
    "ElasticNetCV",
    "FitDisplay",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "LossDisplay",
    "MLPRegressor",
    "MLPRegressorCV",
    "ModelFileError",
    "NetworkRegressor",
    "OutputError",
    "ParameterError",
    "PredictionDisplay",
    "RFactor",
    "Ridge",
    "RidgeCV",
    "TableRegressor",
    "TorchRegressor",
    "__version__",
    "compare",
    "enet_path",
    "lasso_path",
    "load",
    "ols",
    "read_table",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value = getattr(import_module(f"abline.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'abline' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
