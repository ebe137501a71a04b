"""Choosing from a pool: how often the right candidate comes first, or among the first k of n.

A model scores candidates for each question: answers for what was said, documents for a query.  One of them is right.
With the right one and n - 1 wrong ones before it, does it put the right one among the first k?  The wrong ones are
usually drawn at random, and the figure then depends on the draw.  It need not: how often the right one is among the
first k, on average over all draws, is known.  If g of m wrong ones score better than the right one, the number of
these among n - 1 drawn ones is hypergeometric, and the right one is among the first k if that is at most k - 1.

What ties with the right one stands before it or behind it, each order being as likely as the other.  So a model that
gives all candidates the same score is right as often as chance, and not always, as where the right one is listed first
and argmax takes the first of equals.  Of the right one and e that tie with it, it is one of e + 1 alike, and has p of
them before it with probability 1 / (e + 1), p = 0, ..., e.  That is as if g + p were better and none tied.

Symbols
    S        (N, M)  scores of M candidates for each of N questions
    y        (N,)    the right candidate of each, in M
    Ω        (N, M)  which candidates are wrong: True or False
    s        (N,)    scores of the right ones
    g, e, m  (N,)    how many wrong ones score better, score equally, and are there at all
    k                how many places count as the first
    n                how many candidates are shown, the right one among them
    H                how many of the n - 1 drawn are among those that stand before the right one
    [ ]              1 where the statement holds, else 0

Equations
    (1)  g_i = Σ_j Ω_ij [S_ij > s_i], e_i = Σ_j Ω_ij [S_ij = s_i], m_i = Σ_j Ω_ij    rivals
    (2)  rank_i = 1 + g_i + e_i / 2                                                  ranks
    (3)  P_i = min(max((k - g_i) / (e_i + 1), 0), 1)                                 share_in_first
    (4)  recall = mean_i Σ_{p=0}^{e_i} P(H < k) / (e_i + 1), H of g_i + p of m_i     recall_at_k_of_n
    (5)  MRR = mean_i Σ_{p=0}^{e_i} 1 / (1 + g_i + p) / (e_i + 1)                    mean_reciprocal_rank

Choices
    A candidate that is neither the right one nor wrong, another right answer, is left out of the question's pool: this
    recall asks for the one right answer that belongs to the question, among wrong ones.  Others count how many of
    several right ones are found; that is `recall_at_k`.
    (2) is the mean place of the right one; halves in it belong to a mean of ranks alone.  What is no sum of ranks takes
    the orders of ties one by one, as (3) to (5) do.
    Where all wrong ones are shown, n - 1 = m, (4) is the mean of (3).
    Scores may be infinite, and tie if they are the same infinity; NaN is an error.

Cost
    O(N M) time; (4) besides one hypergeometric probability for each number of better ones that occurs.

>>> S = [[0.9, 0.1, 0.9], [0.2, 0.4, 0.3], [0.5, 0.6, 0.2]]
>>> ranks(S), recall_at_k_of_n(S)                        # the first of 3: in half of its orders, always, never
(array([1.5, 1. , 3. ]), 0.5)
>>> round(recall_at_k_of_n(S, n=2), 9), round(recall_at_k_of_n(np.zeros((3, 3)), n=2), 9)
(0.583333333, 0.5)

Source: R. Lowe, N. Pow, I. Serban and J. Pineau, "The Ubuntu dialogue corpus", SIGDIAL 2015, section 4.3, for recall@k
of n, there with drawn candidates.
"""
import numpy as np

from scratchml.core.checks import as_floats, unmasked, whole_number
from scratchml.core.distributions import hypergeometric_cdf
from scratchml.core.sparse import whole_numbers


def rivals(S, right=None, wrong=None):
    """(1)  g_i = Σ_j Ω_ij [S_ij > s_i], e_i = Σ_j Ω_ij [S_ij = s_i], m_i = Σ_j Ω_ij

    Raises ValueError for scores that are no matrix (N, M) or NaN, a right candidate that is none of M, and a mask of
    another shape or in which the right one is wrong; so do all below.

    Shapes: S (N, M), y (N) in M, Ω (N, M) -> (N), (N), (N)

    Parameters
    ----------
    S : array (N, M)
        How well each candidate suits each question.
    right : array (N,) of int or None, default=None
        The right candidate of each question; None for candidate i of question i, with as many candidates as questions.
    wrong : array (N, M) of bool or None, default=None
        Which candidates are wrong; None for all but the right one.
    """
    S, y, Ω = _pools(S, right, wrong)
    s = S[np.arange(len(S)), y][:, None]
    return tuple((Ω & which).sum(axis=1) for which in (S > s, S == s, True))


def ranks(S, right=None, wrong=None):
    """(2)  rank_i = 1 + g_i + e_i / 2

    Errors are those of `rivals`.

    Shapes: S (N, M), y (N) in M, Ω (N, M) -> (N)

    Parameters
    ----------
    S : array (N, M)
        How well each candidate suits each question.
    right : array (N,) of int or None, default=None
        The right candidate of each question, as in `rivals`.
    wrong : array (N, M) of bool or None, default=None
        Which candidates are wrong, as in `rivals`.
    """
    g, e, _ = rivals(S, right, wrong)
    return 1 + g + e / 2


