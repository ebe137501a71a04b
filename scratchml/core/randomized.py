"""The largest singular vectors of a matrix that is too large to decompose: multiply it by a few random vectors.

A random vector, sent through A, comes out bent towards the directions that A stretches most.  A few more vectors
than are wanted, sent through A and back several times, span those directions almost exactly; what is left is the
decomposition of a small matrix.

Symbols
    A  (N, D)  the matrix; anything with A @ B and A.T @ B
    B  (D, L)  random vectors in columns, L somewhat larger than F
    q          how often they are sent there and back
    Q  (N, L)  an orthonormal basis, in columns
    U, S, V    singular vectors and values of A, the first F of each: (N, F), (F,), (D, F)

Equations
    (1)  Q = an orthonormal basis of the columns of (A Aᵀ)^q A B                    range_basis
    (2)  U S Vᵀ = A, from the SVD of the small Qᵀ A, as A ≈ Q Qᵀ A                  project_and_decompose

Choices
    After each product the vectors are made orthonormal again (QR): the powers would else all turn into the first.
    Twenty random vectors more than F (or as many as there are), and q = 7 if F < 0.1 min(N, D), else 4.
    Singular values come out too small, never too large, the last of them most.  How much depends on how fast they fall.
    Of the 20 largest of the digits none is off by 1e-6 of itself.  Those of what 500 customers of a shop bought fall
    slowly: of 20 the first ten are right to 1e-5, the last to 1e-3, and where more are asked for it is less.

Cost
    2 q + 2 products with A: O(q N D L) time, O((N + D) L) memory.

>>> A = np.outer([1., 2, 3], [3., 4, 0, 0]) + np.outer([3., 0, -1], [0, 0, 0, 1e-3])
>>> U, S, V = truncated_svd(A, 1, np.random.default_rng(0))
>>> S.round(6), np.abs(V).round(3)
(array([18.708287]), array([[0.6, 0.8, 0. , 0. ]]))

Source: N. Halko, P.-G. Martinsson and J. Tropp, "Finding structure with randomness", SIAM Review 53 (2011),
algorithms 4.4 and 5.1.
"""
import numpy as np


def range_basis(A, B, q):
    """(1)  Q = an orthonormal basis of the columns of (A Aᵀ)^q A B

    Shapes: A (N, D), B (D, L), q -> (N, L)
    """
    Q = np.linalg.qr(A @ B)[0]
    for _ in range(q):
        Q = np.linalg.qr(A.T @ Q)[0]                     # (D, L)
        Q = np.linalg.qr(A @ Q)[0]                       # (N, L)
    return Q


def project_and_decompose(A, Q):
    """(2)  U S Vᵀ = A, from the SVD of the small Qᵀ A, as A ≈ Q Qᵀ A

    Returns U, the singular values S in descending order, and Vᵀ.

    Shapes: A (N, D), Q (N, L) -> (N, L), (L), (L, D)
    """
    U, S, Vt = np.linalg.svd((A.T @ Q).T, full_matrices=False)
    return Q @ U, S, Vt


def truncated_svd(A, F, rng):
    """The F largest singular values of A (N, D) and their vectors: U (N, F), S (F,), Vᵀ (F, D); `rng` a Generator."""
    smaller = min(A.shape)
    B = rng.normal(size=(A.shape[1], min(F + 20, smaller))).astype(A.dtype)
    U, S, Vt = project_and_decompose(A, range_basis(A, B, 7 if F < 0.1 * smaller else 4))
    return U[:, :F], S[:F], Vt[:F]
