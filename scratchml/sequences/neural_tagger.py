"""Taggers that are networks: what they share, whatever it is that reads the sequence.

X and y are those of `CRF`.  A token is the sum of the vectors of its attributes; a part that each tagger has of its own
reads the sequence and writes a row for each token; an affine map makes scores of the labels of it, and the labels are
chosen one by one or, with a field on top, together.

Sequences stand one after the other, as in a Corpus, and there is no padding: a batch is the rows (N, M) of its N tokens
and the lengths (B,) of its sequences.  A part that reads gets vectors (N, D) and these lengths.

Attributes of numbers come in units of 2^k, the largest that is not above the largest value in training, so that a
column of millions, or of millionths, has vectors of the same size as a word.  Taken without a field, labels are those
of a field without scores, in which all is possible or `forbidden`.
"""
import numpy as np

from scratchml.autograd import no_grad
from scratchml.core import storage
from scratchml.core.checks import real_number, true_or_false, whole_number
from scratchml.core.estimator import Estimator, warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import some_rows
from scratchml.nn.bags import EmbeddingBag
from scratchml.nn.cross_entropy import cross_entropy
from scratchml.nn.layers import Dropout, Linear, kept_entries
from scratchml.nn.module import Module
from scratchml.nn.training import fit, in_mode
from scratchml.optim import Adam
from scratchml.sequences.corpus import (Attributes, Corpus, Labelled, as_sequences, check_columns, read_labels,
                                        read_tokens, share_right)
from scratchml.sequences.crf_layer import LinearChainCRF
from scratchml.sequences.crf_training import Legal, agreeing, offset
from scratchml.sequences.field_rows import field, marginals_of_rows, paths_of_rows, tag_rows, with_ends
from scratchml.sequences.schemes import check_legal, check_possible, forbidden_pairs, legal_transitions

AWAY = 100.0                                             # deviations from 0, where a network hardly sees differences
AT_ONCE = 2**14                                          # tokens, with padding, that are asked about together
NOT_KEPT = ("callback", "verbose", "random_state")       # parameters that no file has

# --- the network -----------------------------------------------------------------------------------


class TokenNetwork(Module):
    """Vectors of attributes, a `reader` of sequences, scores of labels, and a field `crf` on top, or None.

    network(rows, lengths) makes Rows (N, M) of tokens, sequence after sequence, to emissions (N, K).  In training,
    attributes are dropped with one probability, entries of what goes into the reader and comes out of it with another.

    Parameters
    ----------
    reader : Module
        Makes vectors (N, D) and lengths (B,) to rows (N, H).
    n_attributes, embedding_dim, width, n_labels : int
        M, D, H and K.
    crf : bool
        Whether there is a field.
    legal : Legal
        What is not forbidden.
    dropout, attribute_dropout : float
        The probabilities.
    rng : numpy.random.Generator
        Source of first weights, and of what is dropped.
    """

    def __init__(self, reader, n_attributes, embedding_dim, width, n_labels, *, crf, legal, dropout, attribute_dropout,
                 rng):
        self.vectors = EmbeddingBag(n_attributes, embedding_dim, random_state=rng)
        self.reader = reader
        self.scores = Linear(width, n_labels, random_state=rng)
        self.crf = LinearChainCRF(n_labels, forbidden=legal, random_state=rng) if crf else None
        self.before, self.after = (Dropout(dropout, random_state=rng) for _ in range(2))
        self.attribute_dropout, self.rng = attribute_dropout, rng

    def forward(self, rows, lengths):
        if self.training and self.attribute_dropout:
            kept, p = kept_entries(rows.data.shape, self.attribute_dropout, self.rng)
            rows = rows._replace(data=np.where(kept, rows.data / (1 - p), 0))
        return self.scores(self.after(self.reader(self.before(self.vectors(rows)), lengths)))

    def loss(self, emissions, y, starts):
        """The sum over the tokens (N,) whose emissions (N, K) and labels `y` (N,) these are, and how many count.

        Parameters
        ----------
        emissions : Tensor (N, K)
            What `forward` made.
        y : array (N,) of int
            Labels, -1 where unknown.
        starts : array (B+1,) of int
            Where each sequence starts, and the last one ends.
        """
        if self.crf is None:
            return cross_entropy(emissions, y, ignore_index=-1, reduction="sum"), (y >= 0).sum()
        return self.crf.loss_of_rows(emissions, y, starts, "sum"), len(y)


class _Lessons(Module):
    """A network and what it learns from: numbers of sequences become their loss and its count."""

    def __init__(self, network, corpus):
        self.network, self.corpus = network, corpus

    def forward(self, which):
        rows, y, starts = batch(self.corpus, which)
        emissions = self.network(rows, np.diff(starts))
        if not np.isfinite(emissions.data).all():
            raise ValueError("X: the scores of the labels became NaN or infinite in training; lower learning_rate, set "
                             "max_norm, or scale the data")
        return self.network.loss(emissions, y, starts)


def batch(corpus, which):
    """The rows, labels and starts of the sequences of the numbers `which` (B,)."""
    lengths = np.diff(corpus.starts)[which]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    tokens = np.arange(starts[-1]) + np.repeat(corpus.starts[which] - starts[:-1], lengths)
    return some_rows(corpus.rows, tokens), corpus.y[tokens], starts


