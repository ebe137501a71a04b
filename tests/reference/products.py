"""Products of matrices by definition: each sum exactly, and rounded once."""
from fractions import Fraction

import numpy as np


def product(A, B):
    """(1)"""
    return add_product(A, B, np.zeros((len(A), B.shape[1])))


def add_product(A, B, C):
    """(2)"""
    result = np.empty(C.shape)
    for m in range(C.shape[0]):
        for n in range(C.shape[1]):
            total = Fraction(float(C[m, n]))
            for k in range(A.shape[1]):
                total += Fraction(float(A[m, k])) * Fraction(float(B[k, n]))
            result[m, n] = float(total)
    return result


def in_panels(B, W):
    """(3)"""
    K, N = B.shape
    P = np.zeros((-(-N // W), K, W))
    for n in range(N):
        for k in range(K):
            P[n // W, k, n % W] = B[k, n]
    return P


def product_of_each(S, T):
    """(4)"""
    D = np.empty((*S.shape[:-1], T.shape[-1]))
    for g in np.ndindex(S.shape[:-2]):
        D[g] = product(S[g], T[g])
    return D
