"""Losses of a block of rows, and their derivatives by the outputs.

Arrays are of shape (outputs, rows). An element's loss counts ``share`` times its row's weight.
"""

from __future__ import annotations

import math
from typing import Any

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.compiled import compiled
from abline.nets.engines.fused.elementary import exp, type_of

Array = Any  # float32 or float64, C-contiguous


@compiled
def loss_of(code: int, parameter: float, O: Array, Y: Array, weights: Array, D: Array) -> Any:  # noqa: E741 - O are the outputs
    """Add up the weighted losses of a block; write their derivatives to D.

    ``weights`` has one element a row, or none where all rows count alike.
    """
    total = type_of(O[0, 0], 0.0)
    for s in range(len(O)):
        o, y, d = O[s], Y[s], D[s]
        if code in (codes.SQUARED, codes.HALF_SQUARED):
            total += _squared(code, o, y, d)
        elif code in (codes.POISSON, codes.GAMMA, codes.HALF_POISSON):
            total += _log_link(code, o, y, d)
        else:
            total += _bounded_slope(code, parameter, o, y, d)
        if len(weights):
            total += _weigh(code, parameter, o, y, weights, d)
    return total


@compiled
def _squared(code: int, o: Array, y: Array, d: Array) -> Any:
    total = type_of(o[0], 0.0)
    if code == codes.SQUARED:
        for i in range(len(o)):
            error = o[i] - y[i]
            total += error * error
            d[i] = error + error
        return total
    for i in range(len(o)):
        error = o[i] - y[i]
        total += error * error
        d[i] = error
    return type_of(o[0], 0.5) * total


@compiled
def _bounded_slope(code: int, parameter: float, o: Array, y: Array, d: Array) -> Any:
    zero = type_of(o[0], 0.0)
    one = type_of(o[0], 1.0)
    half = type_of(o[0], 0.5)
    p = type_of(o[0], parameter)
    total = zero
    if code == codes.ABSOLUTE:
        for i in range(len(o)):
            error = o[i] - y[i]
            total += abs(error)
            d[i] = one if error > zero else (-one if error < zero else error)
    elif code == codes.QUANTILE:
        for i in range(len(o)):
            error = o[i] - y[i]
            total += (one - p) * error if error > zero else -p * error
            d[i] = one - p if error > zero else (-p if error < zero else error)
    else:
        # Huber's loss; divided by its bend it is torch's smooth absolute loss
        scale = one / p if code == codes.SMOOTH_ABSOLUTE else one
        for i in range(len(o)):
            error = o[i] - y[i]
            inside = abs(error) < p
            far = p * (abs(error) - half * p)
            total += scale * (half * error * error if inside else far)
            d[i] = scale * (error if inside else (p if error > zero else -p))
            d[i] = error if math.isnan(error) else d[i]
    return total


@compiled
def _log_link(code: int, o: Array, y: Array, d: Array) -> Any:
    total = type_of(o[0], 0.0)
    if code == codes.GAMMA:
        for i in range(len(o)):
            ratio = y[i] * exp(-o[i])
            total += o[i] + ratio
            d[i] = type_of(o[0], 1.0) - ratio
        return total
    for i in range(len(o)):
        mean = exp(o[i])
        total += mean - y[i] * o[i]
        d[i] = mean - y[i]
    if code == codes.HALF_POISSON:
        for i in range(len(o)):
            if y[i] > 0:
                total += y[i] * type_of(y[i], math.log(y[i])) - y[i]
    return total


@compiled
def _weigh(code: int, parameter: float, o: Array, y: Array, weights: Array, d: Array) -> Any:
    """Multiply derivatives by weights; give what the weights add to the sum of losses."""
    total = type_of(o[0], 0.0)
    one = type_of(o[0], 1.0)
    for i in range(len(o)):
        total += (weights[i] - one) * element_loss(code, parameter, o[i], y[i])
        d[i] *= weights[i]
    return total


@compiled
def element_loss(code: int, parameter: float, o: Any, y: Any) -> Any:
    """Give the loss of one output."""
    p = type_of(o, parameter)
    half = type_of(o, 0.5)
    error = o - y
    if code == codes.SQUARED:
        return error * error
    if code == codes.HALF_SQUARED:
        return half * error * error
    if code == codes.ABSOLUTE:
        return abs(error)
    if code == codes.QUANTILE:
        return (type_of(o, 1.0) - p) * error if error > 0 else -p * error
    if code == codes.GAMMA:
        return o + y * exp(-o)
    if code in (codes.POISSON, codes.HALF_POISSON):
        constant = (
            y * type_of(y, math.log(y)) - y if code == codes.HALF_POISSON and y > 0 else y - y
        )
        return exp(o) - y * o + constant
    value = half * error * error if abs(error) < p else p * (abs(error) - half * p)
    return value / p if code == codes.SMOOTH_ABSOLUTE else value
