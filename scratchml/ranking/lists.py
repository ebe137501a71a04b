"""ListNet, the softmax loss and ListMLE: to learn an order, look at the list as a whole.

Scores make a random order: draw the first document with a probability that grows as e^s, then the second from those
that are left, and so on.  This is the model of Plackett and Luce, and every order of the list has a probability (5).
ListMLE makes the order of the grades as probable as it can be (6).  ListNet looks at the first place alone: which
document stands there has a distribution by the scores (1) and another by the grades, and their cross entropy is the
loss (3).  If one document is chosen of each list, as one way to travel of four, (3) is the conditional logit of
econometrics.

Symbols
    s, y  (n,)   scores of a query's documents, and their grades
    P     (n,)   how likely each document is to stand first
    p     (n,)   shares of the grades
    w     (n,)   what each document counts: p, or e^y_i / Σ_j e^y_j, for ListNet; y for the softmax loss
    π     (n,)   an order: document π_t stands at place t
    k            how many places count

Equations
    (1)  P_i = e^s_i / Σ_j e^s_j                                                          top_one
    (2)  p_i = y_i / Σ_j y_j                                                              shares
    (3)  L = -Σ_i w_i ln P_i                                                              top_one_loss
    (4)  ∂L/∂s_i = P_i Σ_j w_j - w_i                                                      top_one_gradient
    (5)  P(π) = Π_t e^s_π_t / Σ_{u≥t} e^s_π_u                                             permutation_probability
    (6)  L = -Σ_{t≤k} ln(e^s_π_t / Σ_{u≥t} e^s_π_u)                                       listmle
    (7)  ∂L/∂s_π_t = e^s_π_t Σ_{v≤min(t,k)} 1 / Σ_{u≥v} e^s_π_u - [t ≤ k]                 listmle_gradient

Derivation
    ln P_i = s_i - ln Σ_j e^s_j has the slope [i = j] - P_j by s_j; weighted by w this is (4).  (6) is the sum of such
    losses, of lists that lose their first document each time; document π_t is in the first t of them.

Choices
    A query whose grades are all equal has no order to learn, and counts nowhere.
    Documents of equal grades have no order among each other either, but (6) needs one: it is drawn at random, or a
    model would learn that of the file.  Where two of a hundred documents are wanted and k = n, 98 places are nothing
    but that draw, and the model is asked for it.  With k = 2, or `top_k="relevant"`, which is for each query the
    number of documents above its lowest grade, the draw decides only who of those stands first.
    Weights e^y_i / Σ_j e^y_j are those of ListNet's paper; in long lists they are nearly equal, as most documents have
    the lowest grade, and (2) says more.

Cost
    O(n) for all but (5) and (6), which sort by grade first, once.  (6) and (7) pass over the list twice: once from its
    end for the sums Σ_{u≥t}, and once from its beginning for those over v.

>>> s, y = np.array([0.2, 1.0, -0.5]), np.array([2, 0, 1])
>>> round(top_one_loss(s, shares(y)), 4), top_one_gradient(s, shares(y)).round(4).tolist()
(1.5476, [-0.398, 0.5979, -0.1999])
>>> round(listmle(s, np.array([0, 2, 1]), 3), 4), round(permutation_probability(s, [0, 2, 1]), 4)
(3.0157, 0.049)

Sources: R. Plackett, "The analysis of permutations", Applied Statistics 24 (1975), for (5); Z. Cao et al., "Learning to
rank: from pairwise approach to listwise approach", ICML 2007, section 4, for (1) and (3); F. Xia et al., "Listwise
approach to learning to rank: theory and algorithm", ICML 2008, for (6), and F. Xia et al., "Statistical consistency of
top-k ranking", NIPS 2009, for its k; S. Bruch et al., "An analysis of the softmax cost function for learning to rank",
ICTIR 2019, for (3) with w = y; D. McFadden, "Conditional logit analysis of qualitative choice behavior" (1974).
"""
import numpy as np

from scratchml.core.elementary import exp, log
from scratchml.core.jit import kernel, run_chunks
from scratchml.ranking.queries import falling, rankable

