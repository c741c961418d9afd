"""Passes through a stack of layers, and whole epochs of them.

A network is its ``layers``, one row of whole numbers for each: units in, units out, where its
weights and its biases begin among the parameters (-1: no bias), its activation, and 1 where dropout
follows. Rows are taken in blocks that fit the processor's cache; blocks are cut by the network's
width alone, so sums are the same on every machine. Within a block arrays are of shape (units,
rows): each unit's outputs stand side by side, whatever its layer's width. Matrix products are
BLAS's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from abline.nets.engines.fused import codes
from abline.nets.engines.fused.activations import activate, activate_keeping, add_bias, chain
from abline.nets.engines.fused.compiled import compiled
from abline.nets.engines.fused.elementary import type_of
from abline.nets.engines.fused.losses import loss_of
from abline.nets.engines.fused.updates import clip, update

Array = Any  # float32 or float64, C-contiguous

#: columns of ``layers``
IN, OUT, WEIGHT, BIAS, ACTIVATION, DROPOUT = 0, 1, 2, 3, 4, 5


@compiled
def gather(X: Array, order: Array, first: int, n: int, block: Array) -> Array:
    """Copy n rows of X, of shape (rows, columns), to the columns of a block."""
    p = X.shape[1]
    rows = block[: p * n].reshape((p, n))
    if len(order):
        for i in range(n):
            row = X[order[first + i]]
            for k in range(p):
                rows[k, i] = row[k]
    else:
        for k in range(p):
            for i in range(n):
                rows[k, i] = X[first + i, k]
    return rows


@compiled
def forward(
    layers: Array,
    options: Array,
    params: Array,
    work: Array,
    n: int,
    train: bool,
    seed: int,
    draws: int,
) -> None:
    """Compute all layers' outputs for a block of n rows, whose features begin ``work``.

    ``work`` holds the layers' values one after the other, then their slopes.
    """
    half = len(work) // 2
    start = 0
    for index in range(len(layers)):
        layer = layers[index]
        width, units = layer[IN], layer[OUT]
        A = work[start : start + width * n].reshape((width, n))
        start += width * n
        Z = work[start : start + units * n].reshape((units, n))
        weight = layer[WEIGHT]
        np.dot(params[weight : weight + width * units].reshape((units, width)), A, Z)
        if layer[BIAS] >= 0:
            add_bias(Z, params[layer[BIAS] : layer[BIAS] + units])
        dropping = train and layer[DROPOUT] > 0
        if layer[ACTIVATION] in codes.FROM_VALUE and not dropping:
            activate(layer[ACTIVATION], Z)
        else:
            S = work[half + start : half + start + units * n].reshape((units, n))
            activate_keeping(layer[ACTIVATION], options[index, 0], Z, S)
            if dropping:
                drop(options[index, 1], seed, draws, index, Z.ravel(), S.ravel())


@compiled
def drop(rate: float, seed: int, draws: int, index: int, z: Array, s: Array) -> None:
    """Set a share of a layer's outputs, and their slopes, to zero and scale up the others.

    Each output's number is hashed (Steele, Lea, Flood 2014, SplitMix64), so the mask depends on
    nothing but the seed and the output's place.
    """
    key = np.uint64(seed) + np.uint64(draws) * np.uint64(0x9E3779B97F4A7C15)
    key ^= np.uint64(index) * np.uint64(0xD1342543DE82EF95)
    least = np.uint64(rate * 9007199254740992.0)  # of 53 bits
    factor = type_of(z[0], 1.0 / (1.0 - rate))
    zero = type_of(z[0], 0.0)
    for i in range(len(z)):
        h = key + np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h = (h ^ (h >> np.uint64(31))) >> np.uint64(11)
        mask = factor if h >= least else zero
        z[i] *= mask
        s[i] *= mask


@compiled
def backward(
    layers: Array,
    params: Array,
    work: Array,
    n: int,
    train: bool,
    D: Array,
    other: Array,
    grads: Array,
    spare: Array,
    fresh: bool,
) -> None:
    """Turn the outputs' derivatives, at the start of D, into the parameters'.

    ``fresh`` says that ``grads`` begin anew, otherwise this block's are added to them.
    """
    half = len(work) // 2
    start = 0
    for index in range(len(layers)):
        start += layers[index, IN] * n
    deltas, below = D, other
    for index in range(len(layers) - 1, -1, -1):
        layer = layers[index]
        width, units, weight = layer[IN], layer[OUT], layer[WEIGHT]
        delta = deltas[: units * n].reshape((units, n))
        Z = work[start : start + units * n].reshape((units, n))
        if layer[ACTIVATION] in codes.FROM_VALUE and not (train and layer[DROPOUT] > 0):
            chain(layer[ACTIVATION], Z, delta)
        else:
            slopes = work[half + start : half + start + units * n]
            flat = delta.ravel()
            for i in range(len(flat)):
                flat[i] *= slopes[i]
        start -= width * n
        A = work[start : start + width * n].reshape((width, n))
        G = grads[weight : weight + width * units]
        if fresh:
            np.dot(delta, A.T, G.reshape((units, width)))
        else:
            np.dot(delta, A.T, spare[: width * units].reshape((units, width)))
            for i in range(width * units):
                G[i] += spare[i]
        if layer[BIAS] >= 0:
            for j in range(units):
                total = type_of(delta[0, 0], 0.0)
                for i in range(n):
                    total += delta[j, i]
                grads[layer[BIAS] + j] = total if fresh else grads[layer[BIAS] + j] + total
        if index > 0:
            W = params[weight : weight + width * units].reshape((units, width))
            np.dot(W.T, delta, below[: width * n].reshape((width, n)))
            deltas, below = below, deltas


@compiled
def batch_loss_gradient(
    layers: Array,
    options: Array,
    loss: Array,
    X: Array,
    Y: Array,
    weights: Array,
    order: Array,
    first: int,
    size: int,
    block: int,
    params: Array,
    grads: Array,
    space: Array,
    train: bool,
    seed: int,
    draws: int,
) -> Any:
    """Give the sums of a batch's weighted losses and of its weights; differentiate the first."""
    total = 0.0
    mass = 0.0
    widest = 0
    depth = layers[0, IN]
    for index in range(len(layers)):
        widest = max(widest, layers[index, OUT])
        depth += layers[index, OUT]
    t = Y.shape[1]
    done = 0
    while done < size:
        n = min(block, size - done)
        work = space[0, : 2 * depth * n]
        D = space[1, : widest * n]
        other = space[2, : widest * n]
        gather(X, order, first + done, n, work)
        forward(layers, options, params, work, n, train, seed, draws + done)
        target = gather(Y, order, first + done, n, space[3])
        w = space[4, : n if len(weights) else 0]
        for i in range(len(w)):
            w[i] = weights[order[first + done + i] if len(order) else first + done + i]
            mass += w[i]
        O = work[(depth - t) * n : depth * n].reshape((t, n))  # noqa: E741 - the outputs
        total += loss_of(int(loss[0]), loss[1], O, target, w, D[: t * n].reshape((t, n)))
        if train:
            backward(layers, params, work, n, train, D, other, grads, space[5], done == 0)
        done += n
    return total, mass if len(weights) else float(size)


