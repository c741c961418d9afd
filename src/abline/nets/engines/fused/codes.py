"""The numbers by which kernels know activations, losses and optimizers."""

from __future__ import annotations

IDENTITY, RELU, TANH, SIGMOID = 0, 1, 2, 3
LEAKY_RELU, ELU, SELU, SOFTPLUS, SILU, MISH, GELU, GELU_TANH = 4, 5, 6, 7, 8, 9, 10, 11

SQUARED, ABSOLUTE, HUBER, SMOOTH_ABSOLUTE, QUANTILE = 0, 1, 2, 3, 4
POISSON, GAMMA, HALF_SQUARED, HALF_POISSON = 5, 6, 7, 8
GAUSSIAN, QUANTILES = 9, 10

SGD, ADAM, ADAMW, SGD_VELOCITY, ADAM_PLAIN_EPSILON = 0, 1, 2, 3, 4
