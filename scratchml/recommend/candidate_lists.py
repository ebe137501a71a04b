"""Candidates: one list of several recommenders, and a split by which a ranker can be taught on them.

No recommender finds everything: factors know taste, neighbours what goes together, words what came in today.  Each is
asked for its list, and the lists are made one (1, 2), by places, since scores of different kinds cannot be compared.
A ranker then puts the candidates into order by where each list has them (3), by their scores (4), and by more.

The ranker learns from candidates of which it is known whether they were taken.  These must come from recommenders that
have not seen that, or it would learn to believe them: what was held back of each user, the labels, must be unknown to
them, and what the result is judged by to everybody.  So `two_stage_split` parts the data twice.  Recommenders fitted to
the inner part make the candidates whose labels the ranker learns; for use, they are fitted again, to all but the test.

Symbols
    R, s  (G, U, L), (G, U, L)  lists of G generators and their scores, the best first; -1 and -inf where a list is over
    r             r_gum, the place of item m in list g of user u, from 1; L + 1 where it is not there
    c             how much less the first places differ, at least 0
    M             how many items there are
    f     (U, M)  how much all lists speak for an item
    N             how many candidates are wanted
    C     (U, N)  candidates of each user, the best first; -1 where there are no more
    p, q  (G, U, N), (G, U, N)  their places in the lists, and their scores there

Equations
    (1)  f_um = Σ_g 1 / (c + r_gum) over the lists g that have item m                      reciprocal_places
    (2)  C_u = the N items with the greatest f_um > 0, of equals the lowest first           pooled
    (3)  p_gun = r_gum, m = C_un                                                            places
    (4)  q_gun = s_g of that place, the least of the list where it is not there             scores_at

Choices
    c = 60 is that of the source, which found little difference between 10 and 100.
    An item that a list does not have is worth at most its least score: so (4).  Of a list without an item it is 0.
    With times, the last entries of each user are held back, without times a share of them.  Who has one entry has
    neither labels nor test.

Cost
    (1) to (4): O(G L + M) a user, in blocks of users.

>>> lists, scores = [[[3, 1, 0]], [[1, 2, -1]]], [[[9., 8, 1]], [[.5, .4, -np.inf]]]
>>> pool = pool_of(lists, scores, M=4, N=3)
>>> pool.items.tolist(), pool.places[:, 0].tolist(), pool.scores[:, 0].tolist()
([[1, 3, 2]], [[2, 1, 4], [1, 4, 2]], [[8.0, 9.0, 1.0], [0.5, 0.4, 0.4]])
>>> two = two_stage_split([[1, 1, 1, 1]], times=[3, 1, 2, 4], n=1)
>>> two.inner.train.indices.tolist(), two.inner.test.indices.tolist(), two.outer.test.indices.tolist()
([1, 2], [0], [3])

Sources: G. Cormack, C. Clarke and S. Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
learning methods", SIGIR 2009, for (1); D. Wolpert, "Stacked generalization", Neural Networks 5 (1992), for why data are
parted twice.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import real_number, whole_number
from scratchml.core.random import generator
from scratchml.core.selection import largest
from scratchml.core.sparse import Rows, known_entries
from scratchml.recommend.rerank import check_items, read_candidates
from scratchml.recommend.splits import Split, leave_last_out, random_split, ranks

BLOCK = 4_000_000                                        # numbers that are held at a time
LEVEL = 60.0                                             # c


class Pool(NamedTuple):
    """Candidates of S users, and where G lists have them."""
    items: np.ndarray                                    # C (S, N), int32
    fused: np.ndarray                                    # (S, N) f of each, 0 where there is none
    places: np.ndarray                                   # p (G, S, N), int32
    scores: np.ndarray                                   # q (G, S, N)


class TwoStageSplit(NamedTuple):
    """`inner.train` for recommenders whose candidates a ranker learns, with `inner.test` as labels; then `outer`."""
    inner: Split                                         # of outer.train
    outer: Split
    inner_times: np.ndarray | None                       # those of the entries of inner.train, as numbers
    outer_times: np.ndarray | None                       # and of outer.train


# --- one list of several --------------------------------------------------------------------------


def reciprocal_places(R, M, c=LEVEL):
    """(1)  f_um = Σ_g 1 / (c + r_gum) over the lists g that have item m

    Shapes: R (G, U, L), M, c -> (U, M)
    """
    f = np.zeros((R.shape[1], M))
    for some in R:
        users, at = np.nonzero(some >= 0)
        f[users, some[users, at]] += 1 / (c + 1 + at)    # an item comes once in a list
    return f


def pooled(f, N):
    """(2)  C_u = the N items with the greatest f_um > 0, of equals the lowest first

    Shapes: f (U, M), N -> (U, N)
    """
    return largest(np.where(f > 0, f, -np.inf), N)[0]


def places(R, C, M):
    """(3)  p_gun = r_gum, m = C_un

    Shapes: R (G, U, L), C (U, N), M -> (G, U, N)
    """
    G, U, L = R.shape
    p = np.empty((G, *C.shape), np.int32)
    for g in range(G):
        r = np.full((U, M + 1), L + 1, np.int32)         # the last column is that of -1
        users, at = np.nonzero(R[g] >= 0)
        r[users, R[g][users, at]] = at + 1
        p[g] = np.take_along_axis(r, C.astype(np.int64), 1)
    return p


def scores_at(s, p):
    """(4)  q_gun = s_g of that place, the least of the list where it is not there

    Shapes: s (G, U, L), p (G, U, N) -> (G, U, N)
    """
    least = np.min(s, axis=2, where=s > -np.inf, initial=np.inf)
    beyond = np.where(np.isinf(least), 0, least)[:, :, None]
    return np.take_along_axis(np.concatenate([s, beyond], axis=2), p.astype(np.int64) - 1, 2)


def pool_of(lists, scores, M, N=100, c=LEVEL):
    """Candidates of several lists, by (1) to (4): a `Pool`.

    Raises ValueError for lists that are none, of different users or with an item twice, and items that are not below M.

    Parameters
    ----------
    lists : array (G, S, L) or list of G arrays (S, L) of int
        What each generator recommends to each user, the best first; -1 where a list is over.
    scores : array (G, S, L) or list of G arrays (S, L)
        And the scores of that.
    M : int
        How many items there are.
    N : int, default=100
        How many candidates a user.
    c : float, default=60.0
        How much less the first places differ.
    """
    R, s = _read_lists(lists, scores, whole_number(M, "M"))
    N, c = min(whole_number(N, "N"), M), real_number(c, "c")
    step, parts = max(1, BLOCK // (M + 1)), []
    for first in range(0, R.shape[1], step):
        here = slice(first, first + step)
        f = reciprocal_places(R[:, here], M, c)
        C = pooled(f, N)
        p = places(R[:, here], C, M)
        fused = np.where(C >= 0, np.take_along_axis(f, np.maximum(C, 0).astype(np.int64), 1), 0)
        parts.append(Pool(C, fused, p, scores_at(s[:, here], p)))
    return Pool(*(np.concatenate(part, axis=axis) for part, axis in zip(zip(*parts), (0, 0, 1, 1))))


def _read_lists(lists, scores, M):
    lists, scores = list(lists), list(scores)
    if len(lists) != len(scores) or not lists:
        raise ValueError("lists, scores: expected one of each for at least one generator, got "
                         f"{len(lists)} and {len(scores)}")
    read = [read_candidates(*pair)[:2] for pair in zip(lists, scores)]
    if len({R.shape for R, _ in read}) > 1:
        raise ValueError("lists: expected one shape (S, L) for all generators, got "
                         f"{', '.join(str(R.shape) for R, _ in read)}")
    for R, _ in read:
        check_items(R, M, "M")
    return np.stack([R for R, _ in read]), np.stack([s for _, s in read])


# --- parted twice ---------------------------------------------------------------------------------


def two_stage_split(matrix, times=None, n=5, *, share=0.2, random_state=None):
    """Of each user, hold back a test, and of the rest labels: a `TwoStageSplit`, whose `inner.test` are the labels.

    No entry is on two sides, and with times none of the inner train is later than a label, no label than the test.
    Raises ValueError as `leave_last_out` and `random_split` do.

    Parameters
    ----------
    matrix : array (U, M), Rows or sparse matrix (U, M)
        What users have; in an array NaN stands for what is not known.
    times : array (P,) of numbers, dates or ISO text, or None, default=None
        When each entry came about, in the order of the entries; then the last ones are held back.
    n : int, default=5
        How many entries of a user, if there are times.
    share : float, default=0.2
        Which share of them, if there are none.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draws.
    """
    A, t = timed_entries(matrix, times)
    rng = generator(random_state)
    outer, outer_times = held_back(A, t, n, share, rng)
    inner, inner_times = held_back(outer.train, outer_times, n, share, rng)
    return TwoStageSplit(inner, outer, inner_times, outer_times)


def held_back(A, times, n, share, rng):
    """A `Split` of Rows by times (P,), or by chance where they are None, and the times of its train."""
    seed = int(rng.integers(2**63))                      # one draw for the values and for their times
    if times is None:
        return random_split(A, share, random_state=seed), None
    when = leave_last_out(A._replace(data=times), times, n, random_state=seed).train.data
    return leave_last_out(A, times, n, random_state=seed), when


def timed_entries(matrix, times):
    """`matrix` as Rows, and `times` as numbers (P,) in their order, or None.

    Numbers stay what they are, dates of NumPy become days; what else can be compared counts by its order.
    Raises ValueError as `leave_last_out` does.
    """
    A = known_entries(matrix, name="matrix")
    if times is None:
        return A, None
    t = ranks(times, A.indices.size)
    exact = np.asarray(times) if hasattr(times, "dtype") and t.size else np.empty(0, object)
    if exact.dtype.kind in "mM":
        t = (exact - exact.min()) / np.timedelta64(1, "D")
    elif exact.dtype.kind in "iu":
        wide = exact.astype(np.uint64)                   # differences modulo 2⁶⁴ are right, whatever the range
        t = (wide - wide[exact.argmin()]).astype(np.float64)
    elif exact.dtype.kind == "f":
        with np.errstate(over="ignore"):
            t = exact.astype(np.float64) - float(exact.min())
        if not np.isfinite(t).all():
            raise ValueError(f"times: expected numbers whose differences float64 can hold, got {exact.min()} to "
                             f"{exact.max()}")
    if hasattr(matrix, "row"):
        t = t[np.lexsort((matrix.col, matrix.row))]      # as `known_entries` has sorted the entries
    return A, np.ascontiguousarray(t, np.float64)