WORK = 20_000                                            # documents that are worth a thread

# --- the first place -----------------------------------------------------------------------------


def top_one(s):
    """(1)  P_i = e^s_i / Σ_j e^s_j

    Shapes: s (n) -> (n)
    """
    e = np.exp(s - np.max(s))
    return e / e.sum()


def shares(y):
    """(2)  p_i = y_i / Σ_j y_j

    Shapes: y (n) -> (n)
    """
    return y / np.sum(y)


def top_one_loss(s, w):
    """(3)  L = -Σ_i w_i ln P_i

    Shapes: s (n), w (n) -> ()
    """
    below = np.max(s) - s
    return float((w * (below + np.log(np.exp(-below).sum()))).sum())


def top_one_gradient(s, w):
    """(4)  ∂L/∂s_i = P_i Σ_j w_j - w_i

    Shapes: s (n), w (n) -> (n)
    """
    return top_one(s) * np.sum(w) - w


# --- the whole order -----------------------------------------------------------------------------


def permutation_probability(s, π):
    """(5)  P(π) = Π_t e^s_π_t / Σ_{u≥t} e^s_π_u

    Shapes: s (n), π (n) in n -> ()
    """
    return float(np.exp(-listmle(s, π, len(π))))


def listmle(s, π, k):
    """(6)  L = -Σ_{t≤k} ln(e^s_π_t / Σ_{u≥t} e^s_π_u)

    Shapes: s (n), π (n) in n, k -> ()
    """
    s = np.asarray(s)[π]
    return float((_log_sums_from(s) - s)[:k].sum())


def listmle_gradient(s, π, k):
    """(7)  ∂L/∂s_π_t = e^s_π_t Σ_{v≤min(t,k)} 1 / Σ_{u≥v} e^s_π_u - [t ≤ k]

    Shapes: s (n), π (n) in n, k -> (n)
    """
    among, slopes = np.arange(len(s)) < k, np.empty(len(s))
    over = np.logaddexp.accumulate(np.where(among, -_log_sums_from(s[π]), -np.inf))      # ln Σ_{v≤min(t,k)} 1 / Σ_{u≥v}
    slopes[π] = np.exp(s[π] + over) - among
    return slopes


def _log_sums_from(s):
    """ln Σ_{u≥t} e^s_u for each t, (n,)."""
    return np.logaddexp.accumulate(s[::-1])[::-1]


# --- compiled: many queries ----------------------------------------------------------------------


