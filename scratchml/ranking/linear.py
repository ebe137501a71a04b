"""A linear ranker: the score of a document is a weighted sum of its features, under any loss of this package.

The losses of the chapters pairs and lists take scores and give slopes, and care not where scores come from.  Here they
come from the plainest of models.  It is what all others are to beat, it has a weight for each feature that one can
read, and its minimum is one for all convex losses, which these are: with λ > 0 there is exactly one.

Symbols
    N, D, Q    documents, features, queries
    Z  (N, D)  features, less their means, in standard deviations
    v  (D,)    weights
    L  (Q,)    losses of the queries, for scores Z v
    u  (N,)    slopes of Σ_q L_q by the scores
    R          how many queries have documents of unequal grades
    λ          price of a squared weight

Equations
    (1)  s = Z v                                                                          linear_scores
    (2)  F = Σ_q L_q / R + λ/2 ‖v‖²                                                       objective
    (3)  ∂F/∂v = Zᵀ u / R + λ v                                                           objective_gradient

Choices
    Features are standardised by all rows of `fit`, so that λ means the same for all, and one that is constant has the
    weight 0.  There is no intercept: it would add the same to all scores of a query, and change no order.  So do
    features that are the same for all documents of a query.  `coef_` is for features as they came, v / σ.
    (2) is minimised by L-BFGS (chapter lbfgs) until the slope is `tol`.  Where weights keep growing since an order is
    learned perfectly and λ = 0, that is when F has stopped falling in its twelfth digit.
    ListMLE needs an order of equal grades: it is drawn at random, once a fit.  `top_k` is for it alone.
    Where no query has documents of unequal grades, there is nothing to rank: a warning, and all weights 0.

Cost
    Two products with Z an evaluation, 4 N D additions and multiplications, and what the loss takes; N D numbers for Z.

>>> from scratchml.datasets import load_mode_choice
>>> trips = load_mode_choice()
>>> mode = trips.alternatives[:, None] == ["air", "train", "bus"]
>>> X = np.column_stack([trips.data[:, [3, 0]], trips.data[:, 4] * mode[:, 0], mode])
>>> logit = LinearRanker(loss="softmax", reg_lambda=0).fit(X, trips.chosen, qid=trips.chooser)
>>> print(round(-210 * logit.loss_, 5), logit.coef_.round(3))    # a conditional logit: its log-likelihood
-199.12837 [-0.016 -0.096  0.013  5.207  3.869  3.163]

Sources: those of the chapters pairs and lists; D. McFadden, "Conditional logit analysis of qualitative choice behavior"
(1974), for the example.
"""
import warnings

import numpy as np

from scratchml.core import storage
from scratchml.core.checks import as_floats, finite, one_of, real_number, whole_number
from scratchml.core.estimator import Estimator, warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.metrics.graded import ndcg_score
from scratchml.optim.lbfgs import lbfgs
from scratchml.preprocessing import StandardScaler
from scratchml.ranking.lists import TopOne, WholeOrder
from scratchml.ranking.pairs import EveryPair
from scratchml.ranking.queries import rankable, required_queries, shuffled
from scratchml.ranking.query_losses import at_least_0, checked_top_k
from scratchml.ranking.routing import TakesQueries

LOSSES = ("listnet", "softmax", "listmle", "ranknet")
KIND = "scratchml.ranking.LinearRanker"
ARRAYS = ("weights_", "mean_", "scale_")
DELTA = 1e-12                                            # L-BFGS stops where F fell by less in ten iterations

# --- the equations -------------------------------------------------------------------------------


def linear_scores(Z, v):
    """(1)  s = Z v

    Shapes: Z (N, D), v (D) -> (N)
    """
    return Z @ v


def objective(L, v, R, λ):
    """(2)  F = Σ_q L_q / R + λ/2 ‖v‖²

    Shapes: L (Q), v (D), R, λ -> ()
    """
    return float(np.sum(L) / R + λ / 2 * (v * v).sum())


