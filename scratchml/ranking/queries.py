"""Which documents belong to a query: read once, for all that looks at documents query by query."""
from typing import NamedTuple

import numpy as np

from scratchml.metrics.graded import query_starts


class Queries(NamedTuple):
    """N documents of Q queries: those of query q are order[starts[q]:starts[q + 1]]."""
    starts: np.ndarray                                   # (Q+1,)
    order: np.ndarray                                    # (N,)
    of: np.ndarray                                       # (N,) the query of each document of `order`, rising


def read_queries(N, group=None, qid=None, prefix=""):
    """The queries of N documents, in the order in which they are first met.

    Raises ValueError as `query_starts` does, and for both `group` and `qid`, whose names begin with `prefix`.
    """
    if group is not None and qid is not None:
        raise ValueError(f"expected one of {prefix}group and {prefix}qid, got both")
    starts, order = query_starts(N, group, qid)
    return Queries(starts, np.arange(N)[order], np.repeat(np.arange(len(starts) - 1), np.diff(starts)))


def shuffled(queries, rng):
    """The same queries with the documents of each in random order.

    One sort of q plus a random number, which is less than 1 by more than any rounding.
    """
    return queries._replace(order=queries.order[np.argsort(queries.of + 0.999 * rng.random(len(queries.of)))])


def falling(values, queries):
    """The documents (N,), query by query, in each by falling `values` (N,); what is equal keeps its order."""
    return queries.order[np.lexsort((-values[queries.order], queries.of))]


def best_of_queries(gains, queries, D):
    """maxDCG of each query (Q,) of documents with `gains` (N,), with discounts D of the places that are paid."""
    place = np.arange(len(gains)) - queries.starts[queries.of]
    paid = np.where(place < len(D), D[np.minimum(place, len(D) - 1)], 0.0)
    return np.add.reduceat(gains[falling(gains, queries)] * paid, queries.starts[:-1])


def rankable(y, queries):
    """Which queries (Q,) have documents of unequal grades: of the others no order is better than another."""
    y, first = y[queries.order], queries.starts[:-1]
    return np.maximum.reduceat(y, first) > np.minimum.reduceat(y, first)


def required_queries(N, group, qid, who, prefix=""):
    """The queries of N rows.  Raises ValueError where nobody says which they are, under the arguments' names."""
    if group is None and qid is None:
        raise ValueError(f"{who}: needs to know which rows belong to one query; pass {prefix}qid, an id for each row, "
                         f"or {prefix}group, how many rows each query has")
    return read_queries(N, group, qid, prefix)
