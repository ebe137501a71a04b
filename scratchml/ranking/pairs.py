"""RankNet and LambdaRank: to learn an order, look at two documents at a time.

A query has documents of several grades, and a model gives each a score.  How good the order of the scores is, says
NDCG; but it is a staircase: scores that move a little change no order, so it has no slope to learn from.  RankNet asks
of each pair of unequal grades how likely it stands in the right order (1), and its loss is the surprise (2).  The slope
of one pair is a number λ_ij, and it pushes the two apart: what one gains, the other loses.  So the gradient by a score
is a sum over the pairs that the document is in (3): n numbers for n² pairs, and these are all that a model needs.

RankNet counts a pair at the bottom as much as one at the top.  LambdaRank begins at the other end and says what the
gradient shall be: the push of RankNet, times what NDCG would change by if the two changed places (6).

Symbols
    s, y    (n,)     scores of a query's documents, and their grades
    g       (n,)     gains of the grades
    r       (n,)     places by falling score, from 1
    σ                how steep (1) is
    T                truncation: at least one document of a pair stands among the first T
    D_r              discount of place r, 1 / log2(1 + r)
    P       (n, n)   P_ij, how likely document i belongs above j
    ρ_ij             1 - P_ij
    Z       (n, n)   what the swap of i and j changes in NDCG, or in another measure
    λ, h    (n,)     slopes and curvatures by the scores
    [ ]              1 where the statement holds, else 0

Equations
    (1)  P_ij = 1 / (1 + e^(-σ (s_i - s_j)))                                              pair_probability
    (2)  L = Σ_{y_i > y_j} ln(1 + e^(-σ (s_i - s_j)))                                     ranknet
    (3)  λ_i = σ Σ_j (P_ij [y_j > y_i] - P_ji [y_j < y_i])                           ranknet_gradient
    (4)  h_i = σ² Σ_{y_j ≠ y_i} P_ij P_ji                                                 ranknet_curvature
    (5)  r_i = 1 + #{j: s_j > s_i, or s_j = s_i and j < i}                                ranks
    (6)  Z_ij = [min(r_i, r_j) ≤ T] |g_i - g_j| |D_r_i - D_r_j| / maxDCG@T                delta_ndcg
    (7)  λ_i = σ Σ_j Z_ij (P_ij [g_j > g_i] - P_ji [g_j < g_i]), h_i = σ² Σ_{g_j ≠ g_i} Z_ij P_ij P_ji      lambdas
    (8)  (7) with Z_ij / (0.01 + |s_i - s_j|), times log2(1 + Λ) / Λ, Λ = Σ_i Σ_j |λ_ij|     normalised_lambdas
         with λ_ij the terms of (7); if all scores are equal, Z_ij stays as it is

Derivation
    By s_i, ln(1 + e^(-σ (s_i - s_j))) has the slope -σ / (1 + e^(σ (s_i - s_j))) = -σ P_ji, and by s_j the opposite.
    The sum over all pairs, sorted by document, is (3); a second derivative of a pair is σ² P_ij P_ji, for both alike.
    (7) is the slope of Σ Z_ij ln(1 + e^(-σ (s_i - s_j))) if Z is held fast, as `lambdarank_loss` does.

Choices
    A query whose grades are all equal has no pair, and counts nowhere.
    In (5) equal scores stand in the order of the documents.  Where many queries are read, this order is drawn at
    random, or at the start, with all scores equal, a model would learn the order of the file.
    (8) is what LightGBM does unless told otherwise (lambdarank_norm): pairs that are close together count more, and a
    query with many pairs not much more than one with few.
    (2) and (3) look at every pair of unequal grades: a query of two grades has few if one is rare.  More than PAIRS of
    them in all queries together are refused.

Cost
    Of n documents (2) to (4) take O(n²), in kernels that have no table of pairs: documents are sorted by grade, so
    those with which a document makes pairs stand side by side.  (7) and (8) take O(n log n + n T).

>>> s, y = np.array([0.2, 1.0, -0.5]), np.array([2, 0, 1])
>>> round(ranknet(s, y, 1.0), 6), ranknet_gradient(s, y, 1.0).round(4).tolist()
(3.2757, [-1.0218, 1.5075, -0.4858])
>>> lambdas(s, 2.0**y - 1, delta_ndcg(2.0**y - 1, ranks(s), 3), 1.0)[0].round(4).tolist()
[-0.2343, 0.323, -0.0887]

Sources: C. Burges et al., "Learning to rank using gradient descent", ICML 2005, for (1) and (2); C. Burges, "From
RankNet to LambdaRank to LambdaMART: an overview", MSR-TR-2010-82, sections 2 to 4 and 6, for (3), (4) and (7); X. Wang
et al., "The LambdaLoss framework for ranking metric optimization", CIKM 2018, for what (7) is the slope of.
"""
import numpy as np

