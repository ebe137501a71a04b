"""Half a step of alternating least squares: with one side's factors fixed, the other side's are a linear problem.

The losses of the chapter before have products U_i·V_j in them: nothing is linear, and nothing convex.  But hold V
fixed, and each user is alone with a least-squares problem in F unknowns: which vector x fits the ratings it has given?
Its normal equations are formed from the items that it knows, and solved.  All users at once, then all items with U held
fixed, and so on: every half-step finds the least loss that can be had on its side, so the loss never rises.

What is unknown has a weight too, in most of the losses, and there is far more of it than of the known.  It need not be
visited.  If every item had the weight w, the matrix of the equations would be w Σ_j V_j V_jᵀ, the same for all users.
A user's own differs from it only in the items that it knows, by c_ij - w each.  So that sum is made once, for all.

Symbols
    N, M, F            users, items, factors
    R       (N, M)     what is known, sparse
    V       (M, F)     the factors that are held fixed, a row V_j for each item
    G       (F, F)     w VᵀV
    j       (n,)       the items that one user knows, in any order
    c, t    (n,), (n,)  the weights and targets of these entries
    w, λ               the weight of the unknown, the penalty of this user
    A, b    (F, F), (F,)  the user's normal equations
    x       (F,)       its factors; (5) begins with it
    S                  steps of (5)
    L       (N,)       the penalty of each user
    d       (M,)       what is subtracted from the targets: the items' biases
    family             c, t and w as functions of an entry, as in the chapter before

Equations
    (1)  G = w Σ_j V_j V_jᵀ, over all items                                        shared_gram
    (2)  A = G + Σ_j (c_j - w) V_j V_jᵀ + λ I, b = Σ_j c_j t_j V_j                 normal_equations
    (3)  x = A⁻¹ b                                                                 solve
    (4)  x = A⁺ b, the shortest x with the least ‖A x - b‖                         solve_least_norm
    (5)  x ← x + α p, α = r·r / p·A p, S times                                     conjugate_gradients
         with r = b - A x; p = r, later r + (r·r / r'·r') p, r' the r before
    (6)  x_i = argmin_x Σ_j c_ij (t_ij - d_j - x·V_j)² + L_i ‖x‖²                  half_step
         over all j, with c = w, t = d = 0 where unknown; 0 for a user without entries

Choices
    A user without entries has b = 0, and gets x = 0, also where A is singular.  Where Cholesky's factorisation meets a
    pivot that is lost in rounding, below 32 eps of the diagonal, that user is solved by (4), in float64.  Without a
    penalty so is one whose pivots fall below eps^¼ of it: they make rounding grow in those that follow, until a pivot
    that should be 0 does not look like it.  (4) takes eigenvalues up to F eps of the largest for 0: directions along
    which what the user knows is shorter than √(F eps) of the longest.  So then the solution is the one of least norm.
    (5) starts from the factors that the user has already, and lowers this user's loss with every step.  A few do not
    reach the bottom, but the bottom moves with the next half-step anyway.  It needs a penalty, and stops a user where
    r or the curvature p·A p is lost in rounding: what follows would be rounding divided by λ.
    Sums run in an order that depends on the user's entries alone, so the bits do not depend on the number of threads.

Cost
    For all users, (1) and (2): O(nnz F² + M F²) time, (3): O(N F³), (5): O(S (nnz F + N F²)).  Memory O(F²) for each
    thread, and for (5) the factors of the items that one user knows, O(n F).

>>> V = np.array([[1., 0], [1, 1], [0, 2]])
>>> A, b = normal_equations(V, np.array([0, 2]), np.ones(2), np.array([3., 4]), 0.0, 1.0, shared_gram(V, 0.0))
>>> A.tolist(), b.tolist(), solve(A, b).round(6).tolist()
([[2.0, 0.0], [0.0, 5.0]], [3.0, 8.0], [1.5, 1.6])

Sources: Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, section
4, for (1) and (2); G. Golub and C. Van Loan, "Matrix Computations" (2013), 5.5, for (4); G. Takács, I. Pilászy and
D. Tikk, "Applications of the conjugate gradient method for implicit feedback collaborative filtering", RecSys 2011,
for (5).
"""
import math
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel, run_chunks
from scratchml.core.linalg import cholesky, cholesky_solve
from scratchml.recommend.objectives import gram, weight_and_target

CHUNK = 16                                               # users at a time: some know a thousand times more than others
BLOCK = 128                                              # entries at a time: with F = 64 they fit into the first cache
LANES = 8                                                # what a vector register holds, in float32

# --- the equations of one user -------------------------------------------------------------------


def shared_gram(V, w):
    """(1)  G = w Σ_j V_j V_jᵀ, over all items

    In float64.

    Shapes: V (M, F), w -> (F, F)
    """
    return w * gram(V) if w else np.zeros((V.shape[1], V.shape[1]))


