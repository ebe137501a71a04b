"""Three stages in one object: candidates of several recommenders, a scorer that orders them, re-rankers that choose.

A model that looks at everything about a pair is too slow for all pairs, and one that is fast enough for all pairs knows
too little.  So each stage leaves less for the next: recommenders find some hundred candidates of all items, a scorer
that has learned from features of the pairs puts them into order, and re-rankers have the last look at ten of them.
Each stage can be looked at by itself: what it was given, what it took out, and why an item has come as far as it has.

>>> from scratchml.recommend import ItemCosine, Popularity, filtered, read_table
>>> rng = np.random.default_rng(0)
>>> pairs = [(u, m) for u in range(40) for m in rng.permutation(10)[:6] + 10 * (u % 2)]         # two kinds of users
>>> table = read_table([f"user {u}" for u, _ in pairs], [f"item {m}" for _, m in pairs], times=range(240))
>>> model = Recommender({"neighbours": ItemCosine(), "popularity": Popularity()}, held_out=1).fit(table)
>>> items, scores = model.recommend(["user 0", "user 1"], n=2)
>>> [[int(item[5:]) // 10 for item in row] for row in items]
[[0, 0], [1, 1]]
>>> ok = np.array([name != items[0, 0] for name in table.items.names])
>>> model.rerankers = {"in stock": lambda items, scores: filtered(items, scores, ok)}
>>> bool(model.recommend("user 0", n=1)[0][0] == items[0, 1])
True
>>> [(stage.name, len(stage.items), len(stage.gone)) for stage in model.trace("user 0", n=2)[2:]]
[('candidates', 14, 0), ('scorer', 14, 0), ('in stock', 13, 1), ('shown', 2, 11)]

Choices
    Neither generators nor scorer see what they are judged by: `fit` holds back some entries of each user, fits the
    generators to the rest, and lets the scorer learn which of their candidates were held back.  Then the generators are
    fitted again, to all that is known.
    What a user has is never shown to him, whatever a generator says.
    Of a user without an entry the scorer has learned nothing, and for one without a candidate it has nothing to score:
    they are shown what is popular, by the share of users who have it, and a warning says so.  Re-rankers see these
    lists.  Re-rankers are not learned, and may be changed at any time.  A re-ranker can take out, order and score anew,
    but not bring in what was no candidate.
    A list computed beforehand is the one computed live, up to the last bits of a product of matrices, in which a
    generator may add up in another order for several users than for one.

Source: P. Covington, J. Adams and E. Sargin, "Deep neural networks for YouTube recommendations", RecSys 2016,
section 2.
"""
import copy
import warnings
from typing import NamedTuple

import numpy as np

from scratchml.core import storage
from scratchml.core.checks import as_vector, in_order, real_number, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.random import generator
from scratchml.core.sparse import is_one, numbers_in_range, some_rows, warn_of_zeros
from scratchml.metrics.ranking import hits
from scratchml.recommend.candidate_lists import held_back, timed_entries
from scratchml.recommend.item_neighbors import ItemCosine, Popularity
from scratchml.recommend.linear_scorer import LinearScorer
from scratchml.recommend.raw_table import Ids, Table
from scratchml.recommend.stage_parts import (Lists, Reason, Stage, checked_lists, first_of, fitted_finders, in_order_of,
                                             named_parts, popular_lists, reranked, saved_ids)

KIND = "scratchml.recommend.Recommender"
BLOCK = 512                                              # users whose features are in memory at a time


