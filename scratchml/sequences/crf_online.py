"""Training a conditional random field one sequence at a time: gradient descent, perceptron, passive-aggressive, AROW.

L-BFGS looks at the whole corpus before it moves.  When the corpus is large, a step after every sequence has learnt most
of it by the time of the first full look.  Gradient descent steps along the slope of one sequence's loss; its steps
shrink, so that it settles at the same minimum.  The perceptron asks for less: only if the best path is wrong, what the
right path has gains 1 and what the wrong one has loses 1.  It never settles, but the mean of all its weights
does, and one decoding is all that a sequence costs; of probabilities it knows nothing.

How far should a correction go?  The perceptron always takes the same step.  Passive-aggressive learning takes the
shortest one after which the right path is ahead of the wrong one by a margin, but none longer than c, as labels may be
wrong.  Adaptive regularisation (AROW) also asks how sure each weight is: a feature that was corrected often moves
little, a rare one far.

Symbols
    S               sequences in the corpus
    θ, theta  (F,)  the weights, from θ₀, 0 or what is given
    g, phi, best  (F,), (F,), (F,)   slope of one sequence's loss; features Φ of the right path, of the best path
    Δ     (F,)      Φ(y) - Φ(ŷ), what the right path has and the best has not
    s_y, s_best     scores of the right path and of the best, Φ(y)·θ and Φ(ŷ)·θ
    m               the margin: √d for (6), d for (7), d being how many labels are wrong
    ℓ, l            how much is missing to the margin
    c, γ, gamma     how far (6) may go; how slowly (7) and (8) learn
    v     (F,)      variances: how unsure each weight is
    u     (F,)      Σ k (Φ(y) - Φ(ŷ)) over all steps k = 0, 1, ...
    η, eta          step size
    λ, lam          2 c2 / S: what a sequence's share of the penalty pulls with
    k, n            number of a step, of all steps

Equations
    (1)  θ ← (1 - η λ) θ - η g                                                    descend
    (2)  η_k = η_0 / (1 + η_0 λ k)                                                step_size
    (3)  θ ← θ + Φ(y) - Φ(ŷ)                                                      correct
    (4)  mean of θ_1 ... θ_n = θ_n - u / n                                        mean_weights
    (5)  ℓ = s_best - s_y + m                                                     missing
    (6)  θ ← θ + τ Δ, τ = min(c, ℓ / ‖Δ‖²)                                        passive_aggressive
         type 0: τ = ℓ / ‖Δ‖²; type 2: τ = ℓ / (‖Δ‖² + 1/(2c))
    (7)  θ ← θ + ℓ / (γ + Σ_f v_f Δ_f²) v Δ                                       adapted_weights
    (8)  v_f ← 1 / (1/v_f + Δ_f²/γ)                                               adapted_variances

Choices
    In (1) nearly all of θ only shrinks, so θ is kept as a factor and a vector; a step costs what the sequence has.
    η_0 is the power of two, times 0.1, that leaves the lowest loss after one pass over 1,000 sequences at most.
    ŷ and, where labels are unknown, y are the best path, and the best that agrees with what is known.  Where they are
    the same, nothing is corrected, and ℓ counts as 0; nor is anything where they have the same features, Δ = 0.
    The weights of (6) are averaged by (4), with τ Δ for Φ(y) - Φ(ŷ) in u; those of (7) are not.
    All draw a new order of the sequences for each pass, and are sequential: one core.

Cost
    A pass costs one loss and gradient of the chapter crf_training on one core; but for (1), one decoding, and what the
    two paths do not share.

>>> descend(np.array([1.0, 0.0]), np.array([0.5, -1.0]), 0.1, 0.2).round(3).tolist()
[0.93, 0.1]
>>> [round(step_size(0.5, 0.1, k), 3) for k in (0, 20, 200)]
[0.5, 0.25, 0.045]

Sources: S. Shalev-Shwartz, Y. Singer and N. Srebro, "Pegasos", ICML 2007, section 2, for (1) and (2), and L. Bottou,
"Stochastic gradient descent tricks" (2012), section 5.1, for the factor and η_0; M. Collins, "Discriminative training
methods for hidden Markov models", EMNLP 2002, section 2, for (3) and (4); K. Crammer et al., "Online passive-aggressive
algorithms", J. Machine Learning Research 7 (2006), sections 3 and 9, for (5) and (6); A. Mejer and K. Crammer,
"Confidence in structured-prediction using confidence-weighted models", EMNLP 2010, section 3, for (7) and (8).
"""
import math
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


def missing(s_y, s_best, m):
    """(5)  ℓ = s_best - s_y + m

    Shapes: s_y, s_best, m -> ()
    """
    return s_best - s_y + m


def passive_aggressive(theta, Δ, l, c):
    """(6)  θ ← θ + τ Δ, τ = min(c, ℓ / ‖Δ‖²)

    Shapes: theta (F), Δ (F), l, c -> (F)
    """
    return theta + min(c, l / (Δ @ Δ)) * Δ