def normal_equations(V, j, c, t, w, λ, G):
    """(2)  A = G + Σ_j (c_j - w) V_j V_jᵀ + λ I, b = Σ_j c_j t_j V_j

    Shapes: V (M, F), j (n) in M, c (n), t (n), w, λ, G (F, F) -> (F, F), (F)
    """
    known = V[j]                                         # (n, F)
    A = G + (known.T * (c - w)) @ known + λ * np.eye(V.shape[1])
    return A, known.T @ (c * t)


def solve(A, b):
    """(3)  x = A⁻¹ b

    By Cholesky's factorisation.  Raises ValueError if `A` is not symmetric and positive definite.

    Shapes: A (F, F), b (F) -> (F)
    """
    return cholesky_solve(cholesky(A), b)


def solve_least_norm(A, b):
    """(4)  x = A⁺ b, the shortest x with the least ‖A x - b‖

    `A` is symmetric and has no negative eigenvalue.

    Shapes: A (F, F), b (F) -> (F)
    """
    eigenvalues, axes = np.linalg.eigh(A)
    kept = eigenvalues > len(A) * np.finfo(A.dtype).eps * eigenvalues[-1]
    return axes[:, kept] @ ((axes[:, kept].T @ b) / eigenvalues[kept])


def conjugate_gradients(A, b, x, S):
    """(5)  x ← x + α p, α = r·r / p·A p, S times

    Fewer where r is lost in rounding, below 8 eps of b, or the curvature along p, below 8 eps of the largest before.

    Shapes: A (F, F), b (F), x (F), S -> (F)
    """
    r = b - A @ x
    p, square, most = r, r @ r, 0.0
    noise = 8 * np.finfo(A.dtype).eps
    for _ in range(S):
        if square <= noise**2 * (b @ b):
            break
        along = A @ p
        curvature = (p @ along) / (p @ p)
        most = max(most, curvature)
        if not curvature > noise * most:
            break
        α = square / (p @ along)
        x, r = x + α * p, r - α * along
        before, square = square, r @ r
        p = r + (square / before) * p
    return x


# --- all users -----------------------------------------------------------------------------------


class Side(NamedTuple):
    """What a half-step holds fixed, in the type in which it computes."""
    V: np.ndarray                                        # (M, F)
    d: np.ndarray                                        # (M,) subtracted from the targets
    G: np.ndarray                                        # (F, F) of (1)
    L: np.ndarray                                        # (N,) the penalty of each user
    terms: np.ndarray                                    # (4,) the family


def half_step(R, V, L, family, d=None, *, start=None, S=0):
    """(6)  x_i = argmin_x Σ_j c_ij (t_ij - d_j - x·V_j)² + L_i ‖x‖²

    `d` is 0 by default.  With S = 0 each user's equations are formed and solved, by (2) and (3); else they are not, and
    S steps of (5) are taken from `start` (N, F), by default 0.

    Shapes: R (N, M), V (M, F), L (N), family -> (N, F)
    """
    V = np.ascontiguousarray(V)
    d = np.zeros(len(V), V.dtype) if d is None else np.ascontiguousarray(d, V.dtype)
    with np.errstate(over="ignore"):                     # what float32 cannot hold shows in the loss
        G = shared_gram(V, family.unobserved).astype(V.dtype)
    side = Side(V, d, G, L.astype(V.dtype), np.array(family, V.dtype))
    N, F = R.shape[0], V.shape[1]
    if S:
        X = np.zeros((N, F), V.dtype) if start is None else np.array(start, V.dtype, order="C")
        run_chunks(_take_steps, N, R, side, X, S, chunk=CHUNK)
        return X
    X, lost = np.zeros((N, F), V.dtype), np.zeros(N, np.bool_)
    run_chunks(_form_and_solve, N, R, side, X, lost, chunk=CHUNK)
    if lost.any():
        V, d, G = V.astype(np.float64), d.astype(np.float64), shared_gram(V, family.unobserved)
        for n in np.flatnonzero(lost):
            X[n] = solve_least_norm(*equations_of(R, n, V, L, family, d, G))
    return X


def equations_of(R, n, V, L, family, d, G):
    """(2) of user `n` of R (N, M): A (F, F) and b (F,), in float64."""
    here = slice(R.indptr[n], R.indptr[n + 1])
    j = R.indices[here]
    c, t = weight_and_target(R.data[here].astype(np.float64), family)
    return normal_equations(V, j, c, t - d[j], family.unobserved, float(L[n]), G)


# --- compiled: the same result as (2) and (3), because only the order of the sums differs ---------


