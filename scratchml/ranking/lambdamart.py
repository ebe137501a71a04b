"""LambdaMART: trees, boosted by the pulls of LambdaRank.  The estimator; its parts are the chapters before.

`lambdas` says what pulls each document, `trees` grows a tree to it, `boosting` adds them up.  Here parameters are read,
held-out queries watched, and models kept.
"""
import warnings
from typing import NamedTuple

import numpy as np

from scratchml.core import storage
from scratchml.core.checks import one_of, real_number, true_or_false, whole_number
from scratchml.core.estimator import Estimator, _column_names
from scratchml.core.progress import checked_callback, report
from scratchml.core.random import generator
from scratchml.ranking.bins import MISSING, bin_edges, binned
from scratchml.ranking.boosting import Draws, boosted
from scratchml.ranking.growing import Limits
from scratchml.ranking.held_out import Watch, read_held_out
from scratchml.ranking.lambdas import Settings
from scratchml.ranking.routing import TakesQueries
from scratchml.ranking.tasks import NDCG, Gains, MeanLoss, labels, read_task, required_queries
from scratchml.ranking.tree_files import arrays_of, trees_of
from scratchml.ranking.trees import feature_importances, predict_trees, tree_leaves, tree_text

KIND = "scratchml.ranking.LambdaMART"
LEARNED = ("start_", "best_iteration_", "best_score_", "evals_result_", "stopped_by_", "n_features_in_")
OBJECTIVES = ("lambdarank", "ranknet", "softmax", "squared", "logistic")
KINDS = ("split", "gain")


class Plan(NamedTuple):
    """The parameters of a fit, checked."""
    rounds: int
    rate: float
    objective: str
    max_bin: int
    limits: dict                                         # keywords of `trees.grow`
    draws: Draws
    pairs: Settings
    patience: int | None


