"""Linear-chain conditional random fields: the best labelling of a whole sequence, and how sure one may be of it.

A word's label depends on the word and on the labels beside it.  The field scores a labelling as a whole: a number
for each label at its place, and one for each pair of neighbours.  It turns scores into probabilities by dividing by
the sum over all labellings, of which there are K^T.  That sum, the best labelling, the probability of one label at
one place: each is a sum or a maximum over K^T paths, and each takes T K² steps, because what is best or total up to
a place depends on the past only through the label there.

Symbols
    T, K            places in the sequence, labels; places count from 0 to T-1
    E     (T, K)    emissions: the score of label j at place t
    A     (K, K)    transitions: the score of i and then j; or (T-1, K, K), A[t] from place t to t+1.  In the equations
                    A[i,j] is the one of its step
    y     (T,)      a path: one label for each place
    u     (R, T)    numbers drawn evenly from [0, 1)
    R               how many paths are asked for
    α, β            log of the sum over all beginnings up to (t, j), over all ends after (t, i)
    γ, ξ            probability of a label at a place, of a pair of labels at neighbouring places

Equations
    (1)  s(y) = Σ_t E[t,y_t] + Σ_{t>0} A[y_{t-1},y_t]                                 path_score
    (2)  α[t,j] = E[t,j] + log Σ_i exp(α[t-1,i] + A[i,j])                             forward
         with α[0,j] = E[0,j]
    (3)  β[t,i] = log Σ_j exp(A[i,j] + E[t+1,j] + β[t+1,j])                           backward
         with β[T-1,i] = 0
    (4)  log Z = log Σ_j exp α[T-1,j]                                                 log_partition
    (5)  γ[t,j] = exp(α[t,j] + β[t,j] - log Z)                                        node_marginals
    (6)  ξ[t,i,j] = exp(α[t,i] + A[i,j] + E[t+1,j] + β[t+1,j] - log Z)                edge_marginals
    (7)  log p(y) = s(y) - log Z                                                      log_likelihood
    (8)  ∂log p/∂E = [y_t = j] - γ[t,j], ∂log p/∂A = [y_t = i, y_{t+1} = j] - ξ       log_likelihood_gradient
    (9)  δ[t,j] = E[t,j] + max_i (δ[t-1,i] + A[i,j]), followed back                   viterbi
    (10)  the R paths of highest s(y), best first                                     k_best
    (11)  ŷ_t = argmax_j γ[t,j]                                                       posterior_decode
    (12)  p(y_t = i | y_{t+1} = j) ∝ exp(α[t,i] + A[i,j]), p(y_{T-1} = j) ∝ exp α     sample
    (13)  H = log Z - Σ_{t,j} γ E - Σ_{t,i,j} ξ A                                     entropy

Choices
    A score of -inf forbids: a label at a place, a pair.  The sums stay in log space, where that needs no special case;
    0 times -inf is 0 in (13).  Where no path is left, (4) is -inf, (10) is empty, and what would divide by Z raises.
    Ties go to the lowest label at the last place, then at the place before it, and so on.  (10) holds no forbidden
    path, so it may be shorter than R.  ŷ of (11) makes the fewest expected mistakes, but may be a forbidden path.
    Everything is float64.  Where no score is larger than S, the sums grow to T (2 S + log K), and
    each of T steps rounds them: log Z is right to T² (2 S + log K) eps.

Cost
    (2) to (9), (11) and (13): O(T K²) time; memory O(T K), for ξ O(T K²).  (10): O(T K² R), (12): O(T K (K + R)).

>>> E, A = np.array([[2., 0], [0, 1], [1, 0]]), np.array([[1., -1], [0, -np.inf]])
>>> path, score = viterbi(E, A)
>>> path.tolist(), score
([0, 0, 0], 5.0)
>>> node_marginals(E, A).round(3).tolist()
[[0.958, 0.042], [0.891, 0.109], [0.958, 0.042]]

Sources: J. Lafferty, A. McCallum and F. Pereira, "Conditional random fields", ICML 2001, section 3; L. Rabiner, "A
tutorial on hidden Markov models", Proc. IEEE 77 (1989), section III, for (2), (3) and (9); C. Sutton and A. McCallum,
"An introduction to conditional random fields", Foundations and Trends in Machine Learning 4 (2012), sections 4.1 and
5.1.
"""
import numpy as np

