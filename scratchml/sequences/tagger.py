"""The tagger: a conditional random field on features, trained, asked, inspected and saved.

What a token is like is told by names, "word=rain" or {"capital": True}; which weights there are follows from what was
seen; the chapter trainers finds them, the chapter decoding answers with them.

>>> X = [["it", "rains"], ["rain", "falls"], ["it", "falls"], ["rain"]]
>>> y = [["O", "VERB"], ["NOUN", "VERB"], ["O", "VERB"], ["NOUN"]]
>>> tagger = CRF("ap", random_state=0).fit([[[word, word[:4]] for word in words] for words in X], y)
>>> tagger.predict_single([["rain"], ["fell", "fall"]])
['NOUN', 'VERB']
"""
import os

import numpy as np

from scratchml.core import storage
from scratchml.core.estimator import Estimator
from scratchml.sequences.corpus import (Attributes, Corpus, Labelled, as_sequences, check_columns, chosen, edge_names,
                                        read_labels, read_tokens, share_right, some_columns)
from scratchml.sequences.crf import k_best, log_partition
from scratchml.sequences.crf_training import Features, Legal, Pattern, scores, seen_features
from scratchml.sequences.decoding import best_paths, field_of, marginals
from scratchml.sequences.one_sequence import Tagger
from scratchml.sequences.schemes import check_legal, check_possible, forbidden_pairs, legal_transitions
from scratchml.sequences.trainers import Training, check_parameters, read_judge

KIND = "scratchml.sequences.CRF"
REMEMBERED = ("_asked", "_tagger")                       # of questions: no part of the model
UNKEPT = ("callback", "verbose", "random_state", "model_filename")           # parameters that a file has not


