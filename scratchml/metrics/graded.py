"""How good is an order of graded documents?  Judged fairly where scores are equal.

A query has documents of several grades: useless, fair, perfect.  A ranker gives each a score, and the reader looks from
the top.  Discounted cumulative gain pays for each document by its grade, and the less the lower it stands; divided by
what the best order would be paid, it is 1 at most.  Expected reciprocal rank asks a reader who stops when content: what
good grades stand behind a perfect document does not matter any more.

What is paid where scores are equal?  By order of the file, a model that gives all documents the same score is paid for
the order of the file, and a file sorted by grade makes it perfect.  All orders of equal scores are equally likely here,
and the result is the exact mean over them: equal documents share what their places pay (3), and the reader who meets
them in random order is content at each place with a probability that is a mean over subsets (6).

Symbols
    y, s   (n,)   grades of a query's documents, and their scores
    g      (n,)   gains
    k             how many places are looked at
    D      (k,)   discounts of the places
    a_i, b_i      the places from a_i + 1 to b_i are those of the documents with the score of i: a_i have more
    y_max         the highest grade there is
    p      (n,)   how likely a reader is content with each document
    x      (m,)   1 - p of documents with equal scores
    E      (m+1,) E_j, the mean of Π x over all subsets of j of them
    c             how likely a reader is still looking
    [ ]           1 where the statement holds, else 0

Equations
    (1)  D_r = 1 / log2(1 + r), r = 1 ... k                                             discounts
    (2)  g_i = 2^{y_i} - 1                                                              exponential_gains
    (3)  DCG = Σ_i g_i Σ_{a_i < r ≤ b_i} [r ≤ k] D_r / (b_i - a_i)                      dcg
    (4)  NDCG = DCG(g, s) / DCG(g, g)                                                   ndcg
    (5)  p_i = (2^{y_i} - 1) / 2^{y_max}                                                contentment
    (6)  E_j of x and one more ← ((m + 1 - j) E_j + j x_{m+1} E_{j-1}) / (m + 1)        subset_means
    (7)  ERR = Σ_r [r ≤ k] c (E_{j-1} - E_j) / r, r = a + j, group after group          expected_reciprocal_rank
         with E of the group after a documents, and c ← c E_m behind it

Derivation
    Of m documents in random order the first j are any subset.  So the reader is still looking behind the first j with
    probability E_j, and stops at the j-th with E_{j-1} - E_j, whichever that is.

Choices
    Gains are (2), or the grades themselves (`gains="linear"`), as scikit-learn has them.
    A query without a document above grade 0 has no best order and does not count in (4); nor in (3) and (7), so that
    the means are of the same queries.  `per_query=True` gives the numbers that the mean is of, in the order of queries.

Cost
    (3) and (4): O(n log n) a query, for k up to 50 O(n + k² log n) in a random order; (7): O(n log n), and m² for m
    equal scores, at most m k.

>>> y, s = [3, 0, 2, 1, 0], [2, 2, 1, 1, 1]
>>> round(ndcg_score(y, s, gains="linear"), 8), round(ndcg_score(y, s, k=3, gains="linear"), 8)
(0.79043155, 0.61874875)
>>> round(err_score([3, 2, 0, 1], [4, 3, 2, 1], max_grade=4), 8)
0.49737549
>>> round(ndcg_score([0, 1, 2, 1], [0.3, 0.7, 0.1, 0.9], qid=["b", "a", "a", "b"]), 6)
0.898354

Sources: K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM Trans. Information
Systems 20 (2002), and C. Burges et al., "Learning to rank using gradient descent", ICML 2005, for (1), (2) and (4);
F. McSherry and M. Najork, "Computing information retrieval performance measures efficiently in the presence of tied
scores", ECIR 2008, for (3); O. Chapelle et al., "Expected reciprocal rank for graded relevance", CIKM 2009, for (5) and
(7) without ties.
"""
import numpy as np

from scratchml.core.checks import (as_floats, finite, keys_of, one_of, real_number, true_or_false, unmasked,
                                   whole_number)
from scratchml.core.jit import kernel, run_chunks

WORK = 100_000                                           # documents that are worth a thread
FEW = 50                                                 # places that are kept in order one by one; more are sorted

