"""A tagger of gated convolutions: what is around a word, as far as the layers see, without reading word after word.

Layers of the chapter gated_convolution, centred, one on top of the other, read the vectors of the words; the label of a
word depends on it and (A - 1) / 2 words on either side, A by the equation receptive_field.  What all taggers share that
are networks stands in neural_tagger.py; the sequences stand one after the other there, and that is how the layers take
them, so there is no padding.

The first weights of the layers suit inputs of variance 1, and the vector of a word is the sum of those of its
attributes, in text some sixteen.  So it is multiplied by a factor, which begins as 1/4 and is learned: else gates would
begin open or shut, and stay so.

>>> X = [[{"word": word} for word in text.split()] for text in ("the cat sat", "the dog sat", "a dog ran", "cat ran")]
>>> y = [["D", "N", "V"], ["D", "N", "V"], ["D", "N", "V"], ["N", "V"]]
>>> tagger = GatedConvTagger(8, 2, 3, epochs=40, learning_rate=0.02, random_state=0).fit(X, y)
>>> tagger.predict([[{"word": "a"}, {"word": "cat"}, {"word": "ran"}], [{"word": "dog"}, {"word": "sat"}]])
[['D', 'N', 'V'], ['N', 'V']]
"""
import numpy as np

from scratchml.core.checks import whole_number
from scratchml.nn.containers import ModuleList
from scratchml.nn.gated_convolution import GatedConv1d
from scratchml.nn.module import Module, Parameter
from scratchml.sequences.neural_tagger import NeuralTagger


class Around(Module):
    """Layers over sequences that stand one after the other: of vectors (N, C) and `lengths` (B,) vectors (N, C).

    Parameters
    ----------
    channels, kernel_size : int
        C, and how many taps each layer has.
    dilations : sequence of int
        The dilation of each layer.
    dropout : float
        Probability that an entry that a layer sees becomes 0 in training.
    rng : numpy.random.Generator
        Source of the first weights, and of what is dropped.
    """

    def __init__(self, channels, kernel_size, dilations, dropout, rng):
        self.gain = Parameter(np.full(1, 0.25, np.float32))
        self.layers = ModuleList([GatedConv1d(channels, kernel_size, gap, causal=False, dropout=dropout,
                                              random_state=rng)
                                  for gap in dilations])

    def forward(self, x, lengths):
        x = x * self.gain
        for layer in self.layers:
            x = layer(x, lengths)
        return x


class GatedConvTagger(NeuralTagger):
    """Gated convolutions for labelling sequences, with a conditional random field on top or without.

    X is a list of sequences.  A token is a dict of features (str: bool, number or str) or a list of strings, as for
    `CRF`; or a sequence is an array (T, D).  y is a list of lists of labels, strings or whole numbers; None is a label
    that is not known.  Attributes that were not seen in training count for nothing.

    Parameters
    ----------
    channels : int, default=96
        C, the length of the vectors of attributes, and of all that follow.
    num_layers : int, default=6
        How many layers, one on top of the other.
    kernel_size : int, default=5
        How many taps each has.
    dilations : tuple of int or None, default=None
        The dilation of each layer; None for 1.
    crf : bool, default=False
        Whether a field chooses the labels of a sequence together; else each is chosen for itself, by a softmax.
    forbidden : {"BIO", "IOB1", "IOBES", "BILOU", "BMES"}, collection of pairs or None, default=None
        What must not follow each other: what these schemes do not allow, or pairs (label, next label), where both
        occur.  Without a field it counts when labels are asked for, not in training.
    dropout : float, default=0.3
        Probability that an entry that a layer sees, or the scores, becomes 0 in training.
    attribute_dropout : float, default=0.2
        Probability that an attribute of a token is left out in training.
    epochs : int, default=30
        Passes over the data.
    batch_size : int, default=16
        Sequences in a batch at most.
    learning_rate : float, default=0.003
        The step length of Adam.
    validation_split : float, default=0.0
        Share of the sequences, drawn at random, that is kept apart.
    patience : int or None, default=None
        Epochs without a better loss after which training ends; the weights are then those of the best epoch.
    max_norm : float or None, default=5.0
        Gradients of a greater norm are scaled down to it.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of first weights, of what is dropped, and of the order of sequences.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch; returning True stops the fit.

    Attributes
    ----------
    classes_ : the K labels, sorted
    attributes_ : the attributes, in the order in which they were first seen
    module_ : the network, a Module with the parts `vectors`, `reader`, `scores` and `crf`
    loss_history_ : the loss for each token after each epoch; of the sequences kept apart, if there are any
    n_iter_ : epochs done
    """

    def __init__(self, channels=96, num_layers=6, kernel_size=5, *, dilations=None, crf=False, forbidden=None,
                 dropout=0.3,
                 attribute_dropout=0.2, epochs=30, batch_size=16, learning_rate=0.003, validation_split=0.0,
                 patience=None,
                 max_norm=5.0, random_state=None, verbose=0, callback=None):
        self.channels = channels
        self.num_layers = num_layers
        self.kernel_size = kernel_size
        self.dilations = dilations
        self.crf = crf
        self.forbidden = forbidden
        self.dropout = dropout
        self.attribute_dropout = attribute_dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_split = validation_split
        self.patience = patience
        self.max_norm = max_norm
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    @property
    def embedding_dim(self):
        """The length of the vectors of attributes: C."""
        return whole_number(self.channels, "channels")

    def _reader(self, rng):
        gaps = layer_dilations(self.dilations, self.num_layers)
        return Around(self.embedding_dim, self.kernel_size, gaps, self.dropout, rng), self.embedding_dim


def layer_dilations(dilations, num_layers):
    """The dilation of each of `num_layers` layers, 1 for None.  Raises ValueError if there is not one for each."""
    L = whole_number(num_layers, "num_layers")
    gaps = (1,) * L if dilations is None else dilations
    if isinstance(gaps, str) or not hasattr(gaps, "__len__") or len(gaps) != L:
        raise ValueError(f"dilations={gaps!r}: expected one for each of num_layers={L}, or None")
    return tuple(gaps)
