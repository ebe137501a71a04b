"""An index around the graph of the chapter hnsw, with the names of hnswlib.

Vectors are kept in float32.  Where float64 data for the Euclidean distance lie so far from the origin that float32
would lose their differences, the mean of those columns is taken off first.  Cosines are inner products of vectors of
length 1.

Fitted, an index takes 4 D + 8 M bytes a vector, and at most 90 besides: less than half a gigabyte for a million vectors
of 64 numbers.  One that has grown by additions may have as much again in room to grow.
"""
import copy
import numbers

import numpy as np

from scratchml.core import storage
from scratchml.core.checks import as_vector, one_of, safe_to_square, true_or_false, unmasked, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.jit import run_chunks
from scratchml.core.random import generator
from scratchml.neighbors.hnsw import levels
from scratchml.neighbors.hnsw_build import batches, cut_back, join, prepare
from scratchml.neighbors.hnsw_graph import Graph, Marks, check_graph, empty_graph, expect, longer, with_room
from scratchml.neighbors.hnsw_items import (GONE, Answers, Asked, Items, answer_some, check_items, enlist, keys_of,
                                            number, table_for)

KIND = "scratchml.neighbors.HNSW"
SPACES = ("l2", "ip", "cosine")
LOOK_AT_ALL = 30                                         # times ef: if no more items are allowed, all are looked at
FAR = 1000                                               # standard deviations from 0 that make the mean be taken off
MOST_LINKS = 1000