class TopOne:
    """(3) and (4) of many queries, prepared for their grades and called with scores.

    Same result, because ln P_i is taken relative to the greatest score here as there.

    Parameters
    ----------
    y : array (N,)
        Grades of the documents, at least 0 unless they are exponents.
    queries : Queries
        Which query each document belongs to.
    weights : {"shares", "softmax", "grades"}, default="shares"
        Whether w is p, or e^y_i / Σ_j e^y_j, or y.
    """

    def __init__(self, y, queries, weights="shares"):
        self.queries, first, lengths = queries, queries.starts[:-1], np.diff(queries.starts)
        w = y[queries.order]
        if weights == "softmax":
            w = np.exp(w - np.repeat(np.maximum.reduceat(w, first), lengths))
        if weights != "grades":
            w = w / np.repeat(np.maximum.reduceat(w, first) + (np.maximum.reduceat(w, first) == 0), lengths)
            total = np.add.reduceat(w, first)
            w = w / np.repeat(np.where(total > 0, total, 1.0), lengths)
        self.w = np.where(np.repeat(rankable(y, queries), lengths), w, 0.0)
        self.chunk = max(1, WORK * len(lengths) // len(w))

    def __call__(self, s):
        """Losses (Q,) and slopes (N,) of scores (N,)."""
        starts, order = self.queries.starts, self.queries.order
        losses, sorted_slopes, slopes = np.empty(len(starts) - 1), np.empty(len(s)), np.empty(len(s))
        run_chunks(_first_place, len(losses), s[order], self.w, starts, losses, sorted_slopes, chunk=self.chunk)
        slopes[order] = sorted_slopes
        return losses, slopes


class WholeOrder:
    """(6) and (7) of many queries, prepared for their grades and called with scores.

    Same result, because sums are kept relative to the greatest score M_t = max_{u≥t} s_u of those that they are over:
    A_t = Σ_{u≥t} e^(s_u - M_t) and B_t = Σ_{v≤min(t,k)} e^(M_t - M_v) / A_v make (6) a sum of M_t + ln A_t - s_t and
    (7) e^(s_t - M_t) B_t - [t ≤ k], and nothing overflows.  Equal grades stand in the order that `queries` has them in.

    Parameters
    ----------
    y : array (N,)
        Grades of the documents.
    queries : Queries
        Which query each document belongs to.
    top_k : int, "relevant" or None, default=None
        k; "relevant" for the number of documents above the lowest grade of the query, None for all.
    """

    def __init__(self, y, queries, top_k=None):
        self.order = falling(y, queries)
        self.starts, lengths, y = queries.starts, np.diff(queries.starts), y[self.order]
        first = self.starts[:-1]
        places = lengths if top_k is None else lengths if top_k == "relevant" else np.minimum(lengths, top_k)
        if top_k == "relevant":
            places = np.add.reduceat((y > np.repeat(np.minimum.reduceat(y, first), lengths)).astype(np.int64), first)
        self.places = np.where(np.minimum.reduceat(y, first) < np.maximum.reduceat(y, first), places, 0)
        self.chunk = max(1, WORK * len(lengths) // len(y))

    def __call__(self, s):
        """Losses (Q,) and slopes (N,) of scores (N,)."""
        losses, found, slopes = np.empty(len(self.starts) - 1), np.empty((3, len(s))), np.empty(len(s))
        run_chunks(_all_places, len(losses), s[self.order], self.starts, self.places, losses, found, chunk=self.chunk)
        slopes[self.order] = found[0]
        return losses, slopes


@kernel(reassociate=True)
def _first_place(c, start, stop, s, w, starts, losses, slopes):
    """(3) and (4) of queries start ... stop-1."""
    for q in range(start, stop):
        own, weights, slope = s[starts[q]:starts[q + 1]], w[starts[q]:starts[q + 1]], slopes[starts[q]:starts[q + 1]]
        most = own[0]
        for i in range(own.size):
            most = max(most, own[i])
        total, all_weights, loss = 0.0, 0.0, 0.0
        for i in range(own.size):
            slope[i] = exp(own[i] - most)
            total += slope[i]
            all_weights += weights[i]
        below = log(total)
        for i in range(own.size):
            loss += weights[i] * (most - own[i] + below) if weights[i] > 0 else 0.0
            slope[i] = slope[i] / total * all_weights - weights[i]
        losses[q] = loss


@kernel
def _all_places(c, start, stop, s, starts, places, losses, found):
    """(6) and (7) of queries start ... stop-1, whose documents stand in the order π.

    `found` (3, N) are slopes, M and A.
    """
    for q in range(start, stop):
        first, last = starts[q], starts[q + 1]
        k = places[q]
        own, slope, M, A = s[first:last], found[0, first:last], found[1, first:last], found[2, first:last]
        if k == 0:
            losses[q] = 0.0
            slope[:] = 0.0
            continue
        most, total = own[last - first - 1], 0.0
        for t in range(last - first - 1, -1, -1):
            if own[t] > most:
                total *= exp(most - own[t])
                most = own[t]
            slope[t] = exp(own[t] - most)
            total += slope[t]
            M[t], A[t] = most, total
        loss, over = 0.0, 0.0
        for t in range(last - first):
            if t > 0 and M[t] < M[t - 1]:
                over *= exp(M[t] - M[t - 1])
            if t < k:
                over += 1 / A[t]
                loss += M[t] - own[t] + log(A[t])
                slope[t] = slope[t] * over - 1.0
            else:
                slope[t] *= over
        losses[q] = loss