class Recommender(Estimator):
    """Candidates, scores and a last look, as above.

    Parameters
    ----------
    generators : dict of models by name, list of models or None, default=None
        Anything with fit(matrix) and recommend(users, n) -> items and scores, the best first, -1 where a list is over;
        or a pair of it and a dict of what its fit takes besides.  None for item cosines and popularity.
    scorer : estimator or None, default=None
        Anything with fit(X, y, qid=) and predict(X).  None for a `LinearScorer`.
    rerankers : dict of functions by name, list of functions or None, default=None
        Each is given candidates (S, N) as numbers of columns, the best first, and their scores, and returns such two;
        with a third parameter, it gets the users (S,) as numbers of rows, too.
    candidates : int, default=100
        How many the scorer sees of a user.
    depth : int, default=200
        How many places of each generator's list are looked at.
    held_out : int, default=5
        How many entries of each user the scorer learns from, the last ones if there are times.
    share : float, default=0.2
        Which share of them, if there are no times.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of what is held out; generators and scorer have their own.

    Attributes
    ----------
    generators_ : dict of the fitted models
    scorer_ : the fitted scorer
    feature_names_ : list, what the columns of X are that the scorer gets
    learned_from_ : how many candidates, users and right candidates the scorer has learned from
    interactions_ : the matrix of `fit`, as Rows
    users_, items_ : the Ids of a table, or None
    lists_ : what `precompute` has computed, or None
    """

    _takes_a_table = False                               # but a matrix of which most is not known

    def __init__(self, generators=None, scorer=None, *, rerankers=None, candidates=100, depth=200, held_out=5,
                 share=0.2, random_state=None):
        self.generators = generators
        self.scorer = scorer
        self.rerankers = rerankers
        self.candidates = candidates
        self.depth = depth
        self.held_out = held_out
        self.share = share
        self.random_state = random_state

    # --- learning

    def fit(self, matrix, times=None, item_numbers=None):
        """Fit generators, let the scorer learn from their candidates, and fit the generators again.  Returns itself.

        Raises ValueError for what is no such matrix, times or numbers that do not fit it, bad parameters, where nothing
        can be held out or none of it is among the candidates, and for what a generator or the scorer refuses or
        returns.

        Parameters
        ----------
        matrix : Table, array (U, M), Rows or sparse matrix (U, M)
            What users have; in an array NaN stands for what is not known.  With a `Table`, ids go in and out.
        times : array (P,) of numbers, dates or ISO text, or None, default=None
            When each entry came about, in the order of the entries; None for those of a table, if it has any.
        item_numbers : array (M, D), dict of arrays (M,) or None, default=None
            Numbers of items that users may have a taste for, such as logarithms of prices.
        """
        plain = {"item cosines": ItemCosine(), "popularity": Popularity()}
        named = named_parts(self.generators, plain, "generators", "fit", "recommend")
        if not named:
            raise ValueError("generators: expected at least one, got none")
        if self.scorer is not None:
            named_parts([self.scorer], {}, "scorer", "fit", "predict")
        named_parts(self.rerankers, {}, "rerankers")
        sizes = whole_number(self.candidates, "candidates"), whole_number(self.depth, "depth")
        held_out, share = whole_number(self.held_out, "held_out"), real_number(self.share, "share", above=0)
        table = matrix if isinstance(matrix, Table) else None
        matrix, times = (table.matrix, table.times if times is None else times) if table else (matrix, times)
        A, t = timed_entries(matrix, times)
        A = A._replace(data=A.data.astype(np.float64, copy=False))
        warn_of_zeros(matrix, A, "matrix")
        inner, inner_times = held_back(A, t, held_out, share, generator(self.random_state))
        asked = np.flatnonzero(np.diff(inner.test.indptr))
        if not asked.size:
            raise ValueError(f"matrix: nothing can be held out of {A.indices.size} entries; the scorer learns from "
                             "users with at least two entries, with share from a few more")
        finders = fitted_finders(named, inner.train, inner_times, item_numbers, sizes)
        pool, X, names = finders.candidates_of(asked)
        there = pool.items >= 0
        y = hits(pool.items, some_rows(inner.test, asked))[there].astype(np.int64)
        if not y.any():
            raise ValueError(f"candidates={self.candidates}, depth={self.depth}: of {inner.test.indices.size} entries "
                             "that were held out none is among the candidates, so the scorer has nothing to learn "
                             "from; raise both, or use other generators")
        scorer = LinearScorer() if self.scorer is None else copy.deepcopy(self.scorer)
        scorer.fit(X, y, qid=np.repeat(asked, there.sum(axis=1)))
        finders = fitted_finders(named, A, t, item_numbers, sizes)
        vars(self).update(generators_=finders.models, scorer_=scorer, feature_names_=names, interactions_=A,
                          lists_=None,
                          learned_from_=(y.size, asked.size, int(y.sum())), users_=table.users if table else None,
                          items_=table.items if table else None, _finders=finders, _names=list(named), _sizes=sizes)
        return self

    def precompute(self):
        """Compute the scored candidates of all users, from which `recommend` then answers.  Returns itself.

        Raises ValueError before `fit`, and of a model that was loaded, which has them already.
        """
        self._check_fitted()
        self.lists_ = self._live(np.arange(self.interactions_.shape[0]))
        return self

    # --- asking

    def recommend(self, users, n=10, *, live=False):
        """Items and their scores, (S, n) each, the best first; (n,) for a single user.

        Where fewer are left, items end with -1, or None for ids, and scores with -inf.
        Raises ValueError for unknown users, for n above the number of candidates, and for what a re-ranker returns that
        is no list, or has an item that it was not given.

        Parameters
        ----------
        users : int or array (S,) of int, or ids if `fit` got a table
            For whom.
        n : int, default=10
            How many items.
        live : bool, default=False
            Whether to compute anew what `precompute` has computed.
        """
        rows, single = self._rows(users)
        lists = self._lists(rows, live)
        items, scores = lists.items, lists.scores
        cold = self._cold(rows, items, lists.places)
        if cold.any():
            warnings.warn(f"users: of {int(cold.sum())} of {len(rows)} nothing is known that leads to candidates; they "
                          "are shown what is popular.  `without_candidates` tells who they are", stacklevel=2)
        for name, function in named_parts(self.rerankers, {}, "rerankers").items() if len(rows) else ():
            items, scores = reranked(name, function, items, scores, rows)
        items, scores = first_of(items, scores, self._at_most(n))
        items = items if self.items_ is None else self.items_.decode(items)
        return (items[0], scores[0]) if single else (items, scores)

    def without_candidates(self, users):
        """Whether a user is shown what is popular, as nothing leads from what is known of him to an item; bool (S,).

        Raises ValueError for unknown users.

        Parameters
        ----------
        users : int or array (S,) of int, or ids if `fit` got a table
            Who.
        """
        rows, single = self._rows(users)
        lists = self._lists(rows, False)
        cold = self._cold(rows, lists.items, lists.places)
        return bool(cold[0]) if single else cold

    def trace(self, user, n=10):
        """What each stage has made of one user's list: a list of `Stage`, from the generators to what is shown.

        Raises ValueError as `recommend` does, and for several users.

        Parameters
        ----------
        user : int, or an id if `fit` got a table
            Whose.
        n : int, default=10
            How many items are shown.
        """
        rows = self._alone(user)
        lists = self._lists(rows, False)
        items, scores = lists.items, lists.scores
        stages, found = [], np.zeros(0, np.int64)
        cold = bool(self._cold(rows, items, lists.places)[0])
        if self._finders and not cold:
            for name, (its, values) in zip(self._names, self._finders.lists_of(rows)):
                stages.append((name, its, values, []))
                found = np.union1d(found, its[its >= 0])
        if cold:
            stages.append(("popularity, as nothing leads to a candidate", items, scores, []))
        else:
            order = np.argsort(-lists.fused[0], kind="stable")
            stages.append(("candidates", items[:, order], lists.fused[:, order], np.setdiff1d(found, items)))
            stages.append(("scorer", items, scores, []))
        for name, function in named_parts(self.rerankers, {}, "rerankers").items():
            before, (items, scores) = items, reranked(name, function, items, scores, rows)
            stages.append((name, items, scores, in_order_of(before[0], items[0])))
        before, (items, scores) = items, first_of(items, scores, self._at_most(n))
        stages.append(("shown", items, scores, in_order_of(before[0], items[0])))
        there = [its[0] >= 0 for _, its, _, _ in stages]
        return [Stage(name, self._as_ids(its[0][here]), values[0][here], self._as_ids(np.asarray(gone, np.int64)))
                for here, (name, its, values, gone) in zip(there, stages)]

    def explain(self, user, item, n=3):
        """Why an item is among the candidates of a user, and what the scorer was told of it: a `Reason`.

        Raises ValueError for unknown users and items, several of them, and an item that is no candidate of the user.

        Parameters
        ----------
        user : int, or an id if `fit` got a table
            Whose.
        item : int, or an id if `fit` got a table
            Which.
        n : int, default=3
            How much of each generator's own explanation, if it gives any.
        """
        rows = self._alone(user)
        number = self._alone(item, self.items_, self.interactions_.shape[1], "item")
        lists = self._lists(rows, False)
        at = np.flatnonzero(lists.items[0] == number[0])
        if not at.size:
            raise ValueError(f"item: {item!r} is none of the {int((lists.items[0] >= 0).sum())} candidates of user "
                             f"{user!r}; trace(user) lists them")
        if self._cold(rows, lists.items, lists.places)[0]:
            return Reason(item, float(lists.scores[0, at[0]]), {}, {}, {"popularity": "the share of users who have it"})
        places = {name: int(p) for name, p in zip(self._names, lists.places[:, 0, at[0]]) if p <= self._sizes[1]}
        features, because = {}, {}
        if self._finders:
            pool, X, names = self._finders.candidates_of(rows)
            features = dict(zip(names, X[pool.items[0][pool.items[0] >= 0] == number[0]][0].tolist()))
            because = {name: self._told(model.explain(int(rows[0]), int(number[0]), n))
                       for name, model in self.generators_.items() if name in places and hasattr(model, "explain")}
        return Reason(item, float(lists.scores[0, at[0]]), places, features, because)

    # --- keeping

    def save(self, path):
        """Write what answers for all users to a file: their scored candidates, what they have, and ids.

        Generators, scorer and re-rankers are not kept.  Raises ValueError if it is not fitted, and for ids that are
        neither strings nor numbers; OSError if it cannot be written.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        lists = self.lists_ or self._live(np.arange(self.interactions_.shape[0]))
        A = self.interactions_
        arrays = {**lists._asdict(), "indptr": A.indptr, "indices": A.indices, "data": A.data}
        storage.save(path, KIND, arrays, dict(
            generators=self._names, rerankers=list(named_parts(self.rerankers, {}, "rerankers")), sizes=self._sizes,
            items=A.shape[1], feature_names=self.feature_names_, learned_from=self.learned_from_,
            ids=[saved_ids(self.users_), saved_ids(self.items_)] if self.users_ else None))

    @classmethod
    def load(cls, path, rerankers=None):
        """The model that `save` wrote: it answers for all users as then, but cannot compute anew.

        Raises ValueError if the file is damaged or holds something else, and for other names of re-rankers than it has.

        Parameters
        ----------
        path : str or path
            The file.
        rerankers : dict of functions by name, list of functions or None, default=None
            Those that the model had.
        """
        arrays, rest = storage.load(path, KIND)
        try:
            names, (N, depth) = list(rest["generators"]), rest["sizes"]
            A, lists = checked_lists(arrays, int(rest["items"]), len(names), depth)
            users, items = (Ids(some) for some in rest["ids"]) if rest["ids"] else (None, None)
            if users and (len(users), len(items)) != A.shape:
                raise ValueError(f"there are ids of {len(users)} users and {len(items)} items, and a matrix {A.shape}")
            sizes = whole_number(N, "candidates"), whole_number(depth, "depth")
            model = cls(rerankers=rerankers, candidates=sizes[0], depth=sizes[1])
            saved = list(rest["rerankers"])
            vars(model).update(generators_={}, scorer_=None, feature_names_=list(rest["feature_names"]),
                               interactions_=A,
                               lists_=lists, learned_from_=tuple(rest["learned_from"]), users_=users, items_=items,
                               _finders=None, _names=names, _sizes=sizes)
        except KeyError as error:
            raise ValueError(f"{path}: expected a fitted model, got one without {error}") from None
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"{path}: expected a fitted model, but {error}") from None
        given = list(named_parts(rerankers, {}, "rerankers"))
        if given != saved:
            raise ValueError(f"rerankers: the model in {path} had {saved}, got {given}; functions are not kept in "
                             "files, pass them")
        return model

    # --- pieces

    def _rows(self, users):
        """Numbers of rows (S,), and whether one user was asked for alone."""
        self._check_fitted()
        if self.users_ is not None:
            rows = self.users_.encode(users)
            return np.atleast_1d(rows), np.ndim(rows) == 0
        return numbers_in_range(users, self.interactions_.shape[0], "users"), is_one(users)

    def _alone(self, some, ids=None, size=None, name="user"):
        """The number (1,) of one user or item."""
        self._check_fitted()
        ids, size = (self.users_, self.interactions_.shape[0]) if size is None else (ids, size)
        if in_order(some):
            raise ValueError(f"{name}: expected one, got {some!r:.60}; ask for one after the other")
        return np.atleast_1d(ids.encode(some) if ids is not None else numbers_in_range(some, size, name))

    def _at_most(self, n):
        most = min(self._sizes[0], self.interactions_.shape[1])
        if whole_number(n, "n") > most:
            raise ValueError(f"n={n}: there are {most} candidates of a user at most; lower n, or raise candidates and "
                             "fit again")
        return int(n)

    def _lists(self, rows, live):
        if self.lists_ is not None and not live:
            return self.lists_.of(rows)
        return self._live(rows)

    def _live(self, rows):
        """The scored candidates of users, in order: `Lists`."""
        if self._finders is None:
            raise ValueError("live, precompute: this model was loaded from a file, which holds lists but no "
                             "generators; fit one")
        if not len(rows):
            N = min(self._sizes[0], self.interactions_.shape[1])
            return Lists(np.zeros((0, N), np.int32), np.zeros((0, N)), np.zeros((len(self._names), 0, N), np.int32),
                         np.zeros((0, N)))
        blocks = [self._scored(rows[first:first + BLOCK]) for first in range(0, len(rows), BLOCK)]
        return Lists(*(np.concatenate(part, axis=axis) for part, axis in zip(zip(*blocks), (0, 0, 1, 0))))

    def _scored(self, rows):
        pool, X, _ = self._finders.candidates_of(rows)
        there = pool.items >= 0
        scores = np.full(there.shape, -np.inf)
        if len(X):
            scores[there] = as_vector(self.scorer_.predict(X), name="scorer.predict", size=len(X))
        order = np.argsort(-scores, axis=1, kind="stable")
        lists = Lists(*(np.take_along_axis(part, order, 1) for part in (pool.items, pool.fused)),
                      np.take_along_axis(pool.places, order[None], 2), np.take_along_axis(scores, order, 1))
        return popular_lists(lists, self.interactions_, rows)

    def _cold(self, rows, items, places):
        """Whether no generator has any of a user's items."""
        return (places > self._sizes[1]).all(axis=(0, 2))

    def _as_ids(self, items):
        return items if self.items_ is None else self.items_.decode(items)

    def _told(self, why):
        """A generator's explanation, with ids in place of numbers if it names items."""
        items = getattr(why, "items", None)
        names_items = isinstance(items, np.ndarray) and hasattr(why, "_replace")
        return why._replace(items=self._as_ids(items)) if names_items else why
