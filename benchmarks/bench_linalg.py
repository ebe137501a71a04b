"""Cholesky's factorisation and Jacobi's rotations: the kernels by hand, and LAPACK by way of NumPy."""
from functools import partial

import numpy as np

from benchmarks import Case, close, test_contender                # noqa: F401  pytest runs it
from scratchml.core.linalg import factor_in_place, jacobi_eigh


def definite(N):
    B = np.random.default_rng(0).normal(size=(N, N + 5))
    return (B @ B.T,)


def factor(A):
    L = A.copy()
    factor_in_place(L)
    return L


def lower(A):
    """What counts of a factor, and of what `factor` leaves above the diagonal."""
    return np.tril(A)


def same_factor(theirs, ours):
    np.testing.assert_allclose(lower(theirs), lower(ours), atol=1e-10 * np.abs(lower(ours)).max())


def eigenvalues(A):
    return jacobi_eigh(A)[0]


CASES = [
    *(Case(f"L of L Lᵀ, N = {N}", partial(definite, N),
           {"scratchml": factor, "LAPACK": np.linalg.cholesky}, same_factor) for N in (8, 16, 32, 64, 128)),
    *(Case(f"eigenvectors, N = {N}", partial(definite, N),
           {"scratchml": eigenvalues, "LAPACK": lambda A: np.linalg.eigh(A)[0]}, close(1e-9)) for N in (8, 64)),
]