@kernel
def _form_and_solve(c, start, stop, R, side, X, lost):
    """(6) for the users start ... stop-1 into `X` (N, F), which begins as 0; lost[n] where a pivot was."""
    F = side.V.shape[1]
    A, work = np.empty((F, F), side.V.dtype), np.zeros((F + 4, BLOCK + LANES), side.V.dtype)
    for n in range(start, stop):
        first, last = R.indptr[n], R.indptr[n + 1]
        if first == last:
            continue
        A[:] = side.G
        for f in range(F):
            A[f, f] += side.L[n]
        for k in range(first, last, BLOCK):
            _add_entries(R, k, min(k + BLOCK, last), side, work, A, X[n])
        lost[n] = not _solve_in_place(A, X[n], side.L[n] > 0)


@kernel(reassociate=True)
def _add_entries(R, first, last, side, work, A, b):
    """The sums of (2) over the entries first ... last-1, at most BLOCK, added to the upper triangle of A, and to b.

    `work` (F+4, BLOCK + LANES) takes the entries' factors in columns: a product of two factors is then a sum along a
    row, in vector registers.  Eight sums are made at a time, of two factors with four: each number that is read is used
    more than once.  Rows end in zeros up to a whole register.  The LANES at the end of each keep rows from falling into
    the same places of the cache.
    """
    F, n = A.shape[0], last - first
    width = (n + LANES - 1) // LANES * LANES
    growth, slope, level, unobserved = side.terms[0], side.terms[1], side.terms[2], side.terms[3]
    zero, one = A.dtype.type(0), A.dtype.type(1)         # in the factors' own type, or registers hold half as many
    weight, pull, left, right = work[F, :width], work[F + 1, :width], work[F + 2, :width], work[F + 3, :width]
    for k in range(n):
        j, r = R.indices[first + k], R.data[first + k]
        confidence = one + growth * r
        weight[k], pull[k] = confidence - unobserved, confidence * (slope * r + level - side.d[j])
        v = side.V[j]
        for f in range(F):
            work[f, k] = v[f]
    work[:F + 2, n:width] = 0
    for f in range(0, F, 2):
        after = min(f + 1, F - 1)                        # of the last of an odd number, the sums are made twice
        u0, u1 = work[f, :width], work[after, :width]
        b0, b1 = zero, zero
        for k in range(width):
            left[k], right[k] = weight[k] * u0[k], weight[k] * u1[k]
            b0 += pull[k] * u0[k]
            b1 += pull[k] * u1[k]
        b[f] += b0
        if after > f:
            b[after] += b1
        for g in range(f, F, 4):
            g1, g2, g3 = min(g + 1, F - 1), min(g + 2, F - 1), min(g + 3, F - 1)
            v0, v1, v2, v3 = work[g, :width], work[g1, :width], work[g2, :width], work[g3, :width]
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zero
            for k in range(width):
                s0 += left[k] * v0[k]
                s1 += left[k] * v1[k]
                s2 += left[k] * v2[k]
                s3 += left[k] * v3[k]
                t0 += right[k] * v0[k]
                t1 += right[k] * v1[k]
                t2 += right[k] * v2[k]
                t3 += right[k] * v3[k]
            _add_four(A[f], g, s0, s1, s2, s3)
            if after > f:
                _add_four(A[after], g, t0, t1, t2, t3)


@kernel
def _add_four(row, g, s0, s1, s2, s3):
    """s0 ... s3 added to the places g ... g+3 of `row`, as far as there are so many."""
    row[g] += s0
    if g + 1 < row.size:
        row[g + 1] += s1
    if g + 2 < row.size:
        row[g + 2] += s2
    if g + 3 < row.size:
        row[g + 3] += s3


@kernel(reassociate=True)
def _solve_in_place(A, b, penalised):
    """x of (3) over `b` (F,), from the upper triangle of `A` (F, F), which is overwritten; False if a pivot is lost.

    A = UᵀU with U upper triangular, row by row: from row j of A four rows above are subtracted at a time, along memory.
    """
    F = b.size
    eps = _eps(b[:1])
    floor = 32 * eps if penalised else eps**0.25
    for j in range(F):
        row, diagonal = A[j, j:], A[j, j]
        k = 0
        while k + 4 <= j:
            a0, a1, a2, a3 = A[k, j:], A[k + 1, j:], A[k + 2, j:], A[k + 3, j:]
            m0, m1, m2, m3 = a0[0], a1[0], a2[0], a3[0]
            for g in range(row.size):
                row[g] -= m0 * a0[g] + m1 * a1[g] + m2 * a2[g] + m3 * a3[g]
            k += 4
        for i in range(k, j):
            a0 = A[i, j:]
            m0 = a0[0]
            for g in range(row.size):
                row[g] -= m0 * a0[g]
        pivot = row[0]
        if not pivot > floor * diagonal:
            return False
        root = A.dtype.type(1) / math.sqrt(pivot)
        for g in range(row.size):
            row[g] *= root
    for j in range(F):
        row, rest = A[j, j + 1:], b[j + 1:]
        b[j] /= A[j, j]
        y = b[j]
        for g in range(row.size):
            rest[g] -= y * row[g]
    for j in range(F - 1, -1, -1):
        row, known = A[j, j + 1:], b[j + 1:]
        y = b[j]
        for g in range(row.size):
            y -= row[g] * known[g]
        b[j] = y / A[j, j]
    return True


