"""Affinities: of all points, whom would x_i pick as its neighbour?

A map of the data shall keep neighbours together, so first one has to say who they are.  Distances alone do not: what
is near in a dense region is far in a sparse one.  So each point gets a yardstick of its own, a Gaussian around it
whose width is such that it reaches about as many others as are asked for: the perplexity, an effective number of
neighbours.  The density of that Gaussian at the others, made to sum to one, is the probability with which x_i would
pick each of them.

Perplexity is e to the entropy where the entropy is in nats, and 2 to the entropy where it is in bits; mixed, the two
give another number of neighbours than was asked for.  Here it is e and nats throughout.

Symbols
    Δ  (N, N)  squared distances between the points, Δ_ij = ‖x_i - x_j‖²
    β  (N,)    precision of each point's Gaussian, β_i = 1 / 2σ_i²
    R  (N, N)  the conditional affinities, R_ij = p_{j|i}: each row sums to one
    u          the perplexity that is asked for
    P  (N, N)  the joint affinities, P_ij = p_ij: all of it sums to one

Equations
    (1)  p_{j|i} = exp(-β_i Δ_ij) / Σ_{k≠i} exp(-β_i Δ_ik), p_{i|i} = 0              conditional
    (2)  u_i = exp(-Σ_j p_{j|i} log p_{j|i})                                         perplexities
    (3)  β_i = the β for which (1) and (2) give u_i = u                              precisions
    (4)  p_ij = (p_{j|i} + p_{i|j}) / 2N                                             joint

(1) is symmetric in nothing: the outlier picks someone, and nobody picks the outlier.  (4) takes the mean of the two
opinions, so Σ_j p_ij ≥ 1/2N for every i, and each point has its say in where it is drawn.

Choices
    u_i falls as β_i grows, from N - 1, where all others are picked alike, to the number of points at the least distance
    from x_i.  So (3) is a bisection, of log β; where Newton's step stays within the bracket it is taken instead.
    It ends where log u_i is right to 1e-10.
    Attainable is what lies between those ends.  A perplexity above N - 1, or below 1, is an error.  Where more
    than u points share the least distance, as where a point has more than u duplicates, or all points are the same,
    u_i is their number, and they are picked alike: u_i tells where that happened.
    (1) does not change if a number is taken from all of row i of Δ; the kernels take the least one, so the largest term
    is 1 and the sum neither over- nor underflows.
    The packed P is computed in float64 and kept in float32, whose rounding is at most 6e-8 of each p_ij, and so of each
    attraction; of a gradient, which is what attractions and repulsions leave of each other, it can be a larger share.
    What is below 1e-30 is kept as 0: together that is less than 1e-30 N² of 1.

Cost
    O(N² D) time, twice for distances, and about ten sums of exponentials a point.  N (N + 1) / 2 numbers of memory:
    P is symmetric, and its upper triangle is kept alone, row after row with its diagonal, in float32.

>>> Δ = np.array([[0., 1, 16], [1, 0, 9], [16, 9, 0]])
>>> R = conditional(Δ, precisions(Δ, 1.5))
>>> perplexities(R).round(9).tolist(), joint(R).round(3).tolist()
([1.5, 1.5, 1.5], [[0.0, 0.287, 0.047], [0.287, 0.0, 0.167], [0.047, 0.167, 0.0]])

Sources: G. Hinton and S. Roweis, "Stochastic neighbor embedding", NIPS 15 (2003), section 2, for (1) to (3);
L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9 (2008), sections 2 and 3.1, for (4).
"""
import math

import numpy as np

from scratchml.core.distances import manhattan, squared_euclidean
from scratchml.core.elementary import exp
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import SparseTable

ACCURACY = 1e-10            # of log u_i
NEGLIGIBLE = 1e-30          # a p_ij below is 0, so that no product with it is subnormal, which is slow
EPS = np.finfo(np.float64).eps
BLOCK = 256                 # rows of Δ that are in memory at a time

# --- the four steps ------------------------------------------------------------------------------


