"""What stands at the nodes of a graph: items with labels, several at one node where their vectors are equal.

No graph leads through hundreds of equal points, all of whose links go to each other.  So equal vectors are one node,
and the items there are a ring: `lasts` has the last of it, `following` what comes after each, and after the last the
first. An item that is deleted, or that its label has left for another vector, stays where it is, and is passed over in
answers; its node remains a way.

Rows and labels are found again by tables with open addressing: a table has numbers at the places that keys hash to, or
at the next free place."""
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel
from scratchml.neighbors.hnsw_graph import (GROUND, ONE, apart, descend, distance_of, expect, node_of, place_of,
                                            put_in, widen, with_root)

PRIME = 2**31 - 1                                        # no product of two numbers below it is beyond int64
GONE = -1                                                # the label of an item whose label stands elsewhere now


class Items(NamedTuple):
    """n items in arrays that have room for more.  Kernels take it as it is."""
    labels: np.ndarray                                   # (room,) int64, GONE for those that were replaced
    nodes: np.ndarray                                    # (room,) int32
    following: np.ndarray                                # (room,) int32: the next item of the same node
    alive: np.ndarray                                    # (room,) bool
    lasts: np.ndarray                                    # (nodes,) int32: the last item of each node, or -1


class Asked(NamedTuple):
    """B queries, the items that each may find, ef, and how many times ef items, or fewer, are looked at one by one."""
    queries: np.ndarray                                  # (B, D) float32
    allowed: np.ndarray                                  # (1, n), for all, or (B, n) bool
    counts: np.ndarray                                   # (1,) or (B,) int64: how many these are
    ef: int
    look_at_all: int


class Answers(NamedTuple):
    """What kernels write for B queries."""
    labels: np.ndarray                                   # (B, k) int64, -1 where there are no more
    distances: np.ndarray                                # (B, k) float32, inf there


# --- tables -----------------------------------------------------------------------------------------


@kernel
def hashed(key):
    """Where a key from -1 on belongs: its two halves times numbers without a pattern, modulo a prime."""
    return ((key & 0x7fffffff) * 1_318_699_781 + (key >> 31) * 1_013_904_223) % PRIME


@kernel
def row_keys(rows, keys):
    """A key (N,) for each row of bits (N, D): two polynomials in its numbers, modulo a prime."""
    for n in range(rows.shape[0]):
        g = h = np.int64(1)
        for d in range(rows.shape[1]):
            bits = np.int64(rows[n, d]) & 0xffffffff
            g, h = (g * 1_664_525_123 + bits) % PRIME, (h * 1_200_556_037 + bits) % PRIME
        keys[n] = g << 31 | h


@kernel
def number(table, keys, n, wanted, enter, numbers):
    """The number under which each wanted key is in the table, or -1; if `enter`, what is new gets numbers from n on.

    Returns the number after the last.
    """
    mask = table.size - 1
    for i in range(wanted.size):
        at = hashed(wanted[i]) & mask
        while table[at] >= 0 and keys[table[at]] != wanted[i]:
            at = (at + 1) & mask
        if table[at] < 0 and enter:
            table[at], keys[n] = n, wanted[i]
            n += 1
        numbers[i] = table[at]
    return n


@kernel
def enter_all(table, keys, n):
    """Enter keys[:n] into an empty table, except GONE."""
    mask = table.size - 1
    for i in range(n):
        if keys[i] != GONE:
            at = hashed(keys[i]) & mask
            while table[at] >= 0:
                at = (at + 1) & mask
            table[at] = i


def table_for(keys, n, room):
    """A table of keys[:n], at most half full when there are `room`."""
    table = np.full(2 ** int(max(8, 2 * room) - 1).bit_length(), -1, np.int32)
    enter_all(table, keys, n)
    return table


def keys_of(X):
    """Keys (N,) of the rows of float32 (N, D): equal for equal rows."""
    keys = np.empty(len(X), np.int64)
    row_keys(X.view(np.int32), keys)
    return keys


# --- rings of items ---------------------------------------------------------------------------------


@kernel
def enlist(items, first, stop):
    """Put the items first ... stop-1 at the end of the rings of their nodes."""
    for i in range(first, stop):
        last = items.lasts[items.nodes[i]]
        if last < 0:
            last = i
            items.following[i] = i
        items.following[i], items.following[last] = items.following[last], i
        items.lasts[items.nodes[i]] = i


def check_items(items, N):
    """Raise ValueError where what a file says of items cannot be: kernels follow these numbers wherever they lead."""
    labels, nodes, _, alive, _ = items
    expect(labels, np.int64, (len(labels),), "labels")
    expect(nodes, np.int32, labels.shape, "nodes")
    expect(alive, np.bool_, labels.shape, "alive")
    if labels.size and not (GONE <= labels.min() and labels.max() < 2**63 - 1 and 0 <= nodes.min() and nodes.max() < N):
        raise ValueError("labels or nodes: out of range")
    if (alive & (labels == GONE)).any() or np.unique(labels[labels != GONE]).size < (labels != GONE).sum():
        raise ValueError("labels: one stands at two items, or a replaced item can be found")
    if np.unique(nodes).size < N:
        raise ValueError("nodes: one has no item")


# --- answers ----------------------------------------------------------------------------------------


@kernel
def answer_some(start, stop, graph, items, asked, marks, answers):
    """Fill the rows start ... stop-1 of the answers.

    Where not all items are allowed, ef grows by as much as they are fewer, and then twofold until k are found or all is
    seen; few are looked at one by one.
    """
    N, k = graph.state[0], answers.labels.shape[1]
    for i in range(start, stop):
        row = min(i, asked.counts.size - 1)
        q, may, n_allowed = asked.queries[i], asked.allowed[row], asked.counts[row]
        ef = min(N, asked.ef * may.size // max(1, n_allowed))
        if n_allowed < may.size and n_allowed <= asked.look_at_all * ef:
            look_at_all(graph, items, may, q, answers, i)
            continue
        enough = min(k, n_allowed)
        while walk(graph, items, may, q, np.empty(ef, np.int64), marks, answers, i) < enough and ef < N:
            ef = min(2 * ef, N)


@kernel
def walk(graph, items, may, q, pool, marks, answers, i):
    """Algorithm 5 with ef the size of pool; how many items that `may` be found it found, up to k."""
    descend(graph, q, GROUND, pool, marks)
    size = widen(graph, q, GROUND, pool, with_root(graph, q, pool, ONE), marks)
    labels, distances, n = answers.labels[i], answers.distances[i], 0
    for place in pool[:size]:
        last = items.lasts[node_of(place)]
        item = items.following[last]
        while n < labels.size:
            if may[item]:
                labels[n], distances[n] = items.labels[item], distance_of(place)
                n += 1
            if item == last:
                break
            item = items.following[item]
    labels[n:], distances[n:] = -1, np.inf
    return n


@kernel
def look_at_all(graph, items, may, q, answers, i):
    """The nearest of the items that `may` be found, by all their distances."""
    labels, distances, size = answers.labels[i], answers.distances[i], 0
    pool, vectors, inner = np.empty(labels.size, np.int64), graph.vectors, graph.inner
    for item in range(may.size):
        if may[item]:
            place = place_of(apart(q, vectors, np.int64(items.nodes[item]), inner), item)
            if size < pool.size or place < pool[size - 1]:
                put_in(pool, size, place)
                size = min(size + 1, pool.size)
    for j in range(size):
        labels[j], distances[j] = items.labels[node_of(pool[j])], distance_of(pool[j])
    labels[size:], distances[size:] = -1, np.inf
