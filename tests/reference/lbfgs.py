"""L-BFGS by definition: the matrix H, and slopes taken from one side."""
import numpy as np


def direction(g, S, Y):
    """(1)"""
    I = np.eye(len(g))
    H = I
    if len(S):
        H = (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1]) * I
    for s, y in zip(S, Y):
        rho = 1 / (s @ y)
        H = (I - rho * np.outer(s, y)) @ H @ (I - rho * np.outer(y, s)) + rho * np.outer(s, s)
    return -H @ g


def pseudo_gradient(x, g, c):
    """(2)  Of the slopes to the left and to the right, the one in whose direction F falls; 0 if it falls in neither."""
    z = []
    for xi, gi in zip(x, g):
        right = gi + (c if xi >= 0 else -c)
        left = gi + (c if xi > 0 else -c)
        z.append(right if right < 0 else left if left > 0 else 0.0)
    return np.array(z) if len(z) else np.zeros(0)


def downhill(d, z):
    """(3)"""
    return np.array([di if di * zi < 0 else 0.0 for di, zi in zip(d, z)])


def into_orthant(x_new, x, z):
    """(4)"""
    orthant = [np.sign(xi) if xi != 0 else -np.sign(zi) for xi, zi in zip(x, z)]
    return np.array([xi if xi * sign > 0 else 0.0 for xi, sign in zip(x_new, orthant)])


def lbfgs(Q, b, c):
    """(5)  For F = ½ xᵀQx - b·x + c Σ|x_i| with Q positive definite: coordinate by coordinate, each to its minimum."""
    x = np.zeros(len(b))
    for _ in range(20_000):
        before = x.copy()
        for i in range(len(b)):
            rest = b[i] - Q[i] @ x + Q[i, i] * x[i]
            x[i] = np.sign(rest) * max(abs(rest) - c, 0) / Q[i, i]
        if np.abs(x - before).max() <= 1e-15 * np.abs(x).max():
            break
    return x
