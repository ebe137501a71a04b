"""What pulls the documents of each query up and down in a round of boosting: slopes and curvatures, for all at once.

LambdaRank swaps two documents in thought and asks what NDCG would lose by it.  By that much, and the more the less
their scores agree with their grades, the better one is pulled up and the other one down.  A tree is grown to the sum of
the pulls on each document, a hundred times or more, so the pairs had better be few and quick.

Where do documents stand that have equal scores?  In the first round all have, later those that share their leaves.  By
the order of the file, a file sorted by grade would tell the answer, and a model would learn from where a row stands.
All orders of equal scores are equally likely here, as in the metric that is to be raised, and a pair counts with the
exact mean over them (2).  So the order of rows does not matter at all, no random number is needed, and documents with
equal scores and equal gains are pulled alike: they are one class, with a number, and pairs are pairs of classes.

Symbols
    s, g   (n,)    scores of a query's documents, and their gains
    T              only pairs count of which one document stands in the first T places
    D_r            discount of place r, 1 / log2(1 + r)
    a_i, b_i       the places from a_i + 1 to b_i are those of the documents with the score of i, m_i of them
    W      (n, n)  how far apart the discounts of two documents are, on average
    Z              the best DCG of the first T places
    ν              1 if weights are divided by the distance of scores, else 0
    w      (n, n)  weights of pairs
    σ              slope of the logistic function
    L      (n, n)  λ_ij, what j does to i
    y      (n,)    what a document is worth in (7)

Equations
    (1)  Z = Σ_{r ≤ T} D_r g_(r) with g_(1) ≥ g_(2) ≥ ...                                  best_dcg
    (2)  W_ij = E |D_{r_i} - D_{r_j}| [min(r_i, r_j) ≤ T] over all orders of equal scores   mean_discounts
    (3)  w_ij = |g_i - g_j| W_ij / (Z (1 + ν (|s_i - s_j| - 0.99)))                        pair_weights
    (4)  λ_ij = -σ w_ij sgn(g_i - g_j) / (1 + e^{σ (s_i - s_j) sgn(g_i - g_j)})            pair_slopes
    (5)  h_ij = σ² w_ij / ((1 + e^{σ (s_i - s_j)}) (1 + e^{σ (s_j - s_i)}))                pair_curvatures
    (6)  c = log2(1 + Σ_ij |λ_ij|) / Σ_ij |λ_ij|, 1 where the sum is 0                     damping
    (7)  λ_i = Y p_i - y_i, h_i = Y p_i (1 - p_i), p = softmax(s), Y = Σ_j y_j             softmax_slopes

Derivation
    In (2) let i have the higher score.  Its place is any of a_i + 1 ... b_i, that of j any of a_j + 1 ... b_j, and i
    stands before j.  So W_ij = (1/m_i) Σ_{a_i < r ≤ b_i} [r ≤ T] (D_r - D̄_j), D̄_j the mean over the places of j.
    With equal scores each pair of places is as likely: W_ij = 2 / (m (m - 1)) Σ_{a < r < t ≤ b} [r ≤ T] (D_r - D_t).

Choices
    lambdarank: λ_i = c Σ_j λ_ij and h_i = c Σ_j h_ij.  `norm` decides on ν and c at once, as in LightGBM, of which this
    is the formula; ν = 0 while all scores of a query are equal.  ranknet: w_ij = [g_i ≠ g_j] and c = 1, without T.
    softmax: (7) with y = g, the slopes of -Σ_i g_i log p_i.
    A query of one document, or of equal gains, or without gain, gets zeros; (7) gives a single document 0 too.
    Of pairs of classes only those with different gains are looked at: a class with the most frequent gain of its query
    meets only the others, which are kept together.

Cost
    lambdarank O((T + grades) n) a query beside its sorting, ranknet O(n²), softmax O(n).  The order is kept from round
    to round, and sorted by insertion.

>>> s, g = np.array([2.0, 2, 0]), np.array([0.0, 3, 1])
>>> w = pair_weights(s, g, mean_discounts(s, 2), best_dcg(g, 2), 0)
>>> pair_slopes(s, g, w, 1.0).sum(axis=1).round(6).tolist()
[0.228995, -0.173183, -0.055813]

Sources: C. Burges, "From RankNet to LambdaRank to LambdaMART: an overview", MSR-TR-2010-82, sections 2, 4 and 6, for
(4) and (5); F. McSherry and M. Najork, ECIR 2008, for the mean over orders; LightGBM's lambdarank for T, ν and (6);
S. Bruch et al., "An analysis of the softmax cross entropy loss for learning-to-rank ...", ICTIR 2019, for (7).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.elementary import exp
from scratchml.core.jit import kernel, run_chunks
from scratchml.metrics.graded import discounts
from scratchml.ranking.queries import best_of_queries, falling

NEAR = 0.01                                              # so near, two scores count as equally far
WORK = 2000                                              # documents that are worth a thread
PAIRS = 500_000_000                                      # of one query: more are refused
SHIFTS = 32                                              # a document, before sorting by insertion is given up

# --- one query -----------------------------------------------------------------------------------


def best_dcg(g, T):
    """(1)  Z = Σ_{r ≤ T} D_r g_(r) with g_(1) ≥ g_(2) ≥ ...

    Shapes: g (n), T -> ()
    """
    best = np.sort(g)[::-1][:T]
    return float((best * discounts(len(best))).sum())


def mean_discounts(s, T):
    """(2)  W_ij = E |D_{r_i} - D_{r_j}| [min(r_i, r_j) ≤ T] over all orders of equal scores

    Shapes: s (n), T -> (n, n)
    """
    n, D = len(s), discounts(len(s))
    a, b = (s > s[:, None]).sum(axis=1), (s >= s[:, None]).sum(axis=1)
    W = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            r = np.arange(a[i], min(b[i], T))            # places from 0
            if s[i] > s[j]:
                W[i, j] = W[j, i] = (D[r] - D[a[j]:b[j]].mean()).sum() / (b[i] - a[i])
            elif s[i] == s[j] and i != j:
                m = b[i] - a[i]
                W[i, j] = 2 * sum((D[p] - D[p + 1:b[i]]).sum() for p in r) / (m * (m - 1))
    return W


def pair_weights(s, g, W, Z, ν):
    """(3)  w_ij = |g_i - g_j| W_ij / (Z (1 + ν (|s_i - s_j| - 0.99)))

    Shapes: s (n), g (n), W (n, n), Z, ν -> (n, n)
    """
    return np.abs(g[:, None] - g) * W / (Z * (1 + ν * (np.abs(s[:, None] - s) - (1 - NEAR))))


def pair_slopes(s, g, w, σ):
    """(4)  λ_ij = -σ w_ij sgn(g_i - g_j) / (1 + e^{σ (s_i - s_j) sgn(g_i - g_j)})

    Shapes: s (n), g (n), w (n, n), σ -> (n, n)
    """
    sign = np.sign(g[:, None] - g)
    with np.errstate(over="ignore"):                     # 1 / ∞ is 0
        return -σ * w * sign / (1 + np.exp(σ * (s[:, None] - s) * sign))


def pair_curvatures(s, w, σ):
    """(5)  h_ij = σ² w_ij / ((1 + e^{σ (s_i - s_j)}) (1 + e^{σ (s_j - s_i)}))

    The product of the two is unchanged if the documents change places, and e^{-x} / (1 + e^{-x})² does not overflow.

    Shapes: s (n), w (n, n), σ -> (n, n)
    """
    e = np.exp(-σ * np.abs(s[:, None] - s))
    return σ**2 * w * e / (1 + e)**2


def damping(L):
    """(6)  c = log2(1 + Σ_ij |λ_ij|) / Σ_ij |λ_ij|, 1 where the sum is 0

    Shapes: L (n, n) -> ()
    """
    total = np.abs(L).sum()
    return float(np.log2(1 + total) / total) if total > 0 else 1.0


def softmax_slopes(s, y):
    """(7)  λ_i = Y p_i - y_i, h_i = Y p_i (1 - p_i), p = softmax(s), Y = Σ_j y_j

    Shapes: s (n), y (n) -> (n), (n)
    """
    e = np.exp(s - s.max())
    p, Y = e / e.sum(), y.sum()
    return Y * p - y, Y * p * (1 - p)


# --- all queries ---------------------------------------------------------------------------------


class Documents(NamedTuple):
    """The documents of all queries, and what is known of them before the first round."""
    starts: np.ndarray                                   # (Q+1,): those of query q are starts[q] ... starts[q+1]-1
    order: np.ndarray                                    # (N,): the row of each, by falling scores; kept between rounds
    gains: np.ndarray                                    # (N,), by row
    over_best: np.ndarray                                # (Q,): 1 / Z, 0 where no gain is
    frequent: np.ndarray                                 # (Q,): the gain that most documents have
    discounts: np.ndarray                                # (n,) up to the longest query
    paid: np.ndarray                                     # (n+1,): their sums from the first on


class Settings(NamedTuple):
    """How pairs count."""
    ranknet: bool
    truncation_level: int
    norm: bool
    sigmoid: float


class Pulls(NamedTuple):
    """Of each row the slope and the curvature."""
    slopes: np.ndarray
    curvatures: np.ndarray


class RankingLoss:
    """λ and h of all rows, round after round: called with scores (N,), it returns `Pulls`, the same arrays each time.

    Raises ValueError for queries so long that a round would not end.

    Parameters
    ----------
    gains : array (N,)
        Of each row.
    queries : Queries
        Which query each row belongs to.
    objective : {"lambdarank", "ranknet", "softmax"}
        Which pulls.
    settings : Settings
        How pairs count.
    """

    start = 0.0                                          # the score of all before the first tree

    def __init__(self, gains, queries, objective, settings):
        self.objective, self.settings = objective, settings
        self.documents = _documents(gains, queries, settings.truncation_level)
        lengths = np.diff(queries.starts)
        if objective != "softmax":
            _refuse_endless(self.documents.gains, self.documents, lengths, settings)
        self.chunk = int(max(1, WORK * len(lengths) // len(gains)))
        self.out = Pulls(np.zeros(len(gains)), np.zeros(len(gains)))

    def __call__(self, scores):
        Q = len(self.documents.over_best)
        if self.objective == "softmax":
            run_chunks(_pull_by_softmax, Q, scores, self.documents, self.out, chunk=self.chunk)
        else:
            run_chunks(_pull, Q, scores, self.documents, self.settings, self.out, chunk=self.chunk)
        return self.out


def _documents(gains, queries, T):
    """`Documents`, in the order of falling gains: that of the first round, where all scores are equal."""
    starts, order = queries.starts, falling(gains, queries)
    own, D = gains[order], discounts(int(np.diff(starts).max()))
    best = best_of_queries(gains, queries, D[:T])
    ends = np.flatnonzero(np.append((own[1:] != own[:-1]) | (queries.of[1:] != queries.of[:-1]), True))
    runs, of_run = np.diff(ends, prepend=-1), queries.of[ends]
    last = np.lexsort((runs, of_run))[np.append(of_run[1:] != of_run[:-1], True)]  # the longest run of each query
    return Documents(starts.astype(np.int64), order.astype(np.int64), gains,
                     np.where(best > 0, 1 / np.where(best > 0, best, 1), 0.0), own[ends[last]], D,
                     np.concatenate([[0.0], np.cumsum(D)]))


def _refuse_endless(gains, documents, lengths, settings):
    """Raise ValueError if the pairs of one query are more than PAIRS."""
    q = int(lengths.argmax())
    n = int(lengths[q])
    own = gains[documents.order[documents.starts[q]:documents.starts[q + 1]]]
    rows = n if settings.ranknet else min(n, settings.truncation_level + len(np.unique(own)))
    if rows * n > PAIRS:
        what = "lower truncation_level, or give fewer different grades" if not settings.ranknet else \
            'take objective="lambdarank", which looks at pairs with the first places alone'
        raise ValueError(f"a query of {n:,} documents has up to {rows * n:,} pairs, expected at most {PAIRS:,}; "
                         f"{what}, or draw some of its documents")


# --- compiled ------------------------------------------------------------------------------------
#
# A class has a column of a table: score, gain / Z, number of documents and mean discount.  Sums have one too: λ and h
# of a document of the class.  Those with a gain other than the most frequent have a second one in the table `rare`.

SCORE, GAIN, COUNT, DISCOUNT = range(4)


class _Row(NamedTuple):
    """A class that meets others: `reach` is the share of its places up to T, `top` the mean of D_r [r ≤ T] over all."""
    score: float
    gain: float
    count: float
    top: float
    reach: float


@kernel
def _pull(c, start, stop, scores, documents, settings, out):
    """(4) and (5) summed over j, times (6), of queries start ... stop-1.

    Same result, because all documents of a class are pulled alike, and classes of equal gains do not pull.
    """
    longest = 0
    for q in range(start, stop):
        longest = max(longest, documents.starts[q + 1] - documents.starts[q])
    table, rare = np.empty((4, longest)), np.empty((4, longest))
    sums, rare_sums = np.empty((2, longest)), np.empty((2, longest))
    s, g, ends = np.empty(longest), np.empty(longest), np.empty(longest, np.int64)
    groups, where = np.empty(longest, np.int64), np.empty(longest + 1, np.int64)
    for q in range(start, stop):
        order = documents.order[documents.starts[q]:documents.starts[q + 1]]
        _sort(order, scores, documents.gains, s, g)
        over_best = documents.over_best[q]
        classes = _classes(s[:order.size], g, over_best, documents, table, ends, groups)
        total = 0.0
        if over_best > 0:
            found = _rare(table, classes, documents.frequent[q] * over_best, rare, where)
            sums[:, :classes] = 0
            rare_sums[:, :found] = 0
            total = _meet(classes, groups, ends, where, (table, rare), (sums, rare_sums), documents, settings)
            for k in range(classes):
                if where[k + 1] > where[k]:
                    sums[0, k] += rare_sums[0, where[k]]
                    sums[1, k] += rare_sums[1, where[k]]
        factor = np.log2(1 + total) / total if settings.norm and not settings.ranknet and total > 0 else 1.0
        i = 0
        for k in range(classes):
            while i < ends[k]:
                out.slopes[order[i]] = factor * sums[0, k] if total > 0 else 0.0
                out.curvatures[order[i]] = factor * sums[1, k] if total > 0 else 0.0
                i += 1


@kernel
def _sort(order, scores, gains, s, g):
    """Sort `order` (n,) by falling scores, of equal ones by falling gains; and put these into `s` and `g`.

    By insertion: between two rounds few documents change places.  Where many do, by merging, from the beginning.
    """
    n, shifts = order.size, 0
    for i in range(n):
        s[i], g[i] = scores[order[i]], gains[order[i]]
    for i in range(1, n):
        x, y, row, j = s[i], g[i], order[i], i
        while j > 0 and (s[j - 1] < x or s[j - 1] == x and g[j - 1] < y):
            s[j], g[j], order[j] = s[j - 1], g[j - 1], order[j - 1]
            j -= 1
        s[j], g[j], order[j] = x, y, row
        shifts += i - j
        if shifts > SHIFTS * n:
            by_gain = np.argsort(-g[:n], kind="mergesort")
            order[:] = order[by_gain]
            order[:] = order[np.argsort(-scores[order], kind="mergesort")]
            for k in range(n):
                s[k], g[k] = scores[order[k]], gains[order[k]]
            return


@kernel
def _classes(s, g, over_best, documents, table, ends, groups):
    """The classes of documents in order: fill the table, where each ends, and at which class its equal scores end."""
    n, k, a = s.size, 0, 0
    while a < n:
        b, first = a, k
        while b < n and s[b] == s[a]:
            if b > a and g[b] == g[b - 1]:
                ends[k - 1] = b + 1
                table[COUNT, k - 1] += 1
            else:
                table[SCORE, k], table[GAIN, k], table[COUNT, k], ends[k] = s[b], g[b] * over_best, 1.0, b + 1
                k += 1
            b += 1
        mean = (documents.paid[b] - documents.paid[a]) / (b - a) if b - a > 1 else documents.discounts[a]
        for j in range(first, k):
            table[DISCOUNT, j], groups[j] = mean, k
        a = b
    return k


@kernel
def _rare(table, classes, frequent, rare, where):
    """Copy the classes of other gains than `frequent`; where[k] of them come before class k.  How many there are."""
    found = 0
    for k in range(classes):
        where[k] = found
        if table[GAIN, k] != frequent:
            for part in range(4):
                rare[part, found] = table[part, k]
            found += 1
    where[classes] = found
    return found


@kernel
def _meet(classes, groups, ends, where, tables, sums, documents, settings):
    """Let each class that begins in the first T places meet all behind it; returns Σ |λ|, of both sides of pairs."""
    table, rare = tables
    own_sums, rare_sums = sums
    n = ends[classes - 1]
    T = n if settings.ranknet else min(n, settings.truncation_level)
    all_equal = groups[0] == classes
    norm = settings.norm and not settings.ranknet and not all_equal
    total, k, a = 0.0, 0, 0
    while k < classes and a < T:
        last, b = groups[k], ends[groups[k] - 1]
        if settings.ranknet:
            reach, top, within = 0.0, 1.0, 1.0
        else:
            reach, top = (min(b, T) - a) / (b - a), (documents.paid[min(b, T)] - documents.paid[a]) / (b - a)
            if b - a == 1:
                top = documents.discounts[a]
            within = _within(documents, a, b, T)
        for i in range(k, last):
            row = _Row(table[SCORE, i], table[GAIN, i], table[COUNT, i], top, reach)
            total += _equals(row, i, last, table, own_sums, within / NEAR if norm else within, settings)
            if where[i + 1] > where[i]:                  # it is no class of the most frequent gain, and meets all
                total += _against(row, i, table, own_sums, last, classes, own_sums, (settings, norm))
            else:
                total += _against(row, i, rare, rare_sums, where[last], where[classes], own_sums, (settings, norm))
        a, k = b, last
    return total


@kernel
def _within(documents, a, b, T):
    """(2) of equal scores on places a + 1 ... b."""
    total, m = 0.0, b - a
    for r in range(a, min(b, T)):
        total += (b - r - 1) * documents.discounts[r] - (documents.paid[b] - documents.paid[r + 1])
    return 2 * total / (m * (m - 1)) if m > 1 else 0.0


@kernel
def _equals(row, i, last, table, sums, within, settings):
    """Let class `i` meet those behind it with the same score, up to `last`: as gains fall, it is pulled up."""
    total, σ = 0.0, settings.sigmoid
    for j in range(i + 1, last):
        gap = 1.0 if settings.ranknet else row.gain - table[GAIN, j]
        λ, h = 0.5 * σ * within * gap, 0.25 * σ * σ * within * gap
        sums[0, i] -= table[COUNT, j] * λ
        sums[0, j] += row.count * λ
        sums[1, i] += table[COUNT, j] * h
        sums[1, j] += row.count * h
        total += 2 * row.count * table[COUNT, j] * λ
    return total


@kernel(reassociate=True)
def _against(row, i, table, sums, first, last, own_sums, how):
    """Let class `i` meet the columns first ... last-1 of a table, all of lower scores; the sums of both grow.

    Each slice begins where it is read: with an index that is first + j the compiler has to think of negative ones.
    """
    settings, norm = how
    σ, near, far = settings.sigmoid, NEAR if norm else 1.0, 1.0 if norm else 0.0
    flat, steep = (1.0, 0.0) if settings.ranknet else (0.0, 1.0)
    scores, gains, counts = table[SCORE, first:last], table[GAIN, first:last], table[COUNT, first:last]
    discounts, slopes, curvatures = table[DISCOUNT, first:last], sums[0, first:last], sums[1, first:last]
    own, own_h, total = 0.0, 0.0, 0.0
    for j in range(scores.size):
        distance, gap = row.score - scores[j], row.gain - gains[j]
        e = exp(-σ * distance)
        sign = (1.0 if gap > 0 else 0.0) - (1.0 if gap < 0 else 0.0)
        w = (flat * sign + steep * gap) * (row.top - row.reach * discounts[j])
        over = 1 / ((1 + e) * (near + far * distance))
        agree = e if gap > 0 else 1.0                    # e / (1 + e) is 1 / (1 + 1/e)
        λ = -σ * w * agree * over
        h = σ * abs(λ) * (1.0 if gap > 0 else e) * over * (near + far * distance)
        own += counts[j] * λ
        own_h += counts[j] * h
        total += counts[j] * abs(λ)
        slopes[j] -= row.count * λ
        curvatures[j] += row.count * h
    own_sums[0, i] += own
    own_sums[1, i] += own_h
    return 2 * row.count * total


@kernel
def _pull_by_softmax(c, start, stop, scores, documents, out):
    """(7) of queries start ... stop-1."""
    for q in range(start, stop):
        order = documents.order[documents.starts[q]:documents.starts[q + 1]]
        most, total, Y = -np.inf, 0.0, 0.0
        for row in order:
            most = max(most, scores[row])
            Y += documents.gains[row]
        for row in order:
            out.slopes[row] = np.exp(scores[row] - most)
            total += out.slopes[row]
        for row in order:
            p = out.slopes[row] / total
            out.curvatures[row] = Y * p * (1 - p)
            out.slopes[row] = Y * p - documents.gains[row]