class HNSW(Estimator):
    """Approximate nearest neighbours by a graph, with the names of hnswlib.

    The graph has the same bits for any number of threads.  Every item can be found: one that has not been deleted is
    missing from an answer only where nearer ones, or more than `ef` other nodes, took its place.

    Parameters
    ----------
    space : {"l2", "ip", "cosine"}, default="l2"
        The distance: ‖q - x‖², 1 - q·x, or 1 - cos(q, x).
    M : int, default=16
        Links of a new node; up to 2M on the ground layer.  More for data of high intrinsic dimension.
    ef_construction : int, default=200
        How many nodes a walk has in hand while the graph is built.
    ef : int, default=50
        How many nodes a walk for a query has in hand, or k if that is more.  May be changed at any time.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of layers and of the order of insertion.

    Attributes
    ----------
    graph_ : the arrays of the graph, with room for more nodes
    items_ : the arrays of the items at its nodes, likewise
    n_items_ : how many items there are in these, deleted and replaced ones included
    """

    def __init__(self, space="l2", *, M=16, ef_construction=200, ef=50, random_state=None):
        self.space = space
        self.M = M
        self.ef_construction = ef_construction
        self.ef = ef
        self.random_state = random_state

    # --- what is in it

    def fit(self, X, y=None):
        """Index the rows of `X` under the labels 0, 1, ..., in random order.  Returns itself.

        Raises ValueError for bad parameters, NaN, inf, and values whose squares over- or underflow in float32.

        Parameters
        ----------
        X : array (N, D)
            Vectors.
        y : None, default=None
            Ignored.
        """
        parameters = self._checked_parameters()
        X = safe_to_square(self._fit_matrix(X), work=np.float32)
        fresh = HNSW(**self.get_params())
        fresh.n_features_in_ = X.shape[1]
        fresh._begin(X, *parameters)
        fresh._add(X, np.arange(len(X)))
        vars(self).update({name: value for name, value in vars(fresh).items() if name not in self.get_params()})
        return self

    def add_items(self, data, ids=None):
        """Add vectors, or replace those whose labels are there already, deleted or not.  Returns itself.

        Begins an index where there is none yet.  If it is interrupted, the index holds what it held before.
        Raises ValueError as `fit` does, and for labels that are no whole numbers >= 0, come twice, or are too few.

        Parameters
        ----------
        data : array (N, D) or (D,)
            Vectors; N may be 0.
        ids : array (N,) of int, int or None, default=None
            Their labels; None for numbers from the greatest label so far on.
        """
        if not self.__sklearn_is_fitted__():
            parameters = self._checked_parameters()
            X = self._fit_matrix(_as_rows(data), min_samples=0)
            self._begin(safe_to_square(X, "data", work=np.float32), *parameters)
        X = safe_to_square(self._more_rows(data), "data", work=np.float32, fitted=True)
        labels = self._next_labels(len(X)) if ids is None else _labels(ids, len(X))
        self._add(X, labels)
        return self

    def _checked_parameters(self):
        one_of(self.space, "space", SPACES)
        whole_number(self.ef, "ef")
        M, ef = whole_number(self.M, "M", least=2), whole_number(self.ef_construction, "ef_construction")
        if M > MOST_LINKS:
            raise ValueError(f"M={M}: expected at most {MOST_LINKS}; 5 to 50 are usual")
        return M, max(M, ef), generator(self.random_state)

    def _begin(self, X, M, ef, rng):
        """An empty index for data like `X`; what it is built with stays as it is now, whatever parameters become."""
        self._seed = int(rng.integers(2**62))
        self._space, self._build_ef, self._marks = self.space, ef, Marks()
        self._shift = _shift(X) if self.space == "l2" else np.zeros(X.shape[1])
        self._lengths = np.zeros(0, np.float32)
        self.graph_ = empty_graph(0, X.shape[1], M, self.space != "l2")
        self.items_ = Items(*(np.zeros(0, kind) for kind in (np.int64, np.int32, np.int32, bool, np.int32)))
        self.n_items_ = 0
        self._row_keys, self._rows = np.zeros(0, np.int64), table_for(np.zeros(0, np.int64), 0, 0)
        self._names = table_for(np.zeros(0, np.int64), 0, 0)

    def _add(self, X, labels):
        """Add checked vectors under checked labels."""
        vectors, lengths = self._prepared(X)
        before, n = self.graph_.state.copy(), self.n_items_
        rng = np.random.default_rng([self._seed, n])
        order = rng.permutation(len(X))
        self._make_room(before[0] + len(X), n + len(X))
        nodes = np.empty(len(X), np.int32)
        try:
            nodes[order] = self._as_nodes(vectors[order], rng)
        except BaseException:                            # Ctrl-C included
            cut_back(self.graph_, before)
            self._rows = table_for(self._row_keys, before[0], len(self._row_keys))
            raise
        self._register(labels, nodes, lengths)

    def _as_nodes(self, vectors, rng):
        """The nodes (N,) of vectors, new ones for those that are equal to none that is there."""
        graph, keys = self.graph_, keys_of(vectors)
        N, numbers = int(graph.state[0]), np.empty(len(vectors), np.int32)
        stop = number(self._rows, self._row_keys, N, keys, True, numbers)
        rows = N + np.arange(stop - N)
        first = np.unique(numbers, return_index=True)[1][-len(rows):] if len(rows) else rows
        np.take(vectors, first, axis=0, out=graph.vectors[N:stop])
        other = np.flatnonzero((graph.vectors[numbers] != vectors).any(axis=1))          # of the same key by chance
        numbers[other] = stop + np.arange(len(other))
        graph.vectors[numbers[other]] = vectors[other]
        self._row_keys[stop:stop + len(other)] = keys[other]
        heights = levels(1 - rng.random(len(first) + len(other)), graph.upper.shape[1])
        needed = int(graph.state[1] + heights.sum())
        if needed > len(graph.upper):
            graph = graph._replace(upper=longer(graph.upper, max(needed, 2 * len(graph.upper)), -1))
            self.graph_ = graph
        prepare(graph, heights)
        bounds = batches(N, len(heights))
        for begin, end in zip(bounds, bounds[1:]):
            join(graph, begin, end, self._build_ef, self._marks)
        return numbers

    def _register(self, labels, nodes, lengths):
        """Items at nodes, under labels that may be others' so far."""
        items, n = self.items_, self.n_items_
        stop, found = n + len(labels), self._find(labels)
        replaced = found[found >= 0]
        items.labels[replaced], items.alive[replaced] = GONE, False
        number(self._names, items.labels, n, labels, True, np.empty(len(labels), np.int32))
        items.nodes[n:stop], items.alive[n:stop] = nodes, True
        enlist(items, n, stop)
        self._lengths[n:n + len(lengths)] = lengths
        self.n_items_ = stop

    def _make_room(self, nodes, items, exactly=False):
        """Room for so many nodes and items; twice what there is, if that is too little."""
        graph, n = self.graph_, self.n_items_
        if nodes > len(graph.links):
            nodes = nodes if exactly else max(nodes, 2 * len(graph.links))
            self.graph_ = with_room(graph, nodes)
            self._row_keys = longer(self._row_keys, nodes)
            self._rows = table_for(self._row_keys, graph.state[0], nodes)
            self.items_ = self.items_._replace(lasts=longer(self.items_.lasts, nodes, -1))
        if items > len(self.items_.labels):
            items = items if exactly else max(items, 2 * len(self.items_.labels))
            old = self.items_
            self.items_ = Items(*(longer(array, items) for array in old[:4]), old.lasts)
            self._names = table_for(self.items_.labels, n, items)
            self._lengths = longer(self._lengths, items if self._space == "cosine" else 0)

    def resize_index(self, new_size):
        """Make room for `new_size` vectors at once, which else grows by doubling.  Returns itself.

        Raises ValueError if there are more already.

        Parameters
        ----------
        new_size : int
            How many vectors there will be.
        """
        self._check_fitted()
        if whole_number(new_size, "new_size") < self.n_items_:
            raise ValueError(f"new_size={new_size}: there are {self.n_items_} vectors already, deleted and replaced "
                             "ones included; fit anew to be rid of these")
        self._make_room(new_size, new_size, exactly=True)
        return self

    # --- labels

    def get_ids_list(self):
        """The labels, a list, of all that is not deleted, in the order in which it was added."""
        self._check_fitted()
        return self._living_labels().tolist()

    def get_current_count(self):
        """How many vectors there are that are not deleted."""
        self._check_fitted()
        return int(self.items_.alive[:self.n_items_].sum())

    def get_items(self, ids=None):
        """The vectors (N, D) of these labels, as they were rounded to float32.

        Raises ValueError for unknown and for deleted labels.

        Parameters
        ----------
        ids : array (N,) of int, int or None, default=None
            Labels; None for all, in the order of `get_ids_list`.
        """
        self._check_fitted()
        items = self._known(self._living_labels() if ids is None else ids)
        dead = ~self.items_.alive[items]
        if dead.any():
            raise ValueError(f"ids: {self.items_.labels[items[dead.argmax()]]} is deleted; unmark_deleted brings it "
                             "back")
        X = self.graph_.vectors[self.items_.nodes[items]]
        if self._space == "cosine":
            X *= self._lengths[items, None]
        return X + self._shift if self._shift.any() else X

    def mark_deleted(self, label):
        """Let these items no longer be found.  Returns itself.

        They stay in the graph as ways to others; where most are deleted, fit anew.
        Raises ValueError for labels that are unknown or deleted already.

        Parameters
        ----------
        label : int or array (N,) of int
            One label or several.
        """
        return self._mark(label, True)

    def unmark_deleted(self, label):
        """Let these items, which were deleted, be found again.  Returns itself.

        Raises ValueError for labels that are unknown or not deleted.

        Parameters
        ----------
        label : int or array (N,) of int
            One label or several.
        """
        return self._mark(label, False)

    def _mark(self, label, deleted):
        self._check_fitted()
        items = self._known(label, "label")
        wrong = self.items_.alive[items] != deleted
        if wrong.any():
            raise ValueError(f"label: {self.items_.labels[items[wrong.argmax()]]} is "
                             f"{'deleted already' if deleted else 'not deleted'}")
        self.items_.alive[items] = not deleted
        return self

    def _living_labels(self):
        return self.items_.labels[:self.n_items_][self.items_.alive[:self.n_items_]]

    def _next_labels(self, size):
        least = int(self.items_.labels[:self.n_items_].max(initial=-1)) + 1
        return _labels(np.arange(size) + least, size)

    def _find(self, labels):
        """The items (N,) of labels, -1 for those that are not there."""
        found = np.empty(len(labels), np.int32)
        number(self._names, self.items_.labels, self.n_items_, labels, False, found)
        return found

    def _known(self, ids, name="ids"):
        labels = _labels(ids, None, name)
        found = self._find(labels)
        if (found < 0).any():
            raise ValueError(f"{name}: {labels[(found < 0).argmax()]} is not in the index")
        return found

    # --- asking

    def set_ef(self, ef):
        """Let walks for queries have `ef` nodes in hand: more find more, and take longer.  Returns itself.

        Raises ValueError for what is no whole number >= 1.

        Parameters
        ----------
        ef : int
            How many.
        """
        self.ef = whole_number(ef, "ef")
        return self

    def knn_query(self, data, k=1, filter=None):
        """The k nearest of each query: labels, int64, and distances, float32, both (B, k), the nearest first.

        hnswlib's order, **labels first**; `kneighbors` has scikit-learn's, distances first.  Where fewer than k may be
        found, labels end with -1 and distances with inf.  With a filter or deletions the walk is widened until it has
        found k; where few items are left, they are looked at one by one.
        Raises ValueError for queries that `fit` would not take, for k < 1, and for filters of another form.

        Parameters
        ----------
        data : array (B, D) or (D,)
            Queries.
        k : int, default=1
            How many.
        filter : array (n,) or (B, n) of bool, array of int, callable or None, default=None
            What may be found: a bool for each label of `get_ids_list`, for all queries or for each; or labels, of which
            those not in the index count for nothing; or a function from a label to a bool, called once for each.
        """
        k, ef = whole_number(k, "k"), whole_number(self.ef, "ef")
        X = safe_to_square(self._more_rows(data), "data", work=np.float32, fitted=True)
        Q, _ = self._prepared(X)
        graph, items = self.graph_, self.items_
        allowed = self._allowed(filter, len(Q))
        asked = Asked(Q, allowed, allowed.sum(axis=1), max(ef, k), LOOK_AT_ALL)
        answers = Answers(np.full((len(Q), k), -1, np.int64), np.full((len(Q), k), np.inf, np.float32))
        if graph.state[0] == 0:
            return tuple(answers)

        def ask(c, start, stop):
            marks = self._marks.take(len(graph.links))
            answer_some(start, stop, graph, items, asked, marks, answers)
            self._marks.give_back(marks)

        run_chunks(ask, len(Q), chunk=32)
        if self._space == "cosine":
            np.maximum(answers.distances, 0, out=answers.distances)        # what rounding has led beyond
        return tuple(answers)

    def kneighbors(self, X, n_neighbors=5, return_distance=True):
        """scikit-learn's form of `knn_query`: distances, Euclidean ones for "l2", and labels, both (B, n).

        Where there are fewer, labels end with -1 and distances with inf.  Raises ValueError as `knn_query` does.

        Parameters
        ----------
        X : array (B, D)
            Queries.
        n_neighbors : int, default=5
            How many.
        return_distance : bool, default=True
            Whether the distances come, too; else the labels alone.
        """
        labels, distances = self.knn_query(X, whole_number(n_neighbors, "n_neighbors"))
        if not true_or_false(return_distance, "return_distance"):
            return labels
        return (np.sqrt(distances) if self._space == "l2" else distances), labels

    def _more_rows(self, data):
        """Further vectors as a checked matrix of the width of the index."""
        self._check_fitted()
        rows = _as_rows(data)
        if np.shape(rows) == (0, self.n_features_in_):
            return np.zeros((0, self.n_features_in_), np.float32)
        return self._more_matrix(rows)

    def _prepared(self, X):
        """Vectors as the graph has them, float32, and their lengths if cosines are wanted."""
        lengths = np.zeros(0, np.float32)
        if self._space == "cosine":
            X = X.astype(np.float64, copy=False)
            lengths = np.sqrt(np.einsum("nd,nd->n", X, X))
            X = X / np.where(lengths > 0, lengths, 1)[:, None]
        elif self._shift.any():
            X = X - self._shift
        X = X.astype(np.float32)
        X += 0                                           # -0 becomes 0, and equal vectors have equal bits
        return X, lengths.astype(np.float32)

    def _allowed(self, filter, size):
        """Which items may be found, (1, n) or (B, n) of bool."""
        n = self.n_items_
        alive = self.items_.alive[:n]
        if filter is None:
            return alive[None]
        if callable(filter):
            filter = np.array([bool(filter(label)) for label in self.get_ids_list()], bool)
        filter, count = np.asarray(unmasked(filter, "filter")), int(alive.sum())
        if filter.dtype == bool:
            if filter.shape not in {(count,), (size, count)}:
                raise ValueError(f"filter: expected a bool for each of the {count} labels of get_ids_list(), for all "
                                 f"queries or for each of the {size}, got shape {filter.shape}; or pass the labels "
                                 "that are allowed")
            allowed = np.zeros((1 if filter.ndim == 1 else size, n), bool)
            allowed[:, alive] = filter
            return allowed
        found = self._find(_labels(filter, None, "filter", once=False))
        allowed = np.zeros((1, n), bool)
        allowed[0, found[found >= 0]] = True
        return allowed & alive

    # --- copies and files

    def __copy__(self):
        return copy.deepcopy(self)                       # what is added to one must not be added to half of the other

    def save(self, path):
        """Write the index to a file: its graph, items and parameters, `ef` and `space` among them.

        Raises OSError if it cannot be written.

        Parameters
        ----------
        path : str or path
            Where to.
        """
        self._check_fitted()
        graph, items, n = self.graph_, self.items_, self.n_items_
        N, rows = (int(count) for count in graph.state[:2])
        arrays = {name: getattr(graph, name)[:N] for name in ("vectors", "links", "levels", "parents")}
        arrays |= {name: getattr(items, name)[:n] for name in ("labels", "nodes", "alive")}
        arrays |= {"upper": graph.upper[:rows], "lengths": self._lengths[:n], "shift": self._shift}
        parameters = self.get_params()
        if not isinstance(self.random_state, (int, np.integer)):
            parameters["random_state"] = None
        names = getattr(self, "feature_names_in_", None)
        storage.save(path, KIND, arrays, {
            "parameters": parameters, "space": self._space, "ef_construction": self._build_ef, "seed": self._seed,
            "entry": int(graph.state[2]), "names": None if names is None else list(names)})

    def load(self, path):
        """Become the index that `save` wrote to the file, parameters included.  Returns itself.

        Raises ValueError if the file is damaged, cut off, or holds no index whose parts fit together; FileNotFoundError
        if there is none.

        Parameters
        ----------
        path : str or path
            Where from.
        """
        arrays, rest = storage.load(path, KIND)
        try:
            fresh = _restored(arrays, rest)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
            raise ValueError(f"{path}: the parts of the index do not fit together, {error}; save it again") from error
        vars(self).clear()
        vars(self).update(vars(fresh))
        return self


