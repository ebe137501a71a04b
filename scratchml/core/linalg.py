"""Linear systems and eigenvectors by hand: Cholesky's factorisation and Jacobi's rotations.

Least squares, Gaussian densities, principal components: each comes down to a symmetric matrix A and one of
two questions.  What solves A x = b?  Write A as L Lᵀ with L triangular, and a triangular system is solved one
unknown at a time.  Along which axes is A diagonal?  Turn the plane of two coordinates until their entry off the
diagonal is 0; the next turn spoils it a little, yet after a few rounds over all the planes nothing is left.

Symbols
    A     (N, N)     a symmetric matrix; positive definite in (1), with the diagonal of L positive
    L     (N, N)     lower triangular; what stands above its diagonal is not used
    b     (N,)       a right-hand side; the public functions take (N, R) too, and solve it column by column
    x     (N,)       the unknowns
    p, q             a plane, p < q
    a, d, h          A[p,p], A[q,q] and A[p,q], the entry to be annihilated
    t, c, s          tangent, cosine and sine of the angle of the turn
    J     (N, N)     the turn: 1, but J[p,p] = J[q,q] = c, J[p,q] = s, J[q,p] = -s
    W     (N, N)     the product of all turns so far, a row for each axis; V is its transpose
    V     (N, N)     eigenvectors, one a column
    λ     (N,)       their eigenvalues, ascending

Equations
    (1)  L[i,j] = (A[i,j] - Σ_{k<j} L[i,k] L[j,k]) / L[j,j]                            cholesky
         for j < i, and L[j,j] = √(A[j,j] - Σ_{k<j} L[j,k]²)
    (2)  L x = b, x_i = (b_i - Σ_{k<i} L[i,k] x_k) / L[i,i]                            solve_lower
    (3)  Lᵀ x = b, x_i = (b_i - Σ_{k>i} L[k,i] x_k) / L[i,i]                           solve_lower_transposed
    (4)  A x = b, x = L⁻ᵀ (L⁻¹ b)                                                      cholesky_solve
    (5)  log det A = 2 Σ_i log L[i,i]                                                  log_determinant
    (6)  t = sign(θ) / (|θ| + √(θ² + 1)) with θ = (d - a) / 2h                         tangent
    (7)  A ← Jᵀ A J, W ← Jᵀ W with c = 1 / √(t² + 1), s = t c                          rotate
    (8)  A V = V diag(λ), Vᵀ V = 1: (7) for every p < q, over and over                 jacobi_eigh

Choices
    (6) is the smaller root of t² + 2 θ t - 1 = 0, a turn by at most 45°, and free of cancellation.  Each turn lowers
    Σ_{i≠j} A[i,j]² by 2 A[p,q]².  A plane is left alone once |A[p,q]| <= eps √|A[p,p] A[q,q]| or A[p,q] is subnormal,
    and (8) ends with a round that turned nothing.  Errors of λ are of the order N eps max|λ|.  With this criterion, of
    Demmel and Veselić, those of a positive definite matrix D B D (D diagonal, B with a diagonal of ones) are of the
    order N eps cond(B) relative to each single eigenvalue, however unlike the scales in D are.  The sign of an
    eigenvector is what the turns make it.  If max|A| < 1e-290, digits get lost among the subnormal numbers.
    The public functions check what they get, copy it, and take float32: computed in float64, returned in float32.
    The kernels ending in `_in_place` are for other kernels: they check nothing and compute in the type of their arrays.
    A counts as symmetric if |A - Aᵀ| <= √eps max|A|; then its lower triangle is used.  N = 0 is allowed everywhere.

Cost
    (1) takes N³/3 operations, (2) and (3) N².  (8) takes up to ten rounds of N²/2 turns of 12 N operations.
    `python -m benchmarks linalg` times (1) and (8) beside LAPACK: of a matrix as small as those of a user or of a
    Gaussian (1) is faster, since it is called from kernels; (8) is several times slower.

>>> L = cholesky([[4.0, 2.0], [2.0, 10.0]])
>>> L.tolist()
[[2.0, 0.0], [1.0, 3.0]]
>>> cholesky_solve(L, [8.0, 22.0]).tolist()
[1.0, 2.0]

Sources: G. H. Golub and C. F. Van Loan, "Matrix Computations", 4th edition, Johns Hopkins 2013, sections 3.1 for (2)
and (3), 4.2 for (1), 8.5 for (6) to (8); J. Demmel and K. Veselić, "Jacobi's method is more accurate than QR", SIAM
Journal on Matrix Analysis and Applications 13 (1992), for the criterion and the accuracy.
"""
import math

import numpy as np

from scratchml.core.checks import as_floats, finite
from scratchml.core.jit import kernel

