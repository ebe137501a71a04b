"""What looks better than it is: who clicks is disappointed, who buys sends it back, and a list should not show it.

A recommender learns from what was taken, and click-bait is taken often.  What tells it apart is what came after: the
reader was gone in a moment, the thing was sent back.  So a model of its own says how likely that is, from what is known
of an item alone, such as the words of its name (1).  It is a logistic regression on counts: an item that was taken 900
times speaks 900 times as loud as one that was taken once (2, 3).  An item with a past has a share of its own, and the
model says what to believe while that past is short (4).  What costs more than it brings is left out (5), by `filtered`
of the chapter on re-ranking.

Symbols
    N, D       items; what is known of each
    X  (N, D)  features, as sparse rows; x_i of item i
    n  (N,)    how often an item was taken
    k  (N,)    and how often that was a disappointment, at most n
    w, b  (D,), ()  weights of features, and what is added to all
    z  (N,)    x_i·w + b
    P  (N,)    how likely a disappointment is
    λ          how strongly weights are held near 0
    m          how many times of taking the model is worth
    g, c       what is gained where all is well, what a disappointment costs

Equations
    (1)  P_i = 1 / (1 + e^-z_i)                                                           probabilities
    (2)  L = Σ_i k_i ln(1 + e^-z_i) + (n_i - k_i) ln(1 + e^z_i) + ½ λ ‖w‖²                loss
    (3)  ∂L/∂w = Σ_i (n_i P_i - k_i) x_i + λ w, ∂L/∂b = Σ_i (n_i P_i - k_i)               loss_gradient
    (4)  r_i = (k_i + m P_i) / (n_i + m)                                                  smoothed_rate
    (5)  θ = g / (g + c)                                                                  worth_showing_below

Choices
    b is not held near 0, so P over all times of taking is as often true as k says.  (4) with the same P for all is the
    usual smoothed rate, with m P and m (1 - P) imagined times before the first.  Below θ of (5), (1 - P) g > P c.
    (2) is convex, and L-BFGS finds its one minimum.  It is given v_j = w_j √h_j with h_j the curvature of (2) at w = 0,
    so features of any unit go together; a feature that does not vary gets no weight where λ = 0.
    With λ = 0 there may be no minimum: the weight of a word that only items have which were never sent back falls for
    ever.  A warning says so.  Where all were a disappointment, or none, there is nothing to tell apart.

Cost
    Two products with the sparse X and a pass over N logarithms in each iteration.

>>> features, taken, bad = np.array([[0.], [1], [2]]), np.array([90, 50, 40]), np.array([1, 5, 20])
>>> model = ClickBait(regularization=0.1).fit(features, bad, taken)
>>> model.predict(features).round(3).tolist(), model.coef_.round(2).tolist()
([0.012, 0.1, 0.497], [2.19])
>>> smoothed_rate(bad, taken, model.predict(features), 10).round(3).tolist(), worth_showing_below(1, 3)
([0.011, 0.1, 0.499], 0.25)

Sources: T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical Learning", 2nd edition (2009), section
4.4, for (1) to (3); A. Gelman et al., "Bayesian Data Analysis", 3rd edition (2013), section 2.4, for (4).
"""
import warnings

import numpy as np

from scratchml.core.checks import as_vector, real_number, whole_number
from scratchml.core.estimator import ConvergenceWarning, Estimator, compatible, warn_not_converged
from scratchml.nn.bags import bag, bag_by_table
from scratchml.optim.lbfgs import lbfgs
from scratchml.recommend.content import _features

SURE = 15.0                                              # |z| beyond which an item counts as told apart
CONSTANT = 1e-12                                         # spread of a feature beside its size; less is rounding
LEAST, MOST = 1e-100, 1e100                              # sizes of features whose squares and their sums are safe

# --- the equations -------------------------------------------------------------------------------


def probabilities(z):
    """(1)  P_i = 1 / (1 + e^-z_i)

    Shapes: z (N) -> (N)
    """
    return np.exp(-np.logaddexp(0, -z))


def loss(z, k, n, w, λ):
    """(2)  L = Σ_i k_i ln(1 + e^-z_i) + (n_i - k_i) ln(1 + e^z_i) + ½ λ ‖w‖²

    Shapes: z (N), k (N), n (N), w (D), λ -> ()
    """
    return float((k * np.logaddexp(0, -z) + (n - k) * np.logaddexp(0, z)).sum() + λ / 2 * (w * w).sum())