def value_units(rows):
    """Powers of two (M,) that bring the largest magnitude of each column into [1, 2); 1 where there is none but 0."""
    largest = np.zeros(rows.shape[1])
    np.maximum.at(largest, rows.indices, np.abs(rows.data))
    exponent = np.frexp(largest)[1] - 1
    return np.where(largest > 0, np.exp2(-np.clip(exponent, -1000, 1000).astype(float)), 1.0)


# --- the estimator ---------------------------------------------------------------------------------


class NeuralTagger(Estimator):
    """What taggers share that are networks.  A subclass has `_reader`, and what this reads of its parameters."""

    _takes_a_table = False                               # but sequences of tokens

    def _reader(self, rng):
        """A Module that reads sequences, see TokenNetwork, and how many entries it writes for each token."""
        raise NotImplementedError

    # --- training

    def fit(self, X, y):
        """Learn the weights.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the last finished epoch in the attributes.  A ConvergenceWarning
        says that a numeric feature is so far from 0 that its differences can hardly be learned.
        Raises ValueError for bad parameters, an empty corpus or sequence, tokens that cannot be read, values that are
        NaN or infinite, labels that do not fit to X or break `forbidden`; it names sequence and token.

        Parameters
        ----------
        X : list (S,) of sequences
            The tokens.
        y : list (S,) of sequences of str or int
            Their labels, None where one is not known.
        """
        self._check_parameters()
        attributes, rng = Attributes(), generator(self.random_state)
        starts, rows = read_tokens(X, attributes, grow=True)
        labels, classes = read_labels(y, starts)
        legal = legal_transitions(classes, self.forbidden)
        check_legal(labels, starts, legal, classes)
        units = value_units(rows)
        corpus = Corpus(starts, _in_units(rows, units), labels)
        network, history = self._network(len(attributes), len(classes), legal, rng).eval(), []
        learned = dict(classes_=classes, attributes_=list(attributes), module_=network, _numbers=attributes,
                       _units=units, _legal=legal, _built=self._kept_parameters())

        def after(progress):
            history.append(progress.loss)
            vars(self).update(learned, loss_history_=list(history), n_iter_=len(history))
            return report(self, progress.iteration, progress.loss)
        fit(_Lessons(network, corpus), Adam(network.parameters(), lr=self.learning_rate), lambda pair: pair,
            np.arange(len(starts) - 1), None, lengths=np.diff(starts), batch_size=self.batch_size, epochs=self.epochs,
            validation_split=self.validation_split, patience=self.patience, max_norm=self.max_norm, random_state=rng,
            callback=after)
        network.zero_grad()                              # nobody needs the last gradients
        if (away := offset(rows)) > AWAY:
            warn_not_converged(f"a numeric feature is {away:.1g} of its standard deviations from 0, so its differences "
                               "can hardly be learned; subtract the mean of numeric features")
        return self

    def _check_parameters(self):
        true_or_false(self.crf, "crf")
        whole_number(self.embedding_dim, "embedding_dim")
        real_number(self.learning_rate, "learning_rate", above=0.0)
        for name in ("dropout", "attribute_dropout"):
            if real_number(getattr(self, name), name) >= 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected a number of at least 0 and below 1")
        if self.callback is not None and not callable(self.callback):
            raise ValueError(f"callback={self.callback!r}: expected a function of a Progress, or None")

    def _network(self, M, K, legal, rng):
        reader, width = self._reader(rng)
        M = max(M, 1)  # of tokens without attributes, whose labels have an order alone
        return TokenNetwork(reader, M, self.embedding_dim, width, K, crf=self.crf, legal=legal, dropout=self.dropout,
                            attribute_dropout=self.attribute_dropout, rng=rng)

    # --- asking

    def predict(self, X, known=None):
        """The best labels of each sequence, as lists; of an empty one, an empty list.

        NumPy takes the list (S,) of lists for an array of labels if they are equally long, else for one of lists.
        Raises ValueError for input that cannot be read, and where `known` and `forbidden` leave no path.

        Parameters
        ----------
        X : list (S,) of sequences
            The tokens.
        known : list (S,) of sequences or None, default=None
            Labels that are fixed, None where they are not.
        """
        starts, filled, E, model = self._field(X, known)
        y, score = tag_rows(E, filled, model)
        check_possible(score, starts)
        return Labelled.cut([self.classes_[k] for k in y.tolist()], starts)

    def predict_single(self, x):
        """The best labels of one sequence, (T,).  Raises ValueError as `predict` does.

        Parameters
        ----------
        x : sequence (T,)
            The tokens.
        """
        return self.predict([x])[0]

    def predict_marginals(self, X):
        """For each sequence and token a dict {label: probability}.  Raises ValueError as `predict` does.

        Parameters
        ----------
        X : list (S,) of sequences
            The tokens.
        """
        starts, filled, E, model = self._field(X)
        gamma, log_Z = marginals_of_rows(E, filled, model)
        check_possible(log_Z, starts)
        return Labelled.cut([dict(zip(self.classes_, row)) for row in gamma.tolist()], starts)

    def predict_n_best(self, X, n):
        """For each sequence its n best paths and their log-probabilities: (list of paths, array (n,)).

        Fewer if fewer are possible.  Raises ValueError as `predict` does.

        Parameters
        ----------
        X : list (S,) of sequences
            The tokens.
        n : int
            How many paths.
        """
        starts, filled, E, model = self._field(X)
        found = paths_of_rows(E, filled, model, n)
        check_possible(np.array([total[0] if total.size else -np.inf for _, total in found]), starts)
        named = iter([([[self.classes_[k] for k in path] for path in paths.tolist()], total) for paths, total in found])
        return [next(named) if T else ([[]], np.zeros(1)) for T in np.diff(starts)]

    def score(self, X, y):
        """The share of tokens whose label is right, of those whose label is known.  Raises ValueError as `predict`
        does.

        Parameters
        ----------
        X : list (S,) of sequences
            The tokens.
        y : list (S,) of sequences of str or int
            Their labels, None where they are not known.
        """
        return share_right(self.predict(X), y)

    def _field(self, X, known=None):
        """Where the sequences of `X` start, and those that are not empty; their emissions with ends; the Field."""
        self._check_fitted()
        X = as_sequences(X)
        check_columns(X, self.attributes_)
        starts, rows = read_tokens(X, self._numbers, grow=False)
        filled, K = starts[np.append(True, starts[1:] > starts[:-1])], len(self.classes_)
        crf = self.module_.crf
        model = field(np.zeros((K, K)), np.zeros(K), np.zeros(K), self._legal) if crf is None else crf.field()
        E = with_ends(self._emissions(_in_units(rows, self._units), filled), filled, model)
        if known is not None:
            y, _ = read_labels(known, starts, {label: k for k, label in enumerate(self.classes_)})
            E = agreeing(E, y)
        return starts, filled, E, model

    def _emissions(self, rows, starts):
        """(N, K) of tokens, the shortest sequences first, so that little is padding."""
        corpus, lengths = Corpus(starts, rows, np.arange(starts[-1], dtype=np.int32)), np.diff(starts)
        order, E, first = np.argsort(lengths, kind="stable"), np.empty((starts[-1], len(self.classes_)), np.float32), 0
        with in_mode(self.module_, False), no_grad():
            while first < len(order):
                left = lengths[order[first:first + AT_ONCE]]
                size = max(1, int(np.searchsorted(left * np.arange(1, len(left) + 1), AT_ONCE, side="right")))
                some, tokens, own = batch(corpus, order[first:first + size])
                E[tokens] = self.module_(some, np.diff(own)).data
                first += size
        return E

    # --- keeping

    def _kept_parameters(self):
        """The parameters as a file holds them."""
        parameters = {name: value for name, value in self.get_params().items() if name not in NOT_KEPT}
        if self.forbidden is not None and not isinstance(self.forbidden, str):
            parameters["forbidden"] = forbidden_pairs(self.forbidden)
        return parameters

    def save(self, path):
        """Write the model to a file.  Raises ValueError if it is not fitted, OSError if it cannot be written.

        callback, verbose and random_state are not kept.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        arrays = {f"weight {name}": array for name, array in self.module_.state_dict().items()}
        arrays |= {f"legal_{name}": part for name, part in self._legal._asdict().items()} | {"units": self._units}
        storage.save(path, self._kind(), arrays, dict(
            parameters=self._kept_parameters(), built=self._built, classes=self.classes_, attributes=self.attributes_,
            history=self.loss_history_))

    @classmethod
    def load(cls, path):
        """The model that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, cls._kind())
        legal, names = Legal(*(arrays[f"legal_{name}"] for name in Legal._fields)), rest["attributes"]
        network = cls(**rest["built"])._network(len(names), len(rest["classes"]), legal, generator(0)).eval()
        network.load_state_dict({name.removeprefix("weight "): array for name, array in arrays.items()
                                 if name.startswith("weight ")})
        model = cls(**rest["parameters"])
        vars(model).update(classes_=rest["classes"], attributes_=names, module_=network, _units=arrays["units"],
                           _legal=legal, _built=rest["built"], loss_history_=rest["history"],
                           n_iter_=len(rest["history"]), _numbers=Attributes((name, d) for d, name in enumerate(names)))
        return model

    @classmethod
    def _kind(cls):
        return f"scratchml.sequences.{cls.__name__}"


def _in_units(rows, units):
    """`rows` with every value in the unit of its column, float32.  Raises ValueError for what float32 cannot hold."""
    with np.errstate(over="ignore"):                     # what it cannot hold becomes infinite
        values = (rows.data * units[rows.indices]).astype(np.float32)
    if not np.isfinite(values).all():
        k = int((~np.isfinite(values)).argmax())
        raise ValueError(f"X: token {np.searchsorted(rows.indptr, k, side='right') - 1} has the value "
                         f"{rows.data[k]:.3g} for an attribute that was at most {2 / units[rows.indices[k]]:.3g} in "
                         "training; correct it, or scale the data")
    return rows._replace(data=values)
