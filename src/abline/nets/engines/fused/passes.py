"""Passes through a stack of layers, and whole epochs of them.

A network is `tables.Tables`: for each layer its sizes, where its weights and biases begin among
the parameters, and the addresses of its activation's pieces. Rows are taken in blocks that fit the
processor's cache; blocks are cut by the network's width alone, so sums are the same on every
machine. Within a block arrays are of shape (units, rows): each unit's outputs stand side by side,
whatever its layer's width. Matrix products are BLAS's.

Arrays are pointers, and what a piece calls it finds by address; an address of 0 is nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from abline.nets.engines.fused.calls import at, gemm, number, run
from abline.nets.engines.fused.compiled import compiled_exactly, piece
from abline.nets.engines.fused.elementary import type_of

Array = Any  # a pointer to int64, float32 or float64

#: addresses that are called: BLAS's matrix product, the pieces here, the loss and the optimizer
GEMM, GATHER, FORWARD, BACKWARD, BATCH, LOSS, UPDATE, DROP, CLIP, PENALISE, BY_SLOPES = range(11)

#: a network's sizes: its layers, features, outputs, all of a row's numbers (features and every
#: layer's outputs), the widest layer's, parameters, and the rows of a block
LAYERS, FEATURES, OUTPUTS, DEPTH, WIDEST, PARAMETERS, BLOCK = range(7)

#: a layer's whole numbers: units in and out, where weights and biases begin (-1: no bias), its
#: activation's pieces, 1 where that writes slopes, and 1 where dropout follows
IN, OUT, WEIGHT, BIAS, APPLY, CHAIN, WRITES, DROPOUT, LAYER_COLUMNS = range(9)

#: a layer's options: its activation's parameter, and its dropout's rate
PARAMETER, RATE, OPTION_COLUMNS = range(3)

#: rows: addresses of features, of targets, of weights (0: they are 1) and of offsets (0: there are
#: none), their number, targets of a row, and numbers from one row's features or offset to the next
X, Y, WEIGHTS, OFFSETS, ROWS, TARGETS, STRIDE, ROWS_COLUMNS = range(8)

#: what a batch's sum is multiplied by for its value and its derivatives, and whether it is not
#: divided by the batch's weight as well; a loss's own parameters follow
VALUE_SHARE, SLOPE_SHARE, SUMMED, LOSS_PARAMETERS = range(4)


@piece("real*", *["int64"] * 3, "int64*", "int64", "int64", "real*")
def gather(
    source: Array, stride: int, columns: int, ordered: int, order: Array, first: int, n: int,
    block: Array,
) -> None:  # fmt: skip
    """Copy n rows of a table to the columns of a block, in an order or in their own."""
    if ordered:
        for i in range(n):
            row = at(source, order[first + i] * stride)
            for k in range(columns):
                block[k * n + i] = row[k]
    else:
        rows = at(source, first * stride)
        for k in range(columns):
            for i in range(n):
                block[k * n + i] = rows[i * stride + k]


@piece("float64", "int64", "int64", "int64", "real*", "real*", "int64")
def drop(rate: float, seed: int, draws: int, index: int, z: Array, s: Array, n: int) -> None:
    """Set a share of a layer's outputs, and their slopes, to zero and scale up the others.

    Each output's number is hashed (Steele, Lea, Flood 2014, SplitMix64), so the mask depends on
    nothing but the seed and the output's place.
    """
    key = np.uint64(seed) + np.uint64(draws) * np.uint64(0x9E3779B97F4A7C15)
    key ^= np.uint64(index) * np.uint64(0xD1342543DE82EF95)
    least = np.uint64(rate * 9007199254740992.0)  # of 53 bits
    factor, zero = type_of(z, 1.0 / (1.0 - rate)), type_of(z, 0.0)
    for i in range(n):
        h = key + np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h = (h ^ (h >> np.uint64(31))) >> np.uint64(11)
        mask = factor if h >= least else zero
        z[i] *= mask
        s[i] *= mask


@compiled_exactly
def outer(column: Array, row: Array, product: Array, m: int, n: int) -> None:
    """Multiply m numbers with n others, for which BLAS takes twice as long."""
    for k in range(m):
        factor = column[k]
        for i in range(n):
            product[k * n + i] = factor * row[i]


@piece("int64*", "int64*", "int64*", "float64*", *["real*"] * 3, *["int64"] * 4)
def forward(
    calls: Array, sizes: Array, layers: Array, options: Array, params: Array, zeros: Array,
    work: Array, n: int, train: int, seed: int, draws: int,
) -> None:  # fmt: skip
    """Compute all layers' outputs for a block of n rows, whose features begin ``work``.

    ``work`` holds the layers' values one after the other, then their slopes. ``zeros`` are for
    layers without biases.
    """
    start = 0
    one = type_of(params, 1.0)
    for index in range(sizes[LAYERS]):
        layer = at(layers, index * LAYER_COLUMNS)
        option = at(options, index * OPTION_COLUMNS)
        width, units = layer[IN], layer[OUT]
        a = at(work, start)
        start += width * n
        z = at(work, start)
        weights = at(params, layer[WEIGHT])
        if width == 1:
            outer(weights, a, z, units, n)
        else:
            gemm(calls[GEMM], False, False, n, units, width, a, n, weights, width, 0, z, n)
        s = at(work, sizes[DEPTH] * n + start)
        dropping = train > 0 and layer[DROPOUT] > 0
        if dropping:
            for i in range(units * n):
                s[i] = one
        biases = at(params, layer[BIAS]) if layer[BIAS] >= 0 else zeros
        run(layer[APPLY], option[PARAMETER], biases, z, s, units, n)
        if dropping:
            if not layer[WRITES]:
                # sums that nobody reads go where the next layer's slopes will be
                run(layer[CHAIN], s, z, at(s, units * n), 0.0, units, n)
            run(calls[DROP], option[RATE], seed, draws, index, z, s, units * n)


@piece(*["int64*"] * 3, "real*", "real*", "int64", "int64", *["real*"] * 3, "int64")
def backward(
    calls: Array, sizes: Array, layers: Array, params: Array, work: Array, n: int, train: int,
    delta: Array, below: Array, grads: Array, fresh: int,
) -> None:  # fmt: skip
    """Turn the outputs' derivatives ``delta`` into the parameters'.

    ``fresh`` says that ``grads`` begin anew, otherwise this block's are added to them.
    """
    start = (sizes[DEPTH] - sizes[OUTPUTS]) * n
    keep = 0.0 if fresh else 1.0
    for index in range(sizes[LAYERS] - 1, -1, -1):
        layer = at(layers, index * LAYER_COLUMNS)
        width, units = layer[IN], layer[OUT]
        by_bias = at(grads, layer[BIAS]) if layer[BIAS] >= 0 else below  # where nobody reads it
        if train > 0 and layer[DROPOUT] > 0:
            s = at(work, sizes[DEPTH] * n + start)
            run(calls[BY_SLOPES], delta, s, by_bias, keep, units, n)
        else:
            values = sizes[DEPTH] * n + start if layer[WRITES] else start
            run(layer[CHAIN], delta, at(work, values), by_bias, keep, units, n)
        start -= width * n
        a = at(work, start)
        g = at(grads, layer[WEIGHT])
        gemm(calls[GEMM], True, False, width, units, n, a, n, delta, n, keep, g, width)
        if index > 0:
            weights = at(params, layer[WEIGHT])
            if units == 1:
                outer(weights, delta, below, width, n)
            else:
                gemm(
                    calls[GEMM], False, True, n, width, units, delta, n, weights, width, 0,
                    below, n,
                )  # fmt: skip
            delta, below = below, delta


@piece(
    *["int64*"] * 3, *["float64*"] * 2, "int64*", "int64", "int64*", *["int64"] * 2,
    *["real*"] * 3, *["int64"] * 3, "float64*", number=True,
)  # fmt: skip
def batch(
    calls: Array, sizes: Array, layers: Array, options: Array, loss: Array, rows: Array,
    ordered: int, order: Array, first: int, size: int, params: Array, grads: Array, space: Array,
    train: int, seed: int, draws: int, mass: Array,
) -> float:  # fmt: skip
    """Give the sum of a batch's weighted losses and write that of its weights; differentiate it."""
    total = 0.0
    mass[0] = 0.0
    depth, t = sizes[DEPTH], rows[TARGETS]
    done = 0
    while done < size:
        n = min(sizes[BLOCK], size - done)
        zeros, work = space, at(space, sizes[WIDEST])
        delta = at(work, 2 * depth * n)
        below = at(delta, sizes[WIDEST] * n)
        target = at(below, sizes[WIDEST] * n)
        w = at(target, t * n)
        place = first + done
        run(calls[GATHER], rows[X], rows[STRIDE], sizes[FEATURES], ordered, order, place, n, work)
        run(calls[GATHER], rows[Y], t, t, ordered, order, place, n, target)
        if rows[WEIGHTS]:
            run(calls[GATHER], rows[WEIGHTS], 1, 1, ordered, order, place, n, w)
            for i in range(n):
                mass[0] += w[i]
        else:
            for i in range(n):
                w[i] = type_of(params, 1.0)
            mass[0] += n
        drawn = draws + done
        run(
            calls[FORWARD], calls, sizes, layers, options, params, zeros, work, n, train, seed,
            drawn,
        )  # fmt: skip
        outputs = at(work, (depth - sizes[OUTPUTS]) * n)
        if rows[OFFSETS]:
            run(calls[GATHER], rows[OFFSETS], rows[STRIDE], 1, ordered, order, place, n, below)
            for j in range(sizes[OUTPUTS]):
                for i in range(n):
                    outputs[j * n + i] += below[i]
        total += number(calls[LOSS], at(loss, LOSS_PARAMETERS), outputs, target, w, delta, t, n)
        if train:
            run(
                calls[BACKWARD], calls, sizes, layers, params, work, n, train, delta, below,
                grads, done == 0,
            )  # fmt: skip
        done += n
    return total


