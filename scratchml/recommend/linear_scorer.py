"""A scorer of candidates that is one line: a weight for each feature, by a softmax over the candidates of a query.

Each user is a query, and of his candidates some are right.  If scores are weighed sums of features (1), the softmax of
the candidates of a query is a guess at which one it will be, and the weights that give the right ones the most
probability are found by their gradient (2, 3).  What all candidates of a query share, such as how old the user is, has
no say in their order by itself: the softmax takes a constant out.  Trees can ask for it first; a sum cannot.

Symbols
    Z     (K, D)  features of K candidates, each column of mean 0 and deviation 1: z_k
    y     (K,)    how right each candidate is, at least 0
    g     (K,)    the query of each candidate, a number from 0; Q queries in which something is right
    w     (D,)    weights
    s     (K,)    scores
    p_k           e^{s_k} / Σ_l e^{s_l}, and y'_k = y_k / Σ_l y_l, l the candidates of its query
    λ             the penalty of a squared weight

Equations
    (1)  s_k = Σ_d w_d z_kd                                                      linear_scores
    (2)  L = -Σ_k y'_k ln p_k / Q                                                softmax_loss
    (3)  ∂L/∂s_k = (p_k - y'_k) / Q                                              softmax_gradient

Choices
    What is minimised is L + λ ‖w‖² / 2.  A query in which nothing is right, or that has one candidate, says nothing.
    Columns that are constant in `fit` have no say.

Cost
    O(K D) for each evaluation of the loss, of which there are some dozens.

>>> X = np.array([[5., 0], [1, 1], [2, 1], [9, 1], [6, 0]])
>>> scorer = LinearScorer().fit(X, [1, 0, 0, 0, 1], qid=[7, 7, 7, 3, 3])
>>> np.argsort(-scorer.predict([[0., 1], [1, 0]])).tolist()
[1, 0]

Source: Z. Cao, T. Qin, T.-Y. Liu, M.-F. Tsai and H. Li, "Learning to rank: from pairwise approach to listwise
approach", ICML 2007, section 4, with shares of labels in place of their softmax.
"""
import numpy as np

from scratchml.core.checks import as_matrix, as_vector, real_number, whole_number
from scratchml.core.estimator import Estimator, warn_not_converged
from scratchml.core.sparse import whole_numbers
from scratchml.optim.lbfgs import lbfgs
from scratchml.preprocessing import StandardScaler


def linear_scores(Z, w):
    """(1)  s_k = Σ_d w_d z_kd

    Shapes: Z (K, D), w (D) -> (K)
    """
    return np.einsum("kd,d->k", Z, w)                    # by BLAS it may differ with the other rows


def softmax_loss(s, y, g):
    """(2)  L = -Σ_k y'_k ln p_k / Q

    Shapes: s (K), y (K), g (K) -> ()
    """
    logs, shares, Q = _logs_and_shares(s, y, g)
    return -float(shares @ logs) / Q


def softmax_gradient(s, y, g):
    """(3)  ∂L/∂s_k = (p_k - y'_k) / Q

    0 in a query in which nothing is right.

    Shapes: s (K), y (K), g (K) -> (K)
    """
    logs, shares, Q = _logs_and_shares(s, y, g)
    asks = np.bincount(g, y) > 0
    return np.where(asks[g], np.exp(logs) - shares, 0) / Q


class LinearScorer(Estimator):
    """Weights of features, learned by (2): anything with its `fit(X, y, qid=)` and `predict` can take its place.

    Parameters
    ----------
    reg_lambda : float, default=1e-4
        λ, at least 0.
    max_iter : int, default=1000
        Iterations of L-BFGS at most; reaching it is a ConvergenceWarning.

    Attributes
    ----------
    coef_ : w (D,), of the scaled features
    scaler_ : StandardScaler, of the features
    loss_ : L + λ ‖w‖² / 2
    """

    _takes_a_table = False                               # but with queries

    def __init__(self, reg_lambda=1e-4, max_iter=1000):
        self.reg_lambda = reg_lambda
        self.max_iter = max_iter

    def fit(self, X, y, qid):
        """Find the weights.  Returns itself.

        Raises ValueError for features that are not finite, labels below 0, queries that are no whole numbers, arrays of
        different lengths, and where no query has a right candidate beside another.

        Parameters
        ----------
        X : array (K, D)
            Features of candidates.
        y : array (K,)
            1 for the right ones and 0 for the others; or how right each is.
        qid : array (K,) of int
            The query of each candidate, in any order.
        """
        penalty, limit = real_number(self.reg_lambda, "reg_lambda"), whole_number(self.max_iter, "max_iter")
        X = as_matrix(X).astype(np.float64, copy=False)
        y = as_vector(y, name="y", size=len(X)).astype(np.float64, copy=False)
        if y.min(initial=0) < 0:
            raise ValueError(f"y: expected labels of at least 0, got {y.min()} at {y.argmin()}")
        q = whole_numbers(qid, "qid")
        if q.shape != y.shape:
            raise ValueError(f"qid: expected the query of each of {len(y)} candidates, got shape {q.shape}")
        g = np.unique(q, return_inverse=True)[1].reshape(-1)
        many, right = np.bincount(g), np.bincount(g, y / max(y.max(), 1e-300))
        kept = ((many > 1) & (right > 0))[g]
        if not kept.any():
            raise ValueError("y, qid: no query has a right candidate beside another, so there is nothing to rank")
        scaler = StandardScaler().fit(X[kept])
        Z, y = scaler.transform(X[kept]), y[kept] / y.max()
        g = np.unique(g[kept], return_inverse=True)[1].reshape(-1)
        varies = np.ptp(Z, axis=0) > 0

        def loss(w):
            s = linear_scores(Z, w)
            return softmax_loss(s, y, g) + penalty / 2 * (w @ w), Z.T @ softmax_gradient(s, y, g) + penalty * w

        found = lbfgs(loss, np.zeros(Z.shape[1]), max_iterations=limit, epsilon=1e-6, delta=1e-9)
        if found.reason == "max_iterations":
            warn_not_converged(f"the loss still fell after max_iter={limit}; raise it, or reg_lambda={self.reg_lambda}")
        vars(self).update(coef_=np.where(varies, found.x, 0), scaler_=scaler, loss_=found.value,
                          n_features_in_=X.shape[1])
        return self

    def predict(self, X):
        """Scores (K,), which can be compared within a query.  Raises ValueError for other features than those of `fit`.

        Parameters
        ----------
        X : array (K, D)
            Features of candidates.
        """
        self._check_fitted()
        return linear_scores(self.scaler_.transform(as_matrix(X).astype(np.float64, copy=False)), self.coef_)


def _logs_and_shares(s, y, g):
    """ln p (K,), y' (K,), 0 where nothing is right, and Q; of each query the greatest score is subtracted first."""
    n = g.max() + 1
    most = np.full(n, -np.inf)
    np.maximum.at(most, g, s)
    s = s - most[g]
    right = np.bincount(g, y, n)
    logs = s - np.log(np.bincount(g, np.exp(s), n))[g]
    return logs, y / np.where(right > 0, right, 1)[g], np.count_nonzero(right)