from scratchml.core.elementary import exp, log
from scratchml.core.jit import kernel, run_chunks
from scratchml.metrics.graded import discounts
from scratchml.ranking.queries import best_of_queries, falling

PAIRS = 2_000_000_000                                    # of all queries: more are refused
WORK = 50_000                                            # pairs that are worth a thread

# --- every pair ----------------------------------------------------------------------------------


def pair_probability(s, σ):
    """(1)  P_ij = 1 / (1 + e^(-σ (s_i - s_j)))

    As e^x / (1 + e^x) for x < 0, so that nothing overflows.

    Shapes: s (n), σ -> (n, n)
    """
    x = σ * (s[:, None] - s)
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


def ranknet(s, y, σ):
    """(2)  L = Σ_{y_i > y_j} ln(1 + e^(-σ (s_i - s_j)))

    Shapes: s (n), y (n), σ -> ()
    """
    return float(np.logaddexp(0, -σ * (s[:, None] - s))[y[:, None] > y].sum())


def ranknet_gradient(s, y, σ):
    """(3)  λ_i = σ Σ_j (P_ij [y_j > y_i] - P_ji [y_j < y_i])

    Shapes: s (n), y (n), σ -> (n)
    """
    P = pair_probability(s, σ)
    return σ * (P * (y > y[:, None]) - P.T * (y < y[:, None])).sum(axis=1)


def ranknet_curvature(s, y, σ):
    """(4)  h_i = σ² Σ_{y_j ≠ y_i} P_ij P_ji

    Shapes: s (n), y (n), σ -> (n)
    """
    P = pair_probability(s, σ)
    return σ**2 * (P * P.T * (y != y[:, None])).sum(axis=1)


# --- weighted by what a swap changes -------------------------------------------------------------


def ranks(s):
    """(5)  r_i = 1 + #{j: s_j > s_i, or s_j = s_i and j < i}

    Shapes: s (n) -> (n)
    """
    r = np.empty(len(s), np.int64)
    r[np.argsort(-s, kind="stable")] = np.arange(1, len(s) + 1)
    return r


def delta_ndcg(g, r, T):
    """(6)  Z_ij = [min(r_i, r_j) ≤ T] |g_i - g_j| |D_r_i - D_r_j| / maxDCG@T

    0 where no document has a gain.

    Shapes: g (n), r (n), T -> (n, n)
    """
    D = discounts(len(g))
    best = (np.sort(g)[::-1] * D)[:T].sum()
    own = D[r - 1]
    Z = np.abs(g[:, None] - g) * np.abs(own[:, None] - own) * (np.minimum(r[:, None], r) <= T)
    return Z / best if best else Z


def lambdas(s, g, Z, σ):
    """(7)  λ_i = σ Σ_j Z_ij (P_ij [g_j > g_i] - P_ji [g_j < g_i]), h_i = σ² Σ_{g_j ≠ g_i} Z_ij P_ij P_ji

    Shapes: s (n), g (n), Z (n, n), σ -> (n), (n)
    """
    P = pair_probability(s, σ)
    λ = σ * (Z * (P * (g > g[:, None]) - P.T * (g < g[:, None]))).sum(axis=1)
    return λ, σ**2 * (Z * P * P.T * (g != g[:, None])).sum(axis=1)