# --- pieces -----------------------------------------------------------------------------------------


def _as_rows(data):
    """One vector (D,) as a matrix (1, D); all else as it is."""
    if hasattr(data, "columns") or isinstance(data, np.ndarray) and data.ndim != 1:
        return data
    flat = isinstance(data, np.ndarray) or isinstance(data, (list, tuple)) and len(data) > 0 \
        and all(np.ndim(value) == 0 for value in data)
    return as_vector(data, name="data")[None] if flat else data


def _labels(ids, size, name="ids", once=True):
    """Labels as int64 (N,).  Raises ValueError for what is none, for another number of them, and for one twice."""
    labels = np.atleast_1d(np.asarray(unmasked(ids, name)))
    whole = all(isinstance(label, numbers.Integral) and not isinstance(label, bool) for label in labels.flat) \
        if labels.dtype == object else False
    if labels.ndim == 1 and (whole and max(labels) < 2**63 or not labels.size):
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise ValueError(f"{name}: expected whole numbers as labels, (N,), got dtype {labels.dtype} and shape "
                         f"{labels.shape}")
    if size is not None and labels.size != size:
        raise ValueError(f"{name}: expected a label for each of the {size} vectors, got {labels.size}")
    if labels.size and not (0 <= int(labels.min()) and int(labels.max()) < 2**63 - 1):
        raise ValueError(f"{name}: expected labels from 0 to 2**63 - 2, got {labels.min()} to {labels.max()}")
    labels = labels.astype(np.int64)
    values, counts = np.unique(labels, return_counts=True)
    if once and values.size < labels.size:
        raise ValueError(f"{name}: {values[counts.argmax()]} comes {counts.max()} times, expected each label once")
    return labels


