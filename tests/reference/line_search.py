"""The conditions of a line search, as they are stated."""
import numpy as np


def decreases(a, p, p0, u0, c1=1e-4):
    """(1)"""
    return bool(np.isfinite(p) or p == -np.inf) and p <= p0 + c1 * a * u0 + 1e-12 * np.abs(p0)


def flattens(u, u0, c2=0.9):
    """(2)"""
    return np.abs(u) <= c2 * np.abs(u0)


def cubic_minimum(a, p, u, b, q, v):
    """(3)  Four linear equations for the coefficients, then the root of the derivative where the second is positive."""
    k = np.linalg.solve([[1, a, a**2, a**3], [0, 1, 2 * a, 3 * a**2], [1, b, b**2, b**3], [0, 1, 2 * b, 3 * b**2]],
                        [p, u, q, v])
    roots = np.roots([3 * k[3], 2 * k[2], k[1]])
    return [float(r.real) for r in roots if abs(r.imag) == 0 and 2 * k[2] + 6 * k[3] * r.real > 0]


def strong_wolfe(step, phi, c1=1e-4, c2=0.9):
    """(4)  Is this a step that may be returned?"""
    (p0, u0), (p, u) = phi(0.0), phi(step)
    return decreases(step, p, p0, u0, c1) and flattens(u, u0, c2)