def adapted_weights(theta, Δ, l, v, gamma):
    """(7)  θ ← θ + ℓ / (γ + Σ_f v_f Δ_f²) v Δ

    Shapes: theta (F), Δ (F), l, v (F), gamma -> (F)
    """
    return theta + l / (gamma + v @ Δ**2) * v * Δ


def adapted_variances(v, Δ, gamma):
    """(8)  v_f ← 1 / (1/v_f + Δ_f²/γ)

    Shapes: v (F), Δ (F), gamma -> (F)
    """
    return 1 / (1 / v + Δ**2 / gamma)


# --- whole passes ---------------------------------------------------------------------------------


class Learner(NamedTuple):
    """What the steps change: θ = factor * weights, and what else a method keeps of each weight."""
    theta: np.ndarray                                    # (F,) weights
    also: np.ndarray                                     # (F,) u, or the variances v
    room: np.ndarray                                     # (F,) zeros, in which Δ is added up
    pairs: np.ndarray                                    # (n,) int32, as in Features
    clock: np.ndarray                                    # factor, steps done, and two numbers of the method


class _Online:
    """Passes over a corpus: sets up what all methods share."""

    def __init__(self, corpus, edges, features, theta=None):
        self.corpus, self.edges, self.features = corpus, edges, features
        self.S, self.origin = len(corpus.starts) - 1, np.zeros(sum(features.sizes)) if theta is None else theta

    def start(self, also=0.0, own=(0.0, 0.0)):
        """θ = θ₀, no step done."""
        size = self.origin.size
        self.learner = Learner(self.origin.copy(), np.full(size, also), np.zeros(size), self.features.pairs,
                               np.array([1.0, 0.0, *own]))
        self.model = scores(self.features, self.learner.theta)

    def _in_pieces(self, step, order):
        """The steps of `order`, some sequences a call, so that Ctrl-C is heard in between."""
        return sum(step(order[k:k + 256], self.corpus, self.edges, self.model, self.learner)
                   for k in range(0, len(order), 256))


class GradientDescent(_Online):
    """(1) and (2): one step a sequence."""

    def __init__(self, corpus, edges, features, c2=0.0, eta=1.0, theta=None):
        super().__init__(corpus, edges, features, theta)
        self.c2 = c2
        self.begin(eta)

    def begin(self, eta):
        """θ = θ₀, no step done, the first of length eta."""
        self.start(own=(eta, 2 * self.c2 / self.S))

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
            self.begin(eta)
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
        self.begin(best)


class _Corrected(_Online):
    """What changes the weights only where the best path is wrong."""

    def __init__(self, corpus, edges, features, theta=None):
        super().__init__(corpus, edges, features, theta)
        self.start()

    def weights(self):
        """(4)."""
        return mean_weights(self.learner.theta, self.learner.also, max(self.learner.clock[1], 1))


class Perceptron(_Corrected):
    """(3) for each sequence whose best path is wrong."""

    def __call__(self, order):
        """A pass over the sequences `order`; the mean share of tokens that were wrong."""
        return self._in_pieces(_correct_each, order) / len(order)


class PassiveAggressive(_Corrected):
    """(6) of one of its types for each sequence whose best path is wrong."""

    def __init__(self, corpus, edges, features, c=1.0, pa_type=1, theta=None):
        super().__init__(corpus, edges, features, theta)
        self.start(own=(c, pa_type))

    def __call__(self, order):
        """A pass over the sequences `order`; the mean of (5)."""
        return self._in_pieces(_push_each, order) / len(order)


class AdaptiveRegularization(_Corrected):
    """(7) and (8) for each sequence whose best path is wrong."""

    def __init__(self, corpus, edges, features, variance=1.0, gamma=1.0, theta=None):
        super().__init__(corpus, edges, features, theta)
        self.start(also=variance, own=(gamma, 0.0))

    def __call__(self, order):
        """A pass over the sequences `order`; the mean of (5)."""
        return self._in_pieces(_adapt_each, order) / len(order)

    def weights(self):
        """θ (F,)."""
        return self.learner.theta.copy()


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
        sums = dE, dA.reshape(K * K), slopes, learner.pairs
        _add_sums(corpus, edges, s, model, learner.theta, -eta / clock[0], sums)
        clock[1] += 1
        if clock[0] < 1e-6:
            for k in range(learner.theta.size):
                learner.theta[k] *= clock[0]
            clock[0] = 1.0
    return total


@kernel
def _correct_each(order, corpus, edges, model, learner):
    """(3) for each sequence of `order`; returns the sum of the shares of wrong tokens."""
    theta, u, clock, total = learner.theta, learner.also, learner.clock, 0.0
    for s in order:
        wrong, behind, right, best = _decoded(corpus, edges, s, model, learner)
        if wrong:
            total += wrong / right.size if behind < np.inf else np.inf           # scores beyond float64
            places, amounts = _difference(corpus, edges, s, model, learner, right, best)
            for p, amount in zip(places, amounts):
                theta[p] += amount
                u[p] += clock[1] * amount
        clock[1] += 1
    return total


