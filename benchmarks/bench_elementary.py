"""exp, tanh and log of arrays in a compiled loop: ours, those of the mathematical library, and NumPy's whole arrays."""
from functools import partial

import numpy as np

from benchmarks import Case, close, test_contender                # noqa: F401  pytest runs it
from scratchml.core import elementary
from scratchml.core.jit import kernel


def of_all(f):
    """f of each entry, as a function of x (N,)."""
    @kernel
    def loop(x, y):
        for i in range(x.size):
            y[i] = f(x[i])
    return filled(loop)


def chain(f):
    """f of minus the entry before, as a function of x (N,), of which the first entry alone counts."""
    @kernel
    def loop(x, y):
        for i in range(x.size):
            y[i] = x[i] if i == 0 else f(-y[i - 1])
    return filled(loop)


def filled(loop):
    def function(x):
        y = np.empty_like(x)
        loop(x, y)
        return y
    return function


def numbers(N):
    return (np.random.default_rng(0).uniform(0.1, 5, N),)


def case(name, loop, ours, librarys, **others):
    return Case(name, partial(numbers, 10_000), {"scratchml": loop(ours), "library": loop(librarys), **others},
                close(1e-14))


CASES = [
    case("exp of 10,000", of_all, elementary.exp, np.exp, NumPy=np.exp),
    case("tanh of 10,000", of_all, elementary.tanh, np.tanh, NumPy=np.tanh),
    case("log of 10,000", of_all, elementary.log, np.log, NumPy=np.log),
    case("10,000 exp, each of the one before", chain, elementary.exp, np.exp),
]
