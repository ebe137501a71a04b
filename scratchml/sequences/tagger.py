"""The tagger: a conditional random field on features, trained, asked, inspected and saved.

What a token is like is told by names, "word=rain" or {"capital": True}; which weights there are follows from what was
seen; the chapters crf_training and crf_online find them, the chapter crf answers.

>>> X = [["it", "rains"], ["rain", "falls"], ["it", "falls"], ["rain"]]
>>> y = [["O", "VERB"], ["NOUN", "VERB"], ["O", "VERB"], ["NOUN"]]
>>> tagger = CRF("ap", random_state=0).fit([[[word, word[:4]] for word in words] for words in X], y)
>>> tagger.predict_single([["rain"], ["fell", "fall"]])
['NOUN', 'VERB']
"""
import numpy as np

from scratchml.core import storage
from scratchml.core.checks import one_of, real_number, true_or_false, whole_number
from scratchml.core.estimator import Estimator, compatible, warn_not_converged
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.optim.lbfgs import lbfgs, norm
from scratchml.sequences.corpus import (Attributes, Corpus, Labelled, as_sequences, check_columns, chosen, edge_names,
                                        read_labels, read_tokens, share_right, some_columns)
from scratchml.sequences.crf import best_path, k_best, log_partition
from scratchml.sequences.crf_online import AdaptiveRegularization, GradientDescent, PassiveAggressive, Perceptron
from scratchml.sequences.crf_scaled import add_marginals, add_marginals_in_log_space
from scratchml.sequences.crf_training import (CorpusLoss, Features, Legal, Pattern, fixed, offset, scores, seen_features,
                                              state_scores, step_scores, weight_units)
from scratchml.sequences.schemes import check_legal, check_possible, forbidden_pairs, legal_transitions

KIND = "scratchml.sequences.CRF"
AWAY = 1e4                                               # deviations from 0, where a loss that rests proves nothing
FAR = 0.03                                               # share of the first slope that no minimum has
# The algorithms, and max_iterations if it is None.
PASSES = {"lbfgs": None, "l2sgd": 1000, "ap": 100, "pa": 100, "arow": 100}