from scratchml.core.checks import as_floats, whole_number
from scratchml.core.jit import kernel
from scratchml.core.logspace import logsumexp
from scratchml.core.random import generator

# --- one path, and the sum over all --------------------------------------------------------------


def path_score(E, A, y):
    """(1)  s(y) = Σ_t E[t,y_t] + Σ_{t>0} A[y_{t-1},y_t]

    Raises ValueError for scores that are NaN or +inf, shapes that do not fit, and labels that are not in 0 ... K-1; so
    do all below.

    Shapes: E (T, K), A (K, K), y (T) in K -> ()
    """
    E, A = as_field(E, A)
    y = _as_path(y, E)
    places = np.arange(len(y))
    return float(E[places, y].sum() + A[places[:-1] % len(A), y[:-1], y[1:]].sum())


def forward(E, A):
    """(2)  α[t,j] = E[t,j] + log Σ_i exp(α[t-1,i] + A[i,j])

    Shapes: E (T, K), A (K, K) -> (T, K)
    """
    return sum_beginnings(*as_field(E, A))


def backward(E, A):
    """(3)  β[t,i] = log Σ_j exp(A[i,j] + E[t+1,j] + β[t+1,j])

    Shapes: E (T, K), A (K, K) -> (T, K)
    """
    return sum_ends(*as_field(E, A))


def log_partition(E, A):
    """(4)  log Z = log Σ_j exp α[T-1,j]

    Shapes: E (T, K), A (K, K) -> ()
    """
    return float(logsumexp(forward(E, A)[-1]))


# --- probabilities -------------------------------------------------------------------------------


def node_marginals(E, A):
    """(5)  γ[t,j] = exp(α[t,j] + β[t,j] - log Z)

    Raises ValueError also if every path is forbidden; so do all below, except `k_best`.

    Shapes: E (T, K), A (K, K) -> (T, K)
    """
    E, A = as_field(E, A)
    alpha, beta, log_Z = _sums(E, A)
    return np.exp(alpha + beta - log_Z)


def edge_marginals(E, A):
    """(6)  ξ[t,i,j] = exp(α[t,i] + A[i,j] + E[t+1,j] + β[t+1,j] - log Z)

    Shapes: E (T, K), A (K, K) -> (T-1, K, K)
    """
    E, A = as_field(E, A)
    alpha, beta, log_Z = _sums(E, A)
    return np.exp(alpha[:-1, :, None] + A[:len(E) - 1] + (E + beta)[1:, None, :] - log_Z)


def log_likelihood(E, A, y):
    """(7)  log p(y) = s(y) - log Z

    Shapes: E (T, K), A (K, K), y (T) in K -> ()
    """
    return path_score(E, A, y) - _possible(log_partition(E, A))


def log_likelihood_gradient(E, A, y):
    """(8)  ∂log p/∂E = [y_t = j] - γ[t,j], ∂log p/∂A = [y_t = i, y_{t+1} = j] - ξ

    What was observed minus what was expected.  A shared A (K, K) gets the sum over its T-1 uses.

    Shapes: E (T, K), A (K, K), y (T) in K -> (T, K), (K, K)
    """
    dE, dA = -node_marginals(E, A), -edge_marginals(E, A)
    y, places = _as_path(y, dE), np.arange(len(dE))
    dE[places, y] += 1
    dA[places[:-1], y[:-1], y[1:]] += 1
    return dE, dA.sum(axis=0) if np.ndim(A) == 2 else dA


def entropy(E, A):
    """(13)  H = log Z - Σ_{t,j} γ E - Σ_{t,i,j} ξ A

    In nats.

    Shapes: E (T, K), A (K, K) -> ()
    """
    gamma, xi, log_Z = node_marginals(E, A), edge_marginals(E, A), log_partition(E, A)
    E, A = as_field(E, A)
    at_nodes, at_edges = np.where(gamma > 0, E, 0), np.where(xi > 0, A[:len(xi)], 0)
    return log_Z - float((gamma * at_nodes).sum() + (xi * at_edges).sum())


