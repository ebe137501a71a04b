"""Half-steps by definition: sums over all items, the pseudoinverse, Krylov spaces, one least-squares problem a user."""
import numpy as np


def shared_gram(V, w):
    """(1)"""
    return w * sum((np.outer(v, v) for v in V), np.zeros((V.shape[1], V.shape[1])))


def normal_equations(V, j, c, t, w, λ, G):
    """(2)  From all items, each with its weight: w where it is not among j."""
    F = V.shape[1]
    A, b = λ * np.eye(F), np.zeros(F)
    for m in range(len(V)):
        if m in j:
            k = list(j).index(m)
            A += c[k] * np.outer(V[m], V[m])
            b += c[k] * t[k] * V[m]
        else:
            A += w * np.outer(V[m], V[m])
    return A, b


def solve(A, b):
    """(3)"""
    return np.linalg.inv(A) @ b


def solve_least_norm(A, b):
    """(4)"""
    return np.linalg.pinv(A, rcond=1e-12, hermitian=True) @ b


def conjugate_gradients(A, b, x, S):
    """(5)  The x that lowers xᵀA x / 2 - b·x most, of all that x + r, A r, ..., A^(S-1) r reach."""
    r = b - A @ x
    Q = np.zeros((len(b), 0))                            # an orthonormal basis of that space
    for _ in range(S):
        new = A @ Q[:, -1] if Q.size else r
        size = np.linalg.norm(new)
        for _ in range(2):
            new = new - Q @ (Q.T @ new)
        if np.linalg.norm(new) <= 1e-12 * size:
            break
        Q = np.column_stack([Q, new / np.linalg.norm(new)])
    return x + Q @ np.linalg.solve(Q.T @ A @ Q, Q.T @ r)


def half_step(A, V, L, family, d):
    """(6)  A is dense, with NaN where nothing is known.  Every item is a row of a least-squares problem, as is λ."""
    growth, slope, level, w = family
    X = np.zeros((len(A), V.shape[1]))
    for i, row in enumerate(A):
        known = ~np.isnan(row)
        if known.any():
            c = np.where(known, 1 + growth * row, w)
            t = np.where(known, slope * row + level - d, 0)
            design = np.vstack([np.sqrt(c)[:, None] * V, np.sqrt(L[i]) * np.eye(V.shape[1])])
            X[i] = np.linalg.lstsq(design, np.concatenate([np.sqrt(c) * t, np.zeros(V.shape[1])]), rcond=1e-9)[0]
    return X
