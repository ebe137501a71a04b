"""Kneser-Ney: a language model that counts, and does not trust its counts.

Of what follows a context of n - 1 symbols, count how often each symbol did, and divide: most symbols get 0, since most
contexts have been seen a few times at best.  A shorter context has been seen more often but says less.  So take a
little off every count, and share what is taken among all symbols as the shorter context would, which in turn takes off
and shares.

What the shorter context should say is not how often a symbol follows it.  It is asked only where the longer ones do not
know; and in "San Francisco", the second word is frequent but hardly ever comes after anything else.  So for short
contexts is counted in how many different longer ones an n-gram has been met, instead of how often.

Symbols
    n             the order: a symbol and the n - 1 before it
    V             symbols, the end among them
    u w           an m-gram: a context u of m - 1 symbols, and w; u' is u without its first symbol
    G, M          different m-grams, and different (m+1)-grams
    of     (M,)   the m-gram with which each of these ends, in G
    c      (G,)   counts of m-grams
    n_i           how many m-grams have the count i
    D      (4,)   discounts of the counts 0, 1, 2, and of 3 and more
    R             pairs of a context u and a symbol w that are asked for
    a, t, s  (R,)   of each of these c(u w), and the sums over v of c(u v) and of the discounts of c(u v)
    q      (R,)   p_{m-1}(w | u')

Equations
    (1)  c(g) = |{v : v g was seen}| for m < n                             continuations
    (2)  D_0 = 0, D_i = i - (i + 1) n_{i+1} / n_i · n₁ / (n₁ + 2 n₂)       discounts
    (3)  p_m(w | u) = (a - D[min(a, 3)] + s q) / t, or q if t = 0          interpolated

Choices
    p_0 = 1/V: every symbol has a probability.  The probability asked for is p_n.
    A sequence begins with a mark, and before it there is nothing.  An m-gram that begins with it has no longer one that
    ends with it, so (1) would be 0; its count is how often it was seen.  Where less than n - 1 symbols and the mark
    have been, the context is these.
    (2) are the estimates of Chen and Goodman, three for each m; Kneser and Ney have D_1 for all counts.  Of few m-grams
    they may be 0 or less, so that a symbol that was not seen would be impossible, or i or more, or nothing at all:
    then D_i is i / 2.

Cost
    Fitting sorts the m-grams of all R symbols for each m: O(n R log R), and memory O(n R) at most.  A probability takes
    2 n binary searches.

>>> model = KneserNey(2).fit(["ab", "abb"])
>>> model.symbols_, [round(float(p), 3) for p in np.exp2(model.score_samples(["ab", "abb", "bb", "c"]))]
(['a', 'b'], [0.203, 0.09, 0.041, 0.0])

Sources: R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995; H. Ney, U. Essen and
R. Kneser, "On structuring probabilistic dependences in stochastic language modelling", 1994, for D_1; S. Chen and
J. Goodman, "An empirical study of smoothing techniques for language modeling", 1999, section 3, for (2) and (3).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import whole_number
from scratchml.sequences.language_model import LanguageModel

# --- the equations -------------------------------------------------------------------------------


def continuations(of, G):
    """(1)  c(g) = |{v : v g was seen}| for m < n

    Shapes: of (M) in G, G -> (G)
    """
    return np.bincount(of, minlength=G)


def discounts(c):
    """(2)  D_0 = 0, D_i = i - (i + 1) n_{i+1} / n_i · n₁ / (n₁ + 2 n₂)

    Shapes: c (G) -> (4)
    """
    n, D = np.bincount(np.minimum(c, 5), minlength=5), np.zeros(4)
    for i in (1, 2, 3):
        exact = i - (i + 1) * n[i + 1] / n[i] * n[1] / (n[1] + 2 * n[2]) if n[1] and n[i] else 0
        D[i] = exact if 0 < exact < i else i / 2
    return D


def interpolated(a, t, s, D, q):
    """(3)  p_m(w | u) = (a - D[min(a, 3)] + s q) / t, or q if t = 0

    Shapes: a (R), t (R), s (R), D (4), q (R) -> (R)
    """
    return np.where(t > 0, (a - D[np.minimum(a, 3)] + s * q) / np.maximum(t, 1), q)


# --- the model -----------------------------------------------------------------------------------


class Level(NamedTuple):
    """What is known of the m-grams of one m.  A key is a number: two parts of an m-gram, written with base `V`."""
    contexts: np.ndarray                                 # keys of the contexts, sorted: (that of u', first symbol of u)
    grams: np.ndarray                                    # keys of the m-grams, sorted: (place of u in contexts, w)
    counts: np.ndarray                                   # c of each m-gram
    totals: np.ndarray                                   # Σ_v c(u v) of each context
    shares: np.ndarray                                   # what is taken off these
    discounts: np.ndarray


class KneserNey(LanguageModel):
    """A language model of counts: fit(sequences), score_samples, bits, perplexity, sample, and step for step.

    Parameters
    ----------
    order : int, default=5
        n, how many symbols count: the one that is predicted and those before it.

    Attributes
    ----------
    symbols_ : the symbols, in the order in which they were first seen
    discounts_ : D_1, D_2 and D_3 of each m, from 1 to n
    """

    def __init__(self, order=5):
        self.order = order

    def _fit(self, numbers, starts, V, learned):
        order, levels = min(whole_number(self.order, "order"), int(np.diff(starts).max()) + 1), []
        back = _before(numbers, starts, order - 1, V - 1)
        at, above = np.zeros(len(numbers), np.int64), None
        for m in range(1, order + 1):
            here = np.flatnonzero(at >= 0)               # where so many symbols have been
            if m == 1:
                contexts = np.zeros(1, np.int64)
            grams, first, of, counts = np.unique(at[here] * V + numbers[here], True, True, True)
            whole = np.full(len(numbers), -1)
            whole[here] = of
            levels.append([contexts, grams, counts, here[first], whole])
            if m < order:
                contexts, at = _extended(at, back[:, m - 1], V)
        for (_, grams, counts, first, whole), longer in zip(levels, levels[1:]):
            met = continuations(whole[longer[3]], len(grams))
            counts[met > 0] = met[met > 0]               # where none was met, it begins with the mark
        self._keep([self._level(V, *level[:3]) for level in levels], learned)

    @staticmethod
    def _level(V, contexts, grams, counts):
        of, D, M = grams // V, discounts(counts), len(contexts)
        return Level(contexts, grams, counts, np.bincount(of, counts, M), np.bincount(of, D[np.minimum(counts, 3)], M),
                     D)

    def _keep(self, levels, learned):
        vars(self).update(learned, _levels=levels, discounts_=[level.discounts[1:].tolist() for level in levels])

    # --- asking

    def _log_probabilities(self, numbers, starts):
        V = len(self.symbols_) + 1
        return self._log_p(numbers, _before(numbers, starts, len(self._levels) - 1, V - 1))

    def _log_p(self, w, back):
        """ln p_n of the symbols w (R,) behind back (R, n-1), the nearest first and -1 for nothing; by (3)."""
        V, at = len(self.symbols_) + 1, np.zeros(len(w), np.int64)
        p = np.full(len(w), 1 / V)
        for m, level in enumerate(self._levels):
            if m:
                at = _found(level.contexts, np.where((at < 0) | (back[:, m - 1] < 0), -1, at * V + back[:, m - 1]))
            gram = _found(level.grams, np.where(at < 0, -1, at * V + w))
            a, t, s = (np.where(i < 0, 0, part[i]) for part, i in
                       ((level.counts, gram), (level.totals, at), (level.shares, at)))
            p = interpolated(a, t, s, level.discounts, p)
        return np.log(p)

    def first_state(self, n):
        """What `step` takes before the first symbol: (n, order - 1), that nothing has been.

        Parameters
        ----------
        n : int
            How many sequences.
        """
        self._check_fitted()
        return np.full((n, len(self._levels) - 1), -1)

    def step(self, state, tokens):
        """ln p of each symbol as the next, (N, V), and the state then.

        Parameters
        ----------
        state : array (N, order - 1)
            What has been before.
        tokens : array (N,) of int
            The symbols that have come last, as numbers; V - 1 at the beginning.
        """
        V, state = len(self.symbols_) + 1, np.column_stack([tokens, state])[:, :state.shape[1]]
        every = np.tile(np.arange(V), len(state))
        return self._log_p(every, np.repeat(state, V, axis=0)).reshape(len(state), V), state


def _before(numbers, starts, n, mark):
    """The n symbols before each of `numbers`, (R, n), the nearest first: then the mark, and then -1 for nothing."""
    place = np.arange(len(numbers)) - np.repeat(starts[:-1], np.diff(starts))
    back = np.full((len(numbers), n), -1)
    for m in range(n):
        there = np.flatnonzero(place > m)
        back[there, m] = numbers[there - m - 1]
        back[place == m, m] = mark
    return back


def _extended(at, before, V):
    """The contexts with one more symbol in front: their keys, and the place of each position's among them."""
    whole = (at >= 0) & (before >= 0)
    contexts, places = np.unique(at[whole] * V + before[whole], return_inverse=True)
    at = np.full(len(at), -1)
    at[whole] = places
    return contexts, at


def _found(keys, wanted):
    """The place of each of `wanted` in sorted `keys`, -1 if it is not there."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, -1)