class CRF(Estimator):
    """A linear-chain conditional random field for labelling sequences.

    X is a list of sequences.  A token is a dict of features (str: bool, number or str) or a list of strings, as for
    python-crfsuite; or a sequence is an array (T, D).  y is a list of lists of labels, strings or whole numbers; None
    is a label that is not known, over which training sums.

    Parameters
    ----------
    algorithm : {"lbfgs", "l2sgd", "ap", "pa", "arow"}, default="lbfgs"
        "lbfgs", the exact minimum, on all cores; "l2sgd", stochastic gradient descent; "ap", the averaged perceptron,
        "pa", passive-aggressive, and "arow", adaptive regularisation, which have no probabilities to speak of and no use
        for c1 and c2.
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
    forbidden : {"BIO", "IOBES"}, collection of pairs or None, default=None
        What must not follow each other: what these schemes do not allow, or pairs (label, next label), where both occur.
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
    n_iter_ : iterations done
    stop_reason_ : gradient, delta, max_iterations, callback or precision; for "ap", "pa" and "arow" epsilon
    """

    _takes_a_table = False                               # but sequences of tokens

    def __init__(self, algorithm="lbfgs", *, c1=0.0, c2=1.0, max_iterations=None, epsilon=1e-5, delta=1e-5, period=10,
                 c=1.0, pa_type=1, variance=1.0, gamma=1.0, min_freq=0.0, all_possible_states=False,
                 all_possible_transitions=False, edge_attributes=(), forbidden=None, random_state=None, verbose=0,
                 callback=None):
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
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    # --- training

    def fit(self, X, y):
        """Learn the weights.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the last finished iteration in the attributes.  A ConvergenceWarning
        says that max_iterations ended the fit, or that it stopped where the loss is still steep, as "l2sgd" does if
        numeric features are far from 1.
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
        attributes = Attributes()
        starts, rows = read_tokens(X, attributes, grow=True)
        labels, classes = read_labels(y, starts)
        legal = legal_transitions(classes, self.forbidden)
        check_legal(labels, starts, legal, classes)
        corpus = Corpus(starts, rows, labels)
        has_edges = chosen(list(attributes), self.edge_attributes)
        edges = some_columns(rows, has_edges)
        features = seen_features(corpus, edges, legal, min_freq=self.min_freq, all_states=self.all_possible_states,
                                 all_pairs=self.all_possible_transitions)
        self._learned = dict(classes_=classes, attributes_=list(attributes), _numbers=attributes, _features=features,
                             _has_edges=has_edges)
        train = {"lbfgs": self._lbfgs, "l2sgd": self._l2sgd}.get(self.algorithm, self._corrected)
        try:
            left = train(corpus, edges, features)
        finally:
            del self._learned
        if self.stop_reason_ == "max_iterations":
            warn_not_converged(f"the fit ended after max_iterations={self.n_iter_} iterations; raise max_iterations, "
                               "epsilon or delta")
        elif self.stop_reason_ in ("delta", "precision") and (away := offset(rows)) > AWAY:
            warn_not_converged(f"the fit may have stopped far from the minimum: a numeric feature is {away:.1g} of its "
                               "standard deviations from 0; subtract the mean of numeric features")
        elif left > FAR and self.stop_reason_ in ("delta", "precision"):
            warn_not_converged(f"the fit stopped far from the minimum: the slope is still {left:.1g} of that at the start; "
                               "subtract the mean of numeric features and divide them by their standard deviation")
        return self

    def _check_parameters(self):
        one_of(self.algorithm, "algorithm", tuple(PASSES))
        for name in ("c1", "c2", "epsilon", "delta", "min_freq"):
            real_number(getattr(self, name), name)
        for name in ("c", "variance", "gamma"):
            real_number(getattr(self, name), name, above=0)
        if whole_number(self.pa_type, "pa_type", least=0) > 2:
            raise ValueError(f"pa_type={self.pa_type!r}: expected 0, 1 or 2")
        if self.c1 > 0 and self.algorithm != "lbfgs":
            raise ValueError(f"c1={self.c1!r}: algorithm={self.algorithm!r} knows no c1; set c1=0 or algorithm='lbfgs'")
        for name in ("all_possible_states", "all_possible_transitions"):
            true_or_false(getattr(self, name), name)
        edge_names(self.edge_attributes)
        whole_number(self.period, "period")
        if self.max_iterations is not None:
            whole_number(self.max_iterations, "max_iterations")

    def _keep(self, theta, history, reason=""):
        """Take a finished iteration into the attributes, all at once."""
        vars(self).update(self._learned, weights_=theta, loss_=history[-1], loss_history_=history,
                          n_iter_=len(history), stop_reason_=reason)

    def _lbfgs(self, corpus, edges, features):
        """Find the minimum, in units that suit L-BFGS; returns what share of the first slope is left."""
        loss, units = CorpusLoss(corpus, edges, features, self.c2), weight_units(corpus.rows, features)
        slopes, history = [], []

        def fun(x):
            value, slope = loss(x * units)
            slopes.append(norm(slope * units))
            return value, slope * units

        def after(now):
            history.append(now.value)
            self._keep(now.x * units, list(history))
            return report(self, now.iterations, now.value)
        found = lbfgs(fun, np.zeros(units.size), c=self.c1 * units if self.c1 else 0.0, max_iterations=self.max_iterations,
                      epsilon=self.epsilon, delta=self.delta, period=self.period, callback=after)
        self._keep(found.x * units, history or [found.value], found.reason)
        self.n_iter_ = found.iterations
        return norm(found.gradient) / slopes[0] if slopes[0] else 0.0

    def _l2sgd(self, corpus, edges, features):
        """Step down one sequence after the other; returns what share of the first slope is left."""
        rng = generator(self.random_state)
        descent = GradientDescent(corpus, edges, features, self.c2)
        descent.calibrate(rng.permutation(descent.S)[:1000])

        def ended(history):
            now, before = history[-1], history[-1 - int(self.period):][0]
            return "delta" if len(history) > self.period and before - now <= self.delta * abs(now) else ""
        self._in_passes(descent, rng, ended)
        if (units := weight_units(corpus.rows, features)).min(initial=1) == 1:
            return 0.0                                   # no value is large, and steps suit all weights
        loss = CorpusLoss(corpus, edges, features, self.c2)
        last, first = (norm(units * loss(theta)[1]) for theta in (self.weights_, np.zeros(units.size)))
        return last / first if first else 0.0

    def _corrected(self, corpus, edges, features):
        method, own = {"ap": (Perceptron, {}), "pa": (PassiveAggressive, dict(c=self.c, pa_type=int(self.pa_type))),
                       "arow": (AdaptiveRegularization, dict(variance=self.variance, gamma=self.gamma))}[self.algorithm]
        self._in_passes(method(corpus, edges, features, **own), generator(self.random_state),
                        lambda history: "epsilon" if history[-1] <= self.epsilon else "")
        return 0.0

    def _in_passes(self, learn, rng, ended):
        limit, history = self.max_iterations or PASSES[self.algorithm], []
        while True:
            history.append(float(learn(rng.permutation(learn.S))))
            if not np.isfinite(history[-1]):
                raise ValueError(f"X: the loss has left the range of float64 in pass {len(history)}, as numeric features are "
                                 "too large for steps of one length; subtract their means and divide them by their "
                                 "standard deviations, or set algorithm='lbfgs'")
            reason = ended(history) or ("max_iterations" if len(history) >= limit else "")
            self._keep(learn.weights(), list(history), reason)
            if report(self, len(history), history[-1]):
                self.stop_reason_ = "callback"
            if self.stop_reason_:
                return

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
        starts, corpus, edges, model = self._field(X, known)
        y, score = np.empty(len(corpus.y), np.int32), np.empty(len(corpus.starts) - 1)
        run_chunks(_tag, len(score), corpus, edges, model, y, score, chunk=max(1, min(64, len(score) // 8)))
        check_possible(score, starts)
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
        starts, corpus, edges, model = self._field(X, None)
        gamma, log_Z = np.zeros((len(corpus.y), len(self.classes_))), np.empty(len(corpus.starts) - 1)
        run_chunks(_marginals, len(log_Z), corpus, edges, model, gamma, log_Z, chunk=max(1, min(64, len(log_Z) // 8)))
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
        starts, corpus, edges, model = self._field(X, None)
        best, found = np.empty(len(corpus.starts) - 1), []
        for s in range(len(best)):
            E, A = field_of(corpus, edges, model, s)
            A = A[0] if len(A) == 1 else A
            paths, total = k_best(E, A, n)
            best[s] = total[0] if total.size else -np.inf
            found.append(([[self.classes_[k] for k in path] for path in paths.tolist()], total - log_partition(E, A)))
        check_possible(best, starts)
        found = iter(found)
        return [next(found) if T else ([[]], np.zeros(1)) for T in np.diff(starts)]

    def score(self, X, y):
        """The share of tokens whose label is right, of those whose label is known.  Raises ValueError as `predict` does.

        Parameters
        ----------
        X : list (S,) of sequences
            The tokens.
        y : list (S,) of sequences of str or int
            Their labels, None where they are not known.
        """
        return share_right(self.predict(X), y)

    def _field(self, X, known):
        """Where the sequences of `X` start (S+1,), and the corpus of those that are not empty, as the kernels take it."""
        self._check_fitted()
        X = as_sequences(X)
        check_columns(X, self.attributes_)
        starts, rows = read_tokens(X, self._numbers, grow=False)
        y = np.full(starts[-1], -1, np.int32)
        if known is not None:
            y, _ = read_labels(known, starts, {label: k for k, label in enumerate(self.classes_)})
        filled = np.append(True, starts[1:] > starts[:-1])
        return (starts, Corpus(starts[filled], rows, y), some_columns(rows, self._has_edges),
                scores(self._features, self.weights_))

    # --- inspection

    @property
    def state_features_(self):
        """{(attribute, label): weight}"""
        self._check_fitted()
        weights, _, _ = self._features.split(self.weights_)
        return {(self.attributes_[d], self.classes_[k]): w for d, k, w in _entries(self._features.states, weights)}

    @property
    def transition_features_(self):
        """{(label, next label): weight}"""
        self._check_fitted()
        _, weights, _ = self._features.split(self.weights_)
        pairs = (divmod(k, len(self.classes_)) for k in self._features.pairs.tolist())
        return {(self.classes_[i], self.classes_[j]): w for (i, j), w in zip(pairs, weights.tolist())}

    @property
    def edge_features_(self):
        """{(attribute, label before, label): weight}"""
        self._check_fitted()
        _, _, weights = self._features.split(self.weights_)
        K, names = len(self.classes_), self.classes_
        return {(self.attributes_[d], names[k // K], names[k % K]): w
                for d, k, w in _entries(self._features.edges, weights)}

    # --- keeping

    def save(self, path):
        """Write the model to a file.  Raises ValueError if it is not fitted, OSError if it cannot be written.

        callback, verbose and random_state are not kept.

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
                      if name not in ("callback", "verbose", "random_state")}
        parameters["edge_attributes"] = edge_names(self.edge_attributes)
        if self.forbidden is not None and not isinstance(self.forbidden, str):
            parameters["forbidden"] = forbidden_pairs(self.forbidden)
        storage.save(path, KIND, arrays, dict(parameters=parameters, classes=self.classes_, attributes=self.attributes_,
                                              history=self.loss_history_, n_iter=self.n_iter_, reason=self.stop_reason_))

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
        model._learned = dict(classes_=rest["classes"], attributes_=names, _numbers=numbers, _features=features,
                              _has_edges=arrays["has_edges"])
        model._keep(arrays["weights"], rest["history"], rest["reason"])
        model.n_iter_ = rest["n_iter"]
        del model._learned
        return model


