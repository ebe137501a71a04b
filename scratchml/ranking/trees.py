"""Trees for boosting: each step of Newton's method on a loss, as a function of the features.

Boosting adds to the scores of all rows, again and again, a function that lowers the loss.  Such a function is a tree:
it parts the rows by questions to their features, and moves all rows of a leaf by one value, the best for them
(chapter `cuts`).  Grown leaf by leaf, the tree always parts the leaf that gains most, wherever it is, until there are
as many as were asked for.  So a tree of 31 leaves may be deep where the loss bends, and shallow elsewhere.

Gradients are whole numbers (chapter `histograms`), so that a tree depends neither on the order of the rows nor on the
number of threads, and each histogram is added up for the smaller of two children alone.

Symbols
    binned                 the features of N rows in bins, `Binned`
    gradients, hessians  (N,)  first and second derivative of the loss by the score of each row
    X  (N, D)              rows, NaN where a value is missing
    tree                   a `Tree`: for each of its M nodes
        f, t, m            the feature and the threshold of its question, and whether rows without a value go left
        l, r               its children
        v                  by how much its rows move
    trees  (T,)            several
    L                      how many leaves one may have

Equations
    (1)  from the root: part the leaf of the greatest gain, until there are L leaves     grow
    (2)  from the root: go to l if x_f <= t, or x_f is missing and m, else to r          tree_leaves
    (3)  F(x) = Σ_trees v of its leaf                                                    predict_trees

Choices
    A leaf that no cut within the limits makes better stays one; `stopped_by` of a tree names the limits that it came up
    against.  Of leaves that gain the same, the one with the lower number is parted.
    Where no row of a node lacks a value, later ones without go where more rows went; left, if as many.
    Values are whole Newton steps: who wants smaller ones takes `tree.shrunk(rate)`.

Cost
    O(N D) for the root, and for each cut as much for the smaller child's rows, plus 256 D.  A histogram of 4,096 D
    bytes is kept for each leaf that can be parted.  A prediction takes as many steps as the trees are deep.

>>> from scratchml.ranking.bins import bin_edges, binned
>>> X = np.array([[0., 5], [1, 3], [2, 4], [3, 9]])
>>> y = np.array([1., 1, 7, 9])
>>> table = binned(X, bin_edges(X))
>>> tree, leaf_of = grow(table, -y, np.ones(4), num_leaves=3, min_child_samples=1)
>>> tree.value[leaf_of].tolist(), predict_trees([tree], [[-1., 0], [2.5, 0], [np.nan, 0]]).tolist()
([1.0, 1.0, 7.0, 9.0], [1.0, 9.0, 1.0])
>>> print(tree_text(tree, ["age", "height"]))
age <= 1 or missing: 4 rows, gain 49
    1  (2 rows)
    age <= 2 or missing: 2 rows, gain 2
        7  (1 row)
        9  (1 row)

Source: G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017; T. Chen and C.
Guestrin, "XGBoost: a scalable tree boosting system", KDD 2016, sections 2 and 3.4; J. Friedman, "Greedy function
approximation: a gradient boosting machine", Annals of Statistics 29 (2001).
"""
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_matrix, as_vector, one_of, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.ranking.growing import Growth, Limits

BLOCK = 64                                               # rows that walk down a tree together


@dataclass(frozen=True, eq=False)
class Tree:
    """A tree in flat arrays, a place for each node; node 0 is the root, and a leaf has feature -1.

    A row goes from node k to left[k] if its feature[k] is at most threshold[k], or missing while missing_left[k];
    else to right[k].  `value` moves the rows of a leaf; at other nodes it is what would move them if they stayed
    together.  `count` is the number of rows that were there in training, `gain` what the cut won.  `stopped_by` is a
    tuple of the limits that kept leaves from being parted: empty, if no cut made the loss smaller.
    """
    feature: np.ndarray                                  # (M,) int32
    threshold: np.ndarray                                # (M,)
    missing_left: np.ndarray                             # (M,) bool
    left: np.ndarray                                     # (M,) int32, -1 for leaves
    right: np.ndarray                                    # (M,) int32
    value: np.ndarray                                    # (M,)
    count: np.ndarray                                    # (M,) int64
    gain: np.ndarray                                     # (M,)
    stopped_by: tuple = ()

    @property
    def n_leaves(self):
        return int((self.feature < 0).sum())

    def shrunk(self, rate):
        """The tree whose values are `rate` times as large."""
        return replace(self, value=self.value * rate)


# --- the equations -------------------------------------------------------------------------------