def share_in_first(g, e, k):
    """(3)  P_i = min(max((k - g_i) / (e_i + 1), 0), 1)

    Shapes: g (N), e (N), k -> (N)
    """
    return ((k - g) / (e + 1)).clip(0, 1)


def recall_at_k_of_n(S, right=None, wrong=None, *, k=1, n=None):
    """(4)  recall = mean_i Σ_{p=0}^{e_i} P(H < k) / (e_i + 1), H of g_i + p of m_i

    Errors are those of `rivals`; also k and n that are no whole numbers of at least 1, k above n, and fewer than n
    candidates for a question.

    Shapes: S (N, M), y (N) in M, Ω (N, M) -> ()

    Parameters
    ----------
    S : array (N, M)
        How well each candidate suits each question.
    right : array (N,) of int or None, default=None
        The right candidate of each question, as in `rivals`.
    wrong : array (N, M) of bool or None, default=None
        Which candidates are wrong, as in `rivals`.
    k : int, default=1
        How many places count as the first.
    n : int or None, default=None
        How many candidates are shown, the right one among them; None for the right one and all wrong ones.
    """
    return recall_of(*rivals(S, right, wrong), k, n)


def mean_reciprocal_rank(S, right=None, wrong=None):
    """(5)  MRR = mean_i Σ_{p=0}^{e_i} 1 / (1 + g_i + p) / (e_i + 1)

    Errors are those of `rivals`.

    Shapes: S (N, M), y (N) in M, Ω (N, M) -> ()

    Parameters
    ----------
    S : array (N, M)
        How well each candidate suits each question.
    right : array (N,) of int or None, default=None
        The right candidate of each question, as in `rivals`.
    wrong : array (N, M) of bool or None, default=None
        Which candidates are wrong, as in `rivals`.
    """
    g, e, _ = rivals(S, right, wrong)
    return float(_mean_along(1 / np.arange(1.0, 2 + (g + e).max()), g, e).mean())


# --- pieces --------------------------------------------------------------------------------------


def recall_of(g, e, m, k, n):
    """(4) of what `rivals` counts, which can be counted for some questions at a time.  Raises ValueError for k, n."""
    k, n = whole_number(k, "k"), None if n is None else whole_number(n, "n")
    least = int(m.min()) + 1
    if (k if n is None else n) > least:
        raise ValueError(f"{'k' if n is None else 'n'}={k if n is None else n}: question {m.argmin()} has only {least} "
                         "candidates, the right one and those that are wrong; lower it, or score more candidates")
    if n is not None and k > n:
        raise ValueError(f"k={k}: expected at most n={n}, the number of candidates that are shown")
    return float((share_in_first(g, e, k) if n is None else _mean_shares(g, e, m, k, n)).mean())


def _mean_shares(g, e, m, k, n):
    """Σ_p P(H < k) / (e_i + 1) of each question, (N,): the probabilities once for each m that there is."""
    shares = np.empty(len(g))
    for size in np.unique(m):
        some = m == size
        before = np.arange((g + e)[some].max() + 1)
        shares[some] = _mean_along(hypergeometric_cdf(k - 1, size, before, n - 1), g[some], e[some])
    return shares


def _mean_along(table, first, more):
    """The mean of table[first ... first + more] for each of the pairs, (N,); each pair that there is once."""
    pairs, which = np.unique(np.stack([first, more]), axis=1, return_inverse=True)
    return np.array([table[a:a + b + 1].mean() for a, b in pairs.T.tolist()])[which.reshape(-1)]


def _pools(S, right, wrong):
    """The arguments as arrays: scores (N, M), the right candidates (N,), and a mask (N, M)."""
    S = as_floats(S, "S")
    if S.ndim != 2 or not S.size:
        raise ValueError("S: expected scores (N, M) of at least one candidate for at least one question, got shape "
                         f"{S.shape}")
    if np.isnan(S).any():
        raise ValueError(f"S: contains NaN, first for question {np.isnan(S).any(axis=1).argmax()}; use -inf for what "
                         "must not be chosen")
    N, M = S.shape
    if right is None and N != M:
        raise ValueError(f"right: expected the number of the right candidate of each question, as there are {N} "
                         f"questions and {M} candidates")
    y = np.arange(N) if right is None else whole_numbers(right, "right")
    if y.shape != (N,) or y.min() < 0 or y.max() >= M:
        raise ValueError(f"right: expected {N} whole numbers from 0 to {M - 1}, got {right!r:.60}")
    if wrong is None:
        return S, y, np.arange(M) != y[:, None]
    Ω = np.asarray(unmasked(wrong, "wrong"))
    if Ω.dtype != bool or Ω.shape != S.shape:
        raise ValueError(f"wrong: expected True or False for each score, shape {S.shape}, got {Ω.dtype} {Ω.shape}")
    if (at := Ω[np.arange(N), y]).any():
        raise ValueError(f"wrong: candidate {y[at.argmax()]} is the right one of question {at.argmax()}, so not wrong")
    return S, y, Ω