@kernel
def _eps(x):
    """The distance from 1 to the next number of the type of `x`."""
    return 2.0**-23 if x.itemsize == 4 else 2.0**-52


# --- compiled: the same result as (2) and (5), because A p = G p + Σ_j (c_j - w) V_j (V_j·p) + λ p ------


@kernel
def _take_steps(c, start, stop, R, side, X, S):
    """S steps of (5) for the users start ... stop-1, over `X` (N, F), without forming A."""
    F, longest = side.V.shape[1], 0
    for n in range(start, stop):
        longest = max(longest, R.indptr[n + 1] - R.indptr[n])
    known, weight = np.empty((longest, F), side.V.dtype), np.empty(longest, side.V.dtype)
    r, p, along = np.empty(F, side.V.dtype), np.empty(F, side.V.dtype), np.empty(F, side.V.dtype)
    noise = 8 * _eps(p[:1])
    for n in range(start, stop):
        first, last = R.indptr[n], R.indptr[n + 1]
        if first == last:
            X[n] = 0
            continue
        count = last - first
        _gather(R, first, last, side, known, weight, r)
        _apply(known[:count], weight[:count], side.G, side.L[n], X[n], along)
        least = noise * noise * _dot(r, r)               # r is b as yet
        r -= along
        p[:] = r
        square, most = _dot(r, r), 0.0
        for _ in range(S):
            if square <= least:
                break
            _apply(known[:count], weight[:count], side.G, side.L[n], p, along)
            curvature, length = _dot(p, along), _dot(p, p)
            if not curvature > noise * most * length:
                break
            most = max(most, curvature / length)
            before, square = square, _step(X[n], r, p, along, p.dtype.type(square / curvature))
            _turn(p, r, p.dtype.type(square / before))


@kernel(reassociate=True)
def _gather(R, first, last, side, known, weight, b):
    """The factors and c - w of the entries first ... last-1 into `known` and `weight`, and b (F,) of (2)."""
    growth, slope, level, unobserved = side.terms[0], side.terms[1], side.terms[2], side.terms[3]
    one = b.dtype.type(1)
    b[:] = 0
    for k in range(last - first):
        j, r = R.indices[first + k], R.data[first + k]
        confidence = one + growth * r
        weight[k] = confidence - unobserved
        pull = confidence * (slope * r + level - side.d[j])
        v, row = side.V[j], known[k]
        for f in range(b.size):
            row[f] = v[f]
            b[f] += pull * v[f]


@kernel(reassociate=True)
def _apply(known, weight, G, λ, p, along):
    """A p of (2) into `along` (F,)."""
    F, n, zero = p.size, known.shape[0], p.dtype.type(0)
    for f in range(F):
        along[f] = λ * p[f]
    for g in range(F):
        row, m = G[g], p[g]
        for f in range(F):
            along[f] += m * row[f]
    k = 0
    while k + 4 <= n:
        v0, v1, v2, v3 = known[k], known[k + 1], known[k + 2], known[k + 3]
        m0 = m1 = m2 = m3 = zero
        for f in range(F):
            m0 += v0[f] * p[f]
            m1 += v1[f] * p[f]
            m2 += v2[f] * p[f]
            m3 += v3[f] * p[f]
        m0, m1, m2, m3 = m0 * weight[k], m1 * weight[k + 1], m2 * weight[k + 2], m3 * weight[k + 3]
        for f in range(F):
            along[f] += m0 * v0[f] + m1 * v1[f] + m2 * v2[f] + m3 * v3[f]
        k += 4
    for i in range(k, n):
        v = known[i]
        m = zero
        for f in range(F):
            m += v[f] * p[f]
        m *= weight[i]
        for f in range(F):
            along[f] += m * v[f]


@kernel(reassociate=True)
def _dot(x, y):
    """x·y, added up in float64."""
    total = 0.0
    for f in range(x.size):
        total += np.float64(x[f]) * y[f]
    return total


@kernel(reassociate=True)
def _step(x, r, p, along, step):
    """x ← x + step p, r ← r - step A p; returns the new r·r."""
    total = 0.0
    for f in range(x.size):
        x[f] += step * p[f]
        r[f] -= step * along[f]
        total += np.float64(r[f]) * r[f]
    return total


@kernel
def _turn(p, r, share):
    """p ← r + share p."""
    for f in range(p.size):
        p[f] = r[f] + share * p[f]
