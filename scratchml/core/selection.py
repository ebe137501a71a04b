"""The few largest of many numbers, without sorting the rest."""
import numpy as np

from scratchml.core.jit import kernel, run_chunks


def largest(S, n):
    """Columns and values of the `n` largest numbers in each row of S (U, M), both (U, n), from the largest down.

    Of equal numbers the one in the lower column comes first.  -inf counts as nothing: where fewer than n others are in
    a row, columns end with -1 and values with -inf.  S is C-contiguous, float32 or float64, without NaN: no errors are
    raised here.
    """
    columns, values = np.empty((len(S), n), np.int64), np.empty((len(S), n), S.dtype)
    run_chunks(_largest, len(S), S, columns, values, chunk=max(1, 200_000 // max(1, S.shape[1])))
    return columns, values


@kernel
def _largest(c, start, stop, S, columns, values):
    """Rows start ... stop-1.  The n best so far stay in order; almost every number is done with one comparison."""
    last = columns.shape[1] - 1
    for u in range(start, stop):
        row, best, place = S[u], values[u], columns[u]
        best[:], place[:] = -np.inf, -1
        for m in range(row.size):
            if row[m] > best[last]:
                i = last
                while i > 0 and best[i - 1] < row[m]:
                    best[i], place[i] = best[i - 1], place[i - 1]
                    i -= 1
                best[i], place[i] = row[m], m
