"""Factor, solution and eigenvalues by definition: determinants, in exact fractions of the numbers given."""
import itertools
import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np


def exact(A):
    """The same array, each number as a fraction."""
    return np.vectorize(Fraction, otypes=[object])(np.asarray(A, float))


def determinant(A):
    """Leibniz: the sum over all permutations.  Of fractions (N, N)."""
    total = Fraction(0)
    for columns in itertools.permutations(range(len(A))):
        inversions = sum(i > j for i, j in itertools.combinations(columns, 2))
        total += (-1) ** inversions * math.prod(A[row, column] for row, column in enumerate(columns))
    return total


def cramer(A, b):
    """The x of A x = b, as quotients of determinants.  Of fractions (N, N) and (N,)."""
    x = []
    for i in range(len(A)):
        replaced = A.copy()
        replaced[:, i] = b
        x.append(float(determinant(replaced) / determinant(A)))
    return np.array(x)


def cholesky(A):
    """(1)  As quotients of minors of A: the only lower triangular L with a positive diagonal and A = L Lᵀ."""
    N, A = len(A), exact(A)
    L = np.zeros((N, N))
    for j in range(N):
        leading, next_leading = determinant(A[:j, :j]), determinant(A[:j + 1, :j + 1])
        for i in range(j, N):
            minor = determinant(A[np.ix_([*range(j), i], range(j + 1))])
            L[i, j] = math.copysign(math.sqrt(minor**2 / (leading * next_leading)), minor)
    return L


def solve_lower(L, b):
    """(2)"""
    return cramer(exact(np.tril(L)), exact(b))


def solve_lower_transposed(L, b):
    """(3)"""
    return cramer(exact(np.tril(L)).T, exact(b))


def cholesky_solve(L, b):
    """(4)  The x of L Lᵀ x = b."""
    L = exact(np.tril(L))
    return cramer(L.dot(L.T), exact(b))


def log_determinant(L):
    """(5)"""
    L = exact(np.tril(L))
    value = determinant(L.dot(L.T))
    return float((Decimal(value.numerator) / value.denominator).ln())


def tangent(a, d, h):
    """(6)  The smaller root of t² + 2 θ t - 1 = 0, by the formula for quadratic equations with digits enough."""
    theta = (Fraction(d) - Fraction(a)) / (2 * Fraction(h))
    with localcontext(prec=1000):
        theta = Decimal(theta.numerator) / theta.denominator
        root = (theta * theta + 1).sqrt()
        return float(min(-theta + root, -theta - root, key=abs))


def turn(N, p, q, t):
    """J"""
    c = 1 / math.sqrt(t**2 + 1)
    J = np.eye(N)
    J[p, p] = J[q, q] = c
    J[p, q], J[q, p] = t * c, -t * c
    return J


def rotate(A, W, p, q):
    """(7)"""
    J = turn(len(A), p, q, tangent(A[p, p], A[q, q], A[p, q]))
    return J.T @ A @ J, J.T @ W


def jacobi_eigh(A):
    """(8)  By LAPACK: what `count_below` cannot say, the vectors."""
    return np.linalg.eigh(A)


def count_below(A, bound):
    """How many eigenvalues of A are smaller than `bound`, exactly.

    As many as A - bound 1 has negative pivots, by Sylvester's law of inertia.  No pivot but the last may be 0.
    """
    A = exact(A) - Fraction(bound) * exact(np.eye(len(A)))
    negative = 0
    for j in range(len(A)):
        negative += A[j, j] < 0
        for i in range(j + 1, len(A)):
            A[i, j + 1:] = A[i, j + 1:] - A[i, j] / A[j, j] * A[j, j + 1:]
    return negative
