"""The few largest of many numbers, without sorting the rest, and without having them all at once.

A heap holds the n best so far, the worst of them on top: what is no better than that one is passed over after one
comparison, and nearly all is.  So the numbers may come a tile at a time, as a product of matrices makes them: `feed`
takes a tile while it still lies in the cache, and only the heaps stay.

Source: D. Knuth, "The Art of Computer Programming" 3 (1998), section 5.2.3.
"""
import numpy as np

from scratchml.core.jit import kernel, run_chunks

SPAN = 64                                                # numbers that are compared with the worst of the heap together
TILE = 1_000_000                                         # numbers that stay in the cache, 4 MB of float32
WORTH = 300_000                                          # numbers that a thread looks at: less is not worth handing out


def largest(S, n):
    """Columns and values of the `n` largest numbers in each row of S (U, M), both (U, n), from the largest down.

    Of equal numbers the one in the lower column comes first.  -inf counts as nothing: where fewer than n others are in
    a row, columns end with -1 and values with -inf.  S is C-contiguous, float32 or float64, without NaN: no errors are
    raised here.
    """
    best = empty_heaps(len(S), n, S.dtype)
    feed(S, np.zeros(S.shape[1], S.dtype), 0, *best)
    return in_order(*best)


def empty_heaps(U, n, dtype):
    """`columns` and `values` of U heaps that hold nothing yet, (U, n) each."""
    return np.full((U, n), -1, np.int32), np.full((U, n), -np.inf, dtype)


def feed(S, offsets, first, columns, values):
    """Put the numbers S_um + offsets_m into the heaps of their rows, as columns first + m, none below those before.

    S (U, m) and `offsets` (m,) are of the type of `values`, and C-contiguous.
    """
    run_chunks(_feed, len(S), S, offsets, first, columns, values, chunk=max(1, WORTH // max(1, S.shape[1])))


def in_order(columns, values):
    """The heaps sorted in place, each from the largest down; they take no more after that."""
    run_chunks(_sort, len(columns), columns, values, chunk=max(1, 2000 // max(1, columns.shape[1])))
    return columns, values


def tile_width(U):
    """How many columns of U rows make a tile that stays in the cache."""
    return max(256, TILE // max(1, U))


@kernel
def _feed(c, start, stop, S, offsets, first, columns, values):
    """Rows start ... stop-1.  The root of the heap is the lowest value, and of equals the highest column.

    Columns come in rising order: of equals, none that comes later can take the place of one that is there.  Of
    SPAN numbers at a time those that beat the root are counted: a sum that vector registers make, and mostly 0.
    """
    n = values.shape[1]
    for u in range(start, stop):
        row, best, place = S[u], values[u], columns[u]
        for m in range(0, row.size, SPAN):
            some, more, least, better = row[m:m + SPAN], offsets[m:m + SPAN], best[0], 0
            for j in range(some.size):
                better += some[j] + more[j] > least
            if better > 0:
                for j in range(some.size):
                    if some[j] + more[j] > best[0]:
                        sink(best, place, n, some[j] + more[j], first + m + j)


@kernel
def _sort(c, start, stop, columns, values):
    """The worst goes to the end, again and again."""
    for u in range(start, stop):
        best, place = values[u], columns[u]
        for size in range(best.size - 1, 0, -1):
            value, column = best[size], place[size]
            best[size], place[size] = best[0], place[0]
            sink(best, place, size, value, column)


@kernel
def sink(best, place, size, value, column):
    """Put (value, column) in place of the root of a heap of `size`, and then down to where it belongs."""
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and (best[child + 1] < best[child]
                                 or best[child + 1] == best[child] and place[child + 1] > place[child]):
            child += 1
        if value < best[child] or value == best[child] and column > place[child]:
            break
        best[i], place[i] = best[child], place[child]
        i = child
    best[i], place[i] = value, column