EPS, TINY = float(np.finfo(np.float64).eps), float(np.finfo(np.float64).tiny)
MOST_ROUNDS = 60                                         # far more than any matrix is known to need

# --- Cholesky -----------------------------------------------------------------------------------


@kernel(reassociate=True)
def factor_in_place(A):
    """(1) in the lower triangle of `A` (N, N), nothing else of which is read or written.

    Returns N, or the first j whose pivot, the number under the root, is not positive; it then stands in A[j,j].
    """
    N = A.shape[0]
    for i in range(N):
        for j in range(i + 1):
            rest = A[i, j]
            for k in range(j):
                rest -= A[i, k] * A[j, k]
            if j < i:
                A[i, j] = rest / A[j, j]
            elif rest > 0.0:
                A[i, i] = math.sqrt(rest)
            else:
                A[i, i] = rest
                return i
    return N


def cholesky(A):
    """(1)  L[i,j] = (A[i,j] - Σ_{k<j} L[i,k] L[j,k]) / L[j,j]

    Raises ValueError if `A` is not square, symmetric, finite or positive definite.

    Shapes: A (N, N) -> (N, N)
    """
    A = _symmetric(A)
    L = np.tril(A).astype(np.float64)
    with _quiet():
        j = factor_in_place(L)
    if j < len(L):
        raise ValueError(f"A: not positive definite, pivot {j} of the factorisation is {L[j, j]:.6g}; add a positive "
                         f"number to the diagonal, or remove what makes row {j} a combination of the rows before it")
    return L.astype(A.dtype)


# --- triangular systems -------------------------------------------------------------------------


@kernel(reassociate=True)
def solve_lower_in_place(L, b):
    """(2) with the unknowns written over `b` (N,)."""
    for i in range(b.size):
        rest = b[i]
        for k in range(i):
            rest -= L[i, k] * b[k]
        b[i] = rest / L[i, i]


@kernel(contract=True)
def solve_lower_transposed_in_place(L, b):
    """(3) with the unknowns written over `b` (N,).

    An unknown is subtracted from the rows above as soon as it is known: so L is read along its rows.
    """
    for i in range(b.size - 1, -1, -1):
        b[i] /= L[i, i]
        for k in range(i):
            b[k] -= L[i, k] * b[i]


def solve_lower(L, b):
    """(2)  L x = b, x_i = (b_i - Σ_{k<i} L[i,k] x_k) / L[i,i]

    `b` may also be (N, R), R systems.  Raises ValueError if `L` is not square, the shapes do not match, something
    is not finite, or L has a 0 on its diagonal or so small a number that the solution overflows.

    Shapes: L (N, N), b (N) -> (N)
    """
    return _solve(L, b, solve_lower_in_place)


def solve_lower_transposed(L, b):
    """(3)  Lᵀ x = b, x_i = (b_i - Σ_{k>i} L[k,i] x_k) / L[i,i]

    `b` and errors as in `solve_lower`.

    Shapes: L (N, N), b (N) -> (N)
    """
    return _solve(L, b, solve_lower_transposed_in_place)


def cholesky_solve(L, b):
    """(4)  A x = b, x = L⁻ᵀ (L⁻¹ b)

    `L` is what `cholesky` made of A; `b` and errors as in `solve_lower`.

    Shapes: L (N, N), b (N) -> (N)
    """
    return _solve(L, b, solve_lower_in_place, solve_lower_transposed_in_place)


def _solve(L, b, *kernels):
    L, b = _triangular(L), finite(as_floats(b, "b"), "b")
    if b.ndim not in (1, 2) or len(b) != len(L):
        raise ValueError(f"b: expected shape ({len(L)},) or ({len(L)}, R), as L is {L.shape}; got shape {b.shape}")
    dtype = np.result_type(L, b)
    L, columns = L.astype(np.float64), np.array(b.T, np.float64, order="C", ndmin=2)
    with _quiet():
        for column in columns:
            for solve_in_place in kernels:
                solve_in_place(L, column)
        x = columns.T.reshape(b.shape).astype(dtype, order="C")
    if not np.isfinite(x).all():
        raise ValueError(f"L: singular or nearly so, the solution overflows {dtype}; the smallest magnitude on the "
                         f"diagonal is {np.abs(L.diagonal()).min():.3g}")
    return x


def log_determinant(L):
    """(5)  log det A = 2 Σ_i log L[i,i]

    Of A = L Lᵀ.  Raises ValueError if `L` is not square and finite with a positive diagonal.

    Shapes: L (N, N) -> ()
    """
    L = _triangular(L)
    if (L.diagonal() < 0).any():
        raise ValueError(f"L: expected a positive diagonal, got {L.diagonal().min()} at {L.diagonal().argmin()}")
    return 2.0 * float(np.log(L.diagonal(), dtype=np.float64).sum())


