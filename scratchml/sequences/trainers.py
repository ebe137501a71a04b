"""From a corpus to the weights of a tagger: which method looks for them, where it begins, and when it stops.

"lbfgs" sees all sequences before each step, and ends at the minimum; the others, of the chapter crf_online, take one
sequence after the other in an order that is drawn anew for each pass.  All begin at θ = 0, or at a θ that is given.
After each iteration the tagger has the weights as they are then, and what they are worth on sequences that nothing was
learned from: so that Ctrl-C, or a callback that has seen enough, leaves a whole model.
"""
import os
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import one_of, real_number, true_or_false, whole_number
from scratchml.core.estimator import warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import Rows
from scratchml.optim.lbfgs import lbfgs, norm
from scratchml.sequences.corpus import Corpus, edge_names, read_labels, read_tokens, some_columns
from scratchml.sequences.crf_online import AdaptiveRegularization, GradientDescent, PassiveAggressive, Perceptron
from scratchml.sequences.crf_training import CorpusLoss, offset, scores, weight_units
from scratchml.sequences.decoding import best_paths
from scratchml.sequences.schemes import check_possible

AWAY = 1e4                                               # deviations from 0, where a loss that rests proves nothing
FAR = 0.03                                               # share of the first slope that no minimum has
# The algorithms, and max_iterations if it is None.
PASSES = {"lbfgs": None, "l2sgd": 1000, "ap": 100, "pa": 100, "arow": 100}


def check_parameters(crf):
    """Raises ValueError for parameters of the tagger `crf` that are wrong or do not go together."""
    one_of(crf.algorithm, "algorithm", tuple(PASSES))
    for name in ("c1", "c2", "epsilon", "delta", "min_freq"):
        real_number(getattr(crf, name), name)
    for name in ("c", "variance", "gamma"):
        real_number(getattr(crf, name), name, above=0)
    if whole_number(crf.pa_type, "pa_type", least=0) > 2:
        raise ValueError(f"pa_type={crf.pa_type!r}: expected 0, 1 or 2")
    if crf.c1 > 0 and crf.algorithm != "lbfgs":
        raise ValueError(f"c1={crf.c1!r}: algorithm={crf.algorithm!r} knows no c1; set c1=0 or algorithm='lbfgs'")
    for name in ("all_possible_states", "all_possible_transitions", "warm_start"):
        true_or_false(getattr(crf, name), name)
    edge_names(crf.edge_attributes)
    whole_number(crf.period, "period")
    if crf.max_iterations is not None:
        whole_number(crf.max_iterations, "max_iterations")
    if crf.model_filename is not None:
        if not isinstance(crf.model_filename, (str, os.PathLike)):
            raise ValueError(f"model_filename={crf.model_filename!r}: expected the path of a file, or None")
        if os.path.isdir(crf.model_filename):
            raise ValueError(f"model_filename={crf.model_filename!r}: expected a file, but this is a folder")
        if not os.path.isdir(folder := os.path.dirname(os.path.abspath(crf.model_filename))):
            raise ValueError(f"model_filename={crf.model_filename!r}: there is no folder {folder}; make it first")


class Judge(NamedTuple):
    """Sequences that nothing is learned from, and their labels."""
    corpus: Corpus                                       # y: -1 where unknown, -2 for a label that was not seen
    edges: Rows

    def share_right(self, model):
        """The share of tokens whose label is right under the Scores `model`, of those whose label is known."""
        asked = self.corpus._replace(y=np.full_like(self.corpus.y, -1))
        found, score = best_paths(asked, self.edges, model)
        try:
            check_possible(score)
        except ValueError as error:
            raise ValueError(f"X_dev, y_dev: {error}") from None
        return float((found == self.corpus.y)[self.corpus.y != -1].mean())


def read_judge(X, y, attributes, has_edges, classes):
    """What `fit` is given as X_dev and y_dev, as a Judge; None without them.  Raises ValueError for what is neither."""
    if X is None and y is None:
        return None
    if X is None or y is None:
        raise ValueError(f"{'y_dev' if X is None else 'X_dev'}: expected both X_dev and y_dev, or none")
    try:
        starts, rows = read_tokens(X, attributes, grow=False)
        labels, _ = read_labels(y, starts, {label: k for k, label in enumerate(classes)}, others=True)
    except ValueError as error:
        raise ValueError(f"X_dev, y_dev: {error}") from None
    if (labels == -1).all():
        raise ValueError("y_dev: no token has a label")
    return Judge(Corpus(starts, rows, labels), some_columns(rows, has_edges))


