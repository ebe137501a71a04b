"""Sequence to sequence as an estimator: fit(X, y), and the best sequences that a beam finds for what it has not seen.

X and y are lists of sequences of any hashable symbols; a string is its characters.  The networks are those of the
chapter encoder_decoder, the search that of the chapter beam, and the numbers of symbols those of the chapter
vocabulary, whose `shifted` alone says what a decoder is given and what it is to answer.

>>> words = ["".join(word) for n in (1, 2) for word in itertools.product("abc", repeat=n)]
>>> model = Seq2Seq(8, embedding_dim=6, epochs=25, batch_size=4, learning_rate=0.05, dropout=0.0, random_state=0)
>>> model.fit(words, [word[::-1].upper() for word in words]).predict(["ab", "c"])
['BA', 'C']
"""
import itertools

import numpy as np

from scratchml.autograd import no_grad
from scratchml.core import storage
from scratchml.core.checks import one_of, real_number, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.metrics.edit import error_rate, exact_match
from scratchml.nn import fit
from scratchml.nn.training import in_mode
from scratchml.optim import Adam
from scratchml.optim.schedules import OneCycleLR
from scratchml.sequences.beam import beam_search
from scratchml.sequences.encoder_decoder import (AttentiveDecoder, Encoder, EncoderDecoder, TransformerNetwork,
                                                 log_likelihoods)
from scratchml.sequences.gated_cnn import check_storable, log_softmax
from scratchml.sequences.language_model import read_sequences, tempered
from scratchml.sequences.lessons import Lessons, forcing, padded, teacher
from scratchml.sequences.vocabulary import MARKS, Vocabulary

KIND = "scratchml.sequences.Seq2Seq"
NOT_KEPT = ("callback", "verbose", "random_state")       # parameters that no file has
AT_ONCE = 512                                            # beginnings that are continued together


