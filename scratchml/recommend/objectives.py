"""Factorisation of ratings: one family of losses, from the observed entries alone to the singular value decomposition.

A few users have rated a few items.  Give every user and every item a vector of F numbers such that their product is the
rating; then the products of the others say what they would think.  Where it is known, the product should come close to
the rating.  Where nothing is known, there are several opinions, and each is a loss: say nothing there; pull a little
towards 0, since people mostly do not even look at what they would not like; take the unknown for 0 altogether, which
is the singular value decomposition; or take what is there for a sign of liking, the surer the more there is of it.

Symbols
    N, M, F            users, items, factors; n users or items
    R       (N, M)     the matrix A, of which some entries are known: obs, sparse; A_ij or r is an entry
    U, V    (N, F), (M, F)  factors, a row U_i for each user and a row V_j for each item
    b, d    (N,), (M,)  biases of users and of items
    μ                  the mean of all known entries
    w                  the weight of what is unknown
    a                  how fast the confidence in an entry grows with it
    λ                  the strength of the penalty
    X, k    (n, F), (n,)  factors of one side, and how often the penalty counts each: once, or as often as it was rated
    L       (N,)       λ k_i of each user
    family             (g, s, l, w): an entry r has weight c = 1 + g r and target t = s r + l, an unknown one w and 0

Equations
    (1)  E = Σ_obs (A_ij - U_i·V_j)²                                               observed_error
    (2)  E = Σ_obs (A_ij - U_i·V_j)² + w Σ_unobs (U_i·V_j)²                        weighted_error
    (3)  E = ‖A - UVᵀ‖² = Σ_ij (A_ij - U_i·V_j)², what is unknown taken for 0      squared_error
    (4)  E = Σ_obs (1 + a A_ij) (1 - U_i·V_j)² + Σ_unobs (U_i·V_j)²                confidence_error
    (5)  E = Σ_obs (A_ij - μ - b_i - d_j - U_i·V_j)²                               biased_error
    (6)  P = λ Σ_i k_i ‖x_i‖²                                                      penalty
    (7)  E = Σ_obs c_ij (t_ij - U_i·V_j)² + w Σ_unobs (U_i·V_j)²                   family_error
    (8)  ∂(E + P)/∂U_i = 2 Σ_j c_ij (U_i·V_j - t_ij) V_j + 2 L_i U_i               gradient
         over all j, with c = w and t = 0 where unknown

Choices
    All are members of (7).  (1) is g = l = w = 0, s = 1.  (2) has w > 0: w → 0 is (1), and w = 1 is (3).  (4) is g = a,
    s = 0, l = w = 1.  (5) is (1) with factors (U_i, b_i, 1) and (V_j, 1, d_j) and l = -μ; with w > 0 it would pull
    products towards 0 and predictions towards the mean, and the biases would fight both: that is no member.
    Limits: without a penalty, (3) is least where UVᵀ is A's SVD cut off after F terms (Eckart and Young).  In (4),
    E / a with a → ∞ is Σ_obs r (1 - U_i·V_j)².  (6) with k = 1 is the usual ridge; with k the number of ratings, the
    penalty of a user is as strong as a mean over its ratings would have it, so λ means the same for users of ten and
    of ten thousand.  A known 0 is known: in (4) it is liked with a confidence of 1.
    Sums are in float64 whatever the factors are; one product U_i·V_j is in the factors' own type.

Cost
    O(nnz F + (N + M) F²) time and O(F²) memory: Σ_ij (U_i·V_j)² over all pairs is Σ_fg (UᵀU)_fg (VᵀV)_fg, so that the
    unknown entries, which are nearly all, are never visited.  (8) takes O(nnz F² + N F²).

>>> R = known_entries([[5., np.nan, 1], [np.nan, 2, np.nan]])
>>> U, V = np.array([[2.], [1]]), np.array([[2.], [2], [0]])
>>> observed_error(R, U, V), weighted_error(R, U, V, 0.5), squared_error(R, U, V)
(2.0, 12.0, 22.0)

Sources: Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, for (4);
Y. Koren, R. Bell and C. Volinsky, "Matrix factorization techniques for recommender systems", Computer 42 (2009), for
(1) and (5); Y. Zhou et al., "Large-scale parallel collaborative filtering for the Netflix prize", AAIM 2008, for (6).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel, partial_sums, run_chunks
from scratchml.core.sparse import known_entries

BLOCK = 1024                                             # rows that are converted at a time
CHUNK = 64                                               # users at a time: some know a thousand times more than others


class Family(NamedTuple):
    """A member of (7): c = 1 + growth r, t = slope r + level of a known entry r; weight `unobserved` of the others."""
    growth: float = 0.0
    slope: float = 1.0
    level: float = 0.0
    unobserved: float = 0.0


def weight_and_target(r, family):
    """c and t of the known entries `r` (n,), each (n,)."""
    return 1 + family.growth * r, family.slope * r + family.level


# --- the members ---------------------------------------------------------------------------------


def observed_error(R, U, V):
    """(1)  E = Σ_obs (A_ij - U_i·V_j)²

    R are Rows, whose entries are those observed; so everywhere below.

    Shapes: R (N, M), U (N, F), V (M, F) -> ()
    """
    return family_error(R, U, V, Family())


def weighted_error(R, U, V, w):
    """(2)  E = Σ_obs (A_ij - U_i·V_j)² + w Σ_unobs (U_i·V_j)²

    Shapes: R (N, M), U (N, F), V (M, F), w -> ()
    """
    return family_error(R, U, V, Family(unobserved=w))


def squared_error(R, U, V):
    """(3)  E = ‖A - UVᵀ‖² = Σ_ij (A_ij - U_i·V_j)², what is unknown taken for 0

    Shapes: R (N, M), U (N, F), V (M, F) -> ()
    """
    return family_error(R, U, V, Family(unobserved=1.0))


def confidence_error(R, U, V, a):
    """(4)  E = Σ_obs (1 + a A_ij) (1 - U_i·V_j)² + Σ_unobs (U_i·V_j)²

    Shapes: R (N, M), U (N, F), V (M, F), a -> ()
    """
    return family_error(R, U, V, Family(growth=a, slope=0.0, level=1.0, unobserved=1.0))


def biased_error(R, U, V, b, d, μ):
    """(5)  E = Σ_obs (A_ij - μ - b_i - d_j - U_i·V_j)²

    Shapes: R (N, M), U (N, F), V (M, F), b (N), d (M), μ -> ()
    """
    return family_error(R, *with_biases(U, V, b, d), Family(level=-μ))


def with_biases(U, V, b, d):
    """(U_i, b_i, 1) (N, F+2) and (V_j, 1, d_j) (M, F+2), whose product is U_i·V_j + b_i + d_j."""
    return np.column_stack([U, b, np.ones_like(b)]), np.column_stack([V, np.ones_like(d), d])


def penalty(X, k, λ):
    """(6)  P = λ Σ_i k_i ‖x_i‖²

    Shapes: X (n, F), k (n), λ -> ()
    """
    return float(λ * (k * np.einsum("nf,nf->n", X, X, dtype=np.float64)).sum())


# --- all of them ---------------------------------------------------------------------------------


def family_error(R, U, V, family):
    """(7)  E = Σ_obs c_ij (t_ij - U_i·V_j)² + w Σ_unobs (U_i·V_j)²

    Shapes: R (N, M), U (N, F), V (M, F), family -> ()
    """
    terms = np.array(family, U.dtype)
    partial = partial_sums(len(U), CHUNK, 2)
    run_chunks(_entries_error, len(U), R, np.ascontiguousarray(U), np.ascontiguousarray(V), terms, partial, chunk=CHUNK)
    observed, inside = partial[:, :2].sum(axis=0).tolist()
    if not family.unobserved:
        return observed
    everywhere = float((gram(U) * gram(V)).sum())
    return observed + family.unobserved * max(everywhere - inside, 0.0)


def gram(V):
    """VᵀV (F, F) of `V` (M, F), in float64."""
    total = np.zeros((V.shape[1], V.shape[1]))
    for start in range(0, len(V), BLOCK):
        rows = V[start:start + BLOCK].astype(np.float64, copy=False)
        total += rows.T @ rows
    return total


def gradient(R, U, V, L, family):
    """(8)  ∂(E + P)/∂U_i = 2 Σ_j c_ij (U_i·V_j - t_ij) V_j + 2 L_i U_i

    For items, hand in the transposed R, and V and U in each other's place.

    Shapes: R (N, M), U (N, F), V (M, F), L (N), family -> (N, F)
    """
    everywhere = family.unobserved * U @ gram(V)         # as if all were unknown; corrected below where they are not
    for n in range(len(U)):
        here = slice(R.indptr[n], R.indptr[n + 1])
        rated = V[R.indices[here]]                       # (n, F)
        c, t = weight_and_target(R.data[here].astype(np.float64), family)
        product = rated @ U[n]
        everywhere[n] += (c * (product - t) - family.unobserved * product) @ rated
    return 2 * everywhere + 2 * L[:, None] * U


# --- compiled ------------------------------------------------------------------------------------


@kernel(reassociate=True)
def _entries_error(c, start, stop, R, U, V, terms, partial):
    """Σ_obs c (t - U·V)² and Σ_obs (U·V)² of the users start ... stop-1, added to partial[c]; `terms` is the family."""
    growth, slope, level = terms[0], terms[1], terms[2]
    for n in range(start, stop):
        u, error, inside = U[n], 0.0, 0.0
        for k in range(R.indptr[n], R.indptr[n + 1]):
            v, product = V[R.indices[k]], U.dtype.type(0)
            for f in range(u.size):
                product += u[f] * v[f]
            r = np.float64(R.data[k])
            gap = slope * r + level - product
            error += (1 + growth * r) * gap * gap
            inside += np.float64(product) * product
        partial[c, 0] += error
        partial[c, 1] += inside
