"""The sums of a field in probabilities: the same as in log space, in a fraction of the time.

Log space takes a logarithm and K exponentials for every number of every message.  Probabilities take multiplications,
which a processor does four or eight at a time; but the product of a few hundred of them underflows.  So each message is
divided by its sum, and the logarithms of these divisors add up to log Z.  All exponentials of a sequence are taken
beforehand, those of the transitions once for all sequences.

What a division cannot save is a label that is 1e308 times less likely than its neighbour and yet the only one with a
future.  That is noticed: (5) must add up to 1 at every place, whichever direction lost something.  Where it does not,
the sequence is done again in log space.

Symbols
    T, K            places, labels
    E     (T, K)    emissions
    A     (K, K)    transitions, A[i,j] from i to j
    M     (K, K)    exp A; Mt its transpose
    Mt    (K, K)    transpose of M, because a loop along its rows is the faster one
    e     (T, K)    exponentials of the emissions, the largest of each place being 1
    m     (T,)      what was taken out: m_t = max_j E[t,j]
    a, b  (T, K), (T, K)   beginnings and ends, scaled
    c     (T,)      the divisors

Equations
    (1)  e[t,j] = exp(E[t,j] - m_t)                                                    exponentials
    (2)  a[t,j] = e[t,j] Σ_i a[t-1,i] M[i,j] / c_t with c_t so that Σ_j a[t,j] = 1     scaled_forward
         beginning with e[0,j] / c_0
    (3)  b[t,i] = Σ_j M[i,j] e[t+1,j] b[t+1,j] / c_{t+1}                               scaled_backward
         beginning with b[T-1,i] = 1
    (4)  log Z = Σ_t (log c_t + m_t)                                                   scaled_log_partition
    (5)  γ[t,j] = a[t,j] b[t,j]                                                        scaled_node_marginals
    (6)  Σ_t ξ[t,i,j] = M[i,j] Σ_{t>0} a[t-1,i] e[t,j] b[t,j] / c_t                    scaled_edge_sums

Choices
    -inf is a factor of 0.  A sequence is trusted if Σ_j γ[t,j] is 1 to within 4 T (K + 4) eps at every place and if its
    emissions and the transitions, -inf aside, span less than 700 each, so that no exponential underflows.
    Here A is one matrix for all steps; where it changes from step to step, the sums are those of the chapter crf.

Cost
    O(T K²) multiplications and T K exponentials, and K² of the transitions, once for all sequences.

>>> E, A = np.array([[2., 0], [0, 1], [1, 0]]), np.array([[1., -1], [0, -np.inf]])
>>> e, m = exponentials(E)
>>> a, c = scaled_forward(e, np.exp(A))
>>> b = scaled_backward(e, np.exp(A).T.copy(), c)
>>> float(scaled_log_partition(c, m)), scaled_node_marginals(a, b).round(3).tolist()
(5.2130028454372646, [[0.958, 0.042], [0.891, 0.109], [0.958, 0.042]])

Source: L. Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989), section V.A.
"""
import math

import numpy as np

from scratchml.core.elementary import exp
from scratchml.core.jit import kernel
from scratchml.core.logspace import logsumexp
from scratchml.sequences.crf import sum_beginnings, sum_ends

EPS = 2.0 ** -52
SPAN = 700.0                                             # exp(-700) is still a normal number

# --- the equations -------------------------------------------------------------------------------


@kernel
def exponentials(E):
    """(1)  e[t,j] = exp(E[t,j] - m_t)

    Shapes: E (T, K) -> (T, K), (T)
    """
    T, K = E.shape
    e, m = np.empty((T, K)), np.empty(T)
    for t in range(T):
        most = E[t, 0]
        for j in range(1, K):
            most = max(most, E[t, j])
        m[t] = most
        for j in range(K):
            e[t, j] = E[t, j] - most
    flat = e.reshape(T * K)                              # one long loop fills the vector registers
    for k in range(flat.size):
        flat[k] = exp(flat[k])
    return e, m


@kernel
def scaled_forward(e, M):
    """(2)  a[t,j] = e[t,j] Σ_i a[t-1,i] M[i,j] / c_t with c_t so that Σ_j a[t,j] = 1

    Shapes: e (T, K), M (K, K) -> (T, K), (T)
    """
    T, K = e.shape
    a, c = np.empty((T, K)), np.empty(T)
    a[0] = e[0]
    for t in range(T):
        if t:
            _times(a[t - 1], M, a[t])
            _multiply(a[t], e[t])
        c[t] = _total(a[t])
        _scale(a[t], _inverse(c[t]))
    return a, c


@kernel
def scaled_backward(e, Mt, c):
    """(3)  b[t,i] = Σ_j M[i,j] e[t+1,j] b[t+1,j] / c_{t+1}

    Shapes: e (T, K), Mt (K, K), c (T) -> (T, K)
    """
    T, K = e.shape
    b, ahead = np.empty((T, K)), np.empty(K)
    b[T - 1] = 1
    for t in range(T - 2, -1, -1):
        _onward(e[t + 1], b[t + 1], c[t + 1], ahead)
        _times(ahead, Mt, b[t])
    return b


@kernel
def scaled_log_partition(c, m):
    """(4)  log Z = Σ_t (log c_t + m_t)

    Shapes: c (T), m (T) -> ()
    """
    total = 0.0
    for t in range(c.size):
        total += math.log(c[t]) + m[t]
    return total


