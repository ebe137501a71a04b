"""HNSW: the nearest neighbours by walking through a graph, from friend to friend of a friend.

To look at all points is sure and slow.  In a small world one need not: link every point to some that are near to it,
start anywhere, and go on to whichever neighbour is nearest to the query, until none is nearer than what one has.  Two
things are wanted for that to work.  The links must lead in all directions, so of candidates that lie behind each other
only the first is linked (5).  And the way must be short: layers are laid above the points, each with a random M-th of
those of the layer below, and the walk takes long steps on the upper ones first (2), as by motorway, main road and
street.  A walk with `ef` points in hand in place of one (3) finds more: ef is the price of accuracy.

The answer is approximate: a true neighbour is missed if no link that the walk follows leads to it.  With ef at least
the number of points it is exact.

Symbols
    X      (N, D)  points: x_n; a point and its number n are called a node
    q, x   (D,)    a query, a new point
    inner          whether the greatest inner product is wanted, not the least Euclidean distance
    U      (N,)    random numbers, uniform in (0, 1]
    M              links of a new node on each layer; a node may have 2M on layer 0, and M above
    G              a graph, `Layers`
    W      (w,)    nodes in hand, the nearest first
    C      (c,)    candidates, nodes
    l              a layer; that of a node is the highest that it is on
    ef             how many nodes a walk has in hand
    m, k           how many nodes are kept, and wanted

Equations
    (1)  δ(q, x_n) = ‖q - x_n‖², or 1 - q·x_n if inner                                      distances_from
    (2)  l_n = ⌊-ln U_n / ln M⌋                                                             levels
    (3)  W: while the nearest node that was not expanded is in W, take its links into W     search_layer
    (4)  the m of C nearest to q                                                            nearest_few
    (5)  those e of C, nearest first, with δ(e, q) < δ(e, r) for all r kept before          diverse_few
    (6)  on layers l, ..., 0: link x to (5) of what (3) finds, and these to x               insert
    (7)  (3) with ef = 1 down to layer 1, then the k nearest of (3) on layer 0              answer

(2) puts a node on layer l or higher with probability P(-ln U ≥ l ln M) = P(U ≤ M^-l) = M^-l: each layer has an M-th of
the nodes of the one below, the mean height is 1 / (M - 1), and there are some log N / log M layers.

Choices
    A node is linked to by its parent, the nearest node that was there before it, and that link is never given up (the
    paper has nothing like it).  So a tree hangs from node 0 on layer 0, and the last walk starts at node 0 too: each
    node can be reached, whatever the data.  Where the nearest has M children already, the next nearest adopts the
    node: half of the links are left to (5).
    Of two nodes at the same distance the one with the lower number is nearer.
    Inner products are indexed as they are.  One may append √(max ‖x‖² - ‖x‖²) to the points, and 0 to queries, after
    which the nearest is the one with the greatest product.  But the points then lie on a sphere, which the extra
    coordinate makes of higher dimension, and walks find less: the tour of exhaustive measures by how much.

Cost
    A walk expands little more than ef nodes, with up to 2M distances each: O(ef M D) time, and O(log N) for the layers
    above.  Points of high intrinsic dimension need an ef that grows with N.

>>> X = np.array([[0., 0], [4, 0], [4, 3], [0, 3], [2, 1]])
>>> G = Layers()
>>> for x, l in zip(X, levels(np.array([0.9, 0.2, 0.9, 0.9, 0.9]), 2)):
...     _ = insert(x, l, G, 2, ef=4)
>>> answer(np.array([3., 2.5]), G, 2, ef=5), [sorted(layer) for layer in G.links]
([2, 4], [[0, 1, 2, 3, 4], [1], [1]])

Source: Y. Malkov and D. Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical
navigable small world graphs", IEEE TPAMI 42 (2020), Algorithm 2 for (3), 3 for (4), 4 for (5), 1 for (2) and (6), 5
for (7)."""
import heapq

import numpy as np


class Layers:
    """A graph as the paper has it: `links[l][n]` are the nodes that node n is linked to on layer l."""

    def __init__(self, inner=False):
        self.inner = inner
        self.points, self.parents, self.links, self.entry = [], [], [], None

    def distances(self, q, nodes):
        return distances_from(q, np.array([self.points[n] for n in nodes]).reshape(len(nodes), len(q)), self.inner)

    def nearest_first(self, q, nodes):
        """Pairs (δ(q, x_n), n), rising."""
        return sorted(zip(self.distances(q, nodes).tolist(), nodes))

    def add(self, x, l):
        """A new node without links, on the layers l, ..., 0; its number."""
        n = len(self.points)
        self.points.append(x)
        self.parents.append(-1)
        self.links += [{} for _ in range(len(self.links), l + 1)]
        for layer in self.links[:l + 1]:
            layer[n] = []
        return n

    def children(self, e):
        return [n for n in self.links[0][e] if self.parents[n] == e]


# --- the equations -------------------------------------------------------------------------------


