"""Training a conditional random field: weights for features, so that the labels that were seen become likely.

The scores of the field are not given but computed: an attribute of a token, a word, an ending, counts for or against
each label, with a weight.  The weights are those that make the labels of the training sequences most likely.  The
gradient is what was expected minus what was observed, and where all labels are known the loss is convex: its minimum,
with c2 > 0 the only one, does not depend on the start.

Where a label is not known, all labels are summed over at that place: the loss asks for the likelihood of what is known.
Then it is convex no longer: of two places and two labels, the second known, with one weight u it is log (e^u + 3) -
log (e^u + 1), which falls from log 3 to 0 and bends both ways.  What is found can depend on the start, θ = 0.

Symbols
    T, K            places, labels
    D               attributes
    G     (T, D)    values of the attributes of each token: G[t,d] = g_d(x_t)
    W     (D, K)    weight of an attribute for a label: features [y_t = j] g_d(x_t)
    U     (K, K)    weight of a pair of labels: features [y_{t-1} = i][y_t = j]
    V     (D, K, K) weight of an attribute for a pair: features [y_{t-1} = i][y_t = j] g_d(x_t)
    E     (T, K)    emissions, as in the chapter crf
    A     (K, K)    transitions, likewise; or (T-1, K, K), A[t-1] the step to place t
    y     (T,)      labels, -1 where unknown; paths that agree with it have its label wherever that is known
    dE, dA          slopes of the loss: (T, K) and (T-1, K, K)
    Z', γ', ξ'      Z, γ, ξ of the chapter crf, over the paths that agree with y only
    θ, theta  (F,)  all weights
    c1, c2          what a unit of |θ| and of θ² costs; there is no ½

Equations
    (1)  E[t,j] = Σ_d G[t,d] W[d,j]                                               emissions
    (2)  A[t-1,i,j] = U[i,j] + Σ_d G[t,d] V[d,i,j]                                transitions
    (3)  ℓ = log Z - log Z'                                                       loss
    (4)  ∂ℓ/∂E = γ - γ', ∂ℓ/∂A = ξ - ξ'                                           loss_slopes
    (5)  ∂ℓ/∂W = Gᵀ ∂ℓ/∂E, ∂ℓ/∂U = Σ_t ∂ℓ/∂A[t-1], ∂ℓ/∂V = Σ_t G[t] ∂ℓ/∂A[t-1]    weight_slopes
    (6)  R(θ) = c1 Σ|θ| + c2 Σ θ²                                                 penalty

Choices
    The whole loss is the sum of (3) over all sequences, plus (6): CRFsuite's.  Weights exist only for what was seen: an
    attribute with a label, a pair, an attribute with a pair; or for every attribute and label, every pair, if asked
    for.  All other weights are 0.  A forbidden transition has the score -inf, whatever the weights, and no weight.
    A numeric attribute may have values of 1e5.  Its weights are then so much smaller, and ∂ℓ/∂θ so much steeper, that
    no step suits them and the others.  So L-BFGS looks for θ in units of `weight_units`, which neither move the minimum
    nor round.  What it cannot mend is an offset: of values near 1e9 that differ by 1, subtract the mean.
    A class `Features` holds which weights there are, `CorpusLoss` computes the whole loss for the sparse rows of a
    corpus.

Cost
    One loss and gradient: O(nnz K + N K²) for N tokens with nnz attributes in all; with (2), which makes the
    transitions change from step to step, K² exponentials a token too.

>>> G, y = np.array([[1., 0], [0, 2], [1, 1]]), np.array([0, 1, -1])
>>> W, U = np.array([[1., 0], [0, 1]]), np.array([[0., 1], [-1, 0]])
>>> E = emissions(G, W)
>>> E.tolist(), round(loss(E, U, y), 4)
([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], 0.2539)

Sources: J. Lafferty, A. McCallum and F. Pereira, "Conditional random fields", ICML 2001, section 3; N. Okazaki,
"CRFsuite"
(2007), for which weights there are; Y. Tsuboi et al., "Training conditional random fields using incomplete
annotations", COLING 2008, section 4, for the unknown labels in (3) and (4).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel, partial_sums, run_chunks
from scratchml.optim.lbfgs import dot
from scratchml.sequences.corpus import Corpus
from scratchml.sequences.crf import as_field, edge_marginals, log_partition, node_marginals
from scratchml.sequences.crf_scaled import SPAN, add_marginals, add_marginals_in_log_space

# --- one sequence ---------------------------------------------------------------------------------


def emissions(G, W):
    """(1)  E[t,j] = Σ_d G[t,d] W[d,j]

    Shapes: G (T, D), W (D, K) -> (T, K)
    """
    return G @ W


def transitions(G, U, V):
    """(2)  A[t-1,i,j] = U[i,j] + Σ_d G[t,d] V[d,i,j]

    Shapes: G (T, D), U (K, K), V (D, K, K) -> (T-1, K, K)
    """
    return U + np.tensordot(G[1:], V, axes=1)


def agreeing(E, y):
    """The emissions `E` (T, K), with -inf for every label that is not the known one of `y` (T,)."""
    y = np.asarray(y)[:, None]
    return np.where((y < 0) | (y == np.arange(E.shape[1])), E, -np.inf)


def loss(E, A, y):
    """(3)  ℓ = log Z - log Z'

    Shapes: E (T, K), A (K, K), y (T) in K -> ()
    """
    return log_partition(E, A) - log_partition(agreeing(E, y), A)


def loss_slopes(E, A, y):
    """(4)  ∂ℓ/∂E = γ - γ', ∂ℓ/∂A = ξ - ξ'

    Shapes: E (T, K), A (K, K), y (T) in K -> (T, K), (T-1, K, K)
    """
    fixed = agreeing(E, y)
    return node_marginals(E, A) - node_marginals(fixed, A), edge_marginals(E, A) - edge_marginals(fixed, A)


def weight_slopes(G, dE, dA):
    """(5)  ∂ℓ/∂W = Gᵀ ∂ℓ/∂E, ∂ℓ/∂U = Σ_t ∂ℓ/∂A[t-1], ∂ℓ/∂V = Σ_t G[t] ∂ℓ/∂A[t-1]

    Shapes: G (T, D), dE (T, K), dA (T-1, K, K) -> (D, K), (K, K), (D, K, K)
    """
    return G.T @ dE, dA.sum(axis=0), np.tensordot(G[1:].T, dA, axes=1)


def penalty(theta, c1, c2):
    """(6)  R(θ) = c1 Σ|θ| + c2 Σ θ²

    Shapes: theta (F), c1, c2 -> ()
    """
    return c1 * float(np.abs(theta).sum()) + c2 * dot(theta, theta)


# --- which weights there are -----------------------------------------------------------------------


class Pattern(NamedTuple):
    """Which weights the attributes have: d has those of columns[k], k = indptr[d] ... indptr[d+1]-1, of `width`.

    A column is a label, or a pair i, j of labels as i K + j.
    """
    indptr: np.ndarray                                   # (D+1,) int64
    columns: np.ndarray                                  # (n,) int32, rising for each attribute
    width: int


def pattern(keys, D, width):
    """The Pattern of the sorted numbers d width + column."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(keys // width, minlength=D))]).astype(np.int64)
    return Pattern(indptr, (keys % width).astype(np.int32), width)


