"""Does this feature know anything of that target?  Four tests, one for each kind of pair, that assume no distribution.

If a feature and a target have nothing to do with each other, any value of the one is as likely beside any value of the
other.  The probability of a statistic at least as extreme as the one that was found, were that so, is p.  Which
statistic depends on how many values the two can take:

    target     feature      question                                                    test
    classes    numbers      are the values of one class larger than those of the rest?  Mann and Whitney's
                            are the two distributions different in any way?             Kolmogorov and Smirnov's
    classes    two values   is one of the two more frequent in one class?               Fisher's
    numbers    two values   is the target differently distributed beside one and the other?  Kolmogorov and Smirnov's
    numbers    numbers      does the target tend to be larger where the feature is?     Kendall's

All but Fisher's look at the order of the values alone: a logarithm, an outlier or another unit changes nothing.

Symbols
    x, y  (n,), (m,)  two samples
    w     (n,)        a target, one for each value of x
    N                 values in both samples together, n + m
    R_x               sum of the ranks, from 1 to N, of the values of x in both together; equal values share their mean
    U                 in how many of the n m pairs the value of x is the larger one; a tie is one half
    t                 how many values are equal, for each value that comes more than once
    F, G              which share of x, and of y, is at most v
    g                 the greatest common divisor of n and m
    S                 by how much more pairs i < j agree in order than do not
    Q, X, W           pairs, and those of them that are tied in x, and in w
    a, b, c, d        a table: how many have the feature and are of the class, have it and are not; the same without
    P(k)              probability of a = k, were the sums of rows and columns as they are

Equations
    (1)  U = R_x - n (n+1)/2, p = min(1, erfc((|U - n m/2| - ½) / √(2 s²)))             mann_whitney
    (2)  D = max_v |F(v) - G(v)|, p = P(D or more)                                     kolmogorov_smirnov
    (3)  τ = S / √((Q - X)(Q - W)), p = erfc(|S| / √(2 Var S))                         kendall_tau
    (4)  a d / (b c), p = Σ_k P(k) over the k with P(k) <= P(a)                        fisher_exact

Of (1): s² = n m/12 (N+1 - Σ(t³-t) / (N (N-1))) is the variance of U.
Of (3): with M = n (n-1), the variance is (M (2n+5) - Σ_x - Σ_y)/18 + 2 X W / M + Δ_x Δ_y / (9 M (n-2)), where Σ sums
t (t-1)(2t+5), and Δ sums t (t-1)(t-2), over what is tied.

Choices
    The law of U is exact where the smaller sample has at most 8 values and nothing is tied, that of D where the larger
    has at most 10,000; beyond, the limits serve, as in SciPy.
    The ½ of (1) is for continuity, so that p of the exact law and of the limit join.
    Two tables whose probabilities are equal but for 1e-10 of them count as equally likely.
    All take checked arrays of finite numbers, of at least one value in each sample, and 2 in (3), not all equal.

Cost
    O(N log N), in (2) and O(n m D) for the law, in (3) O(n²) as it stands here.  The kernels take all columns of a
    table that was sorted before, and O(n log n) for (3).

>>> x, y = np.array([1.1, 2.2, 3.3]), np.array([0.5, 4.0, 5.0, 6.0, 7.0])
>>> [float(number) for number in mann_whitney(x, y)], [round(float(number), 12) for number in kolmogorov_smirnov(x, y)]
([3.0, 0.25], [0.8, 0.142857142857])
>>> [round(float(number), 12) for number in fisher_exact(8, 2, 1, 5)]
[20.0, 0.034965034965]

Sources: H. Mann and D. Whitney, Annals of Mathematical Statistics 18 (1947), for (1); J. Hodges, Arkiv för Matematik 3
(1958), for (2); M. Kendall, "Rank correlation methods" (1970), chapters 3 to 5, for (3); R. Fisher, Journal of the
Royal Statistical Society 98 (1935), for (4); M. Christ and others, Neurocomputing 307 (2018), for which test where.
"""
import math

import numpy as np

from scratchml.core.distributions import hypergeometric_tails_one, log_hypergeometric_pmf_one
from scratchml.core.jit import kernel
from scratchml.core.rank_laws import kolmogorov_sf_one, mann_whitney_cdf_one, smirnov_tail_one

FEW, MANY = 8, 10_000                                    # the exact law of U up to the first, of D up to the second
EQUALLY_LIKELY = 1e-10

# --- the tests -----------------------------------------------------------------------------------