# --- Jacobi -------------------------------------------------------------------------------------


@kernel
def tangent(a, d, h):
    """(6)  t = sign(θ) / (|θ| + √(θ² + 1)) with θ = (d - a) / 2h

    For h != 0; sign(0) = 1.  `hypot` is that root, even where θ² would overflow.

    Shapes: a, d, h -> ()
    """
    theta = (d - a) / (2.0 * h)
    sign = 1.0 if theta >= 0.0 else -1.0
    return sign / (abs(theta) + math.hypot(theta, 1.0))


@kernel(contract=True)
def rotate(A, W, p, q):
    """(7)  A ← Jᵀ A J, W ← Jᵀ W with c = 1 / √(t² + 1), s = t c

    `A` and `W` are overwritten, and returned.  Rows are turned, and the columns copied from them: A is symmetric.
    Where these rows and columns cross, (6) makes the products a - t h, d + t h and 0, which round less than they would.

    Shapes: A (N, N), W (N, N), p, q -> (N, N), (N, N)
    """
    a, d, h = A[p, p], A[q, q], A[p, q]
    t = tangent(a, d, h)
    c = 1.0 / math.sqrt(t * t + 1.0)
    s = t * c
    for r in range(A.shape[0]):
        A[p, r], A[q, r] = c * A[p, r] - s * A[q, r], s * A[p, r] + c * A[q, r]
        W[p, r], W[q, r] = c * W[p, r] - s * W[q, r], s * W[p, r] + c * W[q, r]
    for r in range(A.shape[0]):
        A[r, p], A[r, q] = A[p, r], A[q, r]
    A[p, p], A[q, q] = a - t * h, d + t * h
    A[p, q] = A[q, p] = 0.0
    return A, W


@kernel
def _round_of_turns(A, W):
    """(7) for every p < q whose A[p,q] is not negligible; True if there was one."""
    turned = False
    for p in range(A.shape[0]):
        for q in range(p + 1, A.shape[0]):
            negligible = EPS * math.sqrt(abs(A[p, p])) * math.sqrt(abs(A[q, q]))
            if abs(A[p, q]) > max(negligible, TINY):
                rotate(A, W, p, q)
                turned = True
    return turned


def jacobi_eigh(A):
    """(8)  A V = V diag(λ), Vᵀ V = 1: (7) for every p < q, over and over

    Returns the eigenvalues, ascending, and the eigenvectors as columns in the same order.
    Raises ValueError if `A` is not square, symmetric and finite, or so large that a turn might overflow.

    Shapes: A (N, N) -> (N), (N, N)
    """
    A = _symmetric(A)
    largest = float(np.abs(A).max(initial=0))
    if largest > float(np.finfo(A.dtype).max) / (4 * max(1, len(A))):
        raise ValueError(f"A: the largest magnitude is {largest:.3g}, so that a turn might overflow; divide A by 1e6")
    D = np.tril(A).astype(np.float64)
    D += np.tril(D, -1).T
    W = np.eye(len(D))
    with _quiet():
        settled = any(not _round_of_turns(D, W) for _ in range(MOST_ROUNDS))
    if not settled:
        raise ArithmeticError(f"A: still turning after {MOST_ROUNDS} rounds, which no matrix was known to need")
    order = np.argsort(D.diagonal(), kind="stable")
    return D.diagonal()[order].astype(A.dtype), np.ascontiguousarray(W[order].T, A.dtype)


# --- what comes in ------------------------------------------------------------------------------


def _quiet():
    """What overflows is found in the result, and reported from there; kernels do not warn, plain Python should not."""
    return np.errstate(over="ignore", divide="ignore", invalid="ignore")


def _square(A, name):
    A = finite(as_floats(A, name), name)
    if A.ndim != 2 or A.shape[0] != A.shape[1]:
        raise ValueError(f"{name}: expected a square matrix (N, N), got shape {A.shape}")
    return A


def _symmetric(A):
    A = _square(A, "A")
    with _quiet():
        gap = np.abs(A - A.T)
    if gap.max(initial=0) > np.finfo(A.dtype).eps ** 0.5 * np.abs(A).max(initial=0):
        i, j = np.unravel_index(gap.argmax(), gap.shape)
        raise ValueError(f"A: expected a symmetric matrix, got A[{i},{j}] = {A[i, j]} and A[{j},{i}] = {A[j, i]}; "
                         "if that is rounding, pass (A + A.T) / 2")
    return A


def _triangular(L):
    L = _square(L, "L")
    if not L.diagonal().all():
        i = int(np.argmax(L.diagonal() == 0))
        raise ValueError(f"L: expected no 0 on the diagonal, got L[{i},{i}] = 0: no solution, or many")
    return L
