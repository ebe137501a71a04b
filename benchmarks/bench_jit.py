"""Rules for kernels, by what breaking them costs: a long sum in its order, and points as rows of two numbers."""
from functools import partial

import numpy as np

from benchmarks import Case, close, test_contender                # noqa: F401  pytest runs it
from scratchml.core.jit import kernel


@kernel(reassociate=True)
def sum_in_any_order(x):
    total = 0.0
    for i in range(x.size):
        total += x[i]
    return total


@kernel
def sum_in_order(x):
    total = 0.0
    for i in range(x.size):
        total += x[i]
    return total


@kernel(reassociate=True)
def _forces_of_columns(u, v, out):
    """out (N, 2): Σ_j (y_i - y_j) / (1 + ‖y_i - y_j‖²) for points with coordinates u (N,) and v (N,)."""
    for i in range(u.size):
        along, across = np.float32(0), np.float32(0)
        for j in range(u.size):
            a, b = u[i] - u[j], v[i] - v[j]
            w = np.float32(1) / (np.float32(1) + a * a + b * b)
            along += w * a
            across += w * b
        out[i, 0], out[i, 1] = along, across


@kernel(reassociate=True)
def _forces_of_rows(Y, out):
    """The same of points Y (N, 2)."""
    for i in range(Y.shape[0]):
        for k in range(2):
            out[i, k] = 0
        for j in range(Y.shape[0]):
            square = np.float32(0)
            for k in range(2):
                square += (Y[i, k] - Y[j, k]) ** 2
            w = np.float32(1) / (np.float32(1) + square)
            for k in range(2):
                out[i, k] += w * (Y[i, k] - Y[j, k])


def forces_of_columns(Y):
    out = np.empty_like(Y)
    _forces_of_columns(*np.ascontiguousarray(Y.T), out)
    return out


def forces_of_rows(Y):
    out = np.empty_like(Y)
    _forces_of_rows(Y, out)
    return out


def numbers(*shape, dtype=np.float64):
    return (np.random.default_rng(0).random(shape, dtype),)


CASES = [
    Case("a sum of 10,000 numbers", partial(numbers, 10_000),
         {"scratchml": sum_in_any_order, "in order": sum_in_order}),
    Case("forces between 1,797 points", partial(numbers, 1797, 2, dtype=np.float32),
         {"scratchml": forces_of_columns, "rows of two": forces_of_rows}, close(1e-3, 1e-3)),
]
