"""What `Recommender` is made of: its fitted generators, lists of users, and whether what comes from outside is one."""
import copy
import inspect
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import finite
from scratchml.core.sparse import Rows, known_entries
from scratchml.recommend.candidate_lists import pool_of
from scratchml.recommend.item_neighbors import popularity
from scratchml.recommend.pair_features import Facts, facts, features_of_pairs
from scratchml.recommend.rerank import read_candidates


class Stage(NamedTuple):
    """What one stage has left of a user's list, and what it took out of what it was given."""
    name: str
    items: np.ndarray                                    # numbers or ids, the best first
    scores: np.ndarray                                   # of the same length, by this stage
    gone: np.ndarray                                     # numbers or ids


class Reason(NamedTuple):
    """Why an item is shown."""
    item: object
    score: float
    places: dict                                         # in the lists of which generators, and where
    features: dict                                       # what the scorer was told
    because: dict                                        # what generators say themselves


class Lists(NamedTuple):
    """Scored candidates of S users, the best first; places beyond all lists are those of what is merely popular."""
    items: np.ndarray                                    # (S, N) int32, -1 where there are no more
    fused: np.ndarray                                    # (S, N)
    places: np.ndarray                                   # (G, S, N) int32
    scores: np.ndarray                                   # (S, N), -inf where there are no more

    def of(self, rows):
        return Lists(self.items[rows], self.fused[rows], self.places[:, rows], self.scores[rows])


# --- generators ----------------------------------------------------------------------------------


class Finders(NamedTuple):
    """Generators that were fitted to A, and what is known of it."""
    models: dict
    A: Rows
    pairs: np.ndarray                                    # (P,) user · M + item of the entries of A, rising
    known: Facts
    sizes: tuple                                         # how many candidates, and how deep lists are looked at

    def lists_of(self, rows):
        """Items and scores (S, L) of each generator, without what users have, and none for users who have nothing."""
        L = min(self.sizes[1], self.A.shape[1])
        return [_without(name, model.recommend(rows, L), self, rows, L) for name, model in self.models.items()]

    def had(self, rows, items):
        """Whether users have items (S, L), or have nothing at all, of whom nothing is known."""
        M = self.A.shape[1]
        asked = rows[:, None].astype(np.int64) * M + np.maximum(items, 0)
        at = np.minimum(np.searchsorted(self.pairs, asked), len(self.pairs) - 1)
        return (self.pairs[at] == asked) | (np.diff(self.A.indptr)[rows] == 0)[:, None]

    def candidates_of(self, rows):
        """The `Pool` of users, the features of their candidates and the names of these."""
        lists = self.lists_of(rows)
        M = self.A.shape[1]
        pool = pool_of([items for items, _ in lists], [scores for _, scores in lists], M, self.sizes[0])
        over = pool.places > min(self.sizes[1], M)
        pool = pool._replace(places=np.where(over, self.sizes[1] + 1, pool.places).astype(np.int32))
        return pool, *features_of_pairs(self.known, rows, pool, list(self.models))


def fitted_finders(named, A, times, item_numbers, sizes):
    """Copies of the generators fitted to A: `Finders`.  Raises ValueError that names the one that refuses."""
    models = {}
    for name, part in named.items():
        model, arguments = part if isinstance(part, tuple) else (part, {})
        try:
            models[name] = copy.deepcopy(model).fit(A, **arguments)
        except (ValueError, TypeError) as error:
            raise ValueError(f"generators[{name!r}]: {error}") from error
        if not hasattr(models[name], "recommend"):
            raise ValueError(f"generators[{name!r}]: fit returned {type(models[name]).__name__}, expected the model")
    pairs = np.sort(np.repeat(np.arange(A.shape[0], dtype=np.int64), np.diff(A.indptr)) * A.shape[1] + A.indices)
    return Finders(models, A, pairs, facts(A, times, item_numbers), sizes)


def _without(name, answer, finders, rows, L):
    """A generator's lists (S, L) as they are to be, without what users have; shorter ones are filled up with -1."""
    S, M = len(rows), finders.A.shape[1]
    try:
        items, scores = answer
        items, scores = np.asarray(items), np.asarray(scores)
        if items.shape != scores.shape or items.ndim != 2 or len(items) != S or items.shape[1] > L:
            raise ValueError(f"expected items and scores of shape ({S}, {L}), got {items.shape} and {scores.shape}")
        if not items.shape[1]:
            return np.full((S, L), -1), np.full((S, L), -np.inf)
        items, scores, _ = read_candidates(items, scores)
        if items.max() >= M:
            raise ValueError(f"item {items.max()} is none of {M}")
    except (ValueError, TypeError) as error:
        raise ValueError(f"generators[{name!r}]: recommend returned no lists, {error}") from error
    kept = (items >= 0) & ~finders.had(rows, items)
    order = np.argsort(~kept, axis=1, kind="stable")
    kept = np.take_along_axis(kept, order, 1)
    wide = ((0, 0), (0, L - items.shape[1]))
    return (np.pad(np.where(kept, np.take_along_axis(items, order, 1), -1), wide, constant_values=-1),
            np.pad(np.where(kept, np.take_along_axis(scores, order, 1), -np.inf), wide, constant_values=-np.inf))


