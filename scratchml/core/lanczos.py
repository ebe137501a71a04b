"""The largest singular values of a matrix that is too large to decompose: block Lanczos.

A random vector, sent through A and back again and again, turns towards the direction that A stretches most.  The power
method keeps the last of these vectors alone.  All of them together know far more: of the space that they span, the
vectors that C = AᵀA stretches most are the first singular vectors of A, long before the powers get there.  Lanczos
makes that space orthonormal one product at a time.  With a block of vectors in place of one it finds values that come
several times, and a product with a block reads the matrix once for all of them.

A is never changed and never written out.  All that is asked of it are products with a few vectors, so it may be sparse;
and to centre its columns takes a correction of rank one to each product, no matrix without zeros.

Symbols
    A      (N, D)  the matrix; anything with A @ B, A.T, shape.  Of the wider kind (N < D) its transpose takes its place
    R      (N, D)  its sparse rows
    g, h           vectors (N,) and (D,): ones and the means of the columns
    C      (D, D)  AᵀA, never formed
    B      (D, L)  vectors in columns
    K      (M, D)  the basis: orthonormal vectors, one a row
    W      (D, L)  what C makes of the newest block
    H      (M, L)  W along the basis: the newest columns of T
    E      (D, L)  what is left of W
    G              a random numpy.random.Generator
    T      (M, M)  K C Kᵀ
    θ      (F,)    Ritz values, falling: the first F eigenvalues of T, nearly those of C
    F              how many are wanted
    V      (F, D)  Ritz vectors, one a row: v_f
    Y      (M, F)  eigenvectors of T, one a column: y_f; y'_f its last L entries, which belong to the newest block
    ρ      (F,)    how far v_f is from an eigenvector
    Q      (N, F)  an orthonormal basis, in columns
    U, S           left singular vectors in columns, singular values

Equations
    (1)  (A B)_i = Σ_j A_ij B_j, over the entries of row i                         times
    (2)  (A - g hᵀ) B = A B - g (hᵀ B)                                             shifted_times
    (3)  W = Kᵀ H + E, H = K W, K E = 0                                            split
    (4)  K' K'ᵀ = 1, K K'ᵀ = 0, K' spans what E does                               next_block
    (5)  T y_f = θ_f y_f, v_f = Kᵀ y_f                                             ritz_pairs
    (6)  ρ_f = ‖C v_f - θ_f v_f‖ = ‖E y'_f‖                                        residuals
    (7)  U S Vᵀ = A, from the SVD of the small Qᵀ A, as A ≈ Q Qᵀ A                 project_and_decompose

Choices
    `leading_axes` has two modes.  Without `tol` it takes as many blocks as it is told, one of random vectors and
    `further` ones, each of F vectors or up to 7 more: so that no value that comes F times is missed.  Values are then
    too small, never too large, and the last of them most.  With `tol` it goes on until ρ_f <= tol θ_f, or what
    rounding allows, with blocks of 8; when the basis is full, it begins anew with the best F + 8 of it.  A narrow block
    can miss copies of a value, so a search in what is left must find nothing larger.
    The basis is made orthogonal to all of itself twice.  Where E has fewer dimensions than columns, because the space
    is exhausted, random vectors take the place of the others.
    Values of C below 1e-8 of the first have lost half of their digits to squaring.  So only those above are kept, and
    the others are sought again, among what is orthogonal to these.  (7) and S_f = ‖A v_f‖ then work on A itself.
    All is in float64, and A is scaled by what it makes of a random vector.

Cost
    2 products with A for each vector of the basis, 3 at most for each of the answer, and 8 M² min(N, D) operations.
    `python -m benchmarks lanczos --times` runs it beside scikit-learn's.

>>> A = np.outer([1., 2, 3], [3., 4, 0, 0]) + np.outer([3., 0, -1], [0, 0, 0, 1e-3])
>>> Z, S, V = leading_axes(A, 1, np.random.default_rng(0))
>>> S.round(6), np.abs(V).round(3)
(array([18.708287]), array([[0.6, 0.8, 0. , 0. ]]))

Sources: G. Golub, F. Luk and M. Overton, "A block Lanczos method for computing the singular values and corresponding
singular vectors of a matrix", ACM Trans. Mathematical Software 7 (1981); K. Wu and H. Simon, "Thick-restart Lanczos
method for large symmetric eigenvalue problems", SIAM J. Matrix Analysis 22 (2000); C. Musco and C. Musco, "Randomized
block Krylov methods for stronger and faster approximate singular value decomposition", NeurIPS (2015).
"""
import numpy as np

from scratchml.core.estimator import warn_not_converged
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import Rows, transposed

EPS = float(np.finfo(np.float64).eps)
SURE = 1e-8             # of the largest value of C: those above are right to EPS / SURE of themselves
LANE = 8                # vectors of a block: those numbers of a row of B fill a line of the cache
NOTHING = 1e-26         # of the largest: what rounding makes of a value 0
MOST = 300              # restarts
CHUNK = 128             # rows a thread takes at a time