def normalised_lambdas(s, g, Z, σ):
    """(8)  (7) with Z_ij / (0.01 + |s_i - s_j|), times log2(1 + Λ) / Λ, Λ = Σ_i Σ_j |λ_ij|

    A pair counts twice in Λ, for each of its documents σ Z_ij P_ji where g_i > g_j.

    Shapes: s (n), g (n), Z (n, n), σ -> (n), (n)
    """
    if s.min() < s.max():
        Z = Z / (NEAR + np.abs(s[:, None] - s))
    λ, h = lambdas(s, g, Z, σ)
    total = 2 * σ * (Z * pair_probability(s, σ).T)[g[:, None] > g].sum()
    factor = np.log2(1 + total) / total if total else 1.0
    return factor * λ, factor * h


NEAR = 0.01                                              # LightGBM's

# --- compiled: many queries ----------------------------------------------------------------------


class EveryPair:
    """(2), (3) and (4) of many queries, prepared for their grades and called with scores.

    Same result, because each pair of unequal grades is met once, and gives to both its documents.

    Raises ValueError for more than PAIRS pairs.

    Parameters
    ----------
    y : array (N,)
        Grades of the documents.
    queries : Queries
        Which query each document belongs to.
    sigma : float, default=1.0
        σ.
    """

    def __init__(self, y, queries, sigma=1.0):
        self.order = falling(y, queries)
        self.starts, self.sigma = queries.starts, sigma
        y, N = y[self.order], len(y)
        new = np.flatnonzero(np.append(True, (np.diff(y) != 0) | (np.diff(queries.of) != 0)))
        self.below = np.repeat(np.append(new[1:], N), np.diff(np.append(new, N)))       # (N,) where lower grades begin
        total = int((np.repeat(self.starts[1:], np.diff(self.starts)) - self.below).sum())
        if total > PAIRS:
            raise ValueError(f"y: {total:,} pairs of documents of unequal grades, and RankNet looks at each; at most "
                             f"{PAIRS:,} are allowed; take a loss of lists, or LambdaRank with a truncation")
        self.chunk = max(1, WORK * (len(self.starts) - 1) // max(total, 1))

    def __call__(self, s):
        """Losses (Q,), and λ and h (N,), of scores (N,)."""
        found = np.zeros((3, len(s)))
        run_chunks(_each_pair, len(self.starts) - 1, s[self.order], self.starts, self.below, self.sigma, found,
                   chunk=self.chunk)
        return np.add.reduceat(found[0], self.starts[:-1]), *_back(found[1:], self.order)


class SwappedPairs:
    """(7) or (8) of many queries with the Z of (6), prepared for their gains and called with scores.

    Same result, because of two documents the one that stands above has the smaller place, and only the first T have
    pairs with documents below them.  Documents with equal scores stand in the order that `queries` has them in.

    Raises ValueError for more than PAIRS pairs.

    Parameters
    ----------
    g : array (N,)
        Gains of the documents, at least 0.
    queries : Queries
        Which query each document belongs to.
    sigma : float, default=1.0
        σ.
    truncation_level : int, default=30
        T.
    norm : bool, default=False
        Whether (8) is meant.
    """

    def __init__(self, g, queries, sigma=1.0, truncation_level=30, norm=False):
        lengths, self.queries = np.diff(queries.starts), queries
        self.T, self.D = min(truncation_level, int(lengths.max())), discounts(int(lengths.max()))
        best = best_of_queries(g, queries, self.D[:self.T])
        self.g = g[queries.order] / np.repeat(np.where(best > 0, best, 1.0), lengths)
        self.settings = np.array([sigma, self.T, norm], np.float64)
        total = int((lengths * np.minimum(lengths, self.T)).sum())
        if total > PAIRS:
            raise ValueError(f"truncation_level: {total:,} pairs of documents, at most {PAIRS:,} are allowed; lower it")
        self.chunk = max(1, WORK * len(lengths) // total)

    def __call__(self, s):
        """Losses (Q,), whose slope λ is if Z is held fast, and λ and h (N,), of scores (N,)."""
        starts, s = self.queries.starts, s[self.queries.order]
        down = np.lexsort((-s, self.queries.of))         # it keeps the order of what is equal
        rows, found = np.stack([s[down], self.g[down]]), np.zeros((3, len(s)))
        run_chunks(_swaps, len(starts) - 1, rows, starts, self.D, self.settings, found, chunk=self.chunk)
        return np.add.reduceat(found[0], starts[:-1]), *_back(found[1:], self.queries.order[down])


def _back(rows, order):
    """Rows (m, N) whose entries are of documents `order`, in the order of the documents."""
    given = np.empty_like(rows)
    given[:, order] = rows
    return given


@kernel
def _each_pair(c, start, stop, s, starts, below, sigma, found):
    """Losses, λ and h of queries start ... stop-1 into `found` (3, N), where documents stand by falling grade."""
    for q in range(start, stop):
        last = starts[q + 1]
        for i in range(starts[q], last):
            j = below[i]
            loss, slope, curve = _above(s[i], s[j:last], sigma, found[1, j:last], found[2, j:last])
            found[0, i] = loss
            found[1, i] -= slope
            found[2, i] += curve


@kernel(reassociate=True)
def _above(own, s, sigma, slopes, curves):
    """What a document gets that belongs above others with scores `s`; they get theirs."""
    loss, slope, curve = 0.0, 0.0, 0.0
    for j in range(s.size):
        x = sigma * (own - s[j])
        e = exp(-abs(x))
        u = 1.0 + e
        push = sigma * (e if x > 0 else 1.0) / u
        bend = sigma * sigma * e / (u * u)
        loss += log(u) + max(-x, 0.0)
        slope += push
        curve += bend
        slopes[j] += push
        curves[j] += bend
    return loss, slope, curve


@kernel
def _swaps(c, start, stop, rows, starts, D, settings, found):
    """Losses, λ and h of queries start ... stop-1 into `found` (3, N).

    `rows` are scores, falling, and gains over maxDCG.
    """
    for q in range(start, stop):
        first, last = starts[q], starts[q + 1]
        near = settings[2] != 0 and rows[0, first] > rows[0, last - 1]
        total = 0.0
        for i in range(first, min(last, first + int(settings[1]))):
            total += _with_those_below(i, last - i - 1, rows, D[i - first:last - first], settings[0], near, found)
        if settings[2] != 0 and total > 0:
            factor = np.log2(1 + 2 * total) / (2 * total)
            for i in range(first, last):
                found[0, i] *= factor
                found[1, i] *= factor
                found[2, i] *= factor


@kernel(reassociate=True)
def _with_those_below(i, m, rows, D, sigma, near, found):
    """Pairs of document i with the m behind it, whose discounts stand in D behind its own; the sum of all |λ_ij|."""
    s, g = rows[0, i + 1:i + 1 + m], rows[1, i + 1:i + 1 + m]
    slopes, curves, discount = found[1, i + 1:i + 1 + m], found[2, i + 1:i + 1 + m], D[1:]
    own, gain, above = rows[0, i], rows[1, i], D[0]
    least = NEAR if near else 1.0
    loss, slope, curve, total = 0.0, 0.0, 0.0, 0.0
    for j in range(m):
        apart = own - s[j]
        Z = abs(gain - g[j]) * (above - discount[j]) / (least + (apart if near else 0.0))
        x = sigma * (apart if gain > g[j] else -apart)
        e = exp(-abs(x))
        u = 1.0 + e
        push = Z * sigma * (e if x > 0 else 1.0) / u
        bend = Z * sigma * sigma * e / (u * u)
        signed = push if gain > g[j] else -push
        loss += Z * (log(u) + max(-x, 0.0))
        total += push
        slope += signed
        curve += bend
        slopes[j] += signed
        curves[j] += bend
    found[0, i] = loss
    found[1, i] -= slope
    found[2, i] += curve
    return total
