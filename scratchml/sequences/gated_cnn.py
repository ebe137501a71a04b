"""A language model of gated convolutions: what comes next, from a window of fixed length, at all places at once.

A symbol is a vector; layers of the chapter gated_convolution, causal, one on top of the other, make of the last A
vectors one, A by the equation receptive_field: 25 for six layers of five taps; a linear map makes a score for each
symbol of it, softmax a distribution.  A recurrent network carries all of the past in one state and must walk.  This one
sees A symbols and no more, and learns from all places of a sequence in one pass.

A sequence that is made, symbol by symbol, needs no pass over all that has been: each layer keeps its last d (K - 1)
inputs, and one product a layer gives the next.

>>> model = GatedConvLanguageModel(8, 2, kernel_size=2, epochs=60, learning_rate=0.02, random_state=0)
>>> model.fit(["abc", "abd"] * 20).receptive_field_
3
>>> round(model.bits(["abc", "abd"]), 1)                 # one bit, at the third of four symbols
0.3

Source: Y. Dauphin, A. Fan, M. Auli and D. Grangier, "Language modeling with gated convolutional networks", ICML 2017.
"""
import itertools

import numpy as np

from scratchml.autograd import no_grad
from scratchml.core import storage
from scratchml.core.checks import real_number, true_or_false, whole_number
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.nn import Embedding, GatedConv1d, Linear, Module, ModuleList, cross_entropy, fit, receptive_field
from scratchml.optim import Adam
from scratchml.optim.schedules import OneCycleLR
from scratchml.sequences.gated_tagger import layer_dilations
from scratchml.sequences.language_model import LanguageModel
from scratchml.sequences.vocabulary import MARKS, PAD, shifted

KIND = "scratchml.sequences.GatedConvLanguageModel"
PADDING, BATCH = -100, 64                                # a target that does not count; sequences asked for at once


class GatedConvNetwork(Module):
    """Scores (B, T, V) of what follows each of the numbers (B, T).

    `vectors` (V, C), `layers` of gated convolutions, and `scores`, a linear map to V.
    """

    def __init__(self, V, C, sizes, gaps, residual, dropout, rng):
        self.vectors = Embedding(V, C, random_state=rng)
        self.layers = ModuleList([GatedConv1d(C, size, gap, True, residual, dropout, random_state=rng)
                                  for size, gap in zip(sizes, gaps)])
        self.scores = Linear(C, V, random_state=rng)

    def forward(self, numbers, lengths):
        x = self.vectors(numbers)
        for layer in self.layers:
            x = layer(x, lengths)
        return self.scores(x)

    def first_state(self, n):
        """The past of each layer (n, d (K - 1), C): zeros."""
        W = self.scores.weight._data
        return tuple(np.zeros((n, layer.reach, W.shape[1]), W.dtype) for layer in self.layers)

    def step(self, state, numbers):
        """Scores (B, V) of what follows `numbers` (B,), and the state then."""
        x, after = self.vectors.weight._data[numbers], []
        for layer, past in zip(self.layers, state):
            x, past = layer.step(past, x)
            after.append(past)
        return x @ self.scores.weight._data.T + self.scores.bias._data, tuple(after)


