"""A tree by definition: each leaf tries every cut of its rows, and the best of all leaves is parted."""
import math

from tests.reference.bins import bins_of
from tests.reference.cuts import T, leaf_value, split_gain
from tests.reference.histograms import above, whole_gradients, whole_hessians


def grow(X, edges, g, h, L, depth=-1, samples=1, weight=0.0, least=0.0, α=0.0, λ=0.0):
    """(1)  A list of nodes [f, t, m, l, r, v, rows], f None for leaves; the loss is not scaled."""
    columns = [bins_of(x, e) for x, e in zip(zip(*X), edges)]
    c = above(len(g))
    (q, k), (w, j) = whole_gradients(g), whole_hessians(h)

    def sums(rows):
        return sum(q[n] for n in rows) * 2.0**-k, sum(w[n] >> c for n in rows) * 2.0**-j

    def best(rows, level):
        found = 0.0, None
        if depth > 0 and level >= depth:
            return found
        for f, column in enumerate(columns):
            lacking = [n for n in rows if column[n] == 255]
            for m in (False, True) if lacking else (None,):
                for b in range(len(edges[f]) + 1):
                    left = [n for n in rows if column[n] <= b and column[n] < 255 or m and column[n] == 255]
                    right = [n for n in rows if n not in left]
                    if min(len(left), len(right)) < max(1, samples):
                        continue
                    (G_L, H_L), (G_R, H_R) = sums(left), sums(right)
                    if min(H_L, H_R) < weight or min(H_L, H_R) + λ <= 0:
                        continue
                    gain = split_gain(G_L, H_L, G_R, H_R, α, λ)
                    apart = T(G_L, α) ** 2 / (H_L + λ) + T(G_R, α) ** 2 / (H_R + λ)
                    if gain > max(found[0], least, 16 * 2.0**-52 * apart):
                        t = edges[f][b] if b < len(edges[f]) else math.inf
                        found = gain, (f, t, len(left) >= len(right) if m is None else m, left, right)
        return found

    def node(rows, level):
        return [None, None, None, None, None, leaf_value(*sums(rows), α, λ), rows, level, best(rows, level)]

    nodes = [node(list(range(len(g))), 0)]
    for _ in range(L - 1):
        open_ones = [i for i, one in enumerate(nodes) if one[0] is None and one[8][1]]
        if not open_ones:
            break
        i = max(open_ones, key=lambda i: (nodes[i][8][0], -i))
        f, t, m, left, right = nodes[i][8][1]
        nodes[i][:5] = f, t, m, len(nodes), len(nodes) + 1
        nodes += [node(left, nodes[i][7] + 1), node(right, nodes[i][7] + 1)]
    return [one[:7] for one in nodes]


def tree_leaves(trees, X):
    """(2)  `trees` are lists of (f, t, m, l, r, v), f < 0 for leaves."""
    return [[leaf(tree, x) for tree in trees] for x in X]


def leaf(tree, x, k=0):
    f, t, m, left, right, _ = tree[k]
    if f < 0:
        return k
    goes_left = m if math.isnan(x[f]) else x[f] <= t
    return leaf(tree, x, left if goes_left else right)


def predict_trees(trees, X):
    """(3)"""
    return [sum(tree[leaf(tree, x)][5] for tree in trees) for x in X]
