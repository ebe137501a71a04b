"""exp, tanh and log of arrays in a compiled loop: ours, those of the mathematical library, and NumPy's whole arrays."""
from functools import partial

import numpy as np

from benchmarks import Case, close, test_contender                # noqa: F401  pytest runs it
from scratchml.core import elementary
from scratchml.core.jit import kernel


@kernel
def exp_of_all(x, y):
    for i in range(x.size):
        y[i] = elementary.exp(x[i])


@kernel
def exp_of_library(x, y):
    for i in range(x.size):
        y[i] = np.exp(x[i])


@kernel
def tanh_of_all(x, y):
    for i in range(x.size):
        y[i] = elementary.tanh(x[i])


@kernel
def tanh_of_library(x, y):
    for i in range(x.size):
        y[i] = np.tanh(x[i])


@kernel
def log_of_all(x, y):
    for i in range(x.size):
        y[i] = elementary.log(x[i])


@kernel
def log_of_library(x, y):
    for i in range(x.size):
        y[i] = np.log(x[i])


@kernel
def chain(x, y):
    for i in range(x.size):
        y[i] = x[i] if i == 0 else elementary.exp(-y[i - 1])


@kernel
def chain_of_library(x, y):
    for i in range(x.size):
        y[i] = x[i] if i == 0 else np.exp(-y[i - 1])


def filled(loop):
    """The same as a function of x (N,)."""
    def function(x):
        y = np.empty_like(x)
        loop(x, y)
        return y
    return function


def numbers(N):
    return (np.random.default_rng(0).uniform(0.1, 5, N),)


def case(name, ours, librarys, **others):
    return Case(name, partial(numbers, 10_000), {"scratchml": filled(ours), "library": filled(librarys), **others},
                close(1e-14))


CASES = [
    case("exp of 10,000", exp_of_all, exp_of_library, NumPy=np.exp),
    case("tanh of 10,000", tanh_of_all, tanh_of_library, NumPy=np.tanh),
    case("log of 10,000", log_of_all, log_of_library, NumPy=np.log),
    case("10,000 exp, each of the one before", chain, chain_of_library),
]