def widened(narrow):
    """A Pattern in which attributes that have a third of all columns have all; and each weight's place in it (n,).

    A loop over all columns runs in vector registers, one over some jumps from place to place.
    """
    counts = np.diff(narrow.indptr)
    full = 3 * counts > narrow.width
    indptr = np.concatenate([[0], np.cumsum(np.where(full, narrow.width, counts))]).astype(np.int64)
    of = np.repeat(np.arange(counts.size), counts)       # the attribute of each weight
    within = np.where(full[of], narrow.columns, np.arange(of.size) - narrow.indptr[of])
    place = (indptr[of] + within).astype(np.int32)
    columns = np.zeros(indptr[-1], np.int32)
    columns[place] = narrow.columns
    columns[np.repeat(full, np.diff(indptr))] = np.tile(np.arange(narrow.width, dtype=np.int32), full.sum())
    return Pattern(indptr, columns, narrow.width), place


class Legal(NamedTuple):
    """What is not forbidden."""
    pairs: np.ndarray                                    # (K, K) bool: j may follow i
    first: np.ndarray                                    # (K,) bool: j may be the first label
    last: np.ndarray                                     # (K,) bool: j may be the last label


class Features(NamedTuple):
    """Which weights there are.  θ is those of `states`, then of `pairs`, then of `edges`."""
    states: Pattern
    pairs: np.ndarray                                    # (n,) int32: i K + j
    edges: Pattern
    legal: Legal

    @property
    def sizes(self):
        return self.states.columns.size, self.pairs.size, self.edges.columns.size

    def split(self, theta):
        """The three parts of `theta` (F,), as views."""
        states, pairs, _ = self.sizes
        return theta[:states], theta[states:states + pairs], theta[states + pairs:]

    def transition_scores(self, theta):
        """A (K, K): 0 where there is no weight, -inf where forbidden."""
        A = np.where(self.legal.pairs, 0, -np.inf)
        A.reshape(-1)[self.pairs] = self.split(theta)[1]
        return A