def loss_gradient(X, z, k, n, w, λ):
    """(3)  ∂L/∂w = Σ_i (n_i P_i - k_i) x_i + λ w, ∂L/∂b = Σ_i (n_i P_i - k_i)

    Shapes: X (N, D), z (N), k (N), n (N), w (D), λ -> (D), ()
    """
    over = n * probabilities(z) - k
    return bag_by_table(X, over[:, None])[:, 0] + λ * w, float(over.sum())


def smoothed_rate(bad, taken, expected, strength):
    """(4)  r_i = (k_i + m P_i) / (n_i + m)

    Raises ValueError for counts below 0 or of which `bad` are more, P outside 0 ... 1, and m that is not above 0.

    Shapes: k (N), n (N), P (N), m -> (N)

    Parameters
    ----------
    bad : array (N,)
        How often each item was a disappointment.
    taken : array (N,)
        How often it was taken.
    expected : array (N,) or float
        What to believe of an item without a past: what a model says, or the share among all.
    strength : float
        m, how many times of taking that is worth.
    """
    k, n = counts_of(bad, taken)
    P = np.full(k.shape, expected) if np.ndim(expected) == 0 else expected
    P = as_vector(P, name="expected", size=k.size)
    if P.size and not 0 <= P.min() <= P.max() <= 1:
        raise ValueError(f"expected: expected probabilities, got {P.min():.6g} ... {P.max():.6g}")
    m = real_number(strength, "strength", above=0)
    return (k + m * P) / (n + m)


def worth_showing_below(gain, cost):
    """(5)  θ = g / (g + c)

    Raises ValueError for a gain that is not above 0, and a cost below 0.

    Shapes: g, c -> ()

    Parameters
    ----------
    gain : float
        What is gained by an item that is taken and was what it promised.
    cost : float
        What a disappointment costs.
    """
    g, c = real_number(gain, "gain", above=0), real_number(cost, "cost")
    return 1 / (1 + c / g)


# --- the model -----------------------------------------------------------------------------------


class ClickBait(Estimator):
    """How likely an item is to disappoint, from what is known of it: (1), with the weights for which (2) is least.

    Parameters
    ----------
    regularization : float, default=1.0
        λ, at least 0: scikit-learn's C is 1 / λ.
    max_iterations : int, default=1000
        When to stop, whatever happens.

    Attributes
    ----------
    coef_ : w (D,)
    intercept_ : b
    n_iter_ : iterations of L-BFGS
    """

    _takes_a_table = False                               # but counts of each item beside

    def __init__(self, regularization=1.0, *, max_iterations=1000):
        self.regularization = regularization
        self.max_iterations = max_iterations

    def fit(self, features, bad, taken):
        """Find the weights.  Returns itself.

        Raises ValueError for features and counts that are none or do not fit together, items that were all a
        disappointment or none, and bad parameters.  Warns where the iterations end before the minimum, and where there
        is none.

        Parameters
        ----------
        features : array, Rows or sparse matrix (N, D)
            What items are like.
        bad : array (N,)
            How often each was a disappointment.
        taken : array (N,)
            How often each was taken; 0 for what is not known yet.
        """
        λ = real_number(self.regularization, "regularization")
        limit = whole_number(self.max_iterations, "max_iterations")
        X = features_of(features)
        k, n = counts_of(bad, taken, X.shape[0])
        if not 0 < k.sum() < n.sum():
            raise ValueError(f"bad: {k.sum():.6g} of {n.sum():.6g} times of taking were a disappointment, and a "
                             "model needs some that were and some that were not")
        P = k.sum() / n.sum()
        curvature = P * (1 - P) * spread(X, n)
        X, shift = centred(X, n)
        unit = 1 / np.sqrt(np.append(np.where(curvature > 0, curvature + λ, np.inf), P * (1 - P) * n.sum()))
        mean = bag_by_table(X, n[:, None])[:, 0] / n.sum()

        def unpacked(v):                                 # b is that of features less their mean
            w = v[:-1] * unit[:-1]
            return w, v[-1] * unit[-1] - (mean * w).sum()

        def at(v):
            w, b = unpacked(v)
            z = times(X, w) + b
            by_w, by_b = loss_gradient(X, z, k, n, w, λ)
            return loss(z, k, n, w, λ), np.append(by_w - mean * by_b, by_b) * unit

        start = np.append(np.zeros(X.shape[1]), (np.log(P) - np.log1p(-P)) / unit[-1])
        found = lbfgs(at, start, max_iterations=limit, epsilon=1e-9, delta=0, memory=20)
        w, b = unpacked(found.x)
        self.coef_, self.intercept_, self.n_iter_ = w, float(b - (shift * w).sum()), found.iterations
        if not λ and (endless := without_minimum(X, times(X, w) + b, k, n)):
            warnings.warn(f"regularization=0: {endless}, so no weights are best; set regularization above 0",
                          compatible(ConvergenceWarning), stacklevel=2)
        elif found.reason == "max_iterations":
            warn_not_converged(f"max_iterations={limit}: the weights still change; raise it, or regularization")
        return self

    def predict(self, features):
        """How likely each item is to disappoint, P (N,).  Raises ValueError for other features than those of `fit`.

        Parameters
        ----------
        features : array, Rows or sparse matrix (N, D)
            What items are like, in the columns of `fit`.
        """
        self._check_fitted()
        X = features_of(features, fitted=True)
        if X.shape[1] != self.coef_.size:
            raise ValueError(f"features: expected the {self.coef_.size} columns of fit, got {X.shape[1]}")
        return probabilities(times(X, self.coef_) + self.intercept_)


