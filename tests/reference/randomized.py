"""The randomised range finder by definition: powers of A Aᵀ written out, a basis from the singular vectors."""
import numpy as np


def range_basis(A, B, q):
    """(1)  The left singular vectors, for singular values that are not zero, of (A Aᵀ)^q A B."""
    Y = np.linalg.matrix_power(A @ A.T, q) @ A @ B
    U, s, _ = np.linalg.svd(Y, full_matrices=False)
    return U[:, s > s.max(initial=0) * 1e-12]


def project_and_decompose(A, Q):
    """(2)  The singular value decomposition of Q Qᵀ A, as many of its parts as Q has columns."""
    U, s, Vt = np.linalg.svd(Q @ Q.T @ A, full_matrices=False)
    L = Q.shape[1]
    return U[:, :L], s[:L], Vt[:L]