@compiled
def train_epochs(
    first_epoch: int,
    epochs: int,
    layers: Array,
    options: Array,
    loss: Array,
    X: Array,
    Y: Array,
    weights: Array,
    orders: Array,
    batch: int,
    block: int,
    optimizer: int,
    settings: Array,
    bounds: Array,
    rates: Array,
    alpha: float,
    step: int,
    params: Array,
    grads: Array,
    m: Array,
    v: Array,
    space: Array,
    seed: int,
    valid_X: Array,
    valid_Y: Array,
    valid_weights: Array,
    train_losses: Array,
    valid_losses: Array,
) -> int:
    """Run epochs; give the number of those that ended with a finite loss.

    ``loss`` holds its code, its parameter, its share (what an element's loss is multiplied by
    besides the mean over rows) and 1 where rows are added up rather than averaged.
    """
    n = len(X)
    steps = (n + batch - 1) // batch
    none = orders[0, :0]
    training = n > 0  # neither this nor the zero may be literals, or callees are compiled twice
    zero = n - n
    for epoch in range(epochs):
        order = orders[epoch] if orders.shape[1] else none
        total = 0.0
        mass = 0.0
        first = zero
        while first < n:
            size = min(batch, n - first)
            value, weight = batch_loss_gradient(
                layers,
                options,
                loss,
                X,
                Y,
                weights,
                order,
                first,
                size,
                block,
                params,
                grads,
                space,
                training,
                seed,
                (first_epoch + epoch) * n + first,
            )
            share = loss[2] if loss[3] > 0 else loss[2] / weight
            value *= share
            scale = type_of(params[0], share)
            for i in range(len(grads)):
                grads[i] *= scale
            if alpha > 0:
                value += penalise(layers, alpha / weight, params, grads)
            clip(grads, bounds[0], bounds[1])
            update(
                optimizer,
                step + 1,
                rates[epoch * steps + first // batch],
                settings,
                params,
                grads,
                m,
                v,
            )
            step += 1
            total += value * weight
            mass += weight
            first += size
        train_losses[epoch] = total / mass
        if not math.isfinite(train_losses[epoch]):
            return epoch
        if len(valid_X):
            value, weight = batch_loss_gradient(
                layers,
                options,
                loss,
                valid_X,
                valid_Y,
                valid_weights,
                none,
                zero,
                len(valid_X),
                block,
                params,
                grads,
                space,
                not training,
                seed,
                zero,
            )
            valid_losses[epoch] = value * (loss[2] if loss[3] > 0 else loss[2] / weight)
    return epochs


@compiled
def penalise(layers: Array, strength: float, params: Array, grads: Array) -> float:
    """Add half the weights' (not the biases') squares times a strength, and its gradients."""
    total = 0.0
    factor = type_of(params[0], strength)
    for index in range(len(layers)):
        layer = layers[index]
        square = type_of(params[0], 0.0)
        for i in range(layer[WEIGHT], layer[WEIGHT] + layer[IN] * layer[OUT]):
            square += params[i] * params[i]
            grads[i] += factor * params[i]
        total += square
    return 0.5 * strength * total