class LambdaMART(TakesQueries, Estimator):
    """A ranker of boosted trees.

    Parameters
    ----------
    n_estimators : int, default=100
        Trees at most.
    num_leaves : int, default=31
        Leaves of a tree at most.
    max_depth : int, default=-1
        Questions down to a leaf at most; -1 for any number.
    learning_rate : float, default=0.1
        How far a tree's step goes.
    min_child_samples : int, default=20
        Rows of a leaf at least.
    min_child_weight : float, default=1e-3
        Sum of curvatures in a leaf at least.
    min_split_gain : float, default=0.0
        What a cut must gain more than.
    reg_alpha : float, default=0.0
        Price of a leaf's value.
    reg_lambda : float, default=0.0
        Price of half the square of a leaf's value.
    subsample : float, default=1.0
        Share of the rows that a tree is grown on.
    subsample_freq : int, default=0
        After how many trees these rows are drawn anew; 0 only for a `subsample` of 1.
    colsample_bytree : float, default=1.0
        Share of the features that a tree may ask for, drawn for each.
    max_bin : int, default=255
        Bins of a feature at most.
    objective : {"lambdarank", "ranknet", "softmax", "squared", "logistic"}, default="lambdarank"
        The last two are losses of single rows, for those who want the trees alone.
    truncation_level : int, default=30
        Of a pair that lambdarank looks at, one document stands among so many.
    norm : bool, default=True
        Whether lambdarank divides pairs by the distance of their scores, and damps queries with many.
    label_gain : array (L,), "linear" or None, default=None
        Gains of the labels 0, 1, ...; "linear" for the labels themselves; None for 2^y - 1, or y if not all are whole.
    sigmoid : float, default=1.0
        Slope of the logistic function of lambdarank and ranknet.
    early_stopping_rounds : int or None, default=None
        Stop after so many trees in a row without a new best on held-out rows; None for never.
    importance_type : {"split", "gain"}, default="split"
        Whether `feature_importances_` counts how often trees ask for a feature, or adds up what its cuts gained.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the rows and features that are drawn, if any are.
    verbose : int, default=0
        1 for a line to stderr after each tree.

    Attributes
    ----------
    trees_ : list of `Tree`, their values multiplied by the learning rate
    start_ : the score of all rows before the first tree
    best_iteration_ : how many trees `predict` uses: with early stopping the best number, else all
    best_score_ : {eval name: {measure: its value then}}
    evals_result_ : {eval name: {measure: its value after each tree}}
    stopped_by_ : what ended the fit: n_estimators, early stopping, callback, or the limits that forbade every cut
    feature_importances_ : (D,), of the trees that `predict` uses
    """

    _takes_a_table = False                               # not without queries

    def __init__(self, n_estimators=100, *, num_leaves=31, max_depth=-1, learning_rate=0.1, min_child_samples=20,
                 min_child_weight=1e-3, min_split_gain=0.0, reg_alpha=0.0, reg_lambda=0.0, subsample=1.0,
                 subsample_freq=0,
                 colsample_bytree=1.0, max_bin=255, objective="lambdarank", truncation_level=30, norm=True,
                 label_gain=None,
                 sigmoid=1.0, early_stopping_rounds=None, importance_type="split", random_state=None, verbose=0):
        self.n_estimators = n_estimators
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.min_child_samples = min_child_samples
        self.min_child_weight = min_child_weight
        self.min_split_gain = min_split_gain
        self.reg_alpha = reg_alpha
        self.reg_lambda = reg_lambda
        self.subsample = subsample
        self.subsample_freq = subsample_freq
        self.colsample_bytree = colsample_bytree
        self.max_bin = max_bin
        self.objective = objective
        self.truncation_level = truncation_level
        self.norm = norm
        self.label_gain = label_gain
        self.sigmoid = sigmoid
        self.early_stopping_rounds = early_stopping_rounds
        self.importance_type = importance_type
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, group=None, *, qid=None, sample_weight=None, eval_set=None, eval_group=None, eval_qid=None,
            eval_at=(1, 2, 3, 4, 5), eval_names=None, callback=None):
        """Grow the trees.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the trees that are there.  Warns if there is nothing to rank or
        to cut, and says why.  Raises ValueError for bad parameters and input, and for early stopping without held-out
        rows.

        Parameters
        ----------
        X : array (N, D)
            Features of the documents; NaN where one is missing, ±inf is a value.
        y : array (N,)
            Labels, the better the greater, from 0; any numbers for "squared", 0 or 1 for "logistic".
        group : array (Q,) of int or None, default=None
            How many documents each query has, which then stand together.
        qid : array (N,) of str or int, or None, default=None
            Which query each document belongs to, in any order.
        sample_weight : array (N,) or None, default=None
            Weights of the documents; None for 1 each.
        eval_set : tuple (X, y), list of such or None, default=None
            Held-out rows, to be judged after each tree.
        eval_group, eval_qid : array, list of arrays or None, default=None
            Their queries: for a tuple one array, for a list one for each.
        eval_at : tuple of int, default=(1, 2, 3, 4, 5)
            For which k there is NDCG@k.  The last one, on the last of the held-out rows, decides on early stopping.
        eval_names : str, list of str or None, default=None
            Names of the held-out rows; None for valid_0, valid_1, ...
        callback : callable or None, default=None
            Called with a `Progress` after each tree, its loss what decides on early stopping, for NDCG@k 1 - NDCG@k, of
            the rows of the fit if none are held out; returning True stops the fit.
        """
        plan = self._plan()
        X = self._fit_matrix(X, check_finite=False)
        task = read_task(y, len(X), group, qid, sample_weight, self.label_gain, plan.objective, plan.pairs,
                         _places(eval_at))
        watch = Watch(read_held_out(eval_set, eval_group, eval_qid, eval_names, task, self._eval_matrix), plan.patience,
                      task.rising)
        checked_callback(callback)
        rng, F = generator(self.random_state), np.full(len(X), task.start)
        begun = dict(trees_=[], start_=task.start, best_iteration_=0, best_score_={}, evals_result_=watch.history,
                     stopped_by_=(), _gains=task.gains, _objective=plan.objective)
        if task.idle:
            vars(self).update(begun)
            return self._ended(("equal labels",), "all labels are equal" if task.gains is None else
                               "in no query do labels differ in their gains")
        table = binned(X, bin_edges(X, plan.max_bin))
        for tree in boosted(table, task.slopes, F, plan.rate, plan.limits, plan.draws, rng):
            if not begun["trees_"]:                      # only now is a model of before forgotten
                vars(self).update(begun)
            if tree.n_leaves == 1 and plan.draws.none:
                return self._ended(tree.stopped_by or ("no gain",), _why_no_cut(tree.stopped_by, plan.limits))
            self._take(tree, watch)
            if self._told(watch, task, F, callback):
                return self._ended(("callback",))
            if watch.stalled:
                return self._ended(("early_stopping_rounds",))
            if len(self.trees_) == plan.rounds:
                return self._ended(("n_estimators",))

    # --- steps of a fit

    def _take(self, tree, watch):
        """One more tree, and what it does to held-out rows."""
        watch.see(tree)
        self.trees_.append(tree)
        self.best_iteration_ = watch.best if watch.patience else len(self.trees_)
        self.best_score_ = {name: {measure: values[self.best_iteration_ - 1] for measure, values in measures.items()}
                            for name, measures in watch.history.items()}

    def _told(self, watch, task, F, callback):
        """Tell of the last tree; whether the fit shall stop."""
        if callback is None and not self.verbose:
            return False
        loss = watch.loss if watch.held_out else watch.loss_of(task.judge(F))
        return report(self, len(self.trees_), loss, callback=callback)

    def _ended(self, by, why=""):
        """Returns itself, with what ended the fit; warns, if there is no tree, and why."""
        self.stopped_by_ = by
        if not self.trees_:
            warnings.warn(f"{type(self).__name__} has grown no tree, so all scores are {self.start_:g}: {why}",
                          stacklevel=3)
        return self

    def _eval_matrix(self, X, name):
        self._check_names(_column_names(X))
        return self._same_columns(X, name=name, check_finite=False)

    def _plan(self):
        """The parameters, if all are as they should be; else a ValueError."""
        limits = dict(num_leaves=whole_number(self.num_leaves, "num_leaves", least=2), max_depth=self.max_depth,
                      min_child_samples=self.min_child_samples, min_child_weight=self.min_child_weight,
                      min_split_gain=self.min_split_gain, reg_alpha=self.reg_alpha, reg_lambda=self.reg_lambda)
        Limits.of(np.zeros(1), np.zeros(1), **{name: limits[name] for name in limits if name != "num_leaves"})
        max_bin = whole_number(self.max_bin, "max_bin", least=2)
        if max_bin > MISSING:
            raise ValueError(f"max_bin={self.max_bin!r}: expected at most {MISSING}")
        shares = [real_number(getattr(self, name), name, above=0) for name in ("subsample", "colsample_bytree")]
        for name, share in zip(("subsample", "colsample_bytree"), shares):
            if share > 1:
                raise ValueError(f"{name}={share!r}: expected a share, at most 1")
        every = whole_number(self.subsample_freq, "subsample_freq", least=0)
        if shares[0] < 1 and not every:
            raise ValueError(f"subsample={self.subsample!r}: rows are drawn every subsample_freq trees, and that is 0; "
                             "set 1, to draw them for each")
        patience = self.early_stopping_rounds
        one_of(self.importance_type, "importance_type", KINDS)
        return Plan(whole_number(self.n_estimators, "n_estimators"),
                    real_number(self.learning_rate, "learning_rate", above=0),
                    one_of(self.objective, "objective", OBJECTIVES), max_bin, limits,
                    Draws(shares[0], every, shares[1]),
                    Settings(self.objective == "ranknet", whole_number(self.truncation_level, "truncation_level"),
                             true_or_false(self.norm, "norm"), real_number(self.sigmoid, "sigmoid", above=0)),
                    None if patience is None else whole_number(patience, "early_stopping_rounds"))

    # --- what it has learned

    def predict(self, X):
        """Scores (N,): within a query, the greater the better.  For "logistic" the logarithm of the odds of label 1.

        Raises ValueError for other columns than those of `fit`.

        Parameters
        ----------
        X : array (N, D)
            Features of documents.
        """
        X = self._more_matrix(X, check_finite=False)
        return self.start_ + predict_trees(self._used, X)

    def staged_predict(self, X):
        """Scores (N,) by the first tree, by the first two, and so on, one after the other.

        Raises ValueError for other columns than those of `fit`.

        Parameters
        ----------
        X : array (N, D)
            Features of documents.
        """
        X = self._more_matrix(X, check_finite=False)
        return self._stages(X)

    def _stages(self, X):
        F = np.zeros(len(X))
        for tree in self._used:
            F += predict_trees([tree], X)
            yield self.start_ + F

    def apply(self, X):
        """The leaf of each row in each tree, (N, trees): numbers of the tree's nodes.

        Raises ValueError for other columns than those of `fit`.

        Parameters
        ----------
        X : array (N, D)
            Features of documents.
        """
        return tree_leaves(self._used, self._more_matrix(X, check_finite=False))

    def score(self, X, y, group=None, *, qid=None):
        """NDCG@10, the mean over queries, equal scores in the mean of all orders; minus the loss for losses of rows.

        Raises ValueError where it is not said which rows belong to one query, and where no query has a label above 0.

        Parameters
        ----------
        X : array (N, D)
            Features of documents.
        y : array (N,)
            Labels.
        group : array (Q,) of int or None, default=None
            How many documents each query has, which then stand together.
        qid : array (N,) of str or int, or None, default=None
            Which query each document belongs to, in any order.
        """
        F = self.predict(X)
        y = labels(y, len(F), "y")
        if self._gains is None and group is None and qid is None:
            (loss,) = MeanLoss(y, np.ones(len(F)), self._objective, "y")(F).values()
            return -loss
        gains = self._gains or Gains.of(y, self.label_gain)
        (ndcg,) = NDCG(gains.at(y), required_queries(len(F), group, qid, "score"), (10,), "y")(F).values()
        return ndcg

    @property
    def feature_importances_(self):
        self._check_fitted()
        kind = one_of(self.importance_type, "importance_type", KINDS)
        return feature_importances(self._used, self.n_features_in_, kind)

    @property
    def _used(self):
        return self.trees_[:self.best_iteration_]

    def dump(self, tree=0):
        """A tree as text, a line a node.  Raises ValueError for a number that no tree has.

        Parameters
        ----------
        tree : int, default=0
            Its number, from 0.
        """
        self._check_fitted()
        if whole_number(tree, "tree", least=0) >= len(self.trees_):
            raise ValueError(f"tree={tree}: there are {len(self.trees_)}, numbered from 0")
        return tree_text(self.trees_[tree], getattr(self, "feature_names_in_", None))

    def save(self, path):
        """Write the model to a file.  Raises ValueError if it is not fitted, OSError if it cannot be written.

        verbose and random_state are not kept.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        arrays, stopped_by = arrays_of(self.trees_)
        parameters = {name: value for name,
                      value in self.get_params().items() if name not in ("verbose", "random_state")}
        if not (self.label_gain is None or isinstance(self.label_gain, str)):
            parameters["label_gain"] = np.asarray(self.label_gain).tolist()
        names = getattr(self, "feature_names_in_", None)
        rest = {"parameters": parameters, "objective": self._objective, "gains": self._gains and self._gains.kind,
                "feature_names": None if names is None else names.tolist(), "trees_stopped_by": stopped_by,
                **{name: getattr(self, name) for name in LEARNED}}
        storage.save(path, KIND, {**arrays, "gains": self._gains.table if self._gains else np.empty(0)}, rest)

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
            return cls._from_parts(arrays, rest)
        except KeyError as error:
            raise ValueError(f"{path}: expected a fitted model, got one without {error}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: expected a fitted model, but {error}") from None

    @classmethod
    def _from_parts(cls, arrays, rest):
        """The model of what `storage.load` returned, if all of it fits together."""
        model = cls(**rest["parameters"])
        plan, D = model._plan(), whole_number(rest["n_features_in_"], "n_features_in_")
        trees = trees_of(arrays, rest["trees_stopped_by"], D)
        if whole_number(rest["best_iteration_"], "best_iteration_", least=0) > len(trees):
            raise ValueError(f"best_iteration_ is {rest['best_iteration_']}, of {len(trees)} trees")
        real_number(rest["start_"], "start_", least=-np.inf)
        names = rest["feature_names"]
        if names is not None and (len(names) != D or not all(isinstance(name, str) for name in names)):
            raise ValueError(f"feature_names: expected {D} strings")
        gains = None if rest["gains"] is None else Gains(one_of(rest["gains"], "gains", Gains.KINDS), arrays["gains"])
        vars(model).update({name: rest[name] for name in LEARNED}, trees_=trees, stopped_by_=tuple(rest["stopped_by_"]),
                           _gains=gains, _objective=one_of(rest["objective"], "objective", OBJECTIVES))
        if names is not None:
            model.feature_names_in_ = np.array(names, dtype=object)
        return model


def _places(eval_at):
    """k, for which there is NDCG@k."""
    places = [eval_at] if isinstance(eval_at, (int, np.integer)) else list(eval_at)
    if not places:
        raise ValueError("eval_at: expected at least one k for NDCG@k, got none")
    return tuple(whole_number(k, "eval_at") for k in places)


def _why_no_cut(stopped_by, limits):
    """In words, what forbade all cuts of the first tree."""
    if not stopped_by:
        return "no cut of any feature lowers the loss"
    return "every cut comes up against " + " or ".join(f"{name}={limits[name]}" for name in stopped_by) + "; lower it"