def grow(binned, gradients, hessians, *, num_leaves=31, max_depth=-1, min_child_samples=20, min_child_weight=1e-3,
         min_split_gain=0.0, reg_alpha=0.0, reg_lambda=0.0, rows=None, features=None):
    """(1)  from the root: part the leaf of the greatest gain, until there are L leaves

    Returns the `Tree` and the leaf, a node's number, of each row of the table, so that tree.value[leaf_of] moves them.

    `binned` is what `bins.binned` returns; L is `num_leaves`, and `max_depth` the most questions down to a leaf, -1 for
    any number.  A child has at least `min_child_samples` rows, the second derivatives of which add up to at least
    `min_child_weight`; a cut gains more than `min_split_gain`.  `reg_alpha` and `reg_lambda` are α and λ.  The tree is
    grown on `rows`, and asks for `features`: distinct numbers, by default all.

    Raises ValueError for derivatives of another length, infinite or NaN, for second derivatives below 0, and for limits
    that are none.

    Shapes: binned, gradients (N), hessians (N) -> (), (N)
    """
    N, D = binned.by_row.shape
    g, h = as_vector(gradients, name="gradients", size=N), as_vector(hessians, name="hessians", size=N)
    if h.min(initial=0.0) < 0:
        raise ValueError(f"hessians: expected numbers of at least 0, got {h.min()} at {h.argmin()}")
    limits = Limits.of(g, h, max_depth, min_child_samples, min_child_weight, min_split_gain, reg_alpha, reg_lambda)
    L = whole_number(num_leaves, "num_leaves")
    growth = Growth(binned, g, h, limits, _numbers(rows, N, "rows").astype(np.int32), _numbers(features, D, "features"))
    while len(growth.leaves) < L and growth.by_gain:
        growth.part(last=len(growth.leaves) + 1 == L)
    return Tree(*growth.arrays(), growth.stopped_by(len(growth.leaves) == L)), growth.leaf_of()


def tree_leaves(trees, X):
    """(2)  from the root: go to l if x_f <= t, or x_f is missing and m, else to r

    The number of the node, of each tree, that each row ends in.

    Shapes: trees (T), X (N, D) -> (N, T)
    """
    packed = pack(trees)
    X = _table(packed, X)
    leaves = np.empty((len(X), len(packed.roots)), np.int32)
    run_chunks(_leaves_chunk, len(X), X, *packed, leaves, chunk=BLOCK * 16)
    return leaves


def predict_trees(trees, X):
    """(3)  F(x) = Σ_trees v of its leaf

    X (N, D) may hold NaN and ±inf.  Raises ValueError if it has fewer features than a tree asks for.

    Shapes: trees (T), X (N, D) -> (N)
    """
    packed = pack(trees)
    X = _table(packed, X)
    F = np.zeros(len(X))
    run_chunks(_predict_chunk, len(X), X, *packed, F, chunk=BLOCK * 16)
    return F


# --- about trees ---------------------------------------------------------------------------------


def feature_importances(trees, n_features, kind="split"):
    """How much the trees ask for each feature, (n_features,): how often, or, if `kind` is "gain", what the cuts won."""
    gain = one_of(kind, "kind", ("split", "gain")) == "gain"
    importances = np.zeros(whole_number(n_features, "n_features"))
    for tree in _several(trees):
        inner = tree.feature >= 0
        if tree.feature.max() >= n_features:
            raise ValueError(f"n_features={n_features}: expected at least {tree.feature.max() + 1}, as a tree asks for "
                             "them")
        np.add.at(importances, tree.feature[inner], tree.gain[inner] if gain else 1.0)
    return importances


def tree_text(tree, names=None):
    """The tree in words, a line a node, its left child first; `names` are those of the features, else x0, x1, ..."""
    if names is not None and (isinstance(names, str) or len(names) <= tree.feature.max()):
        raise ValueError(f"names: expected a list of at least {tree.feature.max() + 1} names, as the tree asks for "
                         f"such features, got {names!r}")
    lines, to_come = [], [(0, 0)]
    nodes = list(zip(*(part.tolist() for part in (tree.feature, tree.threshold, tree.missing_left, tree.left,
                                                  tree.right, tree.value, tree.count, tree.gain))))
    while to_come:
        k, depth = to_come.pop()
        f, t, m, left, right, value, count, gain = nodes[k]
        rows = f"{count:,} row" + "s" * (count != 1)
        if f < 0:
            words = f"{value:.4g}  ({rows})"
        else:
            name = f"x{f}" if names is None else names[f]
            question = f"{name} is known" if t == np.inf else f"{name} <= {t:.6g}" + " or missing" * m
            words = f"{question}: {rows}, gain {gain:.4g}"
            to_come += [(right, depth + 1), (left, depth + 1)]
        lines.append("    " * depth + words)
    return "\n".join(lines)