def _shift(X):
    """What is taken off each column (D,): its mean, where float32 would not see the differences."""
    if X.dtype == np.float32 or not len(X):
        return np.zeros(X.shape[1])
    mean = X.mean(axis=0)
    return np.where(np.abs(mean) > FAR * X.std(axis=0), mean, 0.0)


def _restored(arrays, rest):
    """An index from what `save` wrote, after a look at whether every number in it leads somewhere."""
    index = HNSW(**rest["parameters"])
    index._checked_parameters()
    heights, entry, (N, D), n = arrays["levels"], rest["entry"], arrays["vectors"].shape, len(arrays["labels"])
    expect(heights, np.int32, (N,), "levels")
    state = np.array([N, heights.sum(), entry, heights[entry] if N else -1], np.int64)
    first = np.where(heights > 0, np.cumsum(heights) - heights, -1).astype(np.int32)
    graph = Graph(arrays["vectors"], arrays["links"], arrays["upper"], first, heights, arrays["parents"], state,
                  one_of(rest["space"], "space", SPACES) != "l2")
    check_graph(graph)
    index.graph_ = with_room(graph, N)
    index.items_ = Items(arrays["labels"], arrays["nodes"], np.zeros(n, np.int32), arrays["alive"],
                         np.full(N, -1, np.int32))
    check_items(index.items_, N)
    enlist(index.items_, 0, n)
    expect(arrays["shift"], np.float64, (D,), "shift")
    expect(arrays["lengths"], np.float32, (n if rest["space"] == "cosine" else 0,), "lengths")
    index._shift, index._lengths = as_vector(arrays["shift"], name="shift"), arrays["lengths"]
    index._space, index._build_ef = rest["space"], whole_number(rest["ef_construction"], "ef_construction")
    index._seed, index._marks = whole_number(rest["seed"], "seed", least=0), Marks()
    index._row_keys = keys_of(arrays["vectors"])
    index._rows, index._names = table_for(index._row_keys, N, N), table_for(arrays["labels"], n, n)
    index.n_items_, index.n_features_in_ = n, D
    if rest["names"] is not None:
        index.feature_names_in_ = np.array(rest["names"], dtype=object)
    return index