# --- features and counts -------------------------------------------------------------------------


def times(X, w):
    """X w (N,) of Rows (N, D)."""
    return bag(X, w[:, None])[:, 0]


def features_of(features, fitted=False):
    """`features` as Rows (N, D), each column of a size that is safe.  Raises ValueError."""
    X = _features(features, "features")
    sizes = np.zeros(X.shape[1])
    np.maximum.at(sizes, X.indices, np.abs(X.data))
    wrong = (sizes > MOST) | (0 < sizes) & (sizes < LEAST) & (not fitted)
    if wrong.any():
        j = int(wrong.argmax())
        raise ValueError(f"features: the largest magnitude in column {j} is {sizes[j]:.3g}, expected {LEAST:.0e} to "
                         f"{MOST:.0e}; scale the column")
    return X


def counts_of(bad, taken, N=None):
    """k and n (N,), float64, 0 <= k <= n.  Raises ValueError."""
    k, n = (as_vector(counts, name=name).astype(np.float64) for counts, name in ((bad, "bad"), (taken, "taken")))
    if k.shape != n.shape or N is not None and k.size != N:
        raise ValueError(f"bad, taken: expected a number for each of {n.size if N is None else N} items, got "
                         f"{k.size} and {n.size}")
    wrong = (k < 0) | (k > n)
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(f"bad: expected 0 ... {n[i]:.6g} for item {i}, which was taken so often, got {k[i]:.6g}; "
                         "where more comes back than was counted, np.minimum(bad, taken)")
    return k, n


def centred(X, n):
    """X with the mean, by n, subtracted from each feature that all items have, and what was subtracted (D,).

    Without, a feature that is near a million for all would hide in its rounding by how much they differ.
    """
    everywhere = np.bincount(X.indices, minlength=X.shape[1]) == X.shape[0]
    shift = np.where(everywhere, bag_by_table(X, n[:, None])[:, 0] / n.sum(), 0)
    return X._replace(data=X.data - shift[X.indices]), shift


def spread(X, n):
    """Σ_i n_i (x_ij - mean_j)² of each feature (D,), the mean by n; 0 for what is rounding alone."""
    whole, here = n.sum(), np.repeat(n, np.diff(X.indptr))
    D = X.shape[1]
    mean = np.bincount(X.indices, here * X.data, minlength=D) / whole
    off = np.bincount(X.indices, here * (X.data - mean[X.indices]) ** 2, minlength=D)
    off = off + (whole - np.bincount(X.indices, here, minlength=D)).clip(0) * mean**2        # of those that have 0
    sizes = np.zeros(D)
    np.maximum.at(sizes, X.indices, np.where(here > 0, np.abs(X.data), 0))
    return np.where(off > whole * (CONSTANT * sizes) ** 2, off, 0)


def without_minimum(X, z, k, n):
    """Why (2) without λ has no minimum, as far as can be seen; "" if it seems to have one."""
    positive = np.bincount(X.indices, X.data < 0, minlength=X.shape[1]) == 0
    has = np.bincount(X.indices, np.repeat(n, np.diff(X.indptr)) * (X.data > 0), minlength=X.shape[1]) > 0
    for counts, what in ((k, "never were a disappointment"), (n - k, "always were a disappointment")):
        alone = positive & has & (bag_by_table(X, counts[:, None])[:, 0] == 0)
        if alone.any():
            return f"feature {alone.argmax()} is of items alone that {what}"
    sure = (n > 0) & np.where(z < 0, k == 0, k == n) & (np.abs(z) > SURE)
    return f"item {sure.argmax()} is told apart from others for certain" if sure.any() else ""
