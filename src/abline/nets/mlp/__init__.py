"""scikit-learn's multi-layer perceptron: the same draws and numbers, other arithmetic inside."""

from abline.nets.mlp.regressor import MLPRegressor

__all__ = ["MLPRegressor"]
