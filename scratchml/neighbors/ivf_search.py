"""Looking through inverted lists: what is compiled of the estimator IVF.

A heap for each query takes what it meets, list after list.  Points lie in memory in the order of the lists, so each
list is one run of addresses.  What is in the heaps at the end is measured once more, as it is defined and in float64.

Same result for codes as (4) of the chapter on product quantisation, because -½ ‖q - x̂‖² + ½ ‖q‖² = q·x̂ - ½ ‖x̂‖², the
last is known beforehand, and q·x̂ = q·c + Σ_j q^j·w_{j,y_j}.  So one table serves all lists, though what is coded is x
- c; and inner products are the same without the last.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel
from scratchml.core.selection import sink
from scratchml.neighbors.exhaustive import EUCLIDEAN, PRODUCT


class Lists(NamedTuple):
    """N points in L lists, one after the other.  Kernels take it as it is."""
    starts: np.ndarray                                   # (L+1,) int64: list l has the rows starts[l] ... starts[l+1]-1
    numbers: np.ndarray                                  # (N,) int32: the number of each row's point, rising in a list
    places: np.ndarray                                   # (N,) int32: the row of each number
    rows: np.ndarray                                     # (N, D) vectors, or (N, m) uint8 codes


class Coding(NamedTuple):
    """What codes stand for.  Kernels take it as it is."""
    centres: np.ndarray                                  # (L, D)
    books: np.ndarray                                    # (m, K, s)
    turned: np.ndarray                                   # (m, s, K), the same, so that lanes are vectors of a book
    terms: np.ndarray                                    # (N,): -½ ‖x̂‖² of each row, from the origin of queries, or 0


@kernel
def offer(numbers, values, number, value):
    """Put a number into the heap if its value is greater than the least there, or as great and the number lower."""
    if value > values[0] or value == values[0] and number < numbers[0]:
        sink(values, numbers, values.size, value, number)


@kernel(reassociate=True)
def minus_square(q, x):
    """-‖q - x‖²."""
    total = q[0] - q[0]                                  # 0 of the type of q
    for d in range(q.size):
        total -= (q[d] - x[d]) * (q[d] - x[d])
    return total


@kernel(reassociate=True)
def product(q, x):
    """q·x."""
    total = q[0] - q[0]
    for d in range(q.size):
        total += q[d] * x[d]
    return total


@kernel
def scan_vectors(c, start, stop, Q, probes, lists, by_product, heaps):
    """Offer all points of the lists in row i of `probes` to the heaps (numbers, values) of query i, start ... stop-1.

    The values are -‖q - x‖², or q·x.
    """
    for i in range(start, stop):
        q, found, values = Q[i], heaps[0][i], heaps[1][i]
        for l in probes[i]:
            for row in range(lists.starts[l], lists.starts[l + 1]):
                value = product(q, lists.rows[row]) if by_product else minus_square(q, lists.rows[row])
                if value >= values[0]:
                    offer(found, values, lists.numbers[row], value)


@kernel
def scan_codes(c, start, stop, Q, probes, lists, coding, heaps):
    """The same for codes: the values are q·x̂, less ½ ‖x̂‖² for distances.  Q and centres are from one origin."""
    T = np.empty((coding.books.shape[0], coding.books.shape[1]), Q.dtype)
    for i in range(start, stop):
        q, found, values = Q[i], heaps[0][i], heaps[1][i]
        fill_products(q, coding.turned, T)
        for l in probes[i]:
            base = product(q, coding.centres[l])
            for row in range(lists.starts[l], lists.starts[l + 1]):
                value = base + coding.terms[row] + looked_up(T, lists.rows[row])
                if value >= values[0]:
                    offer(found, values, lists.numbers[row], value)


@kernel(reassociate=True)
def fill_products(q, turned, T):
    """q^j·w_jk into T (m, K)."""
    m, s, K = turned.shape
    for j in range(m):
        row = T[j]
        row[:] = 0
        for d in range(0, s - 3, 4):                     # four at a time, so that a sum is fetched a quarter as often
            x0, x1, x2, x3 = q[j * s + d], q[j * s + d + 1], q[j * s + d + 2], q[j * s + d + 3]
            w0, w1, w2, w3 = turned[j, d], turned[j, d + 1], turned[j, d + 2], turned[j, d + 3]
            for k in range(K):
                row[k] += x0 * w0[k] + x1 * w1[k] + x2 * w2[k] + x3 * w3[k]
        for d in range(s - s % 4, s):
            x, w = q[j * s + d], turned[j, d]
            for k in range(K):
                row[k] += x * w[k]


@kernel(reassociate=True)
def looked_up(T, code):
    """Σ_j T_{j,code_j}."""
    total = T[0, 0] - T[0, 0]
    for j in range(code.size):
        total += T[j][code[j]]
    return total


@kernel(reassociate=True)
def measured(q, x, kind):
    """`key` of the chapter on looking at all, in another order: ‖q - x‖², half of it for directions, or -q·x."""
    square = products = a = b = 0.0
    if kind == PRODUCT:
        for d in range(x.size):
            products += np.float64(q[d]) * x[d]
        return -products
    for d in range(x.size):
        difference = np.float64(q[d]) - x[d]
        square += difference * difference
    if kind == EUCLIDEAN:
        return square
    for d in range(x.size):
        a += abs(q[d])
        b += abs(x[d])
    return square / 2 if a > 0 and b > 0 else 1.0


@kernel
def measure_vectors(c, start, stop, Q, lists, kind, found, keys):
    """`measured` of the queries start ... stop-1 and what they found, numbers (B, k) or -1, then sorted by it."""
    for i in range(start, stop):
        numbers, far = found[i], keys[i]
        for r in range(numbers.size):
            far[r] = np.inf if numbers[r] < 0 else measured(Q[i], lists.rows[lists.places[numbers[r]]], kind)
        put_in_order(numbers, far)


@kernel
def measure_codes(c, start, stop, Q, lists, coding, kind, out):
    """The same for what codes stand for; `out` is (found, keys)."""
    m, K, s = coding.books.shape
    x = np.empty(m * s, Q.dtype)
    for i in range(start, stop):
        numbers, far = out[0][i], out[1][i]
        for r in range(numbers.size):
            far[r] = np.inf
            if numbers[r] >= 0:
                row = lists.places[numbers[r]]
                x[:] = coding.centres[np.searchsorted(lists.starts, row, side="right") - 1]
                for j in range(m):
                    w = coding.books[j, lists.rows[row, j]]
                    for d in range(s):
                        x[j * s + d] += w[d]
                far[r] = measured(Q[i], x, kind)
        put_in_order(numbers, far)


@kernel
def put_in_order(numbers, keys):
    """Sort by keys, of equals the lower number first; they are nearly in order."""
    for r in range(1, numbers.size):
        number, far, at = numbers[r], keys[r], r
        while at > 0 and (keys[at - 1] > far or keys[at - 1] == far and numbers[at - 1] > number >= 0):
            numbers[at], keys[at] = numbers[at - 1], keys[at - 1]
            at -= 1
        numbers[at], keys[at] = number, far