class NeuralLanguageModel(LanguageModel):
    """What language models share whose probabilities a network gives.  A subclass has `_network` and its parameters."""

    def _fit(self, numbers, starts, V, learned):
        rng, epochs = generator(self.random_state), whole_number(self.epochs, "epochs")
        batch, lengths = whole_number(self.batch_size, "batch_size"), np.diff(starts)
        network = self._network(V, rng).eval()               # the mode that training leaves it in
        optimizer = Adam(network.parameters(), lr=real_number(self.learning_rate, "learning_rate", above=0.0))
        schedule = OneCycleLR(optimizer, self.learning_rate, epochs * -(-len(lengths) // batch) + 1)
        history = []

        def after(progress):
            history.append(progress.loss / np.log(2))
            vars(self).update(learned, _net=network, loss_history_=list(history), n_iter_=len(history))
            return report(self, len(history), history[-1])
        inputs, targets = padded(numbers, starts, V - 1)
        fit(network, optimizer, _surprise, (inputs, lengths), targets, lengths=lengths, batch_size=batch, epochs=epochs,
            max_norm=self.max_norm, schedule=schedule, random_state=rng, callback=after)

    def _log_probabilities(self, numbers, starts):
        ell, lengths, mode = np.empty(len(numbers)), np.diff(starts), self._net.training
        before = np.append(len(self.symbols_), numbers[:-1])                   # of a first symbol, the end of another
        order = np.argsort(lengths, kind="stable")
        self._net.eval()                              # a callback may ask in the middle of training
        with no_grad():
            for some in np.array_split(order, -(-len(order) // BATCH)):
                there = np.arange(lengths[some].max()) < lengths[some][:, None]
                at = np.where(there, starts[some][:, None] + np.arange(there.shape[1]), 0)
                log_p = log_softmax(self._net(before[at], lengths[some]).numpy())
                ell[at[there]] = np.take_along_axis(log_p, numbers[at][:, :, None], axis=2)[:, :, 0][there]
        self._net.train(mode)
        return ell

    @property
    def module_(self):
        """The network, a Module."""
        self._check_fitted()
        return self._net

    def first_state(self, n):
        """What `step` takes before the first symbol.

        Parameters
        ----------
        n : int
            How many sequences.
        """
        self._check_fitted()
        return self._net.first_state(n)

    def step(self, state, tokens):
        """ln p of each symbol as the next, (N, V), and the state then.

        Parameters
        ----------
        state : tuple of arrays (N, ...)
            What the network keeps of what has been.
        tokens : array (N,) of int
            The symbols that have come last, as numbers; V - 1 at the beginning.
        """
        scores, state = self._net.step(state, tokens)
        return log_softmax(scores), state


class GatedConvLanguageModel(NeuralLanguageModel):
    """A language model of gated convolutions: fit(sequences), score_samples, bits, perplexity, sample, step for step.

    Training runs through Adam with the schedule of OneCycleLR, in batches of like length; the loss is the mean surprise
    of a symbol.  Ctrl-C, like a callback that says stop, leaves the last whole epoch.

    Parameters
    ----------
    channels : int, default=96
        C, how long vectors are.
    num_layers : int, default=6
        How many layers.
    kernel_size : int, default=5
        How many taps each has.
    dilations : tuple of int or None, default=None
        The dilation of each layer; None for 1.
    residual : bool, default=True
        Whether each layer adds what came in.
    dropout : float, default=0.2
        Probability that an entry that a layer sees becomes 0 in training.
    epochs : int, default=8
        Passes over the sequences.
    batch_size : int, default=64
        Sequences in a batch at most.
    learning_rate : float, default=3e-3
        The greatest step length.
    max_norm : float or None, default=1.0
        Gradients of a greater norm are scaled down to it.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of all that is random.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch, its loss in bits a symbol; returning True stops the fit.

    Attributes
    ----------
    symbols_ : the symbols, in the order in which they were first seen
    receptive_field_ : A, how many symbols count
    module_ : the network
    loss_history_ : bits a symbol in each epoch, of the training data while the weights move
    n_iter_ : epochs done
    """

    def __init__(self, channels=96, num_layers=6, kernel_size=5, *, dilations=None, residual=True, dropout=0.2,
                 epochs=8,
                 batch_size=64, learning_rate=3e-3, max_norm=1.0, random_state=None, verbose=0, callback=None):
        self.channels = channels
        self.num_layers = num_layers
        self.kernel_size = kernel_size
        self.dilations = dilations
        self.residual = residual
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.max_norm = max_norm
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    @property
    def receptive_field_(self):
        """A, how many symbols count for the next."""
        self._check_fitted()
        return receptive_field(*zip(*((layer.kernel_size, layer.dilation) for layer in self._net.layers)))

    def _network(self, V, rng):
        gaps = layer_dilations(self.dilations, self.num_layers)
        return GatedConvNetwork(V, whole_number(self.channels, "channels"), (self.kernel_size,) * len(gaps), gaps,
                                true_or_false(self.residual, "residual"), real_number(self.dropout, "dropout"), rng)

    # --- keeping

    def save(self, path):
        """Write the model to a file.  Raises ValueError if it is not fitted, or for symbols that are no strings or
        numbers.

        callback, verbose and random_state are not kept.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        check_storable(self.symbols_)
        parameters = {name: value for name, value in self.get_params().items()
                      if name not in ("callback", "verbose", "random_state")}
        shape = [[layer.kernel_size, layer.dilation, layer.residual] for layer in self._net.layers]
        storage.save(path, KIND, self._net.state_dict(), dict(
            parameters=parameters, symbols=self.symbols_, of_text=self._of_text, layers=shape,
            history=self.loss_history_))

    @classmethod
    def load(cls, path):
        """The model that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, KIND)
        model, symbols = cls(**rest["parameters"]), rest["symbols"]
        sizes, gaps, residual = zip(*rest["layers"])
        network = GatedConvNetwork(*arrays["vectors.weight"].shape, sizes, gaps, residual[0], 0.0, generator(0))
        network.load_state_dict(arrays)
        vars(model).update(symbols_=symbols, _number={symbol: k for k, symbol in enumerate(symbols)},
                           _of_text=rest["of_text"], _net=network.eval(), loss_history_=rest["history"],
                           n_iter_=len(rest["history"]))
        return model


# --- pieces --------------------------------------------------------------------------------------


def padded(numbers, starts, mark):
    """Inputs (N, T), the mark and then all but the last of `numbers` of each sequence; targets, these; padded.

    The last of each is the mark.
    """
    before, after = shifted([(MARKS + numbers[first:last - 1]).tolist() for first, last in itertools.pairwise(starts)])
    inputs, targets = (np.where(part >= MARKS, part - MARKS, mark) for part in (before, after))
    return inputs, np.where(after == PAD, PADDING, targets)


def _surprise(scores, targets):
    """-Σ ln p of what came, and of how many."""
    flat = targets.reshape(-1)
    return (cross_entropy(scores.reshape(-1, scores.shape[-1]), flat, ignore_index=PADDING, reduction="sum"),
            int((flat != PADDING).sum()))


def check_storable(symbols):
    """Raise a ValueError for a symbol that no file holds."""
    for symbol in symbols:
        if not isinstance(symbol, (str, bool, int, float, np.generic)) and symbol is not None:
            raise ValueError(f"symbols_: a file holds strings and numbers, got {symbol!r}; number the symbols")


def log_softmax(scores):
    """ln p along the last axis, in float64."""
    scores = scores.astype(np.float64)
    scores = scores - scores.max(axis=-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
