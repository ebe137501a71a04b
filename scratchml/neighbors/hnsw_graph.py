"""The graph of the chapter hnsw as arrays, and walks through it, compiled: one sorted pool in place of two heaps.

A row of `links` has the neighbours of a node on layer 0, then -1 to the end; with M = 16 it fills two lines of
the cache.  A node of level l > 0 has l rows in `upper`, the first in row `first`.  A place in the pool is one integer,

    the bits of the distance << 32  |  the number of the node << 1  |  1 if it was expanded

with the bits of negative distances turned around.  So the integers are in the order of (distance, number): ties are
settled, and one comparison and one move serve for all three.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.instructions import LINE, prefetch
from scratchml.core.jit import kernel


GROUND, ONE = np.int64(0), np.int64(1)                   # a literal in their place would have all compiled once more


class Graph(NamedTuple):
    """N nodes in arrays that have room for more.  Kernels take it as it is."""
    vectors: np.ndarray                                  # (room, D) float32
    links: np.ndarray                                    # (room, 2M) int32
    upper: np.ndarray                                    # (rows, M) int32
    first: np.ndarray                                    # (room,) int32, -1 for nodes on layer 0 alone
    levels: np.ndarray                                   # (room,) int32
    parents: np.ndarray                                  # (room,) int32: a node of lower number that links to it
    state: np.ndarray                                    # (4,) int64: N, rows of upper in use, entry point, its level
    inner: bool                                          # distances are 1 - q·x, not ‖q - x‖²


# --- distances and places in the pool -----------------------------------------------------------------


@kernel(reassociate=True)
def apart(q, vectors, node, inner):
    """The distance of q (D,) and a vector, in float32.

    By whole rows of `vectors` and numbers without sign: a view of a row would be counted, in turn with other cores, and
    a number that may be below 0 would keep the sum from the vector registers.
    """
    n, total = np.uint64(node), np.float32(0)
    if inner:
        for d in range(q.size):
            total += q[d] * vectors[n, d]
        return np.float32(1) - total
    for d in range(q.size):
        difference = q[d] - vectors[n, d]
        total += difference * difference
    return total


@kernel
def measure(q, vectors, inner, nodes, n, places):
    """Places in the pool for nodes[:n], into places[:n]; the vectors are on their way into the cache."""
    for j in range(n):
        places[j] = place_of(apart(q, vectors, nodes[j], inner), nodes[j])


@kernel
def place_of(distance, node):
    """The integer for a node that is not yet expanded."""
    bits = np.int64(np.float32(distance).view(np.int32))
    if bits < 0:
        bits ^= 0x7fffffff
    return (bits << 32) | (np.int64(node) << 1)


@kernel
def node_of(place):
    return (place & 0xffffffff) >> 1


@kernel
def distance_of(place):
    bits = place >> 32
    if bits < 0:
        bits ^= 0x7fffffff
    return np.int32(bits).view(np.float32)


@kernel
def put_in(pool, size, place):
    """Put `place` where it belongs among pool[:size], sorted, whose last falls out if it is full.  Returns where."""
    low, length = 0, size
    while length > 0:                                    # without a branch on what no processor can guess
        half = (length + 1) >> 1
        low += half * (pool[low + half - 1] < place)
        length -= half
    last = min(size, pool.size - 1)
    for i in range(last - low):                          # numbers without sign, which need no look for one below 0
        pool[np.uint64(last - i)] = pool[np.uint64(last - i - 1)]
    pool[low] = place
    return low


# --- Algorithm 2 ------------------------------------------------------------------------------------


@kernel
def links_on(graph, node, layer):
    return graph.links[node] if layer == 0 else graph.upper[graph.first[node] + layer - 1]


@kernel
def begin(pool, size, marks):
    """Make pool[:size] the beginning of a search: seen, and not expanded; all other nodes not seen."""
    tag = marks[-1] + 1
    if tag == 2**31 - 1:
        marks[:], tag = 0, 1
    marks[-1] = tag
    for i in range(size):
        pool[i] &= ~np.int64(1)
        marks[node_of(pool[i])] = tag


@kernel
def widen(graph, q, layer, pool, size, marks):
    """Algorithm 2 from the nodes of pool[:size], sorted, on; ef is the size of pool.  Returns how many it holds then.

    Same result as search_layer, because what Algorithm 2 has still to expand beyond the worst of W it never expands: it
    stops there.  So all that it does expand is in W, and W with a mark for what was expanded is enough.
    """
    begin(pool, size, marks)
    vectors, inner, first, ground = graph.vectors, graph.inner, graph.first, layer == 0
    links = graph.links if ground else graph.upper
    tag, fresh, places = marks[-1], np.empty(links.shape[1], np.int64), np.empty(links.shape[1], np.int64)
    i = 0
    while i < size:
        if pool[i] & 1:
            i += 1
            continue
        node, n_fresh = node_of(pool[i]), 0
        row = np.uint64(node if ground else first[node] + layer - 1)
        pool[i] |= 1
        for j in range(links.shape[1]):
            node = links[row, j]
            if node < 0:
                break
            if marks[node] != tag:
                marks[node] = tag
                prefetch(vectors, node)
                fresh[n_fresh] = node
                n_fresh += 1
        i += 1
        if i < size:                                     # likely to be the next
            node = node_of(pool[i])
            prefetch(links, node if ground else first[node] + layer - 1)
        measure(q, vectors, inner, fresh, n_fresh, places)
        for j in range(n_fresh):
            if size < pool.size or places[j] < pool[size - 1]:
                i = min(i, put_in(pool, size, places[j]))
                size = min(size + 1, pool.size)
    return size


@kernel
def descend(graph, q, layer, pool, marks):
    """The node where a search with ef = 1 from the entry point down to above `layer` ends, into pool[0]."""
    entry, top = graph.state[2], graph.state[3]
    pool[0] = place_of(apart(q, graph.vectors, entry, graph.inner), entry)
    for l in range(top, layer, -1):
        widen(graph, q, l, pool[:1], ONE, marks)


@kernel
def with_root(graph, q, pool, size):
    """Put node 0, from which all can be reached on layer 0, into the pool, if it is not there and there is room."""
    for i in range(size):
        if node_of(pool[i]) == 0:
            return size
    place = place_of(apart(q, graph.vectors, GROUND, graph.inner), GROUND)
    if size < pool.size or place < pool[size - 1]:
        put_in(pool, size, place)
        size = min(size + 1, pool.size)
    return size


# --- room --------------------------------------------------------------------------------------------


class Marks:
    """Arrays that say which nodes a search has seen: one for each thread that asks at the same time, and kept."""

    def __init__(self):
        self.free = []

    def take(self, room):
        try:
            marks = self.free.pop()
        except IndexError:
            marks = np.zeros(room + 1, np.int32)
        return marks if marks.size == room + 1 else np.zeros(room + 1, np.int32)

    def give_back(self, marks):
        self.free.append(marks)

    def __reduce__(self):
        return Marks, ()                                 # a copy needs none of them


def filled(shape, fill, dtype):
    """An array full of `fill` that begins with a line of the cache: a row of 16 n float32 fills n lines, not n + 1."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + LINE, np.uint8)
    begin = -memory.ctypes.data % LINE
    array = memory[begin:begin + size].view(dtype).reshape(shape)
    array[...] = fill
    return array