def popular_lists(lists, A, rows):
    """`lists` with what is popular for users who have no candidate: the share of users as scores."""
    none = np.flatnonzero(lists.items[:, 0] < 0)
    if not none.size:
        return lists
    p, N = popularity(A), lists.items.shape[1]
    order, counts = np.argsort(-p, kind="stable"), np.diff(A.indptr)[rows]
    items, scores = lists.items.copy(), lists.scores.copy()
    for k in none:
        its = order[:N + counts[k]]
        its = its[~np.isin(its, A.indices[A.indptr[rows[k]]:A.indptr[rows[k] + 1]])][:N]
        items[k, :len(its)], scores[k, :len(its)] = its, p[its] / A.shape[0]
    return lists._replace(items=items, scores=scores)


# --- re-rankers ----------------------------------------------------------------------------------


def reranked(name, function, items, scores, rows):
    """What a re-ranker makes of lists (S, N).  Raises ValueError if that is none, or has what it was not given."""
    three = len([p for p in inspect.signature(function).parameters.values()
                 if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]) > 2
    answer = function(items.copy(), scores.copy(), *([rows.copy()] if three else []))
    try:
        its, values = answer
        its, values, _ = read_candidates(its, values)
        if len(its) != len(items):
            raise ValueError(f"expected lists of {len(items)} users, got {len(its)}")
        most = int(max(its.max(initial=0), items.max(initial=0))) + 2
        whose = np.arange(len(its))[:, None] * most + 1
        new = ~np.isin(whose + its, whose + items) & (its >= 0)
        if new.any():
            u, k = np.argwhere(new)[0]
            raise ValueError(f"item {its[u, k]} of the list of user {rows[u]} was not among what it was given")
    except (ValueError, TypeError) as error:
        raise ValueError(f"rerankers[{name!r}]: expected items and scores, {error}") from error
    return its.astype(np.int32), values


def first_of(items, scores, n):
    """The first n of lists, filled up with -1 and -inf."""
    short = ((0, 0), (0, max(0, n - items.shape[1])))
    return np.pad(items[:, :n], short, constant_values=-1), np.pad(scores[:, :n], short, constant_values=-np.inf)


def in_order_of(before, after):
    """What is in the list `before` and not in `after`, in its order."""
    return before[(before >= 0) & ~np.isin(before, after)]


# --- what is handed over, and what is kept -------------------------------------------------------


def named_parts(parts, default, what, *methods):
    """Models or functions by name.  Raises ValueError for what is neither dict nor list, and parts without methods."""
    if parts is None:
        return dict(default)
    if not isinstance(parts, (dict, list, tuple)):
        raise ValueError(f"{what}: expected a dict by name or a list, got {type(parts).__name__}")
    if not isinstance(parts, dict):
        named = {}
        for part in parts:
            model = part[0] if isinstance(part, tuple) and part else part
            name = getattr(model, "__name__", type(model).__name__)
            again = sum(other.split(" #")[0] == name for other in named)
            named[f"{name} #{again + 1}" if again else name] = part
        parts = named
    for name, part in parts.items():
        model, *rest = part if isinstance(part, tuple) and methods else (part,)
        lacks = [method for method in methods if not callable(getattr(model, method, None))]
        if not isinstance(name, str) or isinstance(model, type) or lacks or not methods and not callable(part) or \
                rest and not (len(rest) == 1 and isinstance(rest[0], dict)):
            pair = ", or a pair of it and a dict of what its fit takes besides"
            needs = f"a model with {' and '.join(methods)}{pair}" if methods else "functions"
            raise ValueError(f"{what}[{name!r}]: expected {needs}, got {part!r:.60}")
    return dict(parts)


def saved_ids(ids):
    """The ids as plain values.  Raises ValueError for those that would come back as others."""
    for key in ids.names:
        if not isinstance(key, (str, int, float, np.integer, np.floating)):
            raise ValueError(f"ids: expected strings or numbers, which a file can hold, got {key!r:.60}; number them "
                             "before, or make strings of them")
    return ids.names


def checked_lists(arrays, M, G, depth):
    """The matrix and the lists in `arrays` by name, of G generators.  Raises ValueError if they do not fit together."""
    U = len(arrays["indptr"]) - 1
    A = Rows(arrays["indptr"], arrays["indices"], arrays["data"], (U, M))
    A = known_entries(A, name="interactions", dtype=np.float64)
    items, fused, places, scores = (np.asarray(arrays[name]) for name in Lists._fields)
    read_candidates(items, scores)
    of_lists = items.ndim == 2 and len(items) == U and items.max() < M
    if not of_lists or fused.shape != items.shape or places.shape != (G, *items.shape):
        raise ValueError(f"its lists are of shapes {items.shape}, {fused.shape} and {places.shape}, for {U} users, {M} "
                         f"items and {G} generators")
    if places.dtype.kind not in "iu" or places.min() < 1 or places.max() > depth + 1:
        raise ValueError(f"its places are not 1 to {depth + 1}")
    finite(fused, "fused")
    return A, Lists(items.astype(np.int32), fused.astype(np.float64), places.astype(np.int32),
                    scores.astype(np.float64))
