"""Many trainings of perceptrons at once: folds, settings and restarts."""

from abline.nets.many.regressor_cv import MLPRegressorCV

__all__ = ["MLPRegressorCV"]