def conditional(Δ, β):
    """(1)  p_{j|i} = exp(-β_i Δ_ij) / Σ_{k≠i} exp(-β_i Δ_ik), p_{i|i} = 0

    Shapes: Δ (N, N), β (N) -> (N, N)
    """
    others = ~np.eye(len(Δ), dtype=bool)
    least = Δ.min(axis=1, where=others, initial=np.inf, keepdims=True)             # (N, 1)
    R = np.where(others, np.exp(-β[:, None] * np.maximum(Δ - least, 0)), 0)
    return R / R.sum(axis=1, keepdims=True)


def perplexities(R):
    """(2)  u_i = exp(-Σ_j p_{j|i} log p_{j|i})

    0 log 0 is 0: what is never picked does not count.

    Shapes: R (N, N) -> (N)
    """
    return np.exp(-(R * np.log(np.where(R > 0, R, 1))).sum(axis=1))


def precisions(Δ, u):
    """(3)  β_i = the β for which (1) and (2) give u_i = u

    As near as can be, where u is not attainable.

    Shapes: Δ (N, N), u -> (N)
    """
    return _searched(Δ, 0, u)[0]


def joint(R):
    """(4)  p_ij = (p_{j|i} + p_{i|j}) / 2N

    Shapes: R (N, N) -> (N, N)
    """
    return (R + R.T) / (2 * len(R))


# --- in the memory of half of P ------------------------------------------------------------------


