"""Losses of rankers for networks: the equations of the chapters pairs and lists, of a batch of queries.

Each takes scores as a network gives them, grades, and which query each document belongs to: `group`, the lengths of
queries whose documents stand together, `qid`, an id for each document in any order, or neither, for a matrix (Q, n)
with a query a row or flat arrays of a single one.  Gradients are those derived by hand in the chapters.

The mean is over queries whose documents have unequal grades; without any it is 0.  The losses of a query with a score
that is NaN or inf are NaN.

>>> from scratchml.autograd import Tensor
>>> s = Tensor([0.2, 1.0, -0.5, 3.0, 2.0], requires_grad=True)
>>> loss = listnet_loss(s, [2, 0, 1, 0, 1], group=[3, 2])
>>> loss.backward()
>>> round(loss.item(), 4), s.grad.numpy().round(3).tolist()
(1.4304, [-0.199, 0.299, -0.1, 0.366, -0.366])
>>> lambdarank_loss([0.0, 1.0], [0.0, 0.0]).item()
0.0
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Fused, Tensor
from scratchml.autograd.ops import as_tensor, bare
from scratchml.core.checks import as_floats, finite, one_of, real_number, true_or_false, whole_number
from scratchml.core.random import generator
from scratchml.metrics.graded import discounts, exponential_gains
from scratchml.ranking.lists import TopOne, WholeOrder
from scratchml.ranking.pairs import EveryPair, SwappedPairs
from scratchml.ranking.queries import Queries, rankable, read_queries, shuffled

REDUCTIONS = ("mean", "sum", "none")

# --- losses --------------------------------------------------------------------------------------


def ranknet_loss(scores, y, *, group=None, qid=None, sigma=1.0, reduction="mean"):
    """RankNet, (2) of the chapter pairs: a Tensor.

    Raises ValueError for shapes that differ, grades that are not finite, ids or lengths that do not fit, and more pairs
    than `pairs.PAIRS`.

    Parameters
    ----------
    scores : Tensor or array (N,) or (Q, n)
        What a model says; the greatest stands first.
    y : array (N,) or (Q, n)
        Grades; only their order counts.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    sigma : float, default=1.0
        σ, how much a difference of scores says.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses of queries; "none" gives (Q,), in the order in which queries are first met.
    """
    batch = _batch(scores, y, group, qid)
    return _reduced(batch, EveryPair(batch.y, batch.queries, real_number(sigma, "sigma", above=0)), reduction)


def lambdarank_loss(scores, y, *, group=None, qid=None, sigma=1.0, truncation_level=30, norm=False, gains="exponential",
                    reduction="mean", random_state=None):
    """A Tensor whose gradient is (7) of the chapter pairs, or (8).

    That is RankNet, with each pair times what its swap changes in NDCG.  These factors depend on the scores, but are
    held fast.  Raises ValueError as `ranknet_loss` does, and for grades below 0 or so high that their gains are not
    finite.

    Parameters
    ----------
    scores : Tensor or array (N,) or (Q, n)
        What a model says; the greatest stands first.
    y : array (N,) or (Q, n)
        Grades, 0 or more.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    sigma : float, default=1.0
        σ, how much a difference of scores says.
    truncation_level : int, default=30
        T: at least one document of a pair stands among the first T.
    norm : bool, default=False
        Whether (8) is meant.
    gains : {"exponential", "linear"}, default="exponential"
        Whether a grade y is worth 2^y - 1 or y.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses of queries; "none" gives (Q,), in the order in which queries are first met.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the order of equal scores.
    """
    batch = _batch(scores, y, group, qid)
    return _reduced(batch, _swapped(batch, sigma, truncation_level, norm, gains, random_state), reduction)


def listnet_loss(scores, y, *, group=None, qid=None, target="shares", reduction="mean"):
    """ListNet, (3) of the chapter lists with w from the grades: a Tensor.

    Raises ValueError as `ranknet_loss` does, and for grades below 0 where they are shares.

    Parameters
    ----------
    scores : Tensor or array (N,) or (Q, n)
        What a model says; the greatest stands first.
    y : array (N,) or (Q, n)
        Grades.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    target : {"shares", "softmax"}, default="shares"
        Whether w is y_i / Σ_j y_j or e^y_i / Σ_j e^y_j.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses of queries; "none" gives (Q,), in the order in which queries are first met.
    """
    batch = _batch(scores, y, group, qid)
    if one_of(target, "target", ("shares", "softmax")) == "shares":
        at_least_0(batch.y)
    return _reduced(batch, TopOne(batch.y, batch.queries, target), reduction)


def softmax_loss(scores, y, *, group=None, qid=None, reduction="mean"):
    """(3) of the chapter lists with the grades as w: a Tensor.

    Raises ValueError as `ranknet_loss` does, and for grades below 0.

    Parameters
    ----------
    scores : Tensor or array (N,) or (Q, n)
        What a model says; the greatest stands first.
    y : array (N,) or (Q, n)
        Grades, 0 or more.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses of queries; "none" gives (Q,), in the order in which queries are first met.
    """
    batch = _batch(scores, y, group, qid)
    return _reduced(batch, TopOne(at_least_0(batch.y), batch.queries, "grades"), reduction)


def listmle_loss(scores, y, *, group=None, qid=None, top_k=None, reduction="mean", random_state=None):
    """ListMLE, (6) of the chapter lists with the order of the grades, at random where they are equal: a Tensor.

    Raises ValueError as `ranknet_loss` does, and for another `top_k`.

    Parameters
    ----------
    scores : Tensor or array (N,) or (Q, n)
        What a model says; the greatest stands first.
    y : array (N,) or (Q, n)
        Grades; only their order counts.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    top_k : int, "relevant" or None, default=None
        How many places count; "relevant" for the number of documents above the lowest grade of each query, None for
        all.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses of queries; "none" gives (Q,), in the order in which queries are first met.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the order of equal grades.
    """
    batch = _batch(scores, y, group, qid)
    order = shuffled(batch.queries, generator(random_state))
    return _reduced(batch, WholeOrder(batch.y, order, checked_top_k(top_k)), reduction)


# --- slopes and curvatures -----------------------------------------------------------------------


def ranknet_gradients(scores, y, *, group=None, qid=None, sigma=1.0):
    """λ and h, (3) and (4) of the chapter pairs, in the shape of the scores: of the sum over queries.

    Raises ValueError as `ranknet_loss` does, and for scores that are not finite.

    Parameters
    ----------
    scores : array (N,) or (Q, n)
        What a model says; the greatest stands first.
    y : array (N,) or (Q, n)
        Grades; only their order counts.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    sigma : float, default=1.0
        σ, how much a difference of scores says.
    """
    batch = _batch(scores, y, group, qid)
    return _gradients(batch, EveryPair(batch.y, batch.queries, real_number(sigma, "sigma", above=0)))


def lambdarank_gradients(scores, y, *, group=None, qid=None, sigma=1.0, truncation_level=30, norm=False,
                         gains="exponential", random_state=None):
    """λ and h, (7) of the chapter pairs or (8), in the shape of the scores: of the sum over queries.

    Raises ValueError as `lambdarank_loss` does, and for scores that are not finite.

    Parameters
    ----------
    scores : array (N,) or (Q, n)
        What a model says; the greatest stands first.
    y : array (N,) or (Q, n)
        Grades, 0 or more.
    group : array (Q,) of int or None, default=None
        How many documents each query has, which then stand together.
    qid : array (N,) of str or int, or None, default=None
        Which query each document belongs to, in any order.
    sigma : float, default=1.0
        σ, how much a difference of scores says.
    truncation_level : int, default=30
        T: at least one document of a pair stands among the first T.
    norm : bool, default=False
        Whether (8) is meant.
    gains : {"exponential", "linear"}, default="exponential"
        Whether a grade y is worth 2^y - 1 or y.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the order of equal scores.
    """
    batch = _batch(scores, y, group, qid)
    return _gradients(batch, _swapped(batch, sigma, truncation_level, norm, gains, random_state))


def _gradients(batch, losses_of):
    s = finite(bare(batch.scores), "scores")
    _, slopes, curves = losses_of(s.reshape(-1).astype(np.float64))
    return slopes.reshape(s.shape), curves.reshape(s.shape)


def _swapped(batch, sigma, truncation_level, norm, gains, random_state):
    g, order = gained(batch.y, gains), shuffled(batch.queries, generator(random_state))
    T = whole_number(truncation_level, "truncation_level")
    return SwappedPairs(g, order, real_number(sigma, "sigma", above=0), T, true_or_false(norm, "norm"))


# --- what is read --------------------------------------------------------------------------------


class Batch(NamedTuple):
    """Scores of documents, their grades (N,), and the queries that they belong to."""
    scores: Tensor
    y: np.ndarray
    queries: Queries


def _batch(scores, y, group, qid):
    s, y = as_tensor(scores), finite(as_floats(bare(y), "y"), "y").astype(np.float64)
    if s.dtype.kind != "f":
        raise ValueError(f"scores: expected numbers, got {s.dtype}")
    if s.ndim not in (1, 2) or not s.numel() or y.shape != s.shape:
        raise ValueError("scores, y: expected two arrays of one shape, (N,) or (Q, n), with at least one document, got "
                         f"shapes {s.shape} and {y.shape}")
    if s.ndim == 2:
        if s.shape[1] == 1:
            raise ValueError(f"scores: of shape {s.shape} each row would be a query of one document; pass "
                             "scores[:, 0], and y (N,) with group or qid")
        if group is not None or qid is not None:
            raise ValueError("expected one of group, qid, and a matrix with a query in each row, got several")
        group = np.full(len(y), y.shape[1])
    return Batch(s, y.reshape(-1), read_queries(y.size, bare(group), bare(qid)))


def at_least_0(y):
    """`y` itself.  Raises ValueError for a grade below 0."""
    if y.min() < 0:
        raise ValueError(f"y: expected grades of 0 or more, got {y.min():g}; shift them, so that 0 is of no use")
    return y


def gained(y, gains):
    """What grades are worth, (N,).  Raises ValueError for grades below 0, or with gains that are not finite."""
    at_least_0(y)
    if one_of(gains, "gains", ("exponential", "linear")) == "linear":
        return y
    with np.errstate(over="ignore"):
        g = exponential_gains(y)
    if not g.max() * discounts(len(y)).sum() < np.inf:
        raise ValueError(f"y: the grade {y.max():g} has a gain beyond float64; pass gains=\"linear\", or grades "
                         "below 1000")
    return g


def checked_top_k(top_k):
    """`top_k` itself, or as an int.  Raises ValueError unless it is a whole number, "relevant" or None."""
    if top_k is None or isinstance(top_k, str) and top_k == "relevant":
        return top_k
    return whole_number(top_k, "top_k (\"relevant\" and None are possible, too)")


# --- as one operation ----------------------------------------------------------------------------


def _query_losses(s, *, losses_of, queries):
    """Losses (Q,) and, kept for the gradient, slopes and the query of each document."""
    of = np.empty(len(queries.of), np.int64)
    of[queries.order] = queries.of
    flat = s.reshape(-1).astype(np.float64)
    broken = ~np.isfinite(flat)
    with np.errstate(over="ignore"):
        losses, slopes, *_ = losses_of(np.where(broken, 0.0, flat))
        if broken.any():
            losses[of[broken]] = np.nan
            slopes[np.isnan(losses)[of]] = np.nan
        return losses.astype(s.dtype), (slopes, of, s.shape, s.dtype)


def _gradient(saved, g):
    slopes, of, shape, dtype = saved
    return (slopes * g[of]).reshape(shape).astype(dtype)


QUERY_LOSSES = Fused(_query_losses, _gradient, fresh=True)


def _reduced(batch, losses_of, reduction):
    one_of(reduction, "reduction", REDUCTIONS)
    losses = QUERY_LOSSES(batch.scores, losses_of=losses_of, queries=batch.queries)
    if reduction == "none":
        return losses
    count = max(1, int(rankable(batch.y, batch.queries).sum()))
    return losses.sum() / count if reduction == "mean" else losses.sum()