# --- one query -------------------------------------------------------------------------------------


def discounts(k):
    """(1)  D_r = 1 / log2(1 + r), r = 1 ... k

    Shapes: k -> (k)
    """
    return 1 / np.log2(1 + np.arange(1, k + 1))


def exponential_gains(y):
    """(2)  g_i = 2^{y_i} - 1

    Shapes: y (n) -> (n)
    """
    return np.exp2(y) - 1


def dcg(g, s, k):
    """(3)  DCG = Σ_i g_i Σ_{a_i < r ≤ b_i} [r ≤ k] D_r / (b_i - a_i)

    Shapes: g (n), s (n), k -> ()
    """
    paid = np.concatenate([[0], np.cumsum(discounts(min(k, len(s)))), np.zeros(max(0, len(s) - k))])
    paid[k + 1:] = paid[min(k, len(s))]                  # (n+1,): what the first r places pay together
    a, b = (s > s[:, None]).sum(axis=1), (s >= s[:, None]).sum(axis=1)
    return float((g * (paid[b] - paid[a]) / (b - a)).sum())


def ndcg(g, s, k):
    """(4)  NDCG = DCG(g, s) / DCG(g, g)

    Shapes: g (n), s (n), k -> ()
    """
    return dcg(g, s, k) / dcg(g, g, k)


def contentment(y, y_max):
    """(5)  p_i = (2^{y_i} - 1) / 2^{y_max}

    Shapes: y (n), y_max -> (n)
    """
    return np.exp2(y - y_max) - np.exp2(-y_max)


def subset_means(x):
    """(6)  E_j of x and one more ← ((m + 1 - j) E_j + j x_{m+1} E_{j-1}) / (m + 1)

    A subset of j has the one more, or has not; what is added is positive, so no digits are lost.

    Shapes: x (m) -> (m+1)
    """
    E = np.zeros(len(x) + 1)
    E[0] = 1
    for m, more in enumerate(x):
        j = np.arange(1, m + 2)
        E[j] = ((m + 1 - j) * E[j] + j * more * E[j - 1]) / (m + 1)
    return E


def expected_reciprocal_rank(p, s, k):
    """(7)  ERR = Σ_r [r ≤ k] c (E_{j-1} - E_j) / r, r = a + j, group after group

    Shapes: p (n), s (n), k -> ()
    """
    total, c, a = 0.0, 1.0, 0
    for value in np.unique(s)[::-1]:
        E = subset_means(1 - p[s == value])
        r = np.arange(a + 1, a + len(E))
        total += c * ((E[:-1] - E[1:]) / r)[r <= k].sum()
        c, a = c * E[-1], a + len(E) - 1
    return float(total)


# --- many queries ----------------------------------------------------------------------------------


def dcg_score(y_true, y_score, *, group=None, qid=None, k=None, gains="exponential", per_query=False):
    """(3), the mean over queries.

    Without `group` and `qid` a row of a matrix is a query, and flat arrays are a single one.
    Raises ValueError for arrays that do not fit, grades below 0, grades or scores that are not finite, gains beyond
    what float64 holds, and where no query has a document above grade 0; so do all below.

    Parameters
    ----------
    y_true : array (N,) or (Q, n)
        Grades, 0 or more.
    y_score : array (N,) or (Q, n)
        Scores; the greatest stands first.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    k : int or None, default=None
        How many places to look at; None for all.
    gains : {"exponential", "linear"}, default="exponential"
        Whether a grade y is worth 2^y - 1 or y.
    per_query : bool, default=False
        Whether to return the numbers that the mean is of, (Q,) or fewer.
    """
    got, _ = _gained(y_true, y_score, group, qid, k, gains)
    return _mean(got, per_query)


def ndcg_score(y_true, y_score, *, group=None, qid=None, k=None, gains="exponential", per_query=False):
    """(4), the mean over queries: 1 for the best order, of which no other is better.  Errors are those of `dcg_score`.

    Parameters
    ----------
    y_true : array (N,) or (Q, n)
        Grades, 0 or more.
    y_score : array (N,) or (Q, n)
        Scores; the greatest stands first.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    k : int or None, default=None
        How many places to look at; None for all.
    gains : {"exponential", "linear"}, default="exponential"
        Whether a grade y is worth 2^y - 1 or y.
    per_query : bool, default=False
        Whether to return the numbers that the mean is of, (Q,) or fewer.
    """
    got, best = _gained(y_true, y_score, group, qid, k, gains)
    return _mean(got / best, per_query)


