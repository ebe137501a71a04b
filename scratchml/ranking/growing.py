"""A tree while it grows: its leaves with their rows, histograms and best cuts, and how one of them is parted in two.

The rows of a leaf are a stretch of one array, which a cut parts without changing their order.  A leaf that no limit
lets be parted has no histogram; that of a parent becomes the larger child's.
"""
import heapq
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import real_number, whole_number
from scratchml.core.jit import kernel, n_threads, run_chunks
from scratchml.ranking.bins import MISSING, PLACES
from scratchml.ranking.cuts import GAIN, SAMPLES, WEIGHT, best_of, best_of_each, leaf_value
from scratchml.ranking.histograms import add_rows, exponent, put_to, take_away, whole_rows

DEPTH = 8                                                # a limit that leaves come up against, beside those of `cuts`
NAMES = {DEPTH: "max_depth", SAMPLES: "min_child_samples", WEIGHT: "min_child_weight", GAIN: "min_split_gain"}
ALONE = 3000                                             # rows that are worth a core of their own
CUTS = 100                                               # features whose cuts are


class Limits(NamedTuple):
    """What each child and cut must keep to."""
    samples: int
    depth: float                                         # inf for any
    values: np.ndarray                                   # `limits` of chapter `cuts`, in its units
    units: tuple                                         # powers of two: those of g and h

    @classmethod
    def of(cls, g, h, max_depth, min_child_samples, min_child_weight, min_split_gain, reg_alpha, reg_lambda):
        """The limits for derivatives g and h, (N,); ValueError for what is none."""
        depth = whole_number(max_depth, "max_depth", least=-1)
        if depth == 0:
            raise ValueError("max_depth=0: expected at least 1, or -1 for any depth")
        samples = whole_number(min_child_samples, "min_child_samples", least=0)
        weight, gain = real_number(min_child_weight, "min_child_weight"), real_number(min_split_gain, "min_split_gain")
        α, λ = real_number(reg_alpha, "reg_alpha"), real_number(reg_lambda, "reg_lambda")
        u, v = exponent(np.abs(g).max(initial=0.0)), exponent(h.max(initial=0.0))
        with np.errstate(over="ignore", under="ignore"):
            values = np.ldexp([samples, weight, gain, α, λ], [0, -v, v - 2 * u, -u, -v])
        return cls(samples, depth if depth > 0 else np.inf, values, (u, v))


class Leaf:
    """A node that has not been parted: its number, rows and depth, sums of q and w, histogram, and best cut."""
    __slots__ = ("number", "rows", "depth", "Q", "W", "S", "cut", "refused")

    def __init__(self, number, rows, depth, Q, W):
        self.number, self.rows, self.depth, self.Q, self.W = number, rows, depth, Q, W
        self.S, self.cut, self.refused = None, None, 0   # `refused`: the limits that it came up against


