"""The few largest of many numbers, without sorting the rest.

A heap holds the n best so far, the worst of them on top: what is no better than that one is passed over after one
comparison, and nearly all is.

Source: D. Knuth, "The Art of Computer Programming" 3 (1998), section 5.2.3.
"""
import numpy as np

from scratchml.core.jit import kernel, run_chunks


def largest(S, n):
    """Columns and values of the `n` largest numbers in each row of S (U, M), both (U, n), from the largest down.

    Of equal numbers the one in the lower column comes first.  -inf counts as nothing: where fewer than n others are in
    a row, columns end with -1 and values with -inf.  S is C-contiguous, float32 or float64, without NaN: no errors are
    raised here.
    """
    columns, values = np.empty((len(S), n), np.int32), np.empty((len(S), n), S.dtype)
    run_chunks(_largest, len(S), S, columns, values, chunk=max(1, 200_000 // max(1, S.shape[1])))
    return columns, values


@kernel
def _largest(c, start, stop, S, columns, values):
    """Rows start ... stop-1.  The root of the heap is the lowest value, and of equals the highest column.

    Columns come in rising order: of equals, none that comes later can take the place of one that is there.
    """
    n = values.shape[1]
    for u in range(start, stop):
        row, best, place = S[u], values[u], columns[u]
        best[:], place[:] = -np.inf, -1
        for m in range(row.size):
            if row[m] > best[0]:
                _sink(best, place, n, row[m], m)
        for size in range(n - 1, 0, -1):                 # the worst goes to the end, again and again
            value, column = best[size], place[size]
            best[size], place[size] = best[0], place[0]
            _sink(best, place, size, value, column)


@kernel
def _sink(best, place, size, value, column):
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