def packed_affinities(X, u, *, metric="euclidean"):
    """The upper triangle of (4) for points `X` (N, D) and perplexity `u`: float32 (N(N+1)/2,), and the u_i of (2),
    (N,).

    p_ij with i ≤ j stands at place packed_row(i, N) + j.  What X is for another metric, `squared_distances` says.
    Same result as (4), because every p_ij is: from the β_i of the first pass, the second takes (1) of both i and j.
    Raises ValueError if X is not a matrix of finite numbers.
    """
    N = len(X)
    searched = np.hstack([_searched(Δ, start, u) for start, Δ in _blocks(X, metric, upper=False)])      # (4, N)
    P = np.empty(N * (N + 1) // 2, np.float32)
    for start, Δ in _blocks(X, metric, upper=True):
        run_chunks(_joint_rows, len(Δ), Δ, start, searched, P, chunk=16)
    return P, searched[3]


def squared_distances(rows, X, metric, out=None):
    """Δ of points `rows` (M, D) and `X` (N, D), (M, N), into `out` if that is given; all in float64.

    For metric="cosine" they are of length one, and their distance is 1 - x_i·x_j = ‖x_i - x_j‖² / 2: 0 where it is no
    more than what rounding makes of equal directions.  For "precomputed" `rows` (M, N) are distances; X is not used.
    Both may be sparse tables.  Raises ValueError if one of the two is not a matrix of finite numbers.
    """
    if metric == "precomputed":
        return np.square(rows, out=out)
    if metric == "manhattan":
        return np.square(manhattan(rows, X), out=out)
    Δ = squared_euclidean(rows, X, out=out)
    if metric == "cosine":
        Δ[Δ <= (4 * EPS) ** 2] = 0
        np.square(np.multiply(Δ, 0.5, out=Δ), out=Δ)
    return Δ


def in_double(X):
    """`X`, an array or a sparse table, in float64."""
    return X.holding(X.data.astype(np.float64)) if isinstance(X, SparseTable) else X.astype(np.float64)


@kernel
def packed_row(i, N):
    """Where p_i0 would stand in a packed P (N(N+1)/2,), whose row i begins with p_ii."""
    return i * (2 * N - i - 1) // 2


def unpacked(P):
    """The whole matrix (N, N) whose upper triangle is `P` (N(N+1)/2,), in float64; it is symmetric, its diagonal 0.

    Raises ValueError for a number of entries that no triangle has.
    """
    N = (math.isqrt(1 + 8 * P.size) - 1) // 2
    if P.ndim != 1 or N * (N + 1) // 2 != P.size:
        raise ValueError(f"P: expected N (N + 1) / 2 entries, got an array of shape {P.shape}")
    full = np.zeros((N, N))
    full[np.triu_indices(N)] = P
    return full + full.T


def _blocks(X, metric, upper):
    """Rows of Δ, BLOCK at a time, with the number of the first; if `upper`, from that column on.

    Each is overwritten by the next: fresh memory costs more than what is computed in it.
    """
    N = len(X)
    X, room = in_double(X), np.empty(min(BLOCK, N) * N)
    for start in range(0, N, BLOCK):
        rows, first = X[start:start + BLOCK], start if upper else 0
        Δ = room[:len(rows) * (N - first)].reshape(len(rows), N - first)
        if metric == "precomputed":
            yield start, squared_distances(rows[:, first:], None, metric, out=Δ)
        else:
            yield start, squared_distances(rows, X[first:], metric, out=Δ)


# --- compiled: one row after the other -----------------------------------------------------------


def _searched(Δ, start, u):
    """For the rows start, start + 1, ... of Δ, as (M, N): β_i, min_{j≠i} Δ_ij, 1 / Σ_j of (1), and u_i, (4, M)."""
    found = np.empty((4, len(Δ)))
    run_chunks(_search_rows, len(Δ), Δ, start, math.log(u), found, chunk=16)
    return found


@kernel
def _search_rows(c, first, stop, Δ, start, log_u, found):
    """`_searched` for the rows first ... stop-1 of the block."""
    N = Δ.shape[1]
    δ = np.empty(N - 1)                                  # by how much the others are farther than the nearest, scaled
    for r in range(first, stop):
        i = start + r
        least, largest = np.inf, 0.0
        for j in range(N):
            if j != i:
                least, largest = min(least, Δ[r, j]), max(largest, Δ[r, j])
        scale = largest - least if largest > least else 1.0
        for j in range(N - 1):
            δ[j] = (Δ[r, j if j < i else j + 1] - least) / scale
        β, Z, H = precision(δ, log_u)
        found[0, r], found[1, r], found[2, r], found[3, r] = β / scale, least, 1 / Z, math.exp(H)


@kernel
def precision(δ, log_u):
    """β of (3) for distances δ (N-1,) from 0 to 1, the sum in (1) and the entropy.  u = N - 1 and all δ = 0 give β ≈ 0.

    The bracket: at its lower end β δ is below 1e-8 and the entropy that of N - 1 points picked alike, at its upper end
    exp(-β δ) is 0 for all but the nearest.
    """
    gap = 1.0
    for j in range(δ.size):
        if δ[j] > 0:
            gap = min(gap, δ[j])
    low, high = math.log(1e-8), math.log(750.0 / max(gap, 1e-300))
    t = 0.0                                              # log β
    while True:
        β = math.exp(t)
        Z, first, second = _moments(δ, β)
        mean = first / Z
        H, slope = math.log(Z) + β * mean, -β * β * (second / Z - mean * mean)     # of H over t
        if abs(H - log_u) <= ACCURACY or high - low <= 1e-14 * (abs(low) + abs(high)):
            return β, Z, H
        if H > log_u:
            low = t
        else:
            high = t
        t = t - (H - log_u) / slope if slope < 0 else np.inf
        if not low < t < high:
            t = 0.5 * (low + high)


@kernel(reassociate=True)
def _moments(δ, β):
    """Σ_j e^-β δ_j, and the same weighted with δ_j and with δ_j²."""
    Z, first, second = 0.0, 0.0, 0.0
    for j in range(δ.size):
        e = exp(-β * δ[j])
        Z += e
        first += e * δ[j]
        second += e * δ[j] * δ[j]
    return Z, first, second


@kernel
def _joint_rows(c, first, stop, Δ, start, searched, P):
    """(4) for the rows first ... stop-1 of a block Δ (M, N - start) that begins with row and column `start`."""
    N = searched.shape[1]
    precision, nearest, shares = searched[0, start:], searched[1, start:], searched[2, start:]
    for r in range(first, stop):
        i, β, least, share = start + r, precision[r], nearest[r], shares[r]
        row, d = P[packed_row(i, N) + i:], Δ[r, r:]
        βs, leasts, others = precision[r:], nearest[r:], shares[r:]
        row[0] = 0
        for j in range(1, d.size):                       # the point i + j
            p = exp(-β * max(d[j] - least, 0.0)) * share + exp(-βs[j] * max(d[j] - leasts[j], 0.0)) * others[j]
            p /= 2 * N
            row[j] = p if p >= NEGLIGIBLE else 0.0