@kernel(contract=True)
def scaled_node_marginals(a, b):
    """(5)  γ[t,j] = a[t,j] b[t,j]

    Shapes: a (T, K), b (T, K) -> (T, K)
    """
    return a * b


@kernel(contract=True)
def scaled_edge_sums(a, b, e, c, M):
    """(6)  Σ_t ξ[t,i,j] = M[i,j] Σ_{t>0} a[t-1,i] e[t,j] b[t,j] / c_t

    Four places at a time, so that a sum that is loaded is used four times.

    Shapes: a (T, K), b (T, K), e (T, K), c (T), M (K, K) -> (K, K)
    """
    T, K = a.shape
    sums, ahead = np.zeros((K, K)), np.zeros((4, K))
    if T == 1:
        return sums                                      # also where M is NaN
    for t in range(1, T, 4):
        n = min(4, T - t)
        for r in range(4):
            if r < n:
                _onward(e[t + r], b[t + r], c[t + r], ahead[r])
            else:
                ahead[r] = 0
        u, v, w, x = ahead[0], ahead[1], ahead[2], ahead[3]
        for i in range(K):
            row = sums[i]
            p, q = a[t - 1, i], a[min(t, T - 1), i]
            r, s = a[min(t + 1, T - 1), i], a[min(t + 2, T - 1), i]
            for j in range(K):
                row[j] += p * u[j] + q * v[j] + r * w[j] + s * x[j]
    for i in range(K):
        for j in range(K):
            sums[i, j] *= M[i, j]
    return sums


# --- steps of the equations -----------------------------------------------------------------------


@kernel(contract=True)
def _times(v, M, out):
    """out[j] = Σ_i v[i] M[i,j]; four rows at a time, so that a sum that is loaded is used four times."""
    K = v.size
    whole = K // 4 * 4
    for j in range(K):
        out[j] = 0.0
    for i in range(0, whole, 4):
        p, q, r, s = v[i], v[i + 1], v[i + 2], v[i + 3]
        M0, M1, M2, M3 = M[i], M[i + 1], M[i + 2], M[i + 3]
        for j in range(K):
            out[j] += p * M0[j] + q * M1[j] + r * M2[j] + s * M3[j]
    for i in range(whole, K):
        p, row = v[i], M[i]
        for j in range(K):
            out[j] += p * row[j]


@kernel
def _inverse(c):
    """1 / c; NaN, which no sum survives, where c is 0 because all was lost."""
    return 1 / c if c > 0 else np.nan


@kernel
def _onward(e, b, c, out):
    inverse = _inverse(c)
    for j in range(e.size):
        out[j] = e[j] * b[j] * inverse


@kernel
def _multiply(row, factors):
    for j in range(row.size):
        row[j] *= factors[j]


@kernel
def _scale(row, factor):
    for j in range(row.size):
        row[j] *= factor


@kernel(reassociate=True)
def _total(row):
    total = 0.0
    for j in range(row.size):
        total += row[j]
    return total


# --- one sequence ---------------------------------------------------------------------------------


@kernel
def add_marginals(E, A, M, Mt, sign, gamma, xi):
    """sign * γ to `gamma` (T, K) and sign * Σ_t ξ to `xi` (K, K); returns log Z.

    A (K, K) is -inf where M is 0.  Same result as log space, because what is not trusted is done there.
    """
    e, m = exponentials(E)
    a, c = scaled_forward(e, M)
    b = scaled_backward(e, Mt, c)
    found = scaled_node_marginals(a, b)
    if spans_too_much(E, m) or not adds_up(found):
        return add_marginals_in_log_space(E, A.reshape((1, *A.shape)), sign, gamma, xi.reshape((1, *xi.shape)))
    edges = scaled_edge_sums(a, b, e, c, M)
    for t in range(E.shape[0]):
        for j in range(E.shape[1]):
            gamma[t, j] += sign * found[t, j]
    for i in range(edges.shape[0]):
        for j in range(edges.shape[1]):
            xi[i, j] += sign * edges[i, j]
    return scaled_log_partition(c, m)


@kernel
def adds_up(gamma):
    """Is Σ_j γ[t,j] = 1 at every place, to within rounding?  Not where something is NaN."""
    T, K = gamma.shape
    for t in range(T):
        if not abs(_total(gamma[t]) - 1) <= 4 * T * (K + 4) * EPS:
            return False
    return True


@kernel
def spans_too_much(E, m):
    """Does E (T, K) hold a number, -inf aside, that is SPAN below the largest of its place?"""
    for t in range(E.shape[0]):
        for j in range(E.shape[1]):
            if -np.inf < E[t, j] < m[t] - SPAN:
                return True
    return False


@kernel
def add_marginals_in_log_space(E, A, sign, gamma, xi):
    """The same for A (L, K, K), which step t takes as A[t % L], with ξ[t] added to xi[t % len(xi)].

    Returns log Z; where that is -inf nothing is added.
    """
    T, K = E.shape
    alpha, beta = sum_beginnings(E, A), sum_ends(E, A)
    log_Z = logsumexp(alpha[T - 1])
    if log_Z == -np.inf:
        return log_Z
    for t in range(T):
        for j in range(K):
            gamma[t, j] += sign * math.exp(alpha[t, j] + beta[t, j] - log_Z)
    for t in range(T - 1):
        step, sums = A[t % A.shape[0]], xi[t % xi.shape[0]]
        for i in range(K):
            for j in range(K):
                sums[i, j] += sign * math.exp(alpha[t, i] + step[i, j] + E[t + 1, j] + beta[t + 1, j] - log_Z)
    return log_Z