def seen_features(corpus, edges, legal, *, min_freq=0.0, all_states=False, all_pairs=False):
    """The Features of a corpus: every attribute with its label, every pair, every attribute of `edges` with its pair.

    `edges` are the Rows whose attributes have weights for pairs.  `min_freq` is the least sum of |values| that a
    feature must have.  Raises nothing; what is forbidden is left out.
    """
    K, D, y = len(legal.first), corpus.rows.shape[1], corpus.y
    allowed = legal.pairs.reshape(-1)
    first = np.zeros(y.size, bool)
    first[corpus.starts[:-1]] = True
    before = np.where(first, -1, np.concatenate([[-1], y[:-1]]))
    pair = np.where((before >= 0) & (y >= 0), before * K + y, -1)
    pairs = np.arange(K * K) if all_pairs else _frequent(pair[pair >= 0], None, min_freq)
    states = np.arange(D * K) if all_states else _keys(corpus.rows, y, K, min_freq)
    of_pairs = _keys(edges, pair, K * K, min_freq)
    return Features(pattern(states, D, K), pairs[allowed[pairs]].astype(np.int32),
                    pattern(of_pairs[allowed[of_pairs % (K * K)]], D, K * K), legal)


def weight_units(rows, features):
    """Units (F,) of θ in which no attribute's slope is steep because its values are large: 1 over a power of two."""
    largest, large = np.ones(rows.shape[1]), np.abs(rows.data) >= 2
    np.maximum.at(largest, rows.indices[large], np.abs(rows.data[large]))
    units = np.exp2(-np.floor(np.log2(largest)))
    states, edges = (np.repeat(units, np.diff(part.indptr)) for part in (features.states, features.edges))
    return np.concatenate([states, np.ones(features.pairs.size), edges])


def offset(rows):
    """How many of its own standard deviations the mean of an attribute is from 0, at most, of those with large values.

    Values that are all alike do not count: such an attribute is a constant, which costs nothing.
    """
    large = np.unique(rows.indices[np.abs(rows.data) >= 2])
    chosen = np.isin(rows.indices, large)
    if not chosen.any():
        return 0.0
    column, values = np.searchsorted(large, rows.indices[chosen]), rows.data[chosen]
    most, counts = np.zeros(large.size), np.bincount(column)
    np.maximum.at(most, column, np.abs(values))
    values = values / most[column]
    means = np.bincount(column, values) / counts
    deviations = np.sqrt(np.bincount(column, (values - means[column]) ** 2) / counts)
    varied = deviations > 1e-12
    return float((np.abs(means[varied]) / deviations[varied]).max(initial=0))


def _keys(rows, column, width, min_freq):
    """The sorted numbers d width + column[n] of all attributes d of all rows n whose column is not -1."""
    column = np.repeat(column.astype(np.int64), np.diff(rows.indptr))
    known = column >= 0
    return _frequent((rows.indices.astype(np.int64) * width + column)[known], rows.data[known], min_freq)


def _frequent(keys, values, min_freq):
    if not min_freq:
        return np.unique(keys)
    keys, which = np.unique(keys, return_inverse=True)
    weights = np.ones(which.size) if values is None else np.abs(values)
    return keys[np.bincount(which, weights, minlength=keys.size) >= min_freq]


# --- all sequences ---------------------------------------------------------------------------------


