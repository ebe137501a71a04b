"""Products of a bent line's columns, by sums over the pieces between its bends.

A trend that may bend at many places has a column for each of them, max(t - s_j, 0), long and full.  A fit asks for the
products of all pairs, O(T S²) sums.  They need not be made, nor the columns.  A product of two of them is a sum over
the rows after both bends, and there both are lines: so the number of those rows, the sum of their times, and that of
the squares of their times, say all.  These are sums over pieces, added up from the last one backwards.

Symbols
    t  (T,)        times, ascending, from 0 on
    s  (S,)        where the trend may bend, ascending
    B  (T, S+2)    what it is made of: 1, t, max(t - s_j, 0)
    p  (T,)        a weight for each row
    V  (T, R)      other columns
    u  (R,)        1 for those that multiply the trend, else 0

Equations
    (1)  H = Bᵀ diag(p) B    trend_products
    (2)  K = Bᵀ V            column_products

Choices
    Times are counted from the bend where a piece begins, so that for p >= 0 all that is added has one sign, and no
    digits are lost between bends that are close together.
    What else a fit asks of V is here too: Vᵀ V, Vᵀ r and V β with some columns multiplied by a trend, each in one pass.

Cost
    (1) takes O(T + S²) time, (2) O((T + S) R).

>>> trend_products(np.array([0, 0.25, 0.5, 1]), np.array([0.25]), np.ones(4)).tolist()
[[4.0, 1.75, 1.0], [1.75, 1.3125, 0.875], [1.0, 0.875, 0.625]]

Source: none; the sums by parts of any textbook.
"""
import numpy as np

from scratchml.core.jit import kernel

# --- the equations -------------------------------------------------------------------------------


def trend_products(t, s, p):
    """(1)  H = Bᵀ diag(p) B

    Shapes: t (T), s (S), p (T) -> (S+2, S+2)
    """
    H = np.empty((len(s) + 2, len(s) + 2))
    places, starts = pieces(t, s)
    moments(t, starts, places, p, np.zeros((3, len(places))), H)
    return H


def column_products(t, s, V):
    """(2)  K = Bᵀ V

    Shapes: t (T), s (S), V (T, R) -> (S+2, R)
    """
    places, starts = pieces(t, s)
    every = np.ones(len(t))
    return weighted_products(t, starts, places, V, every, every, np.zeros(V.shape[1]))


def pieces(t, s):
    """Where pieces begin, 0 and s, (S+1,), and in which rows, with T at the end (S+2,)."""
    return np.concatenate([[0.0], s]), np.concatenate([[0], np.searchsorted(t, s), [len(t)]])


# --- compiled ------------------------------------------------------------------------------------


def weighted_products(t, starts, places, V, a, b, u):
    """Bᵀ (v V) (S+2, R), where v is `b` (T,) for the columns with u_c = 1, and else `a` (T,)."""
    sums = np.zeros((2, len(places), V.shape[1]))
    _piece_sums(t, starts, places, V, a, b, u, sums)
    return np.concatenate([sums[0, :1], sums[1]])


@kernel(reassociate=True)
def moments(t, starts, s, p, M, H):
    """(1) from sums of p, p x and p x² over the rows after each bend, x the time since then.

    M (3, S+1) begins with 0 and is overwritten.
    """
    S = s.size
    for j in range(S - 1, -1, -1):
        for i in range(starts[j], starts[j + 1]):
            x = t[i] - s[j]
            M[0, j] += p[i]
            M[1, j] += p[i] * x
            M[2, j] += p[i] * x * x
        if j + 1 < S:                                    # rows of later pieces, counted from this bend
            x = s[j + 1] - s[j]
            M[2, j] += M[2, j + 1] + 2 * x * M[1, j + 1] + x * x * M[0, j + 1]
            M[1, j] += M[1, j + 1] + x * M[0, j + 1]
            M[0, j] += M[0, j + 1]
    H[0, 0] = M[0, 0]
    for j in range(S):
        H[0, j + 1] = H[j + 1, 0] = M[1, j]
        for l in range(j, S):
            H[j + 1, l + 1] = H[l + 1, j + 1] = M[2, l] + (s[l] - s[j]) * M[1, l]


@kernel(reassociate=True)
def _piece_sums(t, starts, s, V, a, b, u, sums):
    """Sums of v V and v V x over the rows after each bend, x the time since then, into `sums` (2, S+1, R) of 0."""
    S, R = s.size, V.shape[1]
    for j in range(S - 1, -1, -1):
        for i in range(starts[j], starts[j + 1]):
            x = t[i] - s[j]
            more = b[i] - a[i]
            for c in range(R):
                v = V[i, c] * (a[i] + u[c] * more)
                sums[0, j, c] += v
                sums[1, j, c] += v * x
        if j + 1 < S:
            x = s[j + 1] - s[j]
            for c in range(R):
                sums[1, j, c] += sums[1, j + 1, c] + x * sums[0, j + 1, c]
                sums[0, j, c] += sums[0, j + 1, c]


def column_gram(X, g, u):
    """Xᵀ X, the columns with u_c = 1 multiplied by g (T,)."""
    R = X.shape[1]
    if R > 64:                                           # BLAS is faster there, and slower on a few columns
        scaled = X * np.where(u, g[:, None], 1)
        return scaled.T @ scaled
    G = np.zeros((R, R))
    _add_products(X, g, u, np.empty((4, R)), G)
    return np.triu(G) + np.triu(G, 1).T


@kernel(reassociate=True)
def _add_products(X, g, u, rows, G):
    """Four rows at a time, of which less is read and written than of G (R, R), into its upper triangle."""
    T, R = X.shape
    for first in range(0, T, 4):
        for q in range(4):
            i = first + q
            for c in range(R):
                rows[q, c] = X[i, c] * (1.0 + u[c] * (g[i] - 1.0)) if i < T else 0.0
        for c in range(R):
            x0, x1, x2, x3 = rows[0, c], rows[1, c], rows[2, c], rows[3, c]
            for o in range(c, R):
                G[c, o] += x0 * rows[0, o] + x1 * rows[1, o] + x2 * rows[2, o] + x3 * rows[3, o]


@kernel(reassociate=True)
def column_sums(X, u, β, times, plus):
    """1 + Σ u_c β_c X_c and Σ (1 - u_c) β_c X_c."""
    for i in range(X.shape[0]):
        multiplied, added = 0.0, 0.0
        for c in range(X.shape[1]):
            x = X[i, c] * β[c]
            multiplied += u[c] * x
            added += (1.0 - u[c]) * x
        times[i], plus[i] = 1.0 + multiplied, added


@kernel(reassociate=True)
def column_pulls(X, r, rg, u, pulls):
    """Xᵀ r, of the columns with u_c = 1 Xᵀ (r g), onto pulls (R,)."""
    for i in range(X.shape[0]):
        more = rg[i] - r[i]
        for c in range(X.shape[1]):
            pulls[c] += X[i, c] * (r[i] + u[c] * more)