def mann_whitney(x, y):
    """(1)  U = R_x - n (n+1)/2, p = min(1, erfc((|U - n m/2| - ½) / √(2 s²)))

    Or by the exact law of U, both tails.

    Shapes: x (n), y (m) -> (), ()
    """
    n, m = len(x), len(y)
    _, which, count = np.unique(np.concatenate([x, y]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[which]
    U = ranks[:n].sum() - n * (n + 1) / 2
    return U, mann_whitney_p(float(U), n, m, float((count**3.0 - count).sum()))


def kolmogorov_smirnov(x, y):
    """(2)  D = max_v |F(v) - G(v)|, p = P(D or more)

    Shapes: x (n), y (m) -> (), ()
    """
    n, m, v = len(x), len(y), np.concatenate([x, y])
    below_x, below_y = (np.searchsorted(np.sort(sample), v, side="right") for sample in (x, y))
    g = math.gcd(n, m)
    d = int(np.abs(below_x * (m // g) - below_y * (n // g)).max())       # D in whole numbers, n m / g to one
    return d / (n * m // g), kolmogorov_smirnov_p(d, n, m)


def kendall_tau(x, w):
    """(3)  τ = S / √((Q - X)(Q - W)), p = erfc(|S| / √(2 Var S))

    Shapes: x (n), w (n) -> (), ()
    """
    n = len(x)
    S = int((np.sign(x[:, None] - x) * np.sign(w[:, None] - w)).sum()) // 2
    tied_x, tied_w = (tie_sums(np.sort(values)) for values in (x, w))
    Q = n * (n - 1) / 2
    return S / math.sqrt((Q - tied_x[0]) * (Q - tied_w[0])), kendall_p(S, n, tied_x, tied_w)


def fisher_exact(a, b, c, d):
    """(4)  a d / (b c), p = Σ_k P(k) over the k with P(k) <= P(a)

    The quotient is infinite for b c = 0, and NaN where a row or a column is empty.

    Shapes: a, b, c, d -> (), ()
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.float64(a * d) / (b * c), fisher_p(a, b, c, d)


# --- compiled: p of each statistic ---------------------------------------------------------------


@kernel
def mann_whitney_p(U, n, m, ties):
    """p of (1), where `ties` is Σ(t³-t)."""
    N, larger = n + m, max(U, n * m - U)
    if min(n, m) <= FEW and ties == 0.0:
        return min(1.0, 2.0 * mann_whitney_cdf_one(n * m - int(larger), n, m))
    squared = n / 12.0 * m * (N + 1.0 - ties / N / (N - 1.0))
    return min(1.0, math.erfc((larger - 0.5 * n * m - 0.5) / math.sqrt(2.0 * squared)))


@kernel
def kolmogorov_smirnov_p(d, n, m):
    """p of (2)."""
    if max(n, m) <= MANY:
        return smirnov_tail_one(d, n, m)
    a, b = n, m
    while b > 0:
        a, b = b, a % b
    return kolmogorov_sf_one(d / (n // a * m) * math.sqrt(n / (n + m) * m))


@kernel
def kendall_p(S, n, tied_x, tied_w):
    """p of (3); what is tied as `tie_sums` gives it."""
    pairs = n * (n - 1.0)
    squared = (pairs * (2.0 * n + 5.0) - tied_x[1] - tied_w[1]) / 18.0 + 2.0 * tied_x[0] * tied_w[0] / pairs
    if n > 2:
        squared += tied_x[2] * tied_w[2] / (9.0 * pairs * (n - 2.0))
    return math.erfc(abs(S) / math.sqrt(2.0 * squared))


@kernel
def tie_sums(s):
    """Σ t (t-1)/2, the tied pairs, Σ t (t-1)(2t+5) and Σ t (t-1)(t-2) of ascending values."""
    pairs = more = triples = 0.0
    t = 1.0
    for i in range(1, s.size + 1):
        if i < s.size and s[i] == s[i - 1]:
            t += 1.0
            continue
        pairs += t * (t - 1.0) / 2.0
        more += t * (t - 1.0) * (2.0 * t + 5.0)
        triples += t * (t - 1.0) * (t - 2.0)
        t = 1.0
    return pairs, more, triples


@kernel
def fisher_p(a, b, c, d):
    """p of (4): the tail below a, and above the most likely k the tail of what is no more likely than a."""
    M = a + b + c + d
    if a * M > (a + b) * (a + c):                        # more than expected: then c is less
        a, b, c, d = c, d, a, b
    K, n = a + b, a + c
    low, high = int((n + 1.0) * (K + 1.0) / (M + 2.0)), min(n, K) + 1
    if a >= low:
        return 1.0                                       # nothing is more likely
    border = log_hypergeometric_pmf_one(a, M, K, n) + EQUALLY_LIKELY
    while low < high:                                    # P(k) falls from the most likely k on
        k = (low + high) // 2
        if log_hypergeometric_pmf_one(k, M, K, n) <= border:
            high = k
        else:
            low = k + 1
    return min(1.0, hypergeometric_tails_one(a, M, K, n)[0] + hypergeometric_tails_one(low - 1, M, K, n)[1])


# --- compiled: columns of a table ----------------------------------------------------------------
#
# S (D, N) are the columns, each ascending, and orders (D, N) the rows that they had; no column is constant.


@kernel
def by_class(c, start, stop, S, orders, codes, sizes, P):
    """Same result as (1), or (4) for columns of two values, of each class (N,) against the rest, because the ranks of
    a column are those of every class in it.  Fills P (D, K).
    """
    N, ranks = S.shape[1], np.empty(S.shape[1])
    sums = np.empty(sizes.size)
    for f in range(start, stop):
        s, lower = S[f], lower_values(S[f])
        if lower > 0:
            fisher_of(s, orders[f], codes, sizes, lower, P[f])
            continue
        ties = average_ranks(s, ranks)
        sums[:] = 0.0
        for i in range(N):
            sums[codes[orders[f, i]]] += ranks[i]
        for k in range(sizes.size):
            n = sizes[k]
            P[f, k] = mann_whitney_p(sums[k] - 0.5 * n * (n + 1.0), n, N - n, ties)


@kernel
def by_class_in_any_way(c, start, stop, S, orders, codes, sizes, P):
    """The same with (2) in place of (1)."""
    N = S.shape[1]
    first = np.empty(N, np.bool_)
    for f in range(start, stop):
        s, lower = S[f], lower_values(S[f])
        if lower > 0:
            fisher_of(s, orders[f], codes, sizes, lower, P[f])
            continue
        for k in range(sizes.size):
            for i in range(N):
                first[i] = codes[orders[f, i]] == k
            P[f, k] = kolmogorov_smirnov_p(farthest_apart(s, first, sizes[k]), sizes[k], N - sizes[k])


@kernel
def by_value(c, start, stop, S, orders, w, P):
    """Same result as (3), or (2) for columns of two values, where the rows come by ascending target w (N,), and of
    equal values of a column the first comes first.  Fills P (D, 1).

    Then, column ascending, a pair disagrees if a w comes after a larger one: merging counts such pairs.
    """
    N, room, first = w.size, np.empty(w.size), np.empty(w.size, np.bool_)
    tied_w = tie_sums(w)
    for f in range(start, stop):
        s, lower = S[f], lower_values(S[f])
        if lower > 0:
            first[:] = False
            for i in range(lower):
                first[orders[f, i]] = True
            P[f, 0] = kolmogorov_smirnov_p(farthest_apart(w, first, lower), lower, N - lower)
            continue
        other = w[orders[f]]
        tied_x, both = tie_sums(s), tied_pairs(s, other)
        untied = 0.5 * N * (N - 1.0) - tied_x[0] - tied_w[0] + both
        P[f, 0] = kendall_p(untied - 2.0 * inversions(other, room), N, tied_x, tied_w)


@kernel
def lower_values(s):
    """How many of the ascending values are the lower one, if they are of two values; else 0."""
    count = 1
    while count < s.size and s[count] == s[0]:
        count += 1
    return count if s[count] == s[s.size - 1] else 0


@kernel
def average_ranks(s, ranks):
    """Ranks of ascending values, from 1; equal ones share their mean.  Returns Σ(t³-t)."""
    ties, start = 0.0, 0
    for i in range(1, s.size + 1):
        if i == s.size or s[i] != s[start]:
            ranks[start:i] = 0.5 * (start + 1 + i)
            t = float(i - start)
            ties += t * t * t - t
            start = i
    return ties


@kernel
def farthest_apart(s, first, n):
    """D of (2) times the least common multiple of the sizes, of ascending values, `first` (N,) those of the first n."""
    a, b = n, s.size - n
    while b > 0:
        a, b = b, a % b
    right, up, distance, most = (s.size - n) // a, n // a, 0, 0
    for i in range(s.size):
        distance += right if first[i] else -up
        if i + 1 == s.size or s[i + 1] != s[i]:
            most = max(most, abs(distance))
    return most


@kernel
def fisher_of(s, order, codes, sizes, lower, P):
    """p of (4) for each class; `lower` of the values are the lower one.  Fills P (K,)."""
    inside = np.zeros(sizes.size, np.int64)
    for i in range(lower):
        inside[codes[order[i]]] += 1
    for k in range(sizes.size):
        a, n = inside[k], sizes[k]
        P[k] = fisher_p(a, lower - a, n - a, s.size - lower - n + a)


@kernel
def tied_pairs(s, other):
    """How many pairs are tied in both, where both ascend, `other` where `s` is equal."""
    pairs, t = 0.0, 1.0
    for i in range(1, s.size):
        t = t + 1.0 if s[i] == s[i - 1] and other[i] == other[i - 1] else 1.0
        pairs += t - 1.0
    return pairs


@kernel
def inversions(y, room):
    """How many pairs i < j have y_i > y_j; sorts y (N,) by merging, with room (N,) for as many."""
    count, width = 0.0, 1
    while width < y.size:
        for start in range(0, y.size, 2 * width):
            middle, end = min(start + width, y.size), min(start + 2 * width, y.size)
            i, j = start, middle
            for k in range(start, end):
                if j == end or i < middle and y[i] <= y[j]:
                    room[k] = y[i]
                    i += 1
                else:
                    room[k] = y[j]
                    j += 1
                    count += middle - i
        y[:] = room
        width *= 2
    return count