def err_score(y_true, y_score, *, group=None, qid=None, k=None, max_grade=None, per_query=False):
    """(7), the mean over queries.  Errors are those of `dcg_score`, and for a grade above `max_grade`.

    Parameters
    ----------
    y_true : array (N,) or (Q, n)
        Grades, 0 or more.
    y_score : array (N,) or (Q, n)
        Scores; the greatest stands first.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    k : int or None, default=None
        How many places to look at; None for all.
    max_grade : float or None, default=None
        The highest grade there is; None for the highest in `y_true`, which makes results of other data another scale.
    per_query : bool, default=False
        Whether to return the numbers that the mean is of, (Q,) or fewer.
    """
    y, s, starts = _queries(y_true, y_score, group, qid)
    most = float(y.max()) if max_grade is None else real_number(max_grade, "max_grade")
    if y.max() > most:
        raise ValueError(f"y_true: has the grade {y.max():g}, above max_grade={max_grade!r}")
    got = np.empty(len(starts) - 1)
    p, order = contentment(y, most), np.lexsort((-s, np.repeat(np.arange(len(got)), np.diff(starts))))
    run_chunks(_read_down, len(got), p[order], s[order], starts, _places(k, starts), got,
               chunk=_queries_a_chunk(starts))
    return _mean(got[_judged(y, starts)], per_query)


def _gained(y_true, y_score, group, qid, k, gains):
    """(3) of the scores and of the best order, for each query that has a document above grade 0."""
    y, s, starts = _queries(y_true, y_score, group, qid)
    g = y
    if one_of(gains, "gains", ("exponential", "linear")) == "exponential":
        with np.errstate(over="ignore"):
            g = exponential_gains(y)
    k, judged = _places(k, starts), _judged(y, starts)
    if not g.max() * discounts(k).sum() < np.inf:
        raise ValueError(f"y_true: the grade {y.max():g} has a gain beyond float64; pass gains=\"linear\", or grades "
                         "below 1000")
    got, best = np.empty((2, len(starts) - 1))
    D, chunk = discounts(k), _queries_a_chunk(starts)
    run_chunks(_pay, len(got), g, s, starts, D, got, chunk=chunk)
    run_chunks(_pay, len(got), g, g, starts, D, best, chunk=chunk)
    return got[judged], best[judged]


def _mean(values, per_query):
    if not values.size:
        raise ValueError("y_true: no query has a document above grade 0, so there is nothing to judge")
    return values if true_or_false(per_query, "per_query") else float(values.mean())


def _judged(y, starts):
    """Which queries have a document above grade 0."""
    return np.maximum.reduceat(y, starts[:-1]) > 0


def _places(k, starts):
    """How many places of the longest query are looked at."""
    longest = int(np.diff(starts).max())
    return longest if k is None else min(whole_number(k, "k"), longest)


