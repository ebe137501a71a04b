"""Training a conditional random field one sequence at a time: stochastic gradient descent, the averaged perceptron.

L-BFGS looks at the whole corpus before it moves.  When the corpus is large, a step after every sequence has learnt most
of it by the time of the first full look.  Gradient descent steps along the slope of one sequence's loss; its steps
shrink, so that it settles at the same minimum.  The perceptron asks for less: only if the best path is wrong, what the
right path has gains 1 and what the wrong one has loses 1.  It never settles, but the mean of all its weights
is as good a model as the others, at a third of the cost, without a probability.

Symbols
    S               sequences in the corpus
    θ, theta  (F,)  the weights, θ₀ = 0
    g, phi, best  (F,), (F,), (F,)   slope of one sequence's loss; features Φ of the right path, of the best path
    u     (F,)      Σ k (Φ(y) - Φ(ŷ)) over all steps k = 0, 1, ...
    η, eta          step size
    λ, lam          2 c2 / S: what a sequence's share of the penalty pulls with
    k, n            number of a step, of all steps

Equations
    (1)  θ ← (1 - η λ) θ - η g                                                    descend
    (2)  η_k = η_0 / (1 + η_0 λ k)                                                step_size
    (3)  θ ← θ + Φ(y) - Φ(ŷ)                                                      correct
    (4)  mean of θ_1 ... θ_n = θ_n - u / n                                        mean_weights

Choices
    In (1) nearly all of θ only shrinks, so θ is kept as a factor and a vector; a step costs what the sequence has.
    η_0 is the power of two, times 0.1, that leaves the lowest loss after one pass over 1,000 sequences at most.
    ŷ and, where labels are unknown, y are the best path, and the best that agrees with what is known.
    Both draw a new order of the sequences for each pass, and are sequential: one core.

Cost
    A pass costs one loss and gradient of the chapter crf_training on one core; for the perceptron, one decoding.

>>> descend(np.array([1.0, 0.0]), np.array([0.5, -1.0]), 0.1, 0.2).round(3).tolist()
[0.93, 0.1]
>>> [round(step_size(0.5, 0.1, k), 3) for k in (0, 20, 200)]
[0.5, 0.25, 0.045]

Sources: S. Shalev-Shwartz, Y. Singer and N. Srebro, "Pegasos", ICML 2007, section 2, for (1) and (2), and L. Bottou,
"Stochastic gradient descent tricks" (2012), section 5.1, for the factor and η_0; M. Collins, "Discriminative training
methods for hidden Markov models", EMNLP 2002, section 2, for (3) and (4).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.elementary import exp
from scratchml.core.jit import kernel
from scratchml.sequences.crf import best_path
from scratchml.sequences.crf_scaled import SPAN
from scratchml.sequences.crf_training import (add_slopes, fixed, penalty, scores, sequence_loss, sequence_loss_of_steps,
                                              state_scores, step_scores)

# --- the equations -------------------------------------------------------------------------------


def descend(theta, g, eta, lam):
    """(1)  θ ← (1 - η λ) θ - η g

    Shapes: theta (F), g (F), eta, lam -> (F)
    """
    return (1 - eta * lam) * theta - eta * g


@kernel
def step_size(eta, lam, k):
    """(2)  η_k = η_0 / (1 + η_0 λ k)

    Shapes: eta, lam, k -> ()
    """
    return eta / (1 + eta * lam * k)


def correct(theta, phi, best):
    """(3)  θ ← θ + Φ(y) - Φ(ŷ)

    Shapes: theta (F), phi (F), best (F) -> (F)
    """
    return theta + phi - best


def mean_weights(theta, u, n):
    """(4)  mean of θ_1 ... θ_n = θ_n - u / n

    Shapes: theta (F), u (F), n -> (F)
    """
    return theta - u / n


# --- whole passes ---------------------------------------------------------------------------------


class Learner(NamedTuple):
    """What the steps change: θ = factor * weights, and u."""
    theta: np.ndarray                                    # (F,) weights
    u: np.ndarray                                        # (F,)
    pairs: np.ndarray                                    # (n,) int32, as in Features
    clock: np.ndarray                                    # factor, steps done, η_0, λ


class _Online:
    """Passes over a corpus: sets up what both methods share."""

    def __init__(self, corpus, edges, features, c2=0.0, eta=1.0):
        self.corpus, self.edges, self.features, self.c2 = corpus, edges, features, c2
        self.S = len(corpus.starts) - 1
        self.start(eta)

    def start(self, eta):
        """θ = 0, no step done."""
        size = sum(self.features.sizes)
        self.learner = Learner(np.zeros(size), np.zeros(size), self.features.pairs,
                               np.array([1.0, 0.0, eta, 2 * self.c2 / self.S]))
        self.model = scores(self.features, self.learner.theta)

    def _in_pieces(self, step, order):
        """The steps of `order`, some sequences a call, so that Ctrl-C is heard in between."""
        return sum(step(order[k:k + 256], self.corpus, self.edges, self.model, self.learner)
                   for k in range(0, len(order), 256))


class GradientDescent(_Online):
    """(1) and (2): one step a sequence."""

    def __call__(self, order):
        """A pass over the sequences `order`; the losses on the way, and the penalty at its end."""
        total = self._in_pieces(_descend_each, order)
        return total + penalty(self.weights(), 0.0, self.c2) * len(order) / self.S

    def weights(self):
        """θ (F,)."""
        return self.learner.clock[0] * self.learner.theta

    def calibrate(self, order):
        """Start anew with the η_0 that is best for the sequences `order`."""
        def trial(eta):
            if eta * 2 * self.c2 / self.S >= 1:          # (1) would turn θ around
                return np.inf
            self.start(eta)
            self(order)
            self.learner.clock[2:] = 0                   # a further look, without steps
            after = self(order)
            return after if after < np.inf else np.inf   # NaN too

        best, loss = 0.1, trial(0.1)
        for factor in (2.0, 0.5):
            while (tried := trial(best * factor)) < loss or tried == loss == np.inf and factor < 1 and best > 1e-9:
                best, loss = best * factor, tried
            if best != 0.1:
                break
        self.start(best)


class Perceptron(_Online):
    """(3) for each sequence whose best path is wrong."""

    def __call__(self, order):
        """A pass over the sequences `order`; the mean share of tokens that were wrong."""
        return self._in_pieces(_correct_each, order) / len(order)

    def weights(self):
        """(4)."""
        return mean_weights(self.learner.theta, self.learner.u, max(self.learner.clock[1], 1))


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _descend_each(order, corpus, edges, model, learner):
    """(1) for each sequence of `order`, on the weights in place; returns the sum of their losses."""
    K, clock = model.first.size, learner.clock
    total = 0.0
    for s in order:
        first, last = corpus.starts[s], corpus.starts[s + 1]
        y, E = corpus.y[first:last], clock[0] * state_scores(corpus, s, model)
        dE, dA, slopes = np.zeros((last - first, K)), np.zeros((K, K)), np.zeros((0, 0))
        if edges.indices.size == 0:
            _set_transitions(model, learner, clock[0])
            _set_factors(model)
            total += sequence_loss(E, y, model, dE, dA)
        else:
            _set_transitions(model, learner, 1.0)
            steps, slopes = clock[0] * step_scores(edges, first, last - first, model), np.zeros((last - first, K * K))
            total += sequence_loss_of_steps(E, y, steps, dE, slopes)
            for t in range(1, last - first):
                dA += slopes[t].reshape((K, K))
        eta = step_size(clock[2], clock[3], clock[1])
        clock[0] *= 1 - eta * clock[3]
        _add_sums(corpus, edges, s, model, learner.theta, -eta / clock[0], (dE, dA.reshape(K * K), slopes, learner.pairs))
        clock[1] += 1
        if clock[0] < 1e-6:
            for k in range(learner.theta.size):
                learner.theta[k] *= clock[0]
            clock[0] = 1.0
    return total


@kernel
def _correct_each(order, corpus, edges, model, learner):
    """(3) for each sequence of `order`; returns the sum of the shares of wrong tokens."""
    K, clock = model.first.size, learner.clock
    total = 0.0
    for s in order:
        first, T = corpus.starts[s], corpus.starts[s + 1] - corpus.starts[s]
        _set_transitions(model, learner, 1.0)
        E, A = state_scores(corpus, s, model), model.A.reshape((1, K, K))
        if edges.indices.size and T > 1:
            A = step_scores(edges, first, T, model)[1:].reshape((T - 1, K, K))
        right, best = corpus.y[first:first + T].copy(), np.empty(T, np.int32)
        if right.min() < 0:
            best_path(fixed(E, right), A, right)
        best_path(E, A, best)
        wrong = (right != best).sum()
        if wrong:
            total += wrong / T
            for path, gain in ((right, 1.0), (best, -1.0)):
                _add_path(corpus, edges, s, model, learner.pairs, path, gain, learner.theta)
                _add_path(corpus, edges, s, model, learner.pairs, path, clock[1] * gain, learner.u)
        clock[1] += 1
    return total


@kernel
def _set_transitions(model, learner, factor):
    """A = factor times the weights of the pairs."""
    A, n = model.A.reshape(model.A.size), model.states.columns.size
    for k in range(learner.pairs.size):
        A[learner.pairs[k]] = factor * learner.theta[n + k]


@kernel
def _set_factors(model):
    """M and Mt as `factors` makes them."""
    K = model.first.size
    for i in range(K):
        for j in range(K):
            score = model.A[i, j]
            model.M[i, j] = exp(score) if abs(score) <= SPAN or score == -np.inf else np.nan
    for j in range(K):
        for i in range(K):
            model.Mt[j, i] = model.M[i, j]


@kernel
def _add_sums(corpus, edges, s, model, theta, gain, slopes):
    """gain times the features of sequence s, weighted by slopes = (dE, dA, slopes of steps, pairs), to `theta` (F,)."""
    dE, dA, of_steps, pairs = slopes
    n, first = model.states.columns.size, corpus.starts[s]
    add_slopes(corpus.rows, first, model.states, gain * dE, theta[:n])
    for k in range(pairs.size):
        theta[n + k] += gain * dA[pairs[k]]
    if edges.indices.size:
        add_slopes(edges, first, model.edges, gain * of_steps, theta[n + pairs.size:])


@kernel
def _add_path(corpus, edges, s, model, pairs, y, gain, theta):
    """gain Φ(y) for the labels `y` (T,) of sequence s, to `theta` (F,): one weight for each feature that is there."""
    K, n, first = model.first.size, model.states.columns.size, corpus.starts[s]
    for t in range(y.size):
        _add_feature(corpus.rows, first + t, model.states, y[t], gain, theta[:n])
        if t:
            pair = y[t - 1] * K + y[t]
            k = _place(pairs, 0, pairs.size, pair)
            if k >= 0:
                theta[n + k] += gain
            _add_feature(edges, first + t, model.edges, pair, gain, theta[n + pairs.size:])


@kernel
def _add_feature(rows, row, pattern, column, gain, theta):
    """gain times the attributes of one row, to their weights of one label or pair."""
    for k in range(rows.indptr[row], rows.indptr[row + 1]):
        d = rows.indices[k]
        p = _place(pattern.columns, pattern.indptr[d], pattern.indptr[d + 1], column)
        if p >= 0:
            theta[p] += gain * rows.data[k]


@kernel
def _place(columns, begin, end, column):
    """Where `column` stands among the rising columns[begin:end], or -1."""
    p = begin + np.searchsorted(columns[begin:end], column)
    return p if p < end and columns[p] == column else -1