# --- decoding ------------------------------------------------------------------------------------


def viterbi(E, A):
    """(9)  δ[t,j] = E[t,j] + max_i (δ[t-1,i] + A[i,j]), followed back

    The path of highest score, int32 (T,), and its score.

    Shapes: E (T, K), A (K, K) -> (T), ()
    """
    E, A = as_field(E, A)
    y = np.empty(len(E), np.int32)
    score = _possible(best_path(E, A, y))
    return y, float(score)


def k_best(E, A, R):
    """(10)  the R paths of highest s(y), best first

    Paths int32 (R, T) and scores (R,); fewer, if fewer are possible.

    Shapes: E (T, K), A (K, K), R -> (R, T), (R)
    """
    E, A = as_field(E, A)
    paths = min(whole_number(R, "R"), E.shape[1] ** len(E))
    return best_paths(E, A, paths)


def posterior_decode(E, A):
    """(11)  ŷ_t = argmax_j γ[t,j]

    Shapes: E (T, K), A (K, K) -> (T) in K
    """
    return node_marginals(E, A).argmax(axis=1).astype(np.int32)


def sample(E, A, R=1, random_state=None):
    """(12)  p(y_t = i | y_{t+1} = j) ∝ exp(α[t,i] + A[i,j]), p(y_{T-1} = j) ∝ exp α

    R independent paths, int32 (R, T), drawn from p(y) exactly, last place first.

    Shapes: E (T, K), A (K, K), R -> (R, T) in K
    """
    E, A = as_field(E, A)
    alpha, _, _ = _sums(E, A)
    y = np.empty((whole_number(R, "R"), len(E)), np.int32)
    u = generator(random_state).random(y.shape)
    y[:, -1] = _draw(np.broadcast_to(alpha[-1], (len(y), E.shape[1])), u[:, -1])
    for t in range(len(E) - 2, -1, -1):
        y[:, t] = _draw(alpha[t] + A[t % len(A)].T[y[:, t + 1]], u[:, t])
    return y


def _draw(L, u):
    """For each row of logarithms `L` (R, K) the label whose share of [0, 1) holds `u` (R,)."""
    cumulated = np.exp(L - L.max(axis=1, keepdims=True)).cumsum(axis=1)
    total = cumulated[:, -1]
    return (cumulated > np.minimum(u * total, np.nextafter(total, 0))[:, None]).argmax(axis=1)


# --- checks --------------------------------------------------------------------------------------


def as_field(E, A):
    """E (T, K) and A (1, K, K) or (T-1, K, K) as the kernels take them: float64, C-contiguous, without NaN or +inf.

    Step t of a field takes A[t % len(A)].  Raises ValueError.
    """
    E, A = as_scores(E, "E"), as_scores(A, "A")
    if E.ndim != 2 or 0 in E.shape:
        raise ValueError(f"E: expected scores of shape (T, K) with at least one place and one label, got {E.shape}")
    T, K = E.shape
    if A.shape not in ((K, K), (T - 1, K, K)):
        raise ValueError(f"A: expected shape (K, K) = {(K, K)} or (T-1, K, K) = {(T - 1, K, K)} to fit E, got "
                         f"{A.shape}")
    return E, A.reshape(-1, K, K)


def as_scores(S, name):
    """`S` as a C-contiguous float64 array; -inf is a score, NaN and +inf are not.  Raises ValueError."""
    S = as_floats(S, name).astype(np.float64, copy=False)
    wrong = ~(S < np.inf)
    if wrong.any():
        where = np.unravel_index(wrong.argmax(), S.shape)
        raise ValueError(f"{name}: a score is {S[where]} at [{', '.join(map(str, where))}]; expected finite numbers, "
                         "or -inf for what is forbidden")
    return S


def _as_path(y, E):
    y = np.asarray(y)
    if y.shape != E.shape[:1] or y.dtype.kind not in "iu":
        raise ValueError(f"y: expected {len(E)} whole numbers to fit E, got {y.dtype} of shape {y.shape}")
    if y.min() < 0 or y.max() >= E.shape[1]:
        raise ValueError(f"y: expected labels 0 ... {E.shape[1] - 1}, got {y.min()} ... {y.max()}")
    return y


