"""Insertion into the graph of the chapter hnsw, compiled, in batches.

Nodes come in batches, each at most a quarter of what is there.  (a) Every node of a batch searches the graph
as it is and writes its own rows only, (b) with the batch's nodes nearest to it among the candidates: a batch that did
not see itself would tear a cluster apart that comes in one.  (c) Links back are sorted by the node that they come to,
and each such node takes in all of them at once.  No step depends on what another thread has done, so the graph has the
same bits for any number of threads.  A batch of one node is the paper's Algorithm 1.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel, run_chunks
from scratchml.core.selection import largest
from scratchml.neighbors.hnsw_graph import (GROUND, ONE, apart, descend, distance_of, links_on, node_of, place_of,
                                            put_in, widen, with_root)

MATES = 32                                               # nodes of its own batch that a node may be linked to
PIVOTS = 64                                              # nodes of a batch by which the others are put in order


class Batch(NamedTuple):
    """B new nodes; kernels take it as it is."""
    first: int                                           # the number of the first
    order: np.ndarray                                    # (B,) in which they search: near ones meet the same nodes
    mates: np.ndarray                                    # (B, T) nodes of the batch nearest to each, -1 at the end
    tall: np.ndarray                                     # those above layer 0

# --- Algorithm 4 ------------------------------------------------------------------------------------


@kernel
def keep_diverse(graph, candidates, kept):
    """Algorithm 4: of the sorted candidates those nearer to the node than to all kept before, into kept, then -1."""
    n = 0
    for i in range(candidates.size):
        if n == kept.size:
            break
        node, distance = node_of(candidates[i]), distance_of(candidates[i])
        if is_diverse(graph, node, distance, kept, n):
            kept[n] = node
            n += 1
    kept[n:] = -1
    return n


@kernel
def is_diverse(graph, node, distance, kept, n):
    vectors, inner = graph.vectors, graph.inner
    x = vectors[node]
    for r in range(n):
        if not distance < apart(x, vectors, np.int64(kept[r]), inner):
            return False
    return True


# --- Algorithm 1, (a) and (b) -------------------------------------------------------------------------


@kernel
def find_links(start, stop, graph, batch, pool, marks):
    """Links, on all layers, and parents, of the nodes order[start ... stop-1] of the batch, into their own rows only.

    `pool` is ef long.
    """
    N, mates, tall = graph.state[0], batch.mates, batch.tall
    both = np.empty(pool.size + max(mates.shape[1], tall.size), np.int64)
    for b in batch.order[start:stop]:
        n = batch.first + b
        q, level, size = graph.vectors[n], graph.levels[n], 0
        if N > 0:
            size = 1
            descend(graph, q, level, pool, marks)
        for layer in range(level, -1, -1):
            if N > 0 and layer == 0:
                size = with_root(graph, q, pool, size)
            if layer <= graph.state[3]:
                size = widen(graph, q, layer, pool, size, marks)
            n_both = size if layer <= graph.state[3] else 0
            both[:n_both] = pool[:n_both]
            if layer == 0:
                n_both = with_mates(graph, n, mates[b], both, n_both)
                graph.parents[n] = nearest_before(both[:n_both], n)
                keep_diverse(graph, both[:n_both], graph.links[n][:graph.upper.shape[1]])
            else:
                n_both = with_tall(graph, n, layer, tall, both, n_both)
                keep_diverse(graph, both[:n_both], links_on(graph, n, layer))


@kernel
def with_mates(graph, n, mates, both, size):
    for t in range(mates.size):
        if mates[t] >= 0:
            place = place_of(apart(graph.vectors[n], graph.vectors, mates[t], graph.inner), mates[t])
            put_in(both, size, place)
            size += 1
    return size


@kernel
def with_tall(graph, n, layer, tall, both, size):
    for t in range(tall.size):
        if tall[t] != n and graph.levels[tall[t]] >= layer:
            place = place_of(apart(graph.vectors[n], graph.vectors, tall[t], graph.inner), tall[t])
            put_in(both, size, place)
            size += 1
    return size


@kernel
def nearest_before(places, n):
    """The nearest node with a lower number than n, or -1."""
    for place in places:
        if node_of(place) < n:
            return node_of(place)
    return -1


# --- Algorithm 1, (c) ---------------------------------------------------------------------------------


@kernel
def link_back(c, start, stop, graph, layer, targets, bounds, sources):
    """Let targets[start ... stop-1] take in the nodes that link to them: sources[bounds[g]:bounds[g+1]] to target g."""
    for g in range(start, stop):
        take_in(graph, layer, targets[g], sources[bounds[g]:bounds[g + 1]])


@kernel
def take_in(graph, layer, target, sources):
    """Link `target` to the sources too; where there are too many links, keep those of Algorithm 4, and all children.

    No more than M may be children, so that a node to which all are nearest keeps links in other directions.
    """
    row = links_on(graph, target, layer)
    n = 0
    while n < row.size and row[n] >= 0:
        n += 1
    new, n_new = np.empty(sources.size, np.int64), 0
    for s in sources:
        known = False
        for j in range(n):
            known |= row[j] == s
        if not known:
            new[n_new] = s
            n_new += 1
    musts = settle_children(graph, target, row[:n], new[:n_new]) if layer == 0 else 0
    if n + n_new <= row.size:
        row[n:n + n_new] = new[:n_new]
        return
    x, places = graph.vectors[target], np.empty(n + n_new, np.int64)
    for j in range(n):
        places[j] = place_of(apart(x, graph.vectors, np.int64(row[j]), graph.inner), np.int64(row[j]))
    for j in range(n_new):
        places[n + j] = place_of(apart(x, graph.vectors, new[j], graph.inner), new[j])
    places.sort()
    shrink(graph, layer, target, places, row, musts)


@kernel
def settle_children(graph, target, old, new):
    """How many children `target` has after it took in the `new`, of which the farthest lose it if it has M."""
    musts, most, children, n = 0, graph.upper.shape[1], np.empty(new.size, np.int64), 0
    for node in new:
        if graph.parents[node] == target:
            children[n] = place_of(apart(graph.vectors[target], graph.vectors, node, graph.inner), node)
            n += 1
    for node in old:
        musts += graph.parents[node] == target
    for place in np.sort(children[:n]):
        if musts < most:
            musts += 1
        else:
            graph.parents[node_of(place)] = -1
    return musts


@kernel
def shrink(graph, layer, target, places, row, musts):
    """Algorithm 4 on the sorted places into row, with all children of target, `musts` of them."""
    n = 0
    for place in places:
        node = node_of(place)
        if layer == 0 and graph.parents[node] == target:
            row[n] = node
            n += 1
            musts -= 1
        elif n + musts < row.size and is_diverse(graph, node, distance_of(place), row, n):
            row[n] = node
            n += 1
    row[n:] = -1


@kernel
def adopt(graph, orphans, pool, marks):
    """Give each orphan, in order, the nearest parent of lower number that has a place for it."""
    child = np.empty(1, np.int64)
    for n in orphans:
        size_asked, places = pool.size, pool
        while graph.parents[n] < 0:
            descend(graph, graph.vectors[n], GROUND, places, marks)
            size = with_root(graph, graph.vectors[n], places, ONE)
            size = widen(graph, graph.vectors[n], GROUND, places, size, marks)
            for place in places[:size]:
                parent = node_of(place)
                if parent < n and has_place(graph, parent):
                    graph.parents[n], child[0] = parent, n
                    take_in(graph, GROUND, parent, child)
                    break
            size_asked *= 2
            places = np.empty(size_asked, np.int64)


@kernel
def has_place(graph, parent):
    """Whether fewer than M links of `parent` lead to children."""
    children = 0
    for node in graph.links[parent]:
        children += node >= 0 and graph.parents[node] == parent
    return children < graph.upper.shape[1]


# --- what calls them --------------------------------------------------------------------------------


def prepare(graph, levels):
    """Give the next nodes, whose vectors are there, their levels, and rows without links; there is room for them."""
    first, in_use = graph.state[:2]
    new = slice(first, first + len(levels))
    graph.levels[new], graph.links[new], graph.parents[new] = levels, -1, -1
    rows = in_use + np.cumsum(levels) - levels
    graph.first[new] = np.where(levels > 0, rows, -1)
    graph.upper[in_use:in_use + levels.sum()] = -1
    graph.state[1] += levels.sum()


def cut_back(graph, state):
    """Make the graph one of the nodes that it had in this earlier state; each has still its parent."""
    N, rows = state[:2]
    for links in (graph.links[:N], graph.upper[:rows]):
        kept = links < N
        order = np.argsort(~kept, axis=1, kind="stable")
        links[:] = np.take_along_axis(np.where(kept, links, -1), order, axis=1)
    graph.state[:] = state


def batches(size, new):
    """Bounds of the batches in which `new` nodes join `size`."""
    bounds, end = [size], size + new
    while bounds[-1] < end:
        bounds.append(min(end, bounds[-1] + min(max(500, end // 50), max(1, bounds[-1] // 4))))
    return bounds


def join(graph, first, stop, ef, marks):
    """Insert the nodes first ... stop-1, whose vectors, levels and empty rows are there."""
    tall = first + np.flatnonzero(graph.levels[first:stop])
    order, mates = _order_and_mates(graph, first, stop)
    batch = Batch(first, order, mates, tall)

    def find(c, start, end):
        seen = marks.take(len(graph.links))
        find_links(start, end, graph, batch, np.empty(ef, np.int64), seen)
        marks.give_back(seen)

    run_chunks(find, stop - first, chunk=16)
    new = np.arange(first, stop)
    for layer in range(int(graph.levels[first:stop].max()) + 1):
        if layer == 0:
            sources = np.repeat(new, graph.links.shape[1])
            targets = graph.links[first:stop].ravel()
            sources, targets = np.concatenate([sources, new]), np.concatenate([targets, graph.parents[first:stop]])
        else:
            high = tall[graph.levels[tall] >= layer]
            sources = np.repeat(high, graph.upper.shape[1])
            targets = graph.upper[graph.first[high] + layer - 1].ravel()
        known = targets >= 0
        keys = np.unique(targets[known].astype(np.int64) << 32 | sources[known])
        if not keys.size:
            continue
        targets = keys >> 32
        starts = np.flatnonzero(np.concatenate([[True], targets[1:] != targets[:-1]]))
        run_chunks(link_back, len(starts), graph, layer, targets[starts], np.append(starts, keys.size),
                   (keys & 0xffffffff), chunk=256)
    graph.state[0] = stop
    top = first + int(graph.levels[first:stop].argmax())
    if graph.levels[top] > graph.state[3]:
        graph.state[2:] = top, graph.levels[top]
    orphans = max(first, 1) + np.flatnonzero(graph.parents[max(first, 1):stop] < 0)
    if orphans.size:
        seen = marks.take(len(graph.links))
        adopt(graph, orphans, np.empty(ef, np.int64), seen)
        marks.give_back(seen)


def _order_and_mates(graph, first, stop):
    """`order` and `mates` of the batch first ... stop-1, from the products of all pairs."""
    X = graph.vectors[first:stop]
    S = X @ X.T
    if not graph.inner:
        S -= np.einsum("nd,nd->n", X, X) / 2
    order = np.argsort(S[:, :PIVOTS].argmax(axis=1), kind="stable")
    np.fill_diagonal(S, -np.inf)
    columns, _ = largest(S, min(MATES, len(X)))
    return order, np.where(columns >= 0, columns + first, -1).astype(np.int64)
