"""Language models: how probable a sequence of symbols is, one symbol after the other.

A model of words, spellings or melodies is a distribution over all sequences of any length.  By the chain rule it is
enough to say, for whatever has been so far, how probable each symbol is next; and that it ends there, for the end is a
symbol too.  So the probabilities of all sequences add up to 1, not those of each length.

How good a model is, is how little it is surprised by sequences that it has not seen: -log₂ p bits for one that it takes
for p.  Divided by the number of symbols, models and languages can be compared; 2 to this power is the number of symbols
among which a die would have to choose to be as uncertain.

Symbols
    N, V          sequences, and symbols with the end among them
    R             symbols in all sequences, their ends counted
    ell     (R,)    ln p of each, given what is before it in its sequence
    starts  (N+1,)  where each sequence begins in these, and behind the last R
    b       (N,)    log₂ p of each sequence
    B               bits a symbol
    log_p   (N, V)  ln p of each symbol as the next
    tau             temperature

Equations
    (1)  b_n = Σ_r ell_r / ln 2 over the symbols r of sequence n        sequence_bits
    (2)  B = -Σ_n b_n / R                                               bits_per_symbol
    (3)  PP = 2^B                                                       perplexity_of
    (4)  p[v] = exp(log_p[v] / tau) / Σ_w exp(log_p[w] / tau)           tempered

Choices
    The end counts in (2) as one symbol more, since it is predicted as the others are.
    A symbol that training has not seen has probability 0, and so has a sequence that contains it.
    With tau < 1 drawn sequences are more alike, with tau > 1 more surprising than the model; as tau falls to 0 each
    step takes the most probable symbol.
    The end has the number V - 1, and so has what every sequence begins with: in no sequence is either of them inside.

Cost
    Sequences are drawn side by side, one step of the model for each symbol.

>>> B = bits_per_symbol(sequence_bits(np.log([0.5, 0.5, 0.25]), [0, 2, 3]), 3)
>>> round(float(B), 12), round(float(perplexity_of(B)), 12)
(1.333333333333, 2.51984209979)

Source: C. Shannon, "Prediction and entropy of printed English", Bell System Technical Journal 30 (1951); F. Jelinek and
others, "Perplexity, a measure of the difficulty of speech recognition tasks", 1977.
"""
import itertools

import numpy as np

from scratchml.core.checks import in_order, real_number, unmasked, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.random import generator

# --- the equations -------------------------------------------------------------------------------


def sequence_bits(ell, starts):
    """(1)  b_n = Σ_r ell_r / ln 2 over the symbols r of sequence n

    Shapes: ell (R), starts (N+1) -> (N)
    """
    return np.add.reduceat(ell, np.asarray(starts)[:-1]) / np.log(2)


def bits_per_symbol(b, R):
    """(2)  B = -Σ_n b_n / R

    Shapes: b (N), R -> ()
    """
    return -np.sum(b) / R


def perplexity_of(B):
    """(3)  PP = 2^B

    Shapes: B -> ()
    """
    return np.exp2(B)


def tempered(log_p, tau):
    """(4)  p[v] = exp(log_p[v] / tau) / Σ_w exp(log_p[w] / tau)

    Divided by the largest of them, above and below, none of which then overflows.

    Shapes: log_p (N, V), tau -> (N, V)
    """
    with np.errstate(over="ignore"):                     # by a tiny tau; -inf is what it should be then
        p = np.exp((log_p - log_p.max(axis=1, keepdims=True)) / tau)
    return p / p.sum(axis=1, keepdims=True)


# --- what language models share ------------------------------------------------------------------