class CRF(Estimator):
    """A linear-chain conditional random field for labelling sequences.

    X is a list of sequences.  A token is a dict of features (str: bool, number or str) or a list of strings, as for
    python-crfsuite; or a sequence is an array (T, D).  y is a list of lists of labels, strings or whole numbers; None
    is a label that is not known, over which training sums.

    Parameters
    ----------
    algorithm : {"lbfgs", "l2sgd", "ap", "pa", "arow"}, default="lbfgs"
        "lbfgs", the exact minimum, on all cores; "l2sgd", stochastic gradient descent; "ap", the averaged perceptron,
        "pa", passive-aggressive, and "arow", adaptive regularisation, which have no probabilities to speak of and no
        use for c1 and c2.
    c1 : float, default=0.0
        What a unit of |weight| costs; above 0 it needs "lbfgs" (OWL-QN).
    c2 : float, default=1.0
        What a unit of weight² costs, as in CRFsuite (no ½).
    max_iterations : int or None, default=None
        Iterations, or passes over the corpus, at most; None for no limit, 1000 passes ("l2sgd"), 100 (others).
    epsilon : float, default=1e-5
        "lbfgs" stops when ‖gradient‖ ≤ epsilon max(1, ‖weights‖), "ap" when the share of wrong tokens is at most that,
        "pa" and "arow" when what is missing to the margins is, on the mean.
    delta : float, default=1e-5
        "lbfgs" and "l2sgd" stop when the loss fell by at most delta times itself in `period` iterations.
    period : int, default=10
        How many iterations `delta` looks back.
    c : float, default=1.0
        How far "pa" may move the weights to correct one sequence; "arow" and others do not use it.
    pa_type : int, default=1
        0, 1 or 2: whether "pa" goes all the way to the margin, at most as far as `c`, or less far by 1/(2c).
    variance, gamma : float, default=1.0
        How unsure "arow" is of each weight at first, and how slowly it becomes sure.
    min_freq : float, default=0.0
        The least sum of |values| that a feature must have in the corpus.
    all_possible_states : bool, default=False
        Whether pairs (attribute, label) that were not seen have weights, too.
    all_possible_transitions : bool, default=False
        Whether pairs (label, next label) that were not seen have weights, too.
    edge_attributes : collection of str, such as a tuple, default=()
        Names of features ("word") or attributes ("word:Main") that have a weight for each pair of labels too.
    forbidden : {"BIO", "IOB1", "IOBES", "BILOU", "BMES"}, collection of pairs or None, default=None
        What must not follow each other: what a scheme does not allow, or pairs (label, next label), where both occur.
    warm_start : bool, default=False
        Whether `fit` begins at the weights of the last fit, by the names of what they are of, in place of 0.  Averages
        and variances of "ap", "pa" and "arow" begin anew.
    model_filename : str, path or None, default=None
        A file that `fit` saves the model in, and that a model which is not fitted reads when it is asked.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the order of sequences in all but "lbfgs".
    verbose : int, default=0
        1 for a line to stderr after each iteration.
    callback : callable or None, default=None
        Called with a `Progress` after each iteration; returning True stops the fit.

    Attributes
    ----------
    classes_ : the K labels, sorted
    attributes_ : the attributes, in the order in which they were first seen
    weights_ : (F,), the weights of states, transitions and edges
    loss_, loss_history_ : the loss with its penalties, of the whole corpus, after each iteration; for "l2sgd" on the
        way, for "ap" the share of wrong tokens, for "pa" and "arow" what is missing to the margin of a sequence
    dev_scores_ : after each iteration, the share of tokens of X_dev whose label is right; empty without X_dev
    n_iter_ : iterations done
    stop_reason_ : gradient, delta, max_iterations, callback or precision; for "ap", "pa" and "arow" epsilon
    """

    _takes_a_table = False                               # but sequences of tokens

    def __init__(self, algorithm="lbfgs", *, c1=0.0, c2=1.0, max_iterations=None, epsilon=1e-5, delta=1e-5, period=10,
                 c=1.0, pa_type=1, variance=1.0, gamma=1.0, min_freq=0.0, all_possible_states=False,
                 all_possible_transitions=False, edge_attributes=(), forbidden=None, warm_start=False,
                 model_filename=None, random_state=None, verbose=0, callback=None):
        self.algorithm = algorithm
        self.c1 = c1
        self.c2 = c2
        self.max_iterations = max_iterations
        self.epsilon = epsilon
        self.delta = delta
        self.period = period
        self.c = c
        self.pa_type = pa_type
        self.variance = variance
        self.gamma = gamma
        self.min_freq = min_freq
        self.all_possible_states = all_possible_states
        self.all_possible_transitions = all_possible_transitions
        self.edge_attributes = edge_attributes
        self.forbidden = forbidden
        self.warm_start = warm_start
        self.model_filename = model_filename
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    # --- training

    def fit(self, X, y, X_dev=None, y_dev=None):
        """Learn the weights.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the last finished iteration in the attributes.  A
        ConvergenceWarning says that max_iterations ended the fit, or that it stopped where the loss is still steep, as
        "l2sgd" does if numeric features are far from 1.
        Raises ValueError for bad parameters, an empty corpus or sequence, tokens that cannot be read, values that are
        NaN or infinite, labels that do not fit to X or break `forbidden`; it names sequence and token.

        Parameters
        ----------
        X : list (S,) of sequences
            The tokens.
        y : list (S,) of sequences of str or int
            Their labels, None where one is not known.
        X_dev, y_dev : list of sequences or None, default=None
            Sequences to judge by after each iteration, in `dev_scores_`; nothing is learned from them.
        """
        check_parameters(self)
        attributes = Attributes()
        starts, rows = read_tokens(X, attributes, grow=True)
        labels, classes = read_labels(y, starts)
        legal = legal_transitions(classes, self.forbidden)
        check_legal(labels, starts, legal, classes)
        corpus = Corpus(starts, rows, labels)
        has_edges = chosen(list(attributes), self.edge_attributes)
        judge = read_judge(X_dev, y_dev, attributes, has_edges, classes)
        edges = some_columns(rows, has_edges)
        features = seen_features(corpus, edges, legal, min_freq=self.min_freq, all_states=self.all_possible_states,
                                 all_pairs=self.all_possible_transitions)
        start = self._start(features, list(attributes), classes)
        learned = dict(classes_=classes, attributes_=list(attributes), _numbers=attributes, _features=features,
                       _has_edges=has_edges)
        Training(self, learned, judge).run(corpus, edges, start)
        if self.model_filename is not None:
            self.save(self.model_filename)
        return self

    def _start(self, features, attributes, classes):
        """Where the search for the weights (F,) begins: 0, or with a warm start what an earlier fit has found of
        them."""
        if not (self.warm_start and self.__sklearn_is_fitted__()):
            return np.zeros(sum(features.sizes))
        before = self.state_features_, self.transition_features_, self.edge_features_
        return np.array([weights.get(name, 0.0) for weights, names in
                         zip(before, weight_names(features, attributes, classes)) for name in names])

    # --- asking

    def predict(self, X, known=None):
        """The best path of each sequence, as lists of labels; of an empty one, an empty list.

        NumPy takes the list (S,) of lists for an array of labels if they are equally long, else for one of lists.
        Raises ValueError for input that cannot be read, and where `known` and `forbidden` leave no path.

        Parameters
        ----------
        X : list (S,) of sequences
            The tokens.
        known : list (S,) of sequences or None, default=None
            Labels that are fixed, None where they are not.
        """
        starts, *field = self._field(X, known)
        y, score = best_paths(*field)
        check_possible(score)
        return Labelled.cut([self.classes_[k] for k in y.tolist()], starts)

    def predict_single(self, x):
        """The best path of one sequence, (T,).  Raises ValueError as `predict` does.

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
        starts, *field = self._field(X, None)
        gamma, log_Z = marginals(*field)
        check_possible(log_Z)
        return Labelled.cut([dict(zip(self.classes_, row)) for row in gamma.tolist()], starts)

    def predict_marginals_single(self, x):
        """For each token of one sequence a dict {label: probability}, (T,).  Raises ValueError as `predict` does.

        Parameters
        ----------
        x : sequence (T,)
            The tokens.
        """
        return self.predict_marginals([x])[0]

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
        starts, corpus, edges, model = self._field(X, None)
        best, found = np.zeros(len(starts) - 1), []
        for s in range(len(best)):
            if starts[s] == starts[s + 1]:
                found.append(([[]], np.zeros(1)))
                continue
            E, A = field_of(corpus, edges, model, s)
            A = A[0] if len(A) == 1 else A
            paths, total = k_best(E, A, n)
            best[s] = total[0] if total.size else -np.inf
            found.append(([[self.classes_[k] for k in path] for path in paths.tolist()], total - log_partition(E, A)))
        check_possible(best)
        return found

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

    def _field(self, X, known):
        """Where the sequences of `X` start (S+1,), and what the kernels take: their corpus, its edges, the Scores."""
        self._check_fitted()
        X = as_sequences(X)
        check_columns(X, self.attributes_)
        starts, rows = read_tokens(X, self._numbers, grow=False)
        y = np.full(starts[-1], -1, np.int32)
        if known is not None:
            y, _ = read_labels(known, starts, {label: k for k, label in enumerate(self.classes_)})
        return starts, Corpus(starts, rows, y), some_columns(rows, self._has_edges), self._scores()

    def _scores(self):
        """The Scores of the weights, those of the last question if neither the array nor those of pairs are others."""
        pairs = self._features.split(self.weights_)[1].tobytes()
        weights, before, model = vars(self).get("_asked", (None, None, None))
        if weights is not self.weights_ or before != pairs:
            model = scores(self._features, self.weights_)
            self._asked = self.weights_, pairs, model    # the other weights lie in it as they are
        return model

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in REMEMBERED}

    def _check_fitted(self):
        if "weights_" in vars(self):
            return
        if self.model_filename is not None and os.path.exists(self.model_filename):
            found = vars(self.load(self.model_filename))
            vars(self).update({name: value for name, value in found.items() if name not in self._parameters()})
        super()._check_fitted()

    # --- inspection

    @property
    def tagger_(self):
        """The model as python-crfsuite's Tagger is asked, one sequence at a time."""
        self._check_fitted()
        if "_tagger" not in vars(self) or self._tagger.weights is not self.weights_:
            self._tagger = Tagger(self)
        return self._tagger

    @property
    def state_features_(self):
        """{(attribute, label): weight}"""
        return self._weights_by_name(0)

    @property
    def transition_features_(self):
        """{(label, next label): weight}"""
        return self._weights_by_name(1)

    @property
    def edge_features_(self):
        """{(attribute, label before, label): weight}"""
        return self._weights_by_name(2)

    def _weights_by_name(self, part):
        self._check_fitted()
        names = weight_names(self._features, self.attributes_, self.classes_)[part]
        return dict(zip(names, self._features.split(self.weights_)[part].tolist()))

    # --- keeping

    def save(self, path):
        """Write the model to a file.  Raises ValueError if it is not fitted, OSError if it cannot be written.

        callback, verbose, random_state and model_filename are not kept.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        features = self._features
        arrays = dict(weights=self.weights_, pairs=features.pairs, has_edges=self._has_edges,
                      **{f"legal_{name}": part for name, part in features.legal._asdict().items()})
        for name in ("states", "edges"):
            part = getattr(features, name)
            arrays |= {f"{name}_indptr": part.indptr, f"{name}_columns": part.columns}
        parameters = {name: value for name, value in self.get_params().items()
                      if name not in UNKEPT}
        parameters["edge_attributes"] = edge_names(self.edge_attributes)
        if self.forbidden is not None and not isinstance(self.forbidden, str):
            parameters["forbidden"] = forbidden_pairs(self.forbidden)
        storage.save(path, KIND, arrays, dict(parameters=parameters, classes=self.classes_, attributes=self.attributes_,
                                              history=self.loss_history_, dev=self.dev_scores_, n_iter=self.n_iter_,
                                              reason=self.stop_reason_))

    @classmethod
    def load(cls, path):
        """The model that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, KIND)
        K, names = len(rest["classes"]), rest["attributes"]
        model = cls(**rest["parameters"])
        features = Features(Pattern(arrays["states_indptr"], arrays["states_columns"], K), arrays["pairs"],
                            Pattern(arrays["edges_indptr"], arrays["edges_columns"], K * K),
                            Legal(*(arrays[f"legal_{name}"] for name in Legal._fields)))
        numbers = Attributes((name, d) for d, name in enumerate(names))
        history = rest["history"]
        vars(model).update(classes_=rest["classes"], attributes_=names, _numbers=numbers, _features=features,
                           _has_edges=arrays["has_edges"], weights_=arrays["weights"], loss_=history[-1],
                           loss_history_=history, dev_scores_=rest["dev"], n_iter_=rest["n_iter"],
                           stop_reason_=rest["reason"])
        return model


# --- pieces --------------------------------------------------------------------------------------


def weight_names(features, attributes, classes):
    """What weights are of, three lists: (attribute, label), (label, next label), (attribute, label, next label).

    `features` are Features, `attributes` (M,) and `classes` (K,) names.  Raises nothing.
    """
    pairs = [(before, label) for before in classes for label in classes]
    return ([(attributes[d], classes[k]) for d, k in _entries(features.states)],
            [pairs[k] for k in features.pairs.tolist()],
            [(attributes[d], *pairs[k]) for d, k in _entries(features.edges)])


def _entries(pattern):
    of = np.repeat(np.arange(len(pattern.indptr) - 1), np.diff(pattern.indptr))
    return zip(of.tolist(), pattern.columns.tolist())