class Growth:
    """A tree that grows on `rows`, rising numbers, by `features`: `part` a leaf, while `by_gain` has one."""

    def __init__(self, binned, g, h, limits, rows, features):
        self.binned, self.limits, self.features = binned, limits, features.astype(np.uint64)
        self.n_bins = np.array([len(e) + 1 for e in binned.edges])
        self.qw, self.c = whole_rows(g, h), exponent(len(g))
        self.spare, self.found, self.unused = np.empty_like(rows), np.empty((2, len(features), 4)), []
        self.nodes, self.leaves, self.by_gain = [], {}, []
        root = self._add(rows, 0, *sums(self.qw, rows))
        if self._may_be_parted(root):
            root.S = self._space()
            self._look([root])

    def part(self, last=False):
        """Part the leaf of the greatest gain; the children of the `last` cut are not looked at."""
        leaf = self.leaves.pop(heapq.heappop(self.by_gain)[1])
        gain, f, b, m, _ = leaf.cut
        Q, W = left_sums(leaf.S[f], b, m)
        n = int(W & ((1 << self.c) - 1))
        if leaf.S[f, MISSING, 1] == 0:                   # no row lacks a value
            m = 2 * n >= len(leaf.rows)
        part_rows(self.binned.by_feature[f], leaf.rows, b, m, self.spare)
        left = self._add(leaf.rows[:n], leaf.depth + 1, Q, W)
        right = self._add(leaf.rows[n:], leaf.depth + 1, leaf.Q - Q, leaf.W - W)
        self.nodes[leaf.number][:6] = f, b, m, left.number, right.number, gain
        small, large = (left, right) if n <= len(right.rows) else (right, left)
        if last or not any([self._may_be_parted(small), self._may_be_parted(large)]):
            self.unused.append(leaf.S)
        else:
            large.S, small.S = leaf.S, self._space()
            self._look([small, large])
        leaf.S = None

    # --- steps

    def _add(self, rows, depth, Q, W):
        """A new leaf, and its node: feature, last bin, m, children, gain, sums, count."""
        leaf = Leaf(len(self.nodes), rows, depth, Q, W)
        self.nodes.append([-1, 0, True, -1, -1, 0.0, Q, W, len(rows)])
        self.leaves[leaf.number] = leaf
        return leaf

    def _may_be_parted(self, leaf):
        """Whether no limit forbids it from the start."""
        leaf.refused = DEPTH if leaf.depth >= self.limits.depth else \
            SAMPLES if len(leaf.rows) < 2 * self.limits.samples else 0
        return not leaf.refused

    def _space(self):
        return self.unused.pop() if self.unused else np.empty((len(self.n_bins), PLACES, 2), np.int64)

    def _look(self, leaves):
        """The histogram of the first leaf, and by difference that of its sibling; the best cuts of both.

        Each core adds up some of the rows; whole numbers add up to the same however these are shared out.
        """
        small, *large = leaves
        n = len(small.rows)
        size = -(-n // max(1, min(n_threads(), n // ALONE)))
        parts = [small.S, *(self._space() for _ in range(-(-n // size) - 1))]

        def add(part, start, stop):
            add_rows(self.binned.by_row, self.qw, small.rows[start:stop], self.features, parts[part])
        run_chunks(add, n, chunk=size)

        def cut(_, start, stop):
            features = self.features[start:stop]
            for part in parts[1:]:
                put_to(small.S, part, features)
            for leaf in large:
                take_away(leaf.S, small.S, features)
            for leaf, found in zip(leaves, self.found):
                best_of_each(leaf.S, self.n_bins, features, self.c, self.limits.values, found[start:stop])
        run_chunks(cut, len(self.features), chunk=CUTS)
        self.unused += parts[1:]
        for leaf, found in zip(leaves, self.found):
            leaf.cut = best_of(found, self.features)
            leaf.refused = leaf.cut.refused
            if leaf.cut.feature >= 0:
                heapq.heappush(self.by_gain, (-leaf.cut.gain, leaf.number))
            else:
                self.unused.append(leaf.S)
                leaf.S = None

    # --- what came of it

    def arrays(self):
        """The fields of `trees.Tree` but the last."""
        f, b, m, l, r, gain, Q, W, count = (np.array(column) for column in zip(*self.nodes))
        u, v = self.limits.units
        G, H = np.ldexp(Q.astype(float), self.c - 61), np.ldexp((W >> self.c).astype(float), 2 * self.c - 62)
        α, λ = self.limits.values[3:]
        with np.errstate(over="ignore", under="ignore"):
            value = np.ldexp([leaf_value(*sums, α, λ) for sums in zip(G, H)], u - v)
            gain = np.ldexp(gain, 2 * u - v)
        if not (np.isfinite(value).all() and np.isfinite(gain).all()):
            raise ValueError(f"gradients, hessians: values or gains of the tree cannot be held in float64, with the "
                             f"largest of each about 2^{u} and 2^{v}; scale the loss")
        edges = self.binned.edges
        threshold = [np.nan if k < 0 else edges[k][last] if last < len(edges[k]) else np.inf for k, last in zip(f, b)]
        return f.astype(np.int32), np.array(threshold), m.astype(bool), l.astype(np.int32), r.astype(np.int32), value, \
            count.astype(np.int64), gain

    def stopped_by(self, full):
        """Names of the limits that the leaves came up against; if the tree is `full`, that is the only one."""
        if full:
            return ("num_leaves",)
        return tuple(name for bit, name in NAMES.items() if any(leaf.refused & bit for leaf in self.leaves.values()))

    def leaf_of(self):
        """The leaf of each row of the table, (N,)."""
        leaf_of = np.full(len(self.qw), -1, np.int32)
        for leaf in self.leaves.values():
            leaf_of[leaf.rows] = leaf.number
        others = np.flatnonzero(leaf_of < 0)
        if len(others):
            nodes = np.array([node[:5] for node in self.nodes], np.int32)
            walk(self.binned.by_row, nodes, others, leaf_of)
        return leaf_of


# --- compiled ------------------------------------------------------------------------------------


@kernel
def sums(qw, rows):
    """The sums of q and w over `rows`."""
    Q, W = np.int64(0), np.int64(0)
    for n in rows:
        Q += qw[n, 0]
        W += qw[n, 1]
    return Q, W


@kernel
def left_sums(bins, b, m):
    """The sums of q and w over bins 0 ... b of a feature, and over the missing ones if m."""
    Q, W = (bins[MISSING, 0], bins[MISSING, 1]) if m else (np.int64(0), np.int64(0))
    for k in range(b + 1):
        Q += bins[k, 0]
        W += bins[k, 1]
    return Q, W


@kernel
def part_rows(bins, rows, b, m, spare):
    """Move those `rows` to the front whose bin is at most b, or missing if m; both parts keep their order.

    Each number is written to both parts, one of which goes on by a place: no branch depends on the data.
    """
    n_left = n_right = 0
    for i in range(len(rows)):
        n = rows[i]
        left = (bins[n] <= b) | ((bins[n] == MISSING) & m)
        rows[n_left] = n
        spare[n_right] = n
        n_left += left
        n_right += not left
    rows[n_left:] = spare[:n_right]


@kernel
def walk(by_row, nodes, rows, leaf_of):
    """The leaf of each of the `rows`; `nodes` (M, 5) hold feature, last bin, m and both children."""
    for n in rows:
        k = 0
        while nodes[k, 0] >= 0:
            b = by_row[n, nodes[k, 0]]
            left = b == MISSING and nodes[k, 2] or b <= nodes[k, 1]
            k = nodes[k, 3] if left else nodes[k, 4]
        leaf_of[n] = k