class LanguageModel(Estimator):
    """A distribution over sequences of symbols.  A subclass has `_fit`, `_log_probabilities`, `first_state`, `step`.

    Symbols are numbered in the order in which training meets them, `symbols_`; the end is number len(symbols_).
    """

    _takes_a_table = False                               # but sequences of symbols

    def fit(self, X, y=None):
        """Learn from sequences.  Returns itself.

        Raises ValueError for parameters out of range, no sequence at all, and symbols that cannot be told apart.

        Parameters
        ----------
        X : list (N,) of sequences
            Strings, or lists of symbols: whatever can be the key of a dict.
        y : None, default=None
            Not used.
        """
        sequences = read_sequences(X)
        if not sequences:
            raise ValueError("X: expected at least one sequence, got none")
        symbols = {}
        for sequence in sequences:
            for symbol in sequence:
                symbols.setdefault(symbol, len(symbols))
        learned = dict(symbols_=list(symbols), _number=symbols, _of_text=all(isinstance(s, str) for s in sequences))
        self._fit(*self._numbered(sequences, symbols), len(symbols) + 1, learned)
        return self

    def score_samples(self, X):
        """log₂ p of each sequence, (N,), -inf with a symbol that training has not seen; by (1).

        Raises ValueError as `fit` does.

        Parameters
        ----------
        X : list (N,) of sequences
            As for `fit`.
        """
        return self._bits(X)[0]

    def bits(self, X):
        """How many bits a symbol the sequences cost, their ends counted, (2).  Raises ValueError as `fit` does.

        Parameters
        ----------
        X : list (N,) of sequences
            As for `fit`.
        """
        return float(bits_per_symbol(*self._bits(X)))

    def perplexity(self, X):
        """(3) of the sequences.  Raises ValueError as `fit` does.

        Parameters
        ----------
        X : list (N,) of sequences
            As for `fit`.
        """
        with np.errstate(over="ignore"):
            return float(perplexity_of(self.bits(X)))

    def score(self, X, y=None):
        """-`bits`, so that more is better.  Raises ValueError as `fit` does.

        Parameters
        ----------
        X : list (N,) of sequences
            As for `fit`.
        y : None, default=None
            Not used.
        """
        return -self.bits(X)

    def sample(self, n=1, *, temperature=1.0, max_length=100, random_state=None):
        """n sequences drawn from the model, a list: of strings if it has learnt strings, else of lists.

        A sequence that has not ended after `max_length` symbols is cut there.  Raises ValueError for arguments out of
        range, and before `fit`.

        Parameters
        ----------
        n : int, default=1
            How many.
        temperature : float, default=1.0
            See (4), above 0.
        max_length : int, default=100
            How many symbols a sequence has at most.
        random_state : int, numpy.random.Generator or None, default=None
            Seed or source of what is drawn.
        """
        self._check_fitted()
        n, most = whole_number(n, "n"), whole_number(max_length, "max_length", least=0)
        tau, rng = real_number(temperature, "temperature", above=0.0), generator(random_state)
        end, state, drawn = len(self.symbols_), self.first_state(n), [np.full(n, len(self.symbols_))]
        ended = np.zeros(n, bool)
        while len(drawn) <= most and not ended.all():
            log_p, state = self.step(state, drawn[-1])
            below = tempered(log_p, tau).cumsum(axis=1)
            drawn.append((rng.random((n, 1)) * below[:, -1:] >= below).sum(axis=1))
            ended |= drawn[-1] == end                    # what comes after that is cut away
        rows = np.array(drawn[1:]).T.tolist() if len(drawn) > 1 else [[]] * n
        sequences = [[self.symbols_[k] for k in itertools.takewhile(end.__ne__, row)] for row in rows]
        return ["".join(s) for s in sequences] if self._of_text else sequences

    def _bits(self, X):
        """(1) of the sequences, and R."""
        self._check_fitted()
        sequences = read_sequences(X)
        if not sequences:
            raise ValueError("X: expected at least one sequence, got none")
        numbers, starts = self._numbered(sequences, self._number)
        ell = np.where(numbers < 0, -np.inf, self._log_probabilities(np.maximum(numbers, 0), starts))
        return sequence_bits(ell, starts), len(numbers)

    @staticmethod
    def _numbered(sequences, symbols):
        """The numbers of all symbols, (R,), an end behind each sequence, -1 for an unknown one; and starts (N+1,)."""
        end, numbers = len(symbols), []
        for sequence in sequences:
            numbers += [symbols.get(symbol, -1) for symbol in sequence]
            numbers.append(end)
        return np.array(numbers), np.append(0, np.cumsum([len(sequence) + 1 for sequence in sequences]))


def read_sequences(X, name="X"):
    """X as a list of strings and lists of symbols.  Raises ValueError that says which sequence of `name` is none."""
    if not in_order(X):
        what = "a data frame; pass one of its columns" if hasattr(X,
                                                                  "columns") else f"{X!r}; put a single one into a list"
        raise ValueError(f"{name}: expected a list of sequences, got {what}")
    sequences = []
    for n, sequence in enumerate(unmasked(X, name)):
        if not isinstance(sequence, (str, bytes)) and not in_order(sequence):
            raise ValueError(f"{name}[{n}]: expected a string or a list of symbols, got {sequence!r}")
        if isinstance(sequence, str):
            sequences.append(str(sequence))
            continue
        sequences.append([_symbol(symbol, f"{name}[{n}]") for symbol in unmasked(sequence, f"{name}[{n}]")])
    return sequences


def _symbol(symbol, place):
    """`symbol` itself, if it can be found again by what it is equal to, as no Tensor can."""
    if hasattr(symbol, "ndim") and not isinstance(symbol, np.generic):
        raise ValueError(f"{place}: expected symbols that can be keys of a dict, got a {type(symbol).__name__}; pass a "
                         "list of numbers")
    try:
        hash(symbol)
        same = bool(symbol == symbol)                    # pandas.NA refuses to say
    except TypeError as error:
        raise ValueError(f"{place}: expected symbols that can be keys of a dict, got {symbol!r}") from error
    if not same:
        raise ValueError(f"{place}: {symbol!r} is not equal to itself, so it can be no symbol; leave it out")
    return symbol