@piece("int64*", "int64*", "float64", "real*", "real*", number=True)
def penalise(
    sizes: Array, layers: Array, strength: float, params: Array, grads: Array
) -> float:  # fmt: skip
    """Add half the weights' (not the biases') squares times a strength, and its gradients."""
    total = 0.0
    factor = type_of(params, strength)
    for index in range(sizes[LAYERS]):
        layer = at(layers, index * LAYER_COLUMNS)
        p, g = at(params, layer[WEIGHT]), at(grads, layer[WEIGHT])
        square = type_of(params, 0.0)
        for i in range(layer[IN] * layer[OUT]):
            square += p[i] * p[i]
            g[i] += factor * p[i]
        total += square
    return 0.5 * strength * total


#: a training's numbers: the penalty's strength, the bounds of the gradients' length and elements
ALPHA, NORM, VALUE = range(3)


@piece(
    *["int64*"] * 3, *["float64*"] * 2, *["int64*"] * 2, "int64", "int64*", *["int64"] * 4,
    "float64*", "int64*", *["float64*"] * 2, *["real*"] * 5, "int64", *["float64*"] * 3,
    number=True,
)  # fmt: skip
def train_epochs(
    calls: Array, sizes: Array, layers: Array, options: Array, loss: Array,
    rows: Array, valid: Array, ordered: int, orders: Array,
    epochs: int, batch_size: int, by_rows: int, draws: int,
    rates: Array, steps: Array, settings: Array, numbers: Array,
    params: Array, grads: Array, m: Array, v: Array, space: Array, seed: int,
    mass: Array, train_losses: Array, valid_losses: Array,
) -> float:  # fmt: skip
    """Run epochs; give the number of those that ended with a finite loss.

    ``steps`` holds the number of steps that the optimizer has taken. ``draws`` is the number of
    rows that have been drawn before. An epoch's loss is its batches' mean by weight, or by their
    numbers of rows; a batch whose weights are all zero makes no step.
    """
    n = rows[ROWS]
    number_of_rate = 0
    for epoch in range(epochs):
        order = at(orders, epoch * n) if ordered else orders
        total = 0.0
        share = 0.0
        for first in range(0, n, batch_size):
            size = min(batch_size, n - first)
            value = number(
                calls[BATCH], calls, sizes, layers, options, loss, rows, ordered, order, first,
                size, params, grads, space, 1, seed, draws + epoch * n + first, mass,
            )  # fmt: skip
            weight = mass[0]
            rate = rates[number_of_rate]
            number_of_rate += 1
            if weight == 0:
                continue
            divisor = 1.0 if loss[SUMMED] > 0 else weight
            value *= loss[VALUE_SHARE] / divisor
            scale = type_of(params, loss[SLOPE_SHARE] / divisor)
            for i in range(sizes[PARAMETERS]):
                grads[i] *= scale
            if calls[PENALISE]:
                strength = numbers[ALPHA] / weight
                value += number(calls[PENALISE], sizes, layers, strength, params, grads)
            if calls[CLIP]:
                run(calls[CLIP], numbers[NORM], numbers[VALUE], grads, sizes[PARAMETERS])
            steps[0] += 1
            run(calls[UPDATE], steps[0], rate, settings, params, grads, m, v, sizes[PARAMETERS])
            counted = float(size) if by_rows else weight
            total += value * counted
            share += counted
        train_losses[epoch] = total / (float(n) if by_rows else share)
        if not math.isfinite(train_losses[epoch]):
            return float(epoch)
        if valid[ROWS]:
            value = number(
                calls[BATCH], calls, sizes, layers, options, loss, valid, 0, orders, 0,
                valid[ROWS], params, grads, space, 0, seed, 0, mass,
            )  # fmt: skip
            divisor = 1.0 if loss[SUMMED] > 0 else mass[0]
            valid_losses[epoch] = value * loss[VALUE_SHARE] / divisor
    return float(epochs)