class Packed(NamedTuple):
    """Trees in one piece, for kernels; a leaf leads to itself."""
    links: np.ndarray                                    # (nodes, 4) int32: feature, left, right, m
    numbers: np.ndarray                                  # (nodes, 2): threshold, value
    roots: np.ndarray                                    # (T, 2) int32: the root of each, and its depth


def pack(trees):
    """`Packed` trees."""
    trees = _several(trees)
    sizes = np.array([len(tree.feature) for tree in trees], np.int64)
    starts, roots = np.cumsum(sizes) - sizes, np.empty((len(trees), 2), np.int32)
    links, numbers = np.zeros((sizes.sum(), 4), np.int32), np.empty((sizes.sum(), 2))
    for t, (tree, start, size) in enumerate(zip(trees, starts, sizes)):
        leaf, itself, part = tree.feature < 0, np.arange(size), slice(start, start + size)
        links[part, 0] = np.where(leaf, 0, tree.feature)
        links[part, 1] = start + np.where(leaf, itself, tree.left)
        links[part, 2] = start + np.where(leaf, itself, tree.right)
        links[part, 3] = tree.missing_left
        numbers[part, 0], numbers[part, 1] = np.where(leaf, np.inf, tree.threshold), tree.value
        roots[t] = start, _depth(tree.left, tree.right, np.empty(size, np.int32))
    return Packed(links, numbers, roots)


def _several(trees):
    """A list of trees; TypeError for what is none."""
    if isinstance(trees, Tree):
        raise TypeError("trees: expected a list of trees, got a Tree; pass [tree]")
    trees = list(trees)
    if other := [tree for tree in trees if not isinstance(tree, Tree)]:
        raise TypeError(f"trees: expected a list of trees, got {type(other[0]).__name__} among them")
    return trees


def _table(packed, X):
    """X as an array, of as many features as the trees ask for."""
    X = as_matrix(X, check_finite=False)
    if len(packed.links) and packed.links[:, 0].max() >= X.shape[1]:
        raise ValueError(f"X: expected at least {packed.links[:, 0].max() + 1} features, as a tree asks for them, got "
                         f"{X.shape[1]}")
    return X


def _numbers(given, n, name):
    """Distinct numbers below n, rising; None stands for all."""
    if given is None:
        return np.arange(n)
    numbers = np.asarray(given)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or not len(numbers):
        raise ValueError(f"{name}: expected an array of whole numbers, at least one, got shape {numbers.shape} of "
                         f"{numbers.dtype}")
    numbers = np.sort(numbers)
    if numbers[0] < 0 or numbers[-1] >= n or (numbers[1:] == numbers[:-1]).any():
        raise ValueError(f"{name}: expected distinct numbers from 0 to {n - 1}, got {given!r}")
    return numbers


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _depth(left, right, depths):
    """The most questions that a row is asked; children have higher numbers than their parent."""
    depths[0] = 0
    for k in range(len(left)):
        if left[k] >= 0:
            depths[left[k]] = depths[right[k]] = depths[k] + 1
    return depths.max()


@kernel
def _walk(X, first, last, links, numbers, root, at):
    """The leaf of rows first ... last of X in the tree of that `root` and depth, as a place among all nodes, into `at`.

    All rows take a step, then all the next, and who has reached a leaf stays there.  So no branch depends on the data,
    and the processor works at many rows at a time; unsigned numbers are places that cannot be negative.
    """
    n = last - first
    at[:n] = root[0]
    for _ in range(root[1]):
        for i in range(n):
            k = at[i]
            x = X[first + i, np.uint64(links[k, 0])]
            left = (x <= numbers[k, 0]) | ((x != x) & (links[k, 3] != 0))
            at[i] = np.uint64(links[k, np.uint64(2) - np.uint64(left)])


@kernel
def _leaves_chunk(c, start, stop, X, links, numbers, roots, leaves):
    """(2): a block of rows through one tree after the other, while both are in the cache."""
    at = np.empty(BLOCK, np.uint64)
    for first in range(start, stop, BLOCK):
        last = min(stop, first + BLOCK)
        for t in range(len(roots)):
            _walk(X, first, last, links, numbers, roots[t], at)
            for i in range(first, last):
                leaves[i, t] = np.int64(at[i - first]) - roots[t, 0]


@kernel
def _predict_chunk(c, start, stop, X, links, numbers, roots, F):
    """(3), as (2); values are added in the order of the trees."""
    at = np.empty(BLOCK, np.uint64)
    for first in range(start, stop, BLOCK):
        last = min(stop, first + BLOCK)
        for t in range(len(roots)):
            _walk(X, first, last, links, numbers, roots[t], at)
            for i in range(first, last):
                F[i] += numbers[at[i - first], 1]
