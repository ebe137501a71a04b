"""Which documents belong to a query: read once, for all that looks at documents query by query."""
import copy
from typing import NamedTuple

import numpy as np

from scratchml.core.estimator import Estimator
from scratchml.metrics.graded import ndcg_score, query_starts


class Queries(NamedTuple):
    """N documents of Q queries: those of query q are order[starts[q]:starts[q + 1]]."""
    starts: np.ndarray                                   # (Q+1,)
    order: np.ndarray                                    # (N,)
    of: np.ndarray                                       # (N,) the query of each document of `order`, rising


def read_queries(N, group=None, qid=None):
    """The queries of N documents, in the order in which they are first met.

    Raises ValueError as `query_starts` does, and for both `group` and `qid`.
    """
    if group is not None and qid is not None:
        raise ValueError("expected one of group and qid, got both")
    starts, order = query_starts(N, group, qid)
    return Queries(starts, np.arange(N)[order], np.repeat(np.arange(len(starts) - 1), np.diff(starts)))


def shuffled(queries, rng):
    """The same queries with the documents of each in random order."""
    order = np.lexsort((rng.random(len(queries.of)), queries.of))
    return queries._replace(order=queries.order[order])


def rankable(y, queries):
    """Which queries (Q,) have documents of unequal grades: of the others no order is better than another."""
    y, first = y[queries.order], queries.starts[:-1]
    return np.maximum.reduceat(y, first) > np.minimum.reduceat(y, first)


class Ranker(Estimator):
    """What estimators with `fit(X, y, group=, qid=)` share: a score, and what scikit-learn asks of those with metadata.

    In scikit-learn's GridSearchCV and cross_validate, `qid` gets to `fit` and `score` if metadata routing is enabled.
    """

    _ROUTED = {"fit": ("group", "qid"), "score": ("group", "qid")}

    def score(self, X, y, *, group=None, qid=None):
        """NDCG@10, the mean over queries that have a document above grade 0; 1 at best.

        Raises ValueError for bad input, where there is no such query, and without `group` and `qid` if there was more than
        one query to learn from.

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
        self._check_fitted()
        if group is None and qid is None and self.n_queries_ > 1:
            raise ValueError(f"score: expected group or qid, since this {type(self).__name__} has learned from "
                             f"{self.n_queries_} queries; group=[{len(y)}] for a single one.  GridSearchCV and cross_validate "
                             "hand qid on after sklearn.set_config(enable_metadata_routing=True)")
        return ndcg_score(y, self.predict(X), group=group, qid=qid, k=10)

    def set_fit_request(self, **requested):
        """Whether scikit-learn shall hand `group` and `qid` on to `fit`.  Returns itself.  Raises ValueError for other names.

        Parameters
        ----------
        **requested : bool, str or None
            By name: True (from the start so), False, None for an error if it is given, or another name that it goes by.
        """
        return self._request("fit", requested)

    def set_score_request(self, **requested):
        """Whether scikit-learn shall hand `group` and `qid` on to `score`.  Returns itself.  Raises ValueError for other names.

        Parameters
        ----------
        **requested : bool, str or None
            By name: True (from the start so), False, None for an error if it is given, or another name that it goes by.
        """
        return self._request("score", requested)

    def _request(self, method, requested):
        if unknown := requested.keys() - set(self._ROUTED[method]):
            raise ValueError(f"set_{method}_request: {type(self).__name__}.{method} takes no {sorted(unknown)}, only "
                             f"{list(self._ROUTED[method])}")
        request = self.get_metadata_routing()
        for name, alias in requested.items():
            getattr(request, method).add_request(param=name, alias=alias)
        self._metadata_request = request                 # scikit-learn's clone copies it
        return self

    def get_metadata_routing(self):
        """scikit-learn's MetadataRequest of this estimator; scikit-learn has to be installed, else ImportError is raised."""
        from sklearn.utils.metadata_routing import MetadataRequest
        if hasattr(self, "_metadata_request"):
            return copy.deepcopy(self._metadata_request)
        request = MetadataRequest(owner=self)
        for method, names in self._ROUTED.items():
            for name in names:
                getattr(request, method).add_request(param=name, alias=True)
        return request

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
