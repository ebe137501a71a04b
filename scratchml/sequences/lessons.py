"""What a network from sequence to sequence learns from: pairs in batches, with the target before it and behind it.

The symbols of a target are numbers as a decoder has them, 0 for the end, from 1 on those of the vocabulary, and one
above all that can be written for the beginning.

>>> inputs, answers, steps = teacher([[4, 6], []], 4)
>>> inputs.tolist(), answers.tolist(), steps.tolist()
([[4, 1, 3], [4, 0, 0]], [1, 3, 0, 0], [3, 1])
"""
import numpy as np

from scratchml.core.checks import real_number
from scratchml.nn import Module, cross_entropy
from scratchml.sequences.encoder_decoder import drawn_inputs, exponential_forcing, linear_forcing, sigmoid_forcing
from scratchml.sequences.vocabulary import BEGIN, MARKS, PAD, shifted

FORCING = {"linear": (linear_forcing, 2), "exponential": (exponential_forcing, 1), "sigmoid": (sigmoid_forcing, 1)}


class Lessons(Module):
    """A network and what it learns from: numbers of pairs become the sum of their losses, and its count.

    Parameters
    ----------
    network : Module
        An EncoderDecoder, or what can be called as it.
    sources, targets : lists (N,) of lists of int
        As a Vocabulary encodes them.
    forcing : callable
        eps of the number of a batch.
    smoothing : float
        Share of a target's probability that is spread over all symbols.
    rng : numpy.random.Generator
        Source of what is drawn.
    """

    def __init__(self, network, sources, targets, forcing, smoothing, rng):
        self.network, self.pairs, self.forcing, self.smoothing = network, (sources, targets), forcing, smoothing
        self.rng = rng
        self.i = 0                                       # batches so far

    def forward(self, which):
        sources, targets = ([some[n] for n in which] for some in self.pairs)
        x, lengths = padded(sources)
        inputs, answers, steps = teacher(targets, self.network.size)
        if self.training:
            eps, self.i = self.forcing(self.i), self.i + 1
            inputs = inputs if eps >= 1 else drawn_inputs(self.network, x, lengths, inputs, eps, self.rng)
        z = self.network(x, lengths, inputs, steps)
        return cross_entropy(z, answers, reduction="sum", label_smoothing=self.smoothing), len(answers)


def forcing(given):
    """`teacher_forcing` as a function of the number of a batch.  Raises ValueError."""
    if isinstance(given, (tuple, list)) and len(given) and given[0] in FORCING:
        function, n = FORCING[given[0]]
        settings = [real_number(value, "teacher_forcing") for value in given[1:]]
        if len(settings) == n and (given[0] == "linear" or settings[0] > 0) and \
                max(settings[1:] if given[0] == "linear" else settings if given[0] == "exponential" else [0]) <= 1:
            return lambda i: function(i, *settings)
    elif not isinstance(given, (tuple, list, str)) and real_number(given, "teacher_forcing") <= 1:
        return lambda i: given
    raise ValueError(f'teacher_forcing={given!r}: expected a number from 0 to 1, ("linear", c, least), ("exponential", '
                     'c) or ("sigmoid", c), c above 0, and at most 1 for an exponential')


def padded(sequences):
    """Numbers (B, S), with PAD behind what is shorter, and lengths (B,)."""
    lengths = np.array([len(sequence) for sequence in sequences])
    numbers = np.full((len(sequences), lengths.max()), PAD)
    for row, sequence in zip(numbers, sequences):
        row[:len(sequence)] = sequence
    return numbers, lengths


def teacher(targets, V):
    """What a decoder of V symbols is given, (B, T); what it is to answer, of all that count; how many of each count."""
    before, after = shifted(targets)
    there = after != PAD
    inputs = np.where(before == BEGIN, V, np.maximum(before - MARKS + 1, 0))
    return inputs, np.maximum(after - MARKS + 1, 0)[there], there.sum(axis=1)