def distances_from(q, X, inner):
    """(1)  δ(q, x_n) = ‖q - x_n‖², or 1 - q·x_n if inner

    Shapes: q (D), X (N, D), inner -> (N)
    """
    return 1 - X @ q if inner else ((X - q) ** 2).sum(axis=1)


def levels(U, M):
    """(2)  l_n = ⌊-ln U_n / ln M⌋

    Shapes: U (N), M -> (N)
    """
    return np.floor(-np.log(U) / np.log(M)).astype(np.int32)


def search_layer(q, G, W, ef, l):
    """(3)  W: while the nearest node that was not expanded is in W, take its links into W

    W keeps the `ef` nearest.  Algorithm 2, with its heaps: what is to be expanded, and W by falling distance.

    Shapes: q (D), G, W (w), ef, l -> (v)
    """
    seen, to_expand = set(W), G.nearest_first(q, W)
    W = [(-d, -n) for d, n in to_expand]
    heapq.heapify(W)
    while to_expand:
        d, c = heapq.heappop(to_expand)
        if (d, c) > (-W[0][0], -W[0][1]):                # farther than all of W
            break
        new = [e for e in G.links[l][c] if e not in seen]
        seen.update(new)
        for d, e in zip(G.distances(q, new).tolist(), new):
            if len(W) < ef or (-d, -e) > W[0]:
                heapq.heappush(to_expand, (d, e))
                heapq.heappush(W, (-d, -e))
                if len(W) > ef:
                    heapq.heappop(W)
    return [-n for _, n in sorted(W, reverse=True)]


def nearest_few(q, G, C, m):
    """(4)  the m of C nearest to q

    Algorithm 3.

    Shapes: q (D), G, C (c), m -> (m)
    """
    return [n for _, n in G.nearest_first(q, C)[:m]]


def diverse_few(q, G, C, m, always=()):
    """(5)  those e of C, nearest first, with δ(e, q) < δ(e, r) for all r kept before

    At most `m`.  Algorithm 4; what is in `always` is kept whatever lies before it.

    Shapes: q (D), G, C (c), m -> (v)
    """
    kept, to_come = [], len(always)
    for d, e in G.nearest_first(q, C):
        if e in always:
            kept.append(e)
            to_come -= 1
        elif len(kept) + to_come < m and (d < G.distances(G.points[e], kept)).all():
            kept.append(e)
    return kept


def insert(x, l, G, M, ef):
    """(6)  on layers l, ..., 0: link x to (5) of what (3) finds, and these to x

    Algorithm 1.  Returns the number of the new node.

    Shapes: x (D), l, G, M, ef -> ()
    """
    top, n = len(G.links) - 1, G.add(x, l)
    if n == 0:
        G.entry = n
        return n
    W = _descended(x, G, top, l)
    for layer in range(min(l, top), -1, -1):
        W = search_layer(x, G, W if layer else nearest_few(x, G, {*W, 0}, ef), ef, layer)
        G.links[layer][n] = diverse_few(x, G, W, M)
        if layer == 0 and len(G.children(W[0])) < M:
            G.parents[n] = W[0]
        for e in G.links[layer][n]:
            link_back(e, n, layer, G, M)
    if l > top:
        G.entry = n
    if G.parents[n] < 0:
        adopt(n, G, M, ef)
    return n


def answer(q, G, k, ef):
    """(7)  (3) with ef = 1 down to layer 1, then the k nearest of (3) on layer 0

    Algorithm 5.  `ef` is at least k.

    Shapes: q (D), G, k, ef -> (k)
    """
    W = _descended(q, G, len(G.links) - 1, 0)
    return search_layer(q, G, nearest_few(q, G, {*W, 0}, ef), ef, 0)[:k]


# --- steps of (6) and (7) ------------------------------------------------------------------------


def _descended(q, G, top, l):
    """Where walks with one node in hand, from the entry point on, from layer `top` down to l + 1, end."""
    W = [G.entry]
    for layer in range(top, l, -1):
        W = search_layer(q, G, W, 1, layer)
    return W


def link_back(e, n, layer, G, M):
    """Link e to n too; where that is one link too many, keep (5) of all, and all children."""
    links = G.links[layer][e] + [n] * (n not in G.links[layer][e])
    most = M if layer else 2 * M
    if len(links) > most:
        always = [c for c in links if G.parents[c] == e] if layer == 0 else ()
        links = diverse_few(G.points[e], G, links, most, always)
    G.links[layer][e] = links


def adopt(n, G, M, ef):
    """Give n the nearest parent that was there before it, and has fewer than M children."""
    while G.parents[n] < 0:
        x = G.points[n]
        W = search_layer(x, G, nearest_few(x, G, {*_descended(x, G, len(G.links) - 1, 0), 0}, ef), ef, 0)
        for e in W:
            if e < n and len(G.children(e)) < M:
                G.parents[n] = e
                link_back(e, n, 0, G, M)
                break
        ef *= 2