def _queries_a_chunk(starts):
    return int(max(1, WORK * (len(starts) - 1) // starts[-1]))


def _queries(y_true, y_score, group, qid):
    """Grades and scores (N,), query after query, and where each query starts (Q+1,)."""
    y, s = (finite(as_floats(part, name), name).astype(np.float64) for part, name in
            ((y_true, "y_true"), (y_score, "y_score")))
    if y.shape != s.shape or y.ndim not in (1, 2) or not y.size:
        raise ValueError("y_true, y_score: expected two arrays of one shape, (N,) or (Q, n), with at least one "
                         f"document, got shapes {y.shape} and {s.shape}")
    if y.min() < 0:
        raise ValueError(f"y_true: expected grades of 0 or more, got {y.min():g}; shift them, so that 0 is of no use")
    if (group is not None) + (qid is not None) + (y.ndim == 2) > 1:
        raise ValueError("expected one of group, qid, and a matrix with a query in each row, got several")
    if y.ndim == 2:
        group = np.full(len(y), y.shape[1])
    starts, order = query_starts(y.size, group, qid)
    return y.reshape(-1)[order], s.reshape(-1)[order], starts


def query_starts(N, group=None, qid=None):
    """Where each query starts (Q+1,), and an order of the N documents in which those of a query stand together.

    Queries come in the order in which they are first met; without `group` and `qid` all are one.
    Raises ValueError for lengths that do not add up to N or are below 1, and for ids that are missing or too few.
    """
    if qid is not None:
        ids, different = keys_of(qid, "qid")
        if len(ids) != N:
            raise ValueError(f"qid: expected an id for each of the {N} documents, got {qid!r:.60}")
        number = {key: q for q, key in enumerate(different)}
        of = np.fromiter((number[key] for key in ids), np.int64, N)
        return np.concatenate([[0], np.cumsum(np.bincount(of))]), np.argsort(of, kind="stable")
    try:
        lengths = np.array([N]) if group is None else np.asarray(unmasked(group, "group"))
    except ValueError as error:                          # rows of different lengths, masked values
        raise ValueError(f"group: expected how many documents each query has, a whole number each: {error}") from None
    if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or lengths.min(initial=1) < 1 or lengths.sum() != N:
        raise ValueError(f"group: expected how many documents each query has, whole numbers from 1 that add up to {N}, "
                         f"got {group!r:.60}; for an id of each document pass qid")
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]), slice(None)


# --- compiled --------------------------------------------------------------------------------------


@kernel
def _pay(c, start, stop, g, s, starts, D, got):
    """(3) of queries start ... stop-1.

    Same result, because the first k places by falling scores show all groups that are paid; the last of them may go on
    behind place k, so its mean gain is over all documents with its score.
    """
    scores, gains = np.empty(D.size), np.empty(D.size)
    for q in range(start, stop):
        own, worth = s[starts[q]:starts[q + 1]], g[starts[q]:starts[q + 1]]
        k = min(D.size, own.size)
        _stand_first(own, worth, scores[:k], gains[:k])
        total, a = 0.0, 0
        while a < k:
            b, gain, paid = a, 0.0, 0.0
            while b < k and scores[b] == scores[a]:
                gain += gains[b]
                paid += D[b]
                b += 1
            equal = b - a
            if b == k:
                gain, equal = 0.0, 0
                for i in range(own.size):
                    if own[i] == scores[a]:
                        gain += worth[i]
                        equal += 1
            total += gain / equal * paid
            a = b
        got[q] = total


@kernel
def _stand_first(s, g, scores, gains):
    """The k greatest of `s` (n,), falling, into `scores` (k,), and their g into `gains` (k,)."""
    k = scores.size
    if k > FEW:
        order = np.argsort(-s)
        for r in range(k):
            scores[r], gains[r] = s[order[r]], g[order[r]]
        return
    for i in range(s.size):
        if i >= k and s[i] <= scores[k - 1]:
            continue
        r = min(i, k - 1)
        while r > 0 and scores[r - 1] < s[i]:
            scores[r], gains[r] = scores[r - 1], gains[r - 1]
            r -= 1
        scores[r], gains[r] = s[i], g[i]


@kernel
def _read_down(c, start, stop, p, s, starts, k, got):
    """(7) of queries start ... stop-1, whose documents stand by falling scores.

    Same result, because of E the first k - a numbers decide, and a lone document has E = (1, 1 - p).
    """
    E = np.empty(k + 1)
    for q in range(start, stop):
        first, last, total, still = starts[q], starts[q + 1], 0.0, 1.0
        a = first
        while a < last and a - first < k:
            b = a
            while b < last and s[b] == s[a]:
                b += 1
            most = min(b - a, k - (a - first))
            E[0] = 1.0
            for j in range(1, most + 1):
                E[j] = 0.0
            for m in range(b - a):
                for j in range(min(m + 1, most), 0, -1):
                    E[j] = ((m + 1 - j) * E[j] + j * (1 - p[a + m]) * E[j - 1]) / (m + 1)
            for j in range(1, most + 1):
                total += still * (E[j - 1] - E[j]) / (a - first + j)
            still *= E[most]
            a = b
        got[q] = total