class Seq2Seq(Estimator):
    """A network that reads one sequence and writes another: LSTMs with attention or without, or a transformer.

    X and y are lists of sequences of hashable symbols, a string is its characters.  Targets may be empty, sources not.
    Training runs through Adam with the schedule of OneCycleLR, in batches of like length; the loss is the mean surprise
    of a symbol.  Ctrl-C, like a callback that says stop, leaves the last whole epoch.

    Parameters
    ----------
    hidden_size : int, default=128
        Units of the decoder, and of each direction of the encoder.
    architecture : {"lstm", "transformer"}, default="lstm"
        What reads and writes.  Vectors of a transformer have hidden_size numbers, which four heads share, and its
        layers networks of twice as many units.
    embedding_dim : int, default=64
        The length of the vectors of symbols, for LSTMs.
    num_layers : int, default=1
        Layers of the encoder, and those of a transformer's decoder; that of LSTMs has one.
    attention : {"bahdanau", "luong"} or None, default="bahdanau"
        Whether a decoder of LSTMs looks at the source before the step of its cell, which reads what it sees; after it;
        or never.  A transformer has its own, and takes none of the others.
    dropout : float, default=0.2
        Probability that an entry of a vector, or before the scores, becomes 0 in training.
    teacher_forcing : float or tuple, default=1.0
        The probability eps that the decoder is given the target's symbol in training, not one drawn from itself; or how
        it falls from batch to batch: ("linear", c, least), ("exponential", c) or ("sigmoid", c), see encoder_decoder.
    label_smoothing : float, default=0.0
        Share of a target's probability that is spread over all symbols in training.
    epochs : int, default=12
        Passes over the pairs.
    batch_size : int, default=64
        Pairs in a batch at most.
    learning_rate : float, default=2e-3
        The greatest step length.
    max_norm : float or None, default=2.0
        Gradients of a greater norm are scaled down to it.
    validation_split : float, default=0.0
        Share of the pairs, drawn at random, that is kept apart.
    patience : int or None, default=None
        Epochs without a better loss after which training ends; the weights are then those of the best epoch.
    beam_size : int, default=5
        How many beginnings the search keeps.
    length_penalty : float, default=0.0
        The exponent of the search's penalty: above 0 for longer sequences.
    max_length : int or None, default=None
        How many symbols an output has at most, its end counted; None for twice the source and 10.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of first weights, of what is dropped and drawn, and of the order of pairs.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch; returning True stops the fit.

    Attributes
    ----------
    source_, target_ : Vocabulary of each side, in the order in which symbols were first seen
    module_ : the network, a Module with the parts `encoder` and `decoder`
    loss_history_ : the loss of a symbol in each epoch; of the pairs kept apart, if there are any
    n_iter_ : epochs done
    """

    _takes_a_table = False                               # but sequences of symbols

    def __init__(self, hidden_size=128, *, architecture="lstm", embedding_dim=64, num_layers=1, attention="bahdanau",
                 dropout=0.2, teacher_forcing=1.0, label_smoothing=0.0, epochs=12, batch_size=64, learning_rate=2e-3,
                 max_norm=2.0, validation_split=0.0, patience=None, beam_size=5, length_penalty=0.0, max_length=None,
                 random_state=None, verbose=0, callback=None):
        self.hidden_size = hidden_size
        self.architecture = architecture
        self.embedding_dim = embedding_dim
        self.num_layers = num_layers
        self.attention = attention
        self.dropout = dropout
        self.teacher_forcing = teacher_forcing
        self.label_smoothing = label_smoothing
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.max_norm = max_norm
        self.validation_split = validation_split
        self.patience = patience
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.max_length = max_length
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    # --- training

    def fit(self, X, y):
        """Learn the weights.  Returns itself.

        Raises ValueError for parameters out of range, no pair at all, an empty source, X and y of different lengths,
        and symbols that cannot be told apart.

        Parameters
        ----------
        X : list (N,) of sequences
            The sources.
        y : list (N,) of sequences
            The targets.
        """
        forcing = self._check_parameters()
        X, y = self._pairs(X, y)
        if not X:
            raise ValueError("X: expected at least one sequence, got none")
        source, target, rng = Vocabulary.of(X), Vocabulary.of(y), generator(self.random_state)
        network = self._network(len(source), len(target.symbols) + 1, rng).eval()
        sources = [source.encode(x) for x in X]
        lessons = Lessons(network, sources, [target.encode(t) for t in y], forcing, self.label_smoothing, rng)
        optimizer, history = Adam(network.parameters(), lr=self.learning_rate), []
        schedule = OneCycleLR(optimizer, self.learning_rate, self.epochs * -(-len(X) // self.batch_size) + 1)
        learned = dict(source_=source, target_=target, module_=network, _of_text=all(isinstance(t, str) for t in y),
                       _built=self._kept_parameters())

        def after(progress):
            history.append(progress.loss)
            vars(self).update(learned, loss_history_=list(history), n_iter_=len(history))
            return report(self, progress.iteration, progress.loss)
        fit(lessons, optimizer, lambda pair: pair, np.arange(len(X)), None, lengths=np.array([len(x) for x in X]),
            batch_size=self.batch_size, epochs=self.epochs, validation_split=self.validation_split,
            patience=self.patience, max_norm=self.max_norm, schedule=schedule, random_state=rng, callback=after)
        network.zero_grad()                              # nobody needs the last gradients
        return self

    def _check_parameters(self):
        """eps as a function of the number of a batch."""
        for name in ("hidden_size", "embedding_dim", "num_layers", "epochs", "batch_size"):
            whole_number(getattr(self, name), name)
        if one_of(self.architecture, "architecture", ("lstm", "transformer")) == "transformer" and self.hidden_size % 4:
            raise ValueError(f"hidden_size={self.hidden_size}: expected a multiple of 4, for the heads of a "
                             "transformer")
        if self.attention is not None:
            one_of(self.attention, "attention", ("bahdanau", "luong"))
        if self.architecture == "transformer" and self.attention != "bahdanau":
            raise ValueError(f"attention={self.attention!r}: a transformer has attention of its own; leave this at its "
                             "default, or set architecture='lstm'")
        for name in ("dropout", "label_smoothing"):
            if real_number(getattr(self, name), name) >= 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected a number of at least 0 and below 1")
        real_number(self.learning_rate, "learning_rate", above=0.0)
        if self.callback is not None and not callable(self.callback):
            raise ValueError(f"callback={self.callback!r}: expected a function of a Progress, or None")
        return forcing(self.teacher_forcing)

    def _network(self, S, V, rng):
        H, D = self.hidden_size, self.embedding_dim
        if self.architecture == "transformer":
            return TransformerNetwork(S, V, H, self.num_layers, self.dropout, rng=rng)
        encoder = Encoder(S, D, H, self.num_layers, self.dropout, rng=rng)
        return EncoderDecoder(encoder,
                              AttentiveDecoder(V, D, 2 * H, H, self.dropout, attention=self.attention, rng=rng))

    # --- asking

    def predict(self, X, beam_size=None):
        """The best sequence for each source, a list: of strings if the targets were strings, else of lists.

        Raises ValueError for sources that cannot be read, an empty one, and arguments out of range.

        Parameters
        ----------
        X : list (N,) of sequences
            The sources.
        beam_size : int or None, default=None
            How many beginnings the search keeps, 1 for the most probable symbol each time; None for that of the model.
        """
        return [self._written(found.symbols[0]) for found in self._search(X, beam_size)]

    def predict_n_best(self, X, n):
        """For each source its n best sequences and their log-likelihoods: (list of sequences, array (n,)).

        The best first, by likelihood or, with a length penalty, by what it makes of it; fewer if fewer are possible.
        Raises ValueError as `predict` does.

        Parameters
        ----------
        X : list (N,) of sequences
            The sources.
        n : int
            How many sequences; the search keeps at least as many beginnings.
        """
        n = whole_number(n, "n")
        return [([self._written(numbers) for numbers in found.symbols], found.log_likelihoods)
                for found in self._search(X, max(n, whole_number(self.beam_size, "beam_size")), n)]

    def log_likelihood(self, X, y):
        """ln p of each target given its source, (N,), its end included; -inf with a symbol that training has not seen.

        Raises ValueError for sequences that cannot be read, an empty source, and X and y of different lengths.

        Parameters
        ----------
        X : list (N,) of sequences
            The sources.
        y : list (N,) of sequences
            The targets.
        """
        self._check_fitted()
        X, y = self._pairs(X, y)
        found = np.empty(len(X))
        for some, z, answers, steps in self._forced(X, y):
            found[some] = log_likelihoods(z, answers, np.append(0, np.cumsum(steps)))
        found[[any(symbol not in self._known for symbol in t) for t in y]] = -np.inf
        return found

    def alignments(self, X, y=None):
        """How much each symbol of a target, and its end, looks at each place of the source: arrays (len(y) + 1,
        len(x)).

        Of an output that was cut at max_length there is no end.
        Raises ValueError as `log_likelihood` does, for targets with symbols that training has not seen, and of a model
        without attention.

        Parameters
        ----------
        X : list (N,) of sequences
            The sources.
        y : list (N,) of sequences or None, default=None
            The targets; None for those that the model finds.
        """
        self._check_fitted()
        if not self.module_.looks:
            raise ValueError("attention=None: a model without attention has no alignments; fit one with attention")
        if y is None:
            X = self._sources(X)
            return [found.alignments[0][:, :len(x)] for x, found in zip(X, self._search(X))]
        X, y = self._pairs(X, y)
        for n, t in enumerate(y):
            if unseen := [symbol for symbol in t if symbol not in self._known]:
                raise ValueError(f"y[{n}]: training has not seen {unseen[0]!r}, so it has no alignment")
        return [self._looks(x, t) for x, t in zip(X, y)]

    def sample(self, X, n=1, *, temperature=1.0, random_state=None):
        """n sequences for each source, drawn from the model, a list of lists; cut where `predict` would cut them.

        Raises ValueError as `predict` does.

        Parameters
        ----------
        X : list (N,) of sequences
            The sources.
        n : int, default=1
            How many for each.
        temperature : float, default=1.0
            Below 1 for what is more probable, above 1 for what is less, see the chapter language_model, (4).
        random_state : int, numpy.random.Generator or None, default=None
            Seed or source of what is drawn.
        """
        self._check_fitted()
        n, rng = whole_number(n, "n"), generator(random_state)
        tau, X = real_number(temperature, "temperature", above=0.0), self._sources(X)
        found = [None] * len(X)
        for some, T in self._batches(X, n):
            step, state = self._started([X[k] for k in some])
            state, V = tuple(part.repeat(n, axis=0) for part in state), self.module_.size
            drawn, ended = [np.full(n * len(some), V)], np.zeros(n * len(some), bool)
            while len(drawn) <= T and not ended.all():
                log_p, state, _ = step(state, drawn[-1])
                below = tempered(log_p, tau).cumsum(axis=1)
                drawn.append((rng.random((len(log_p), 1)) * below[:, -1:] >= below).sum(axis=1))
                ended |= drawn[-1] == 0
            rows = np.array(drawn[1:]).T.tolist()
            for k, first in zip(some, range(0, len(rows), n)):
                found[k] = [self._written(itertools.takewhile(bool, row)) for row in rows[first:first + n]]
        return found

    def score(self, X, y):
        """The share of sources for which `predict` finds exactly the target.  Raises ValueError as `predict` does.

        Parameters
        ----------
        X : list (N,) of sequences
            The sources.
        y : list (N,) of sequences
            The targets.
        """
        X, y = self._pairs(X, y)
        if not X:
            raise ValueError("X: expected at least one sequence, got none")
        return exact_match(y, self.predict(X))

    def error_rate(self, X, y):
        """The edit distances of what `predict` finds to the targets, by the length of these; see the chapter edit, (4).

        Raises ValueError as `predict` does.

        Parameters
        ----------
        X : list (N,) of sequences
            The sources.
        y : list (N,) of sequences
            The targets.
        """
        X, y = self._pairs(X, y)
        if not any(map(len, y)):
            raise ValueError("y: expected at least one symbol, got none; a rate is a share of what there is to find")
        return error_rate(y, self.predict(X))

    # --- pieces

    @property
    def _known(self):
        return set(self.target_.symbols)

    def _sources(self, X):
        X = read_sequences(X)
        for n, x in enumerate(X):
            if not len(x):
                raise ValueError(f"X[{n}]: expected at least one symbol, got an empty sequence; leave it out")
        return X

    def _pairs(self, X, y):
        X, y = self._sources(X), read_sequences(y, "y")
        if len(X) != len(y):
            raise ValueError(f"X has {len(X)} sequences, y has {len(y)}; expected the same number")
        return X, y

    def _written(self, numbers):
        symbols = [self.target_.symbols[number - 1] for number in numbers]
        return "".join(symbols) if self._of_text else symbols

    def _batches(self, X, width):
        """Numbers of sources that are worked on together, all of one greatest length of the output, and this length."""
        most = None if self.max_length is None else whole_number(self.max_length, "max_length")
        lengths = np.array([len(x) for x in X], np.int64)
        order, size = np.argsort(lengths, kind="stable"), max(1, AT_ONCE // width)
        bounds = np.flatnonzero(np.diff(lengths[order])) + 1 if most is None else []
        for group in np.split(order, bounds) if len(X) else []:
            for first in range(0, len(group), size):
                some = group[first:first + size]
                yield some.tolist(), 2 * int(lengths[some[-1]]) + 10 if most is None else most

    def _search(self, X, beam_size=None, n_best=1):
        """`Hypotheses` for each source."""
        self._check_fitted()
        R, X = whole_number(self.beam_size if beam_size is None else beam_size, "beam_size"), self._sources(X)
        found = [None] * len(X)
        for some, T in self._batches(X, R):
            step, state = self._started([X[n] for n in some])
            best = beam_search(lambda *given: step(*given)[:3 if self.module_.looks else 2], state, beam_size=R,
                               max_length=T, bos=self.module_.size, eos=0,
                               length_penalty=self.length_penalty, n_best=n_best)
            for n, one in zip(some, best):
                found[n] = one
        return found

    def _started(self, X):
        """A function (state, numbers) -> (ln p, state, P), and the first state."""
        with np.errstate(all="ignore"):                  # of weights that are huge, the check tells
            scores, state = self.module_.start(*padded([self.source_.encode(x) for x in X]))

        def step(state, numbers):
            with np.errstate(all="ignore"):
                z, state, P = scores(state, numbers)
            return log_softmax(_not_nan(z)), state, P
        return step, state

    def _forced(self, X, y):
        """For batches of pairs: their numbers, scores (R, V), answers (R,), and steps (B,)."""
        order = np.argsort([len(x) for x in X], kind="stable")
        for some in np.split(order, range(AT_ONCE // 4, len(order), AT_ONCE // 4)) if len(X) else []:
            x, lengths = padded([self.source_.encode(X[n]) for n in some])
            targets = [[max(number, MARKS) for number in self.target_.encode(y[n])] for n in some]
            inputs, answers, steps = teacher(targets, self.module_.size)
            with in_mode(self.module_, False), no_grad(), np.errstate(all="ignore"):
                z = self.module_(x, lengths, inputs, steps)
            yield some, _not_nan(z.numpy()), answers, steps

    def _looks(self, x, y):
        """Alignments (T, S) of one pair."""
        inputs, _, _ = teacher([self.target_.encode(y)], self.module_.size)
        step, state = self._started([x])
        looks = []
        for number in inputs[0]:
            _, state, P = step(state, np.array([number]))
            looks.append(P[0])
        return np.array(looks)

    # --- keeping

    def _kept_parameters(self):
        return {name: value for name, value in self.get_params().items() if name not in NOT_KEPT}

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
        symbols = self.source_.symbols, self.target_.symbols
        check_storable(itertools.chain(*symbols))
        storage.save(path, KIND, self.module_.state_dict(), dict(
            parameters=self._kept_parameters(), built=self._built, source=symbols[0], target=symbols[1],
            of_text=self._of_text, history=self.loss_history_))

    @classmethod
    def load(cls, path):
        """The model that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, KIND)
        source, target, model = Vocabulary(rest["source"]), Vocabulary(rest["target"]), cls(**rest["parameters"])
        network = cls(**rest["built"])._network(len(source), len(target.symbols) + 1, generator(0)).eval()
        network.load_state_dict(arrays)
        vars(model).update(source_=source, target_=target, module_=network, _of_text=rest["of_text"],
                           _built=rest["built"], loss_history_=rest["history"], n_iter_=len(rest["history"]))
        return model


def _not_nan(z):
    """`z` itself.  Raises ValueError if what scores say is lost; -inf says that something cannot be."""
    if not (z < np.inf).all():
        raise ValueError("X: the scores of the symbols are NaN or infinite, as training has diverged; fit with a lower "
                         "learning_rate, or set max_norm")
    return z