def objective_gradient(Z, u, v, R, λ):
    """(3)  ∂F/∂v = Zᵀ u / R + λ v

    Shapes: Z (N, D), u (N), v (D), R, λ -> (D)
    """
    return u @ Z / R + λ * v


# --- the estimator -------------------------------------------------------------------------------


class LinearRanker(TakesQueries, Estimator):
    """A weighted sum of features, learned from graded documents of queries.

    Parameters
    ----------
    loss : {"listnet", "softmax", "listmle", "ranknet"}, default="listnet"
        ListNet with shares of grades, or the softmax loss, ListMLE or RankNet.
    reg_lambda : float, default=1e-4
        λ, the price of a squared weight.
    top_k : int, "relevant" or None, default=None
        How many places count in ListMLE; "relevant" for the documents above the lowest grade of a query, None for all.
    max_iter : int, default=500
        Iterations of L-BFGS at most.
    tol : float, default=1e-8
        The length of the slope (3) at which to stop.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the order of equal grades in ListMLE.
    verbose : int, default=0
        1 for a line to stderr after each iteration.
    callback : callable or None, default=None
        Called with a `Progress` after each iteration; returning True stops the fit.

    Attributes
    ----------
    weights_ : (D,), v: what a standard deviation of a feature adds to the score
    mean_, scale_ : (D,), of the features
    coef_ : (D,), what a unit of a feature adds, weights_ / scale_
    loss_ : Σ_q L_q / R at the end
    n_iter_ : iterations of L-BFGS
    """

    _takes_a_table = False                               # not without queries
    _handed_on = {"fit": ("group", "qid"), "score": ("group", "qid")}

    def __init__(self, loss="listnet", reg_lambda=1e-4, top_k=None, max_iter=500, tol=1e-8, random_state=None,
                 verbose=0, callback=None):
        self.loss = loss
        self.reg_lambda = reg_lambda
        self.top_k = top_k
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, X, y, group=None, *, qid=None):
        """Minimise (2).  Returns itself.

        Warns where there is nothing to rank, and if `max_iter` ends it.  Raises ValueError for bad input and
        parameters, where it is not said which documents belong to one query, and for grades below 0 where the loss
        takes shares of them.

        Parameters
        ----------
        X : array (N, D)
            A row for each document.
        y : array (N,)
            Grades.
        group : array (Q,) of int or None, default=None
            How many documents each query has, which then stand together.
        qid : array (N,) of str or int, or None, default=None
            Which query each document belongs to, in any order.
        """
        λ, tol, limit = real_number(self.reg_lambda, "reg_lambda"), real_number(self.tol, "tol"), \
            whole_number(self.max_iter, "max_iter", least=0)
        one_of(self.loss, "loss", LOSSES)
        checked_top_k(self.top_k)
        X = self._fit_matrix(X)
        y = grades(y, len(X), type(self).__name__)
        queries = required_queries(len(X), group, qid, "fit")
        losses_of, R = self._losses(y, queries), int(rankable(y, queries).sum())
        scaler = StandardScaler().fit(X.astype(np.float64))
        Z, losses = scaler.transform(X.astype(np.float64)), {}

        def fun(v):
            L, u, *_ = losses_of(linear_scores(Z, v))
            F = objective(L, v, max(R, 1), λ)
            losses[F] = L.sum() / max(R, 1)
            return F, objective_gradient(Z, u, v, max(R, 1), λ)

        def keep(now):
            self._keep_rounded(X.dtype, {"weights_": now.x, "mean_": scaler.mean_, "scale_": scaler.scale_},
                               loss_=float(losses[now.value]), n_iter_=now.iterations)

        def after(now):
            keep(now)
            return report(self, now.iterations, now.value)
        found = lbfgs(fun, np.zeros(X.shape[1]), memory=20, max_iterations=limit, epsilon=tol, delta=DELTA,
                      callback=after)
        keep(found)
        if not R:
            warnings.warn("y: nothing to rank, since the grades of each query are all equal; all weights are 0",
                          stacklevel=2)
        elif found.reason == "max_iterations":
            warn_not_converged(f"the fit ended after max_iter={limit} iterations; raise max_iter, tol or reg_lambda")
        return self

    def _losses(self, y, queries):
        if self.loss == "ranknet":
            return EveryPair(y, queries)
        if self.loss == "listmle":
            return WholeOrder(y, shuffled(queries, generator(self.random_state)), checked_top_k(self.top_k))
        return TopOne(at_least_0(y), queries, "shares" if self.loss == "listnet" else "grades")

    @property
    def coef_(self):
        return (self._in_double("weights_") / self._in_double("scale_")).astype(self.weights_.dtype)

    def predict(self, X):
        """(1) of documents, (N,): the greatest of a query stands first.  Raises ValueError for bad input.

        Parameters
        ----------
        X : array (N, D)
            A row for each document.
        """
        X = self._more_matrix(X)
        with np.errstate(over="ignore", invalid="ignore"):
            Z = (X - self._in_double("mean_")) / self._in_double("scale_")
            s = (Z * self._in_double("weights_")).sum(axis=1)        # no score depends on which others there are
            s = s.astype(np.result_type(X, self.weights_), copy=False)
        return finite(s, "X: the sum of weighted features")

    def score(self, X, y, group=None, *, qid=None):
        """NDCG@10, the mean over queries that have a document above grade 0; 1 at best.

        Raises ValueError for bad input, where it is not said which documents belong to one query, and where none is
        above grade 0.

        Parameters
        ----------
        X : array (N, D)
            A row for each document.
        y : array (N,)
            Grades, 0 or more.
        group : array (Q,) of int or None, default=None
            How many documents each query has, which then stand together.
        qid : array (N,) of str or int, or None, default=None
            Which query each document belongs to, in any order.
        """
        s = self.predict(X)
        y, queries = grades(y, len(s), type(self).__name__), required_queries(len(s), group, qid, "score")
        return ndcg_score(y[queries.order], s[queries.order], group=np.diff(queries.starts), k=10)

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
        names = getattr(self, "feature_names_in_", None)
        parameters = {name: getattr(self, name) for name in ("loss", "reg_lambda", "top_k", "max_iter", "tol")}
        storage.save(path, KIND, {name: self._in_double(name) for name in ARRAYS},
                     {"parameters": parameters, "dtype": str(self.weights_.dtype), "loss_": self.loss_,
                      "n_iter_": self.n_iter_, "names": None if names is None else names.tolist()})

    @classmethod
    def load(cls, path):
        """The model that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, KIND)
        try:
            model = cls(**rest["parameters"])
            D = len(arrays["weights_"])
            if any(arrays[name].shape != (D,) or not np.isfinite(arrays[name]).all() for name in ARRAYS):
                raise ValueError("its arrays do not fit together")
            if rest["dtype"] not in ("float32", "float64"):
                raise ValueError(f"its type is {rest['dtype']!r}")
            model.n_features_in_ = D
            if rest["names"] is not None:
                model.feature_names_in_ = np.array(rest["names"], dtype=object)
            model._keep_rounded(np.dtype(rest["dtype"]), {name: arrays[name] for name in ARRAYS},
                                loss_=float(rest["loss_"]), n_iter_=int(rest["n_iter_"]))
        except KeyError as error:
            raise ValueError(f"{path}: expected a fitted model, got one without {error}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: expected a fitted model, but {error}") from None
        return model


def grades(y, N, owner):
    """`y` as float64 (N,).  Raises ValueError for another shape, and for what is not finite."""
    if y is None:
        raise ValueError(f"y: This {owner} estimator requires y to be passed, but the target y is None.")
    y = finite(as_floats(y, "y"), "y").astype(np.float64)
    if y.shape != (N,):
        raise ValueError(f"y: expected a grade for each of the {N} documents, got shape {y.shape}; X and y have "
                         "inconsistent numbers of samples")
    return y