# --- pieces --------------------------------------------------------------------------------------


def _entries(pattern, weights):
    of = np.repeat(np.arange(len(pattern.indptr) - 1), np.diff(pattern.indptr))
    return zip(of.tolist(), pattern.columns.tolist(), weights.tolist())


@kernel
def field_of(corpus, edges, model, s):
    """E (T, K), with known labels fixed, and A (1, K, K) or (T-1, K, K) of sequence s."""
    first, T, K = corpus.starts[s], corpus.starts[s + 1] - corpus.starts[s], model.first.size
    E = fixed(state_scores(corpus, s, model), corpus.y[first:first + T])
    if edges.indices.size == 0 or T == 1:
        return E, model.A.copy().reshape((1, K, K))
    return E, step_scores(edges, first, T, model)[1:].copy().reshape((T - 1, K, K))


@kernel
def _tag(c, start, stop, corpus, edges, model, y, score):
    """The best paths of sequences start ... stop-1 into `y` (N,), their scores into `score` (S,)."""
    for s in range(start, stop):
        E, A = field_of(corpus, edges, model, s)
        score[s] = best_path(E, A, y[corpus.starts[s]:corpus.starts[s + 1]])


@kernel
def _marginals(c, start, stop, corpus, edges, model, gamma, log_Z):
    """γ of sequences start ... stop-1 into `gamma` (N, K), which is zero, and log Z into `log_Z` (S,)."""
    K = model.first.size
    for s in range(start, stop):
        E, A = field_of(corpus, edges, model, s)
        own = gamma[corpus.starts[s]:corpus.starts[s + 1]]
        if edges.indices.size == 0:
            log_Z[s] = add_marginals(E, model.A, model.M, model.Mt, 1.0, own, np.zeros((K, K)))
        else:
            log_Z[s] = add_marginals_in_log_space(E, A, 1.0, own, np.zeros((1, K, K)))