# --- products ------------------------------------------------------------------------------------


def times(R, B):
    """(1)  (A B)_i = Σ_j A_ij B_j, over the entries of row i

    Shapes: R (N, D), B (D, L) -> (N, L)
    """
    product = np.zeros((R.shape[0], B.shape[1]), np.result_type(R.data, B))
    run_chunks(_times, len(product), R, np.ascontiguousarray(B, product.dtype), product, chunk=CHUNK)
    return product


def shifted_times(R, g, h, B):
    """(2)  (A - g hᵀ) B = A B - g (hᵀ B)

    Shapes: R (N, D), g (N), h (D), B (D, L) -> (N, L)
    """
    product = times(R, B)
    product -= np.multiply.outer(g, h @ B)
    return product


class SparseMatrix:
    """Rows in the clothes of a matrix: A @ B, A.T and shape; less g hᵀ if `shift` is (g, h)."""

    def __init__(self, rows, columns=None, shift=None):
        self.rows = rows
        self.columns = transposed(rows) if columns is None else columns
        self.shift, self.shape = shift, rows.shape

    @property
    def T(self):
        return SparseMatrix(self.columns, self.rows, self.shift and self.shift[::-1])

    def __matmul__(self, B):
        return times(self.rows, B) if self.shift is None else shifted_times(self.rows, *self.shift, B)


def centred(rows, μ):
    """Rows (N, D), less `μ` (D,) in each row, as a matrix.

    A column without zeros stays so: there μ is taken off the entries, which loses nothing to a large offset.
    """
    full = np.bincount(rows.indices, minlength=len(μ)) == rows.shape[0]
    rows = rows._replace(data=rows.data - np.where(full, μ, 0)[rows.indices])
    return SparseMatrix(rows, shift=(np.ones(rows.shape[0]), np.where(full, 0, μ)))


# --- the basis -----------------------------------------------------------------------------------


def split(K, W):
    """(3)  W = Kᵀ H + E, H = K W, K E = 0

    Shapes: K (M, D), W (D, L) -> (M, L), (D, L)
    """
    H = K @ W
    return H, W - K.T @ H


def next_block(K, E, G, size=0.0):
    """(4)  K' K'ᵀ = 1, K K'ᵀ = 0, K' spans what E does

    Random vectors take the place of columns of E that are combinations of others, or nothing beside `size`.  Where
    fewer than L dimensions are left, K' is a basis of those.

    Shapes: K (M, D), E (D, L), G -> (L, D)
    """
    (M, D), L = K.shape, E.shape[1]
    new, triangle = np.linalg.qr(E)                      # (D, L)
    lengths = np.abs(triangle.diagonal())
    nothing = lengths <= 100 * EPS * max(size, lengths.max())
    if D - M < L:
        new, nothing = np.empty((D, D - M)), np.ones(D - M, bool)
    if nothing.any():
        new[:, nothing] = G.normal(size=(D, nothing.sum())) / D**0.5
        new = np.linalg.qr(split(K, new)[1])[0]
    return np.linalg.qr(split(K, new)[1])[0].T


def ritz_pairs(K, T, F):
    """(5)  T y_f = θ_f y_f, v_f = Kᵀ y_f

    The first F: θ, V and Y.

    Shapes: K (M, D), T (M, M), F -> (F), (F, D), (M, F)
    """
    θ, Y = np.linalg.eigh(T)
    Y = Y[:, ::-1][:, :F]
    return θ[::-1][:F], Y.T @ K, Y


def residuals(E, Y):
    """(6)  ρ_f = ‖C v_f - θ_f v_f‖ = ‖E y'_f‖

    Shapes: E (D, L), Y (M, F) -> (F)
    """
    return np.linalg.norm(E @ Y[-E.shape[1]:], axis=0)


def project_and_decompose(A, Q):
    """(7)  U S Vᵀ = A, from the SVD of the small Qᵀ A, as A ≈ Q Qᵀ A

    Returns U, the singular values S in descending order, and V, one vector a row.

    Shapes: A (N, D), Q (N, F) -> (N, F), (F), (F, D)
    """
    U, S, Vt = np.linalg.svd((A.T @ Q).T, full_matrices=False)
    return Q @ U, S, Vt


# --- the search ----------------------------------------------------------------------------------


