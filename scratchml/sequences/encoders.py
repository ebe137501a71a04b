"""Encoders: of sequences of symbols, a vector each, whatever their lengths.

A GRU reads a sequence both ways, and has read all of it in its two last states.  Gated convolutions see windows of
symbols, and the largest value of each channel says whether something is anywhere.  A bag is the mean of the symbols'
vectors, in any order, and one hidden layer.  Each is followed by a linear map to the vector.

Sequences are kept one after the other, without padding, and become an array when a batch is asked for.

>>> words = Numbered.of(["ab", "b"], Vocabulary("ab"))
>>> numbers, lengths = words.batch(np.array([1, 0]))
>>> numbers.tolist(), lengths.tolist()
([[5, 0], [4, 5]], [1, 2])
>>> SequenceEncoder(len(Vocabulary("ab")), 3, 4, 5, "gru", generator(0))(numbers, lengths).shape
(2, 5)

Source: M. Iyyer and others, "Deep unordered composition rivals syntactic methods for text classification", ACL 2015,
for the bag.
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import no_grad, ops
from scratchml.core.random import generator
from scratchml.nn.containers import ModuleList
from scratchml.nn.contrastive import directions
from scratchml.nn.gated_convolution import GatedConv1d
from scratchml.nn.layers import Embedding, Linear
from scratchml.nn.module import Module
from scratchml.nn.recurrent import GRU
from scratchml.nn.training import in_mode
from scratchml.sequences.vocabulary import PAD, UNKNOWN, Vocabulary

ENCODERS = ("gru", "bag", "conv")
AT_ONCE = 2**14                                          # symbols, with padding, that are encoded together

# --- sequences as numbers ------------------------------------------------------------------------


class Numbered(NamedTuple):
    """N sequences of numbers, one after the other: sequence n is numbers[starts[n]:starts[n + 1]]."""
    numbers: np.ndarray                                  # (R,)
    starts: np.ndarray                                   # (N+1,)

    @classmethod
    def of(cls, sequences, vocabulary):
        """The sequences, lists or strings, in the numbers of a Vocabulary."""
        numbers = [number for sequence in sequences for number in vocabulary.encode(sequence)]
        return cls(np.array(numbers, np.int64), np.append(0, np.cumsum([len(s) for s in sequences])))

    @property
    def lengths(self):
        return np.diff(self.starts)

    def batch(self, which):
        """The sequences of the numbers `which` (B,) as an array (B, T), PAD behind what is shorter; lengths (B,)."""
        lengths = self.starts[which + 1] - self.starts[which]
        there = np.arange(lengths.max()) < lengths[:, None]
        at = self.starts[which][:, None] + np.arange(there.shape[1])
        return np.where(there, self.numbers[np.where(there, at, 0)], PAD), lengths


def told_apart(sequences):
    """A number for each sequence (N,), equal ones for equal sequences; the place (D,) of the first of each number."""
    seen, numbers, first = {}, np.empty(len(sequences), np.int64), []
    for n, sequence in enumerate(sequences):
        numbers[n] = number = seen.setdefault(tuple(sequence), len(seen))
        if number == len(first):
            first.append(n)
    return numbers, np.array(first)


# --- the encoders --------------------------------------------------------------------------------


class BothEnds(Module):
    """Both last states (B, 2H) of a GRU that reads vectors (B, T, E) both ways, as far as `lengths` (B,)."""

    def __init__(self, E, H, rng):
        self.gru, self.width = GRU(E, H, batch_first=True, bidirectional=True, random_state=rng), 2 * H

    def forward(self, x, lengths):
        _, last = self.gru(x, lengths=lengths)           # (2, B, H)
        return last.transpose(0, 1).reshape(len(lengths), self.width)


class Bag(Module):
    """One hidden layer (B, H) on the mean of vectors (B, T, E), of those before `lengths` (B,)."""

    def __init__(self, E, H, rng):
        self.hidden, self.width = Linear(E, H, random_state=rng), H

    def forward(self, x, lengths):
        share = (np.arange(x.shape[1]) < lengths[:, None]) / lengths[:, None]
        return self.hidden((x * share[:, :, None].astype(x.dtype)).sum(1)).relu()


class Windows(Module):
    """The largest value (B, H) of each channel that two gated convolutions make of vectors (B, T, E)."""

    def __init__(self, E, H, rng):
        self.channels, self.width = Linear(E, H, random_state=rng), H
        self.layers = ModuleList([GatedConv1d(H, 5, causal=False, random_state=rng) for _ in range(2)])

    def forward(self, x, lengths):
        x = self.channels(x)
        for layer in self.layers:
            x = layer(x, lengths)
        padding = np.arange(x.shape[1]) >= lengths[:, None]
        return ops.amax(x.masked_fill(padding[:, :, None], -np.inf), 1)


class SequenceEncoder(Module):
    """Vectors (B, D) of sequences of numbers (B, T) and their lengths (B,): `symbols`, a `reader`, and `vector`.

    Parameters
    ----------
    V, E, H, D : int
        How many numbers there are; the lengths of a symbol's vector, of what the reader makes, and of the result.
    kind : str
        One of ENCODERS.
    rng : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(self, V, E, H, D, kind, rng):
        self.symbols = Embedding(V, E, padding_idx=PAD, random_state=rng)
        self.symbols.weight._data[UNKNOWN] = 0
        self.reader = {"gru": BothEnds, "bag": Bag, "conv": Windows}[kind](E, H, rng)
        self.vector = Linear(self.reader.width, D, random_state=rng)

    def forward(self, numbers, lengths):
        return self.vector(self.reader(self.symbols(numbers), lengths))


def encoded(encoder, sequences):
    """Unit vectors (N, D) of Numbered sequences, the shortest first, so that little is padding."""
    lengths = sequences.lengths
    order, first, vectors = np.argsort(lengths, kind="stable"), 0, []
    with in_mode(encoder, False), no_grad():
        while first < len(order):
            left = lengths[order[first:first + AT_ONCE]]
            size = max(1, int(np.searchsorted(left * np.arange(1, len(left) + 1), AT_ONCE, side="right")))
            vectors.append(directions(encoder(*sequences.batch(order[first:first + size]))).data)
            first += size
    there = np.empty((len(order), len(encoder.vector.bias)), encoder.vector.bias.dtype)
    if vectors:
        there[order] = np.concatenate(vectors)
    return there