class Scores(NamedTuple):
    """What a θ says, as the kernels read it: weights of attributes by their patterns, and the transitions."""
    states: Pattern
    state_weights: np.ndarray
    edges: Pattern
    edge_weights: np.ndarray
    A: np.ndarray                                        # (K, K), -inf where forbidden
    M: np.ndarray                                        # exp A; NaN throughout if A spans too much for that
    Mt: np.ndarray                                       # its transpose
    first: np.ndarray                                    # (K,) 0, or -inf for a label that may not be the first
    last: np.ndarray                                     # (K,) 0, or -inf for a label that may not be the last


class Field(NamedTuple):
    """What sequences share whose emissions come from elsewhere.

    It stands beside `sequence_loss`, since Numba keeps code compiled for a type with the kernel that takes it.
    """
    A: np.ndarray                                        # (K, K), -inf where forbidden
    M: np.ndarray                                        # exp A, and its transpose, by `factors`
    Mt: np.ndarray
    first: np.ndarray                                    # (K,) what is added at the first place, and at the last
    last: np.ndarray


def scores(features, theta, states=None, edges=None):
    """The Scores of `theta` (F,), or with other (pattern, weights) of its states and edges."""
    own_states, _, own_edges = features.split(theta)
    A = features.transition_scores(theta)
    first, last = (np.where(may, 0.0, -np.inf) for may in features.legal[1:])
    return Scores(*(states or (features.states, own_states)), *(edges or (features.edges, own_edges)), A, *factors(A),
                  first, last)


def factors(A):
    """exp A and its transpose; NaN, which no sum survives, if that would lose a finite score."""
    fits = (np.abs(A) <= SPAN) | np.isneginf(A)
    M = np.exp(A) if fits.all() else np.full(A.shape, np.nan)
    return M, np.ascontiguousarray(M.T)