@kernel
def _push_each(order, corpus, edges, model, learner):
    """(6) for each sequence of `order`; returns the sum of (5).  The clock has c and the type."""
    theta, u, clock, total = learner.theta, learner.also, learner.clock, 0.0
    for s in order:
        wrong, behind, right, best = _decoded(corpus, edges, s, model, learner)
        if wrong:
            l = behind + math.sqrt(wrong)
            places, amounts = _difference(corpus, edges, s, model, learner, right, best)
            square, c, kind = (amounts * amounts).sum(), clock[2], clock[3]
            total += l if square < np.inf else np.inf
            step = 0.0 if square == 0 else l / (square + 0.5 / c) if kind == 2 else l / square
            step = min(step, c) if kind == 1 else step
            for p, amount in zip(places, amounts):
                theta[p] += step * amount
                u[p] += clock[1] * step * amount
        clock[1] += 1
    return total


@kernel
def _adapt_each(order, corpus, edges, model, learner):
    """(7) and (8) for each sequence of `order`; returns the sum of (5).  The clock has γ."""
    theta, v, clock, total = learner.theta, learner.also, learner.clock, 0.0
    for s in order:
        wrong, behind, right, best = _decoded(corpus, edges, s, model, learner)
        if wrong:
            l = behind + wrong
            total += l
            places, amounts = _difference(corpus, edges, s, model, learner, right, best)
            spread = clock[2]
            for p, amount in zip(places, amounts):
                spread += v[p] * amount * amount
            for p, amount in zip(places, amounts):
                theta[p] += l / spread * v[p] * amount
                v[p] = 1 / (1 / v[p] + amount * amount / clock[2])
        clock[1] += 1
    return total


@kernel
def _decoded(corpus, edges, s, model, learner):
    """Of sequence s how many labels are wrong, how far the right path is behind, and both paths (T,): right, best."""
    K, first, T = model.first.size, corpus.starts[s], corpus.starts[s + 1] - corpus.starts[s]
    _set_transitions(model, learner, 1.0)
    E, A = state_scores(corpus, s, model), model.A.reshape((1, K, K))
    if edges.indices.size and T > 1:
        A = step_scores(edges, first, T, model)[1:].reshape((T - 1, K, K))
    right, best = corpus.y[first:first + T].copy(), np.empty(T, np.int32)
    if right.min() < 0:
        best_path(fixed(E, right), A, right)
    behind = best_path(E, A, best)
    for t in range(T):
        behind -= E[t, right[t]]
        if t:
            behind -= A[(t - 1) % A.shape[0], right[t - 1], right[t]]
    return (right != best).sum(), behind, right, best


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
def _difference(corpus, edges, s, model, learner, right, best):
    """Δ of sequence s: the weights at which it is not 0, each once, and its values there.

    Same result, because where both paths have the same label, or pair, they have the same features.
    """
    K, n, first, last = model.first.size, model.states.columns.size, corpus.starts[s], corpus.starts[s + 1]
    m, rows, pairs, room = n + learner.pairs.size, corpus.rows, learner.pairs, learner.room
    most = 2 * (right.size + rows.indptr[last] - rows.indptr[first] + edges.indptr[last] - edges.indptr[first])
    found, values, size = np.empty(most, np.int64), np.empty(most), 0
    of_states, of_edges = (corpus.rows, model.states, 0), (edges, model.edges, m)
    for gain, path, other in ((1.0, right, best), (-1.0, best, right)):
        for t in range(path.size):
            if path[t] != other[t]:
                size = _note(of_states, first + t, path[t], gain, found, values, size)
            if t and (path[t] != other[t] or path[t - 1] != other[t - 1]):
                pair = path[t - 1] * K + path[t]
                k = _place(pairs, 0, pairs.size, pair)
                if k >= 0:
                    found[size], values[size] = n + k, gain
                    size += 1
                size = _note(of_edges, first + t, pair, gain, found, values, size)
    for k in range(size):
        room[found[k]] += values[k]
    different = 0
    for k in range(size):
        p = found[k]
        if room[p] != 0:                                 # the first time that p comes
            found[different], values[different], room[p] = p, room[p], 0.0
            different += 1
    return found[:different], values[:different]


@kernel
def _note(part, row, column, gain, found, values, size):
    """Write down the weights of one row's attributes for a label or pair, from place `size` on; returns the next place.

    `part` is rows, the pattern of their weights, and where these begin in θ.
    """
    rows, pattern, begin = part
    for k in range(rows.indptr[row], rows.indptr[row + 1]):
        d = rows.indices[k]
        p = _place(pattern.columns, pattern.indptr[d], pattern.indptr[d + 1], column)
        if p >= 0:
            found[size], values[size] = begin + p, gain * rows.data[k]
            size += 1
    return size


@kernel
def _place(columns, begin, end, column):
    """Where `column` stands among the rising columns[begin:end], or -1."""
    p = begin + np.searchsorted(columns[begin:end], column)
    return p if p < end and columns[p] == column else -1