class Training:
    """One fit of a tagger: how far it is, and what the tagger has of it after each iteration."""

    def __init__(self, crf, learned, judge):
        self.crf, self.learned, self.judge = crf, learned, judge
        self.history, self.judged = [], []               # losses, and shares of X_dev that are right

    def finished(self, theta, loss, reason=""):
        """Hand on what an iteration has come to.  True if the fit shall stop."""
        self.history.append(loss)
        note = ""
        if self.judge is not None:
            self.judged.append(self.judge.share_right(scores(self.learned["_features"], theta)))
            note = f", right in X_dev {self.judged[-1]:.6f}"
        self.keep(theta, loss, reason)
        return report(self.crf, len(self.history), loss, note)

    def keep(self, theta, loss, reason):
        """Set the attributes of the tagger, all at once."""
        vars(self.crf).update(self.learned, weights_=theta, loss_=loss, loss_history_=list(self.history) or [loss],
                              dev_scores_=list(self.judged), n_iter_=len(self.history), stop_reason_=reason)

    def run(self, corpus, edges, start):
        """Find the weights, beginning at `start` (F,); a ConvergenceWarning says where that has not quite come off."""
        features, crf = self.learned["_features"], self.crf
        train = {"lbfgs": self._lbfgs, "l2sgd": self._l2sgd}.get(crf.algorithm, self._corrected)
        left = train(corpus, edges, features, start)
        if crf.stop_reason_ == "max_iterations":
            warn_not_converged(f"the fit ended after max_iterations={crf.n_iter_} iterations; raise max_iterations, "
                               "epsilon or delta", above=1)
        elif crf.stop_reason_ in ("delta", "precision") and (away := offset(corpus.rows)) > AWAY:
            warn_not_converged(f"the fit may have stopped far from the minimum: a numeric feature is {away:.1g} of its "
                               "standard deviations from 0; subtract the mean of numeric features", above=1)
        elif left > FAR and crf.stop_reason_ in ("delta", "precision"):
            warn_not_converged(f"the fit stopped far from the minimum: the slope is still {left:.1g} of that at the "
                               "start; subtract the mean of numeric features and divide them by their standard "
                               "deviation", above=1)

    def _lbfgs(self, corpus, edges, features, start):
        """Find the minimum, in units that suit L-BFGS; returns what share of the slope at 0 is left."""
        crf, units = self.crf, weight_units(corpus.rows, features)
        loss = CorpusLoss(corpus, edges, features, crf.c2)
        slopes = [norm(loss(np.zeros(units.size))[1] * units)] if start.any() else []

        def fun(x):
            value, slope = loss(x * units)
            slopes.append(norm(slope * units))
            return value, slope * units

        def after(now):
            return self.finished(now.x * units, now.value)
        found = lbfgs(fun, start / units, c=crf.c1 * units if crf.c1 else 0.0, max_iterations=crf.max_iterations,
                      epsilon=crf.epsilon, delta=crf.delta, period=crf.period, callback=after)
        self.keep(found.x * units, self.history[-1] if self.history else found.value, found.reason)
        crf.n_iter_ = found.iterations
        return norm(found.gradient) / slopes[0] if slopes[0] else 0.0

    def _l2sgd(self, corpus, edges, features, start):
        """Step down one sequence after the other; returns what share of the slope at 0 is left."""
        crf, rng = self.crf, generator(self.crf.random_state)
        descent = GradientDescent(corpus, edges, features, crf.c2, theta=start)
        descent.calibrate(rng.permutation(descent.S)[:1000])

        def ended(history):
            now, before = history[-1], history[-1 - int(crf.period):][0]
            return "delta" if len(history) > crf.period and before - now <= crf.delta * abs(now) else ""
        self._in_passes(descent, rng, ended)
        if (units := weight_units(corpus.rows, features)).min(initial=1) == 1:
            return 0.0                                   # no value is large, and steps suit all weights
        loss = CorpusLoss(corpus, edges, features, crf.c2)
        last, first = (norm(units * loss(theta)[1]) for theta in (crf.weights_, np.zeros(units.size)))
        return last / first if first else 0.0

    def _corrected(self, corpus, edges, features, start):
        crf = self.crf
        method, own = {"ap": (Perceptron, {}), "pa": (PassiveAggressive, dict(c=crf.c, pa_type=int(crf.pa_type))),
                       "arow": (AdaptiveRegularization, dict(variance=crf.variance, gamma=crf.gamma))}[crf.algorithm]
        self._in_passes(method(corpus, edges, features, **own, theta=start), generator(crf.random_state),
                        lambda history: "epsilon" if history[-1] <= crf.epsilon else "")
        return 0.0

    def _in_passes(self, learn, rng, ended):
        crf, limit = self.crf, self.crf.max_iterations or PASSES[self.crf.algorithm]
        while True:
            loss = float(learn(rng.permutation(learn.S)))
            history = [*self.history, loss]
            if not np.isfinite(loss):
                raise ValueError(f"X: the loss has left the range of float64 in pass {len(history)}, as numeric "
                                 "features are too large for steps of one length; subtract their means and divide them "
                                 "by their standard deviations, or set algorithm='lbfgs'")
            reason = ended(history) or ("max_iterations" if len(history) >= limit else "")
            if self.finished(learn.weights(), loss, reason):
                crf.stop_reason_ = "callback"
            if crf.stop_reason_:
                return
