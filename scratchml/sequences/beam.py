"""Beam search: the most probable sequences of a model that says, symbol by symbol, what comes next.

A decoder gives a distribution of the next symbol for whatever has been so far, and there are more sequences than one
can try.  To take the most probable symbol each time is quick, and wrong where a good beginning goes on badly.  A beam
keeps the R best beginnings, extends each by every symbol, and keeps the R best again; whatever ends at the end symbol
is finished, and the best that is finished wins.

A long sequence has many factors below 1, so a sum of logarithms prefers short ones; divided by a power of the length
(2), it need not.  When may the search stop?  Not when the best finished one is ahead of all others now: with a penalty
a longer one may overtake it.  But s(y) only falls as y grows, and the penalty is monotonous in the length, so there is
a bound (5) on all that can still come of y.  While one live y may win, the search goes on; then it stops, and to run on
to T would give the same.

Symbols
    B, K, V            sentences, live beginnings y of each, symbols with the end among them
    R                  how many stay live: beam_size
    log_p  (B, K, V)   ln p of each symbol after each y
    s      (B, K)      s(y) = Σ ln p of its symbols; -inf where there is no y
    S      (B, K, V)   that of each y with one symbol more
    n, T               how many symbols a sequence has, its end counted; the most that it may have
    lp, alpha, kind    penalty of the length, its exponent and its form: "wu" or "power"
    q      (B, K)      scores by which sequences are compared
    w      (B)         score of the worst of the n_best finished; -inf while there are fewer
    eos                number of the end symbol

Equations
    (1)  S_bkv = s_bk + log_p_bkv                                                     extended
    (2)  q_bk = s_bk / lp(n)                                                          normalised
    (3)  lp(n) = ((5 + n) / 6)^alpha if kind is "wu", n^alpha if "power"              length_penalty
    (4)  live = the R greatest S_bkv with v ≠ eos; finished = S_bkv with v = eos      advance
    (5)  max_k s_bk / lp(n*) > w_b, n* = T if alpha > 0, n + 1 if alpha ≤ 0           can_improve

Choices
    With R ≥ (V-1)^(T-1) nothing is ever left out: the search is exhaustive.  With R = 1 it follows the most probable
    symbol and returns the best of the sequences that end on its way.  A greater R may yield a lower score.
    All live y can end, also those that are not among the R best then: more than R may be finished.
    What has T symbols and no end is cut: it comes behind all that is finished, and is marked.
    Ties: what was finished first; then the better y; then the symbol of the lower number.
    What has probability 0 is no hypothesis: fewer than n_best may come back.
    Sentences that are done leave the batch.  A sentence sees nothing of the others.

Cost
    A call of `step` for each symbol, on all live beginnings of all sentences; O(B R V) time and memory beside it.

>>> p = np.array([[0.0, 0.6, 0.4], [0.5, 0.3, 0.2], [0.1, 0.0, 0.9]])       # after the start or 0, 1, 2; 0 ends
>>> def step(state, tokens):
...     with np.errstate(divide="ignore"):
...         return np.log(p[tokens]), state
>>> best, = beam_search(step, np.zeros((1, 1)), beam_size=3, max_length=6, bos=0, eos=0, n_best=2)
>>> best.symbols, np.exp(best.log_likelihoods).round(3).tolist()
([[1], [1, 1]], [0.3, 0.09])
>>> beam_search(step, np.zeros((1, 1)), beam_size=3, max_length=6, bos=0, eos=0, length_penalty=3.0)[0].symbols
[[2, 2, 2, 2, 2]]

Source: A. Graves, "Sequence transduction with recurrent neural networks", 2012, section 2.5; Y. Wu and others,
"Google's neural machine translation system", 2016, section 7, for (3); L. Huang, K. Zhao and M. Ma, "When to finish?
Optimal beam search for neural text generation", EMNLP 2017, for (5).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import one_of, real_number, unmasked, whole_number
from scratchml.core.selection import largest

ROUNDING = 1e-3                                          # how far above 0 a logarithm may be, and counts as 0


class Hypotheses(NamedTuple):
    """What a beam finds for one sentence, the best first; at most n_best."""
    symbols: list                                        # of lists of numbers, without the end
    scores: np.ndarray                                   # (n,) q
    log_likelihoods: np.ndarray                          # (n,) s, that of the end included
    finished: np.ndarray                                 # (n,) bool; False where it was cut at T
    alignments: list | None                              # of arrays (symbols and end, S), if `step` gives them


# --- the equations -------------------------------------------------------------------------------


def extended(s, log_p):
    """(1)  S_bkv = s_bk + log_p_bkv

    Shapes: s (B, K), log_p (B, K, V) -> (B, K, V)
    """
    return s[:, :, None] + log_p


def normalised(s, n, alpha, kind):
    """(2)  q_bk = s_bk / lp(n)

    Shapes: s (B, K), n, alpha, kind -> (B, K)
    """
    return s / length_penalty(n, alpha, kind)


def length_penalty(n, alpha, kind):
    """(3)  lp(n) = ((5 + n) / 6)^alpha if kind is "wu", n^alpha if "power"

    Shapes: n, alpha, kind -> ()
    """
    return ((5 + n) / 6 if kind == "wu" else float(n)) ** alpha


def advance(S, eos, R):
    """(4)  live = the R greatest S_bkv with v ≠ eos; finished = S_bkv with v = eos

    Returns the new s, which of the K each continues, by which symbol, and s of what is finished.  R is at most K V;
    where fewer than R are above -inf, s is -inf.  S is overwritten.

    Shapes: S (B, K, V), eos, R -> (B, R), (B, R), (B, R), (B, K)
    """
    finished = S[:, :, eos].copy()
    S[:, :, eos] = -np.inf
    chosen, s = largest(S.reshape(len(S), -1), R)        # of equals the first: by k, then by v
    return s, chosen // S.shape[2], chosen % S.shape[2], finished


def can_improve(s, w, n, T, alpha, kind):
    """(5)  max_k s_bk / lp(n*) > w_b, n* = T if alpha > 0, n + 1 if alpha ≤ 0

    s has been reached by n symbols.  Since s ≤ 0 falls as y grows, the greatest lp gives the bound.

    Shapes: s (B, K), w (B), n, T, alpha, kind -> (B)
    """
    return s.max(axis=1) / length_penalty(T if alpha > 0 else n + 1, alpha, kind) > w


# --- the search ----------------------------------------------------------------------------------


def beam_search(step, state, *, beam_size=5, max_length, bos, eos, length_penalty=0.0, kind="wu", n_best=1,
                select=None):
    """The n_best sequences of greatest q for each sentence, by (1) to (5): a list of N `Hypotheses`.

    Raises ValueError for arguments out of range, for what `step` returns if these are no logarithms of probabilities,
    and for a sentence of which every sequence has probability 0.

    Parameters
    ----------
    step : callable
        Called as step(state, tokens) with n rows and the last symbol of each, (n,).  Returns ln p of each symbol as the
        next (n, V), the state then, and if it likes alignments (n, S).
    state : array (N, ...), or tuple of such
        Before the first symbol, a row for each sentence.
    beam_size : int, default=5
        R, how many beginnings are live.
    max_length : int
        T, how many symbols a sequence has at most, its end counted.
    bos : int or array (N,) of int
        What `step` is given before the first symbol.
    eos : int
        Number of the end symbol, which may be that of bos.
    length_penalty : float, default=0.0
        The exponent alpha of (3): above 0 for longer sequences, 0 for the most probable.
    kind : {"wu", "power"}, default="wu"
        Which form (3) has.
    n_best : int, default=1
        How many sequences of each sentence to return; there may be fewer.
    select : callable or None, default=None
        Called as select(state, rows) where the state is no array or tuple of arrays; then bos is an array.
    """
    search = _Search(whole_number(beam_size, "beam_size"), whole_number(max_length, "max_length"),
                     whole_number(eos, "eos", least=0), *_penalty(length_penalty, kind, max_length),
                     whole_number(n_best, "n_best"), _starts(state, bos, select))
    tokens = search.tokens
    while n := len(tokens):
        log_p, state, *alignments = _unpacked(step(state, tokens.copy()))      # which `step` may write to
        rows, tokens = search.advance(_logarithms(log_p, n, search.eos),
                                      _aligned(alignments[0], n) if alignments else None)
        if len(rows):
            state = select(state, rows) if select else _rows_of(state, rows, n)
    return [search.hypotheses(b) for b in range(len(search.w))]


class _Search:
    """The beams of all sentences.

    `past` has for each step, and each of the rows that were live then, the row that it continues, its last symbol, and
    its alignment.  Row and step tell the whole sequence.
    """

    def __init__(self, R, T, eos, alpha, kind, n_best, tokens):
        self.R, self.T, self.eos, self.alpha, self.kind, self.n_best = R, T, eos, alpha, kind, n_best
        self.tokens = tokens
        N = len(tokens)
        self.n, self.active, self.s = 0, np.arange(N), np.zeros((N, 1))
        self.rows = np.arange(N)[:, None]                # (B, K) rows of the live ones
        self.past = [(self.rows[:, 0], tokens)]
        self.aligned = []
        self.w = np.full(N, -np.inf)
        self.best = [np.full((N, n_best), -np.inf), np.full((N, n_best), -np.inf),         # q, s,
                     np.zeros((N, n_best), np.int64), np.zeros((N, n_best), np.int64)]     # the step, and the row then
        self.cut = {}                                    # of a sentence: s and rows at the end of the last step

    def advance(self, log_p, alignments):
        """One symbol more.  Which rows go on, and by which symbols."""
        self.n += 1
        self.aligned.append(alignments)
        live = self.s > -np.inf
        every = np.full((*self.s.shape, log_p.shape[1]), -np.inf)
        every[live] = log_p
        S = extended(self.s, every)
        s, parents, symbols, ended = advance(S, self.eos, min(self.R, S[0].size))
        self._finish(ended)
        if self.n == self.T:
            going = s[:, 0] > -np.inf
        else:
            going = can_improve(s, self.w[self.active], self.n, self.T, self.alpha, self.kind)
        live = s > -np.inf
        live[~going] = False
        rows = np.take_along_axis(self.rows, np.maximum(parents, 0), axis=1)[live]
        tokens = symbols[live].astype(np.int64)
        numbers = np.cumsum(live).reshape(live.shape) - 1
        self.past.append((rows, tokens))
        self.active, self.s, self.rows = self.active[going], np.where(live, s, -np.inf)[going], numbers[going]
        if self.n < self.T:
            return rows, tokens
        self.cut = {b: (s, rows) for b, s, rows in zip(self.active.tolist(), self.s, self.rows)}
        return rows[:0], tokens[:0]

    def _finish(self, ended):
        """Put what has ended now among the best; of equals, what was there first stays ahead."""
        new = normalised(ended, self.n, self.alpha, self.kind), ended, np.full(ended.shape, self.n), self.rows
        joined = [np.concatenate([old[self.active], now], axis=1) for old, now in zip(self.best, new)]
        chosen, q = largest(np.ascontiguousarray(joined[0]), self.n_best)
        self.w[self.active] = q[:, -1]
        for old, values in zip(self.best, joined):
            old[self.active] = np.take_along_axis(values, np.maximum(chosen, 0), axis=1)
        self.best[0][self.active] = q                    # -inf where there are fewer

    def hypotheses(self, b):
        """The best of sentence b, behind them what was cut if there is room."""
        q, s, steps, rows = (values[b][self.best[0][b] > -np.inf] for values in self.best)
        finished, (more, places) = len(q), self.cut.get(b, (np.empty(0), np.empty(0, np.int64)))
        there = (more > -np.inf) & (np.arange(len(more)) < self.n_best - finished)
        scores = np.append(q, normalised(more[there], self.T, self.alpha, self.kind))
        if not scores.size:
            raise ValueError(f"step: of sentence {b} every sequence of at most max_length={self.T} symbols has "
                             "probability 0")
        ways = [self._way(step - 1, row) for step, row in zip(steps.tolist(), rows.tolist())]
        cut = [self._way(self.T, row) for row in places[there].tolist()]
        alignments = None
        if self.aligned[0] is not None:
            alignments = [np.array([self.aligned[k][row] for k, row in enumerate(way[:self.T])]) for way in ways + cut]
        symbols = [[int(self.past[k][1][row]) for k, row in enumerate(way) if k] for way in ways + cut]
        return Hypotheses(symbols, scores, np.append(s, more[there]), np.arange(len(scores)) < finished, alignments)

    def _way(self, step, row):
        """The rows through which one comes to `row` of `step`, from step 0."""
        way = [row]
        for k in range(step, 0, -1):
            way.append(int(self.past[k][0][way[-1]]))
        return way[::-1]


# --- what comes in -------------------------------------------------------------------------------


def _penalty(alpha, kind, T):
    """alpha and kind, if lp is such that scores can be told apart."""
    alpha, kind = real_number(alpha, "length_penalty", above=-np.inf), one_of(kind, "kind", ("wu", "power"))
    with np.errstate(over="ignore", under="ignore"):
        greatest = np.float64((5 + T) / 6 if kind == "wu" else T) ** abs(alpha)
    if not greatest < 1e150:
        raise ValueError(f"length_penalty={alpha!r}: with max_length={T} the penalty is beyond 1e150; expected less")
    return alpha, kind


def _starts(state, bos, select):
    """The first symbol of each sentence, (N,)."""
    arrays = state if isinstance(state, tuple) else (state,)
    if select is None:
        if not arrays or not all(isinstance(array, np.ndarray) and array.ndim for array in arrays):
            raise ValueError("state: expected an array (N, ...) or a tuple of such; for another one give select(state, "
                             "rows)")
        sizes = {len(array) for array in arrays}
        if len(sizes) > 1:
            raise ValueError(f"state: expected arrays with a row for each sentence, got {sorted(sizes)} rows")
    tokens = np.asarray(unmasked(bos, "bos"))
    if tokens.dtype.kind not in "iu" or tokens.ndim > 1 or select is not None and not tokens.ndim:
        raise ValueError("bos: expected a whole number, or an array (N,) of such, as it must be with select; got "
                         f"{bos!r:.40}")
    N = len(tokens) if select is not None else sizes.pop()
    if tokens.ndim and len(tokens) != N:
        raise ValueError(f"bos: expected a number for each of {N} sentences, got {len(tokens)}")
    return np.array(np.broadcast_to(tokens, N), np.int64)


def _rows_of(state, rows, n):
    """Some of the n rows of a state, which is of the same kind."""
    arrays = state if isinstance(state, tuple) else (state,)
    for array in arrays:
        if not isinstance(array, np.ndarray) or array.shape[:1] != (n,):
            raise ValueError(f"step: expected a state of arrays with {n} rows, got "
                             f"{getattr(array, 'shape', type(array).__name__)}; for another one give select(state, "
                             "rows)")
    some = [array[rows] for array in arrays]
    return getattr(state, "_make", tuple)(some) if isinstance(state, tuple) else some[0]


def _unpacked(returned):
    if not isinstance(returned, tuple) or len(returned) not in (2, 3):
        raise ValueError("step: expected it to return (log_p, state) or (log_p, state, alignments), "
                         f"got {type(returned).__name__}")
    return returned


def _logarithms(log_p, rows, eos):
    """ln p (n, V) as float64, at most 0."""
    log_p = np.asarray(unmasked(log_p, "step"), np.float64)
    if log_p.ndim != 2 or len(log_p) != rows or log_p.shape[1] <= eos:
        raise ValueError(f"step: expected ln p of shape ({rows}, V), V above eos={eos}, got shape {log_p.shape}")
    most = log_p.max()
    if not most <= ROUNDING:
        raise ValueError(f"step: expected logarithms of probabilities, at most 0, got {most}; take the log-softmax of "
                         "scores")
    return np.minimum(log_p, 0)


def _aligned(alignments, rows):
    alignments = np.array(alignments)                    # a copy: `step` may use its memory again
    if alignments.ndim != 2 or len(alignments) != rows:
        raise ValueError(f"step: expected alignments of shape ({rows}, S), got shape {alignments.shape}")
    return alignments