def leading_axes(A, F, rng, *, further=4, tol=None):
    """The F largest singular values of A (N, D), F at most min(N, D), and the axes that they belong to.

    Returns Z = A Vᵀ (N, F), S (F,) falling, its columns' lengths, and the axes V (F, D).  With `tol` a
    ConvergenceWarning says that some ρ_f is larger than asked for.

    Parameters
    ----------
    A : array or SparseMatrix (N, D)
        Of float64, its largest magnitude between 1e-290 and 1e290 / max(N, D).
    F : int
        How many.
    rng : numpy.random.Generator
        Source of the first block.
    further : int, default=4
        Blocks after the first, if `tol` is None.
    tol : float or None, default=None
        The largest ρ_f / θ_f; 0 for all digits.
    """
    small = A.T if A.shape[0] < A.shape[1] else A
    D = small.shape[1]
    widest = LANE * -(-F // LANE)
    width, room, rounds = (widest, widest * (further + 1), 1) if tol is None else (LANE, 3 * F + 4 * LANE, MOST)
    scale = _unit_of(small @ rng.normal(size=(D, 1)))

    def square(B):
        return scale * (small.T @ (scale * (small @ B)))             # C B, but for the scale

    V, top, settled = np.empty((0, D)), 0.0, True
    while len(V) < F:
        θ, found, well = _first_pairs(square, V, F - len(V), rng, (width, room), (tol, top), rounds)
        top = max(top, θ[0])
        sure = θ >= (SURE * θ[0] if θ[0] > NOTHING * top else 0)
        if width < len(found) < D - len(V) and sure.all():
            missed = _first_pairs(square, np.concatenate([V, found]), 1, rng, (width, room), (tol, top), 1)[0]
            sure = θ >= missed[0] * (1 - SURE)
            sure[0] = True
        V, settled = np.concatenate([V, found[sure]]), settled and well
    if not settled:
        warn_not_converged(f"{MOST} restarts ended before {F} axes were found to {tol=}; raise it, or take fewer", 1)
    V = project_and_decompose(A, V.T if small is not A else np.linalg.qr(A @ V.T)[0])[2]
    Z = A @ V.T
    S = _lengths(Z)
    order = np.argsort(-S, kind="stable")
    return Z[:, order], S[order], V[order]


def _unit_of(b):
    """A power of two by which the largest of `b` comes near 1, and 1 if that is 0."""
    largest = float(np.abs(b).max())
    return 2.0 ** -np.frexp(largest)[1] if largest > 0 else 1.0


def _lengths(Z):
    """‖Z_f‖ of each column, whatever its scale."""
    scale = _unit_of(Z)
    return np.linalg.norm(scale * Z, axis=0) / scale


def _first_pairs(square, V, F, rng, sizes, asked, rounds):
    """θ (F,) and vectors (F, D) of the first eigenvectors of C among what is orthogonal to `V` (O, D).

    Also whether each is as near as is `asked`: by `tol`, or as rounding allows, which leaves eps √(top θ) of a product
    among what is orthogonal to larger ones up to `top`.  `sizes` are those of a block and of the basis.  After `rounds`
    bases, or once it spans all there is, the answer is what it is.
    """
    (O, D), (tol, top) = V.shape, asked
    width, room = min(sizes[0], D - O), min(sizes[1], D - O)
    K, T, n, n0 = np.empty((O + room, D)), np.zeros((room, room)), O, O
    K[:O] = V
    new = next_block(V, rng.normal(size=(D, width)), rng)
    while True:
        n, n0 = n + len(new), n
        K[n0:n] = new
        H, E = split(K[:n], square(new.T))
        T[:n - O, n0 - O:n - O], T[n0 - O:n - O, :n - O] = H[O:], H[O:].T
        if O + room - n < min(width, D - n) or n == D:
            θ, found, Y = ritz_pairs(K[O:n], T[:n - O, :n - O], F + width)
            θ, ρ, rounds = np.maximum(θ, 0), residuals(E, Y[:, :F]), rounds - 1
            rounding = 8 * EPS * D**0.5 * max(θ[0], (top * θ[0]) ** 0.5)
            near = tol is None or (ρ <= np.maximum(tol * θ[:F], rounding)).all()
            if n == D or near or rounds == 0:
                return θ[:F], found[:F], n == D or near
            kept = min(len(found), room - width)
            n, T[:] = O + kept, 0
            K[O:n], T[range(kept), range(kept)] = found[:kept], θ[:kept]
        new = next_block(K[:n], E, rng, T.max())


# --- compiled ------------------------------------------------------------------------------------


@kernel(contract=True)
def _times(c, start, stop, R, B, product):
    """(1) for the rows start ... stop-1, added to `product` (N, L).

    Four entries at a time, since the next sums wait until the last ones are stored.
    """
    for n in range(start, stop):
        sums, first, last = product[n], R.indptr[n], R.indptr[n + 1]
        fours = last - (last - first) % 4
        for k in range(first, fours, 4):
            v, w, x, y = R.data[k], R.data[k + 1], R.data[k + 2], R.data[k + 3]
            p, q, r, s = B[R.indices[k]], B[R.indices[k + 1]], B[R.indices[k + 2]], B[R.indices[k + 3]]
            for f in range(sums.size):
                sums[f] += (v * p[f] + w * q[f]) + (x * r[f] + y * s[f])
        for k in range(fours, last):
            v, p = R.data[k], B[R.indices[k]]
            for f in range(sums.size):
                sums[f] += v * p[f]
