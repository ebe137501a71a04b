"""Which documents belong to a query: read once, for all that looks at documents query by query."""
from typing import NamedTuple

import numpy as np

from scratchml.metrics.graded import query_starts


class Queries(NamedTuple):
    """N documents of Q queries: those of query q are order[starts[q]:starts[q + 1]]."""
    starts: np.ndarray                                   # (Q+1,)
    order: np.ndarray                                    # (N,)
    of: np.ndarray                                       # (N,) the query of each document of `order`, rising


def read_queries(N, group=None, qid=None):
    """The queries of N documents, in the order in which they are first met.  Raises ValueError as `query_starts` does."""
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