def _possible(score):
    if score == -np.inf:
        raise ValueError("E and A: every path is forbidden (its score is -inf); allow one")
    return score


def _sums(E, A):
    alpha = sum_beginnings(E, A)
    return alpha, sum_ends(E, A), _possible(logsumexp(alpha[-1]))


# --- compiled: the recursions themselves, for A (L, K, K) whose step t is A[t % L] ------------------


@kernel
def sum_beginnings(E, A):
    """α of (2), (T, K)."""
    T, K = E.shape
    alpha, terms = E.copy(), np.empty(K)
    for t in range(1, T):
        step = A[(t - 1) % A.shape[0]]
        for j in range(K):
            for i in range(K):
                terms[i] = alpha[t - 1, i] + step[i, j]
            alpha[t, j] += logsumexp(terms)
    return alpha


@kernel
def sum_ends(E, A):
    """β of (3), (T, K)."""
    T, K = E.shape
    beta, terms = np.zeros((T, K)), np.empty(K)
    for t in range(T - 2, -1, -1):
        step = A[t % A.shape[0]]
        for i in range(K):
            for j in range(K):
                terms[j] = step[i, j] + E[t + 1, j] + beta[t + 1, j]
            beta[t, i] = logsumexp(terms)
    return beta


@kernel
def best_path(E, A, y):
    """The path of (9) into `y` (T,); returns its score, -inf if every path is forbidden."""
    T, K = E.shape
    delta, best = np.empty((T, K)), np.zeros((T, K), np.int32)           # best[t, j]: the label before (t, j)
    delta[0] = E[0]
    for t in range(1, T):
        step, before, most, choice = A[(t - 1) % A.shape[0]], delta[t - 1], delta[t], best[t]
        most[:] = -np.inf
        for i in range(K):                               # along j, which fills the vector registers
            for j in range(K):
                choice[j] = i if before[i] + step[i, j] > most[j] else choice[j]
                most[j] = max(most[j], before[i] + step[i, j])
        for j in range(K):
            most[j] += E[t, j]
    y[T - 1] = delta[T - 1].argmax()
    for t in range(T - 1, 0, -1):
        y[t - 1] = best[t, y[t]]
    return delta[T - 1, y[T - 1]]


@kernel
def best_paths(E, A, R):
    """(10): every (t, j) keeps its R best beginnings in order, merged from the ordered lists of its predecessors.

    score[t, j, r] is the r-th best beginning that ends in (t, j), -inf where there is none; before[t, j, r] is the
    label before, and rank[t, j, r] says which of that label's beginnings it continues.
    """
    T, K = E.shape
    score = np.full((T, K, R), -np.inf)
    before, rank = np.zeros((T, K, R), np.int32), np.zeros((T, K, R), np.int32)
    score[0, :, 0] = E[0]
    for t in range(1, T):
        step = A[(t - 1) % A.shape[0]]
        for j in range(K):
            _merge(score[t - 1], step[:, j], score[t, j], before[t, j], rank[t, j])
            score[t, j] += E[t, j]
    last, place = np.zeros(R, np.int32), np.zeros(R, np.int32)
    total = np.full(R, -np.inf)
    _merge(score[T - 1], np.zeros(K), total, last, place)
    found = (total > -np.inf).sum()
    paths = np.empty((found, T), np.int32)
    for n in range(found):
        j, r = last[n], place[n]
        for t in range(T - 1, -1, -1):
            paths[n, t] = j
            j, r = before[t, j, r], rank[t, j, r]
    return paths, total[:found]


@kernel
def _merge(lists, add, score, which, rank):
    """The best of all lists[i, r] + add[i], in order, into `score`; `which` and `rank` say where each is from.

    `lists` (K, R) falls along its rows.  Of equals the lowest i comes first.
    """
    K, R = lists.shape
    next_of = np.zeros(K, np.int32)                      # how many of each list are taken
    for n in range(R):
        for i in range(K):
            if next_of[i] < R and lists[i, next_of[i]] + add[i] > score[n]:
                score[n], which[n] = lists[i, next_of[i]] + add[i], i
        rank[n] = next_of[which[n]]
        next_of[which[n]] += 1
