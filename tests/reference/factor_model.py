"""What factors answer, by definition."""
import numpy as np


def predicted(U, V, b, d, μ, i, j):
    """(1)"""
    return [μ + b[n] + d[m] + sum(U[n][f] * V[m][f] for f in range(len(V[m]))) for n, m in zip(i, j)]


def contributions(B, v, c, t, A):
    """(2)  The solution is linear in the targets: what would v's score be, if all of them but one were 0?"""
    scores = []
    for k in range(len(t)):
        scores.append(np.linalg.solve(A, c[k] * t[k] * B[k]) @ v)
    return scores