def longer(array, room, fill=0):
    """A copy of `array` that is as long as `room`, with `fill` behind what it holds."""
    larger = filled((room, *array.shape[1:]), fill, array.dtype)
    larger[:len(array)] = array
    return larger


def empty_graph(room, D, M, inner):
    """A graph without nodes that has room for some."""
    return Graph(filled((room, D), 0, np.float32), filled((room, 2 * M), -1, np.int32), filled((0, M), -1, np.int32),
                 np.full(room, -1, np.int32), np.zeros(room, np.int32), np.full(room, -1, np.int32),
                 np.array([0, 0, -1, -1], np.int64), inner)


def with_room(graph, nodes):
    """The same graph in arrays with room for so many nodes."""
    arrays = zip(graph._fields, graph, (0, -1, None, -1, 0, -1))
    return graph._replace(**{name: longer(array, nodes, fill) for name, array, fill in arrays if name != "upper"})


# --- from outside -------------------------------------------------------------------------------------


def expect(array, dtype, shape, name):
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name}: expected {np.dtype(dtype)} of shape {shape}, got {array.dtype} of {array.shape}")


def check_graph(graph):
    """Raise ValueError where what a file says of a graph cannot be: kernels follow its numbers wherever they lead."""
    vectors, links, upper, _, levels, parents, (N, rows, entry, top), _ = graph
    M = upper.shape[1]
    expect(vectors, np.float32, (N, vectors.shape[1]), "vectors")
    expect(links, np.int32, (N, 2 * M), "links")
    expect(upper, np.int32, (rows, M), "upper")
    expect(levels, np.int32, (N,), "levels")
    expect(parents, np.int32, (N,), "parents")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors: NaN or infinity among them")
    if N == 0:
        return
    if not (0 <= levels.min() and levels.max() == top and 0 <= entry < N):
        raise ValueError("levels: the entry point is not on the highest")
    layers = 1 + np.arange(rows) - np.repeat(np.cumsum(levels) - levels, levels)         # of the rows of upper
    for name, table, least in (("links", links, np.zeros(N, int)), ("upper", upper, layers)):
        used = table >= 0
        if not (-1 <= table.min(initial=-1) and table.max(initial=-1) < N and (used[:, :-1] >= used[:, 1:]).all()
                and (levels[table] >= least[:, None])[used].all()):
            raise ValueError(f"{name}: lead to nodes that are not there, or not on that layer")
    n = np.arange(1, N)
    if parents[0] != -1 or not ((0 <= parents[1:]) & (parents[1:] < n)).all() or \
            not (links[parents[1:]] == n[:, None]).any(axis=1).all():
        raise ValueError("parents: a node cannot be reached")