class CorpusLoss:
    """Σ ℓ + c2 Σ θ² over a corpus and its gradient, as a function of θ: what `lbfgs` minimises.

    Same result as (1) to (5) for each sequence, because a product with rows that are mostly zeros needs the others
    only, and because the scaled sums are those of log space.  The corpus is cut into parts, whatever the number of
    threads; each part adds to a gradient of its own, and these are added in order: the same bits on any number of
    cores.
    """

    def __init__(self, corpus, edges, features, c2):
        self.corpus, self.edges, self.features, self.c2 = corpus, edges, features, c2
        self.states, self.state_place = widened(features.states)
        self.of_edges, self.edge_place = widened(features.edges)
        size = self.states.columns.size + self.of_edges.columns.size
        self.parts = int(np.clip(2 * corpus.rows.indices.size // max(size, 1), 2, 8))
        self.gradients = np.empty((self.parts, size))    # of the widened weights
        self.weights = np.zeros(size)

    def __call__(self, theta):
        features, K, n = self.features, len(self.features.legal.first), self.states.columns.size
        states, _, edges = features.split(theta)
        self.weights[self.state_place] = states
        self.weights[n + self.edge_place] = edges
        model = scores(features, theta, (self.states, self.weights[:n]), (self.of_edges, self.weights[n:]))
        sums = partial_sums(self.parts, 1, K * K + 1)    # slopes of A, and the loss
        S = len(self.corpus.starts) - 1
        chunk = -(-S // self.parts)
        run_chunks(_corpus_part, S, self.corpus, self.edges, model, self.gradients, sums, chunk=chunk)
        used = -(-S // chunk)
        gradient = self.gradients[:used].sum(axis=0)
        total = sums.sum(axis=0)
        slope = np.concatenate([gradient[self.state_place], total[:K * K][features.pairs],
                                gradient[n + self.edge_place]])
        slope += 2 * self.c2 * theta
        return float(total[K * K]) + penalty(theta, 0.0, self.c2), slope


@kernel
def _corpus_part(c, start, stop, corpus, edges, model, gradients, sums):
    """The loss and slopes of sequences start ... stop-1, into gradients[c] and added to sums[c]."""
    K = model.A.shape[0]
    n = model.state_weights.size
    of_states, of_edges = gradients[c, :n], gradients[c, n:]
    of_states[:] = 0
    of_edges[:] = 0
    dA = sums[c, :K * K].reshape((K, K))
    for s in range(start, stop):
        first, last = corpus.starts[s], corpus.starts[s + 1]
        y, E, dE = corpus.y[first:last], state_scores(corpus, s, model), np.zeros((last - first, K))
        if edges.indices.size == 0:
            sums[c, K * K] += sequence_loss(E, y, model, dE, dA)
        else:
            steps, slopes = step_scores(edges, first, last - first, model), np.zeros((last - first, K * K))
            sums[c, K * K] += sequence_loss_of_steps(E, y, steps, dE, slopes)
            add_slopes(edges, first, model.edges, slopes, of_edges)
            for t in range(1, last - first):
                dA += slopes[t].reshape((K, K))
        add_slopes(corpus.rows, first, model.states, dE, of_states)


@kernel
def state_scores(corpus, s, model):
    """E (T, K) of sequence s, -inf for labels that may not be first or last."""
    first, last = corpus.starts[s], corpus.starts[s + 1]
    E = np.zeros((last - first, model.first.size))
    add_scores(corpus.rows, first, model.states, model.state_weights, E)
    E[0] += model.first
    E[last - first - 1] += model.last
    return E


@kernel
def step_scores(edges, first, T, model):
    """(T, K²): in row t the scores (2) of the step to place t.  Row 0, a step from nowhere, is not used."""
    A = np.zeros((T, model.A.size))
    add_scores(edges, first, model.edges, model.edge_weights, A)
    A += model.A.reshape(model.A.size)
    return A


@kernel
def sequence_loss(E, y, model, dE, dA):
    """(3), with (4) added to `dE` (T, K) and, summed over the steps, to `dA` (K, K)."""
    log_Z = add_marginals(E, model.A, model.M, model.Mt, 1.0, dE, dA)
    if y.min() < 0:
        return log_Z - add_marginals(fixed(E, y), model.A, model.M, model.Mt, -1.0, dE, dA)
    score = 0.0                                          # of the one path that agrees with y
    for t in range(y.size):
        score += E[t, y[t]]
        dE[t, y[t]] -= 1
        if t:
            score += model.A[y[t - 1], y[t]]
            dA[y[t - 1], y[t]] -= 1
    return log_Z - score


@kernel
def sequence_loss_of_steps(E, y, steps, dE, slopes):
    """The same for transitions that change from step to step, `steps` (T, K²), in log space; row 0 of `slopes` stays
    0."""
    T, K = E.shape
    A, dA = steps[1:].reshape((T - 1, K, K)), slopes[1:].reshape((T - 1, K, K))
    log_Z = add_marginals_in_log_space(E, A, 1.0, dE, dA)
    return log_Z - add_marginals_in_log_space(fixed(E, y), A, -1.0, dE, dA)


@kernel
def fixed(E, y):
    """A copy of `E` (T, K) that allows the known labels of `y` (T,) only."""
    E = E.copy()
    for t in range(E.shape[0]):
        for j in range(E.shape[1]):
            if y[t] >= 0 and j != y[t]:
                E[t, j] = -np.inf
    return E


@kernel(contract=True)
def add_scores(rows, first, pattern, weights, E):
    """(1) or (2) for the rows from `first` on, added to `E` (T, width)."""
    for t in range(E.shape[0]):
        row = E[t]
        for k in range(rows.indptr[first + t], rows.indptr[first + t + 1]):
            value, d = rows.data[k], rows.indices[k]
            begin, end = pattern.indptr[d], pattern.indptr[d + 1]
            if end - begin == row.size:
                own = weights[begin:end]
                for j in range(row.size):
                    row[j] += value * own[j]
            else:
                for p in range(begin, end):
                    row[pattern.columns[p]] += value * weights[p]


@kernel(contract=True)
def add_slopes(rows, first, pattern, dE, slopes):
    """(5) for the rows from `first` on, added to `slopes`, which are laid out as the weights."""
    for t in range(dE.shape[0]):
        row = dE[t]
        for k in range(rows.indptr[first + t], rows.indptr[first + t + 1]):
            value, d = rows.data[k], rows.indices[k]
            begin, end = pattern.indptr[d], pattern.indptr[d + 1]
            if end - begin == row.size:
                own = slopes[begin:end]
                for j in range(row.size):
                    own[j] += value * row[j]
            else:
                for p in range(begin, end):
                    slopes[p] += value * row[pattern.columns[p]]
