"""The few largest of a row against a sort of all of it."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.selection import SPAN, empty_heaps, feed, in_order, largest


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(st.integers(0, 4), st.integers(1, 9), st.integers(1, 11), st.integers(0, 2**32 - 1))
def test_the_largest_come_first_and_equals_in_order(dtype, U, M, n, seed):
    S = np.random.default_rng(seed).choice([-np.inf, -2, 0, 0.5, 3, np.inf], size=(U, M)).astype(dtype)
    columns, values = largest(S, n)
    assert columns.shape == values.shape == (U, n) and values.dtype == dtype
    for row, c, v in zip(S, columns.tolist(), values.tolist()):
        order = [m for m in sorted(range(M), key=lambda m: (-row[m], m)) if row[m] > -np.inf][:n]
        missing = n - len(order)
        assert c == order + [-1] * missing and v == row[order].tolist() + [-np.inf] * missing


def test_any_number_of_threads_gives_the_same(monkeypatch):
    S = np.random.default_rng(0).integers(9, size=(40, 12_000)).astype(float)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = largest(S, 3)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    np.testing.assert_array_equal(largest(S, 3), alone)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(st.integers(1, 3), st.integers(1, 3 * SPAN), st.integers(1, 9), st.integers(1, 2 * SPAN),
       st.integers(0, 2**32 - 1))
def test_tiles_one_after_the_other_leave_what_all_at_once_would(dtype, U, M, n, width, seed):
    rng = np.random.default_rng(seed)
    S, offsets = rng.choice([-np.inf, -2, 0, 0.5, 3], size=(U, M)).astype(dtype), rng.integers(3, size=M).astype(dtype)
    columns, values = empty_heaps(U, n, dtype)
    for first in range(0, M, width):
        tile = slice(first, first + width)
        feed(np.ascontiguousarray(S[:, tile]), offsets[tile], first, columns, values)
    in_order(columns, values)
    for row, c, v in zip(S + offsets, columns.tolist(), values.tolist()):
        order = [m for m in sorted(range(M), key=lambda m: (-row[m], m)) if row[m] > -np.inf][:n]
        assert c == order + [-1] * (n - len(order)) and v == row[order].tolist() + [-np.inf] * (n - len(order))


def test_one_that_beats_the_worst_is_seen_wherever_it_stands_in_a_span():
    for place in range(2 * SPAN + 3):
        S = np.zeros((1, 2 * SPAN + 3))
        S[0, place] = 1
        assert largest(S, 1)[0].item() == place
