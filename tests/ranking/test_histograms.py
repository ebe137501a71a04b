"""Whole numbers keep what they were made of, and add up exactly."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.ranking.histograms import (
    add_rows, exponent, histogram, put_to, sibling, take_away, whole_gradients, whole_hessians, whole_rows)
from tests.reference import histograms as reference
from tests.strategies.distances import seeds
from tests.strategies.histograms import KINDS, derivatives, some_bins, whole

each_kind = st.sampled_from(KINDS)


@given(st.integers(1, 40), seeds, each_kind)
def test_whole_numbers(N, seed, kind):
    g, h = derivatives(N, seed, kind)
    (q, k), (w, j) = whole_gradients(g), whole_hessians(h)
    assert (q.tolist(), k) == reference.whole_gradients(g.tolist())
    assert (w.tolist(), j) == reference.whole_hessians(h.tolist())
    np.testing.assert_array_equal(whole_rows(g, h), np.column_stack([q, w]))


@given(st.integers(1, 40), seeds, each_kind)
def test_they_are_as_near_as_the_text_says(N, seed, kind):
    g, h = derivatives(N, seed, kind)
    (q, k), (w, j) = whole_gradients(g), whole_hessians(h)
    c = exponent(N)
    assert np.abs(np.ldexp(q.astype(float), -k) - g).max() <= np.ldexp(0.5, -k) and k <= 1100 + 61
    assert np.abs(np.ldexp((w >> c).astype(float), -j) - h).max() <= np.ldexp(0.5, -j)
    assert (w & (1 << c) - 1 == 1).all()


@pytest.mark.parametrize("N", [1, 2, 3, 4, 255, 256, 257, 65_535, 65_536, 2**24, 2**30 - 1])
def test_no_sum_leaves_64_bits(N):
    """N rows, all of them with the greatest derivatives that there are below a power of two."""
    c, greatest = exponent(N), np.nextafter(1, 0)
    q, w = round(2.0 ** (61 - c) * greatest), (round(2.0 ** (62 - 2 * c) * greatest) << c) + 1
    assert N < 2**c and N * q < 2**63 and N * w < 2**63
    assert (N * w) & ((1 << c) - 1) == N and (N * w) >> c == N * (w >> c)


@pytest.mark.parametrize("x, expected", [(0, 1), (1, 1), (0.75, 0), (0.5, 0), (2, 2), (3, 2), (4, 3), (5e-324, -1073)])
def test_exponents(x, expected):
    assert exponent(x) == expected == reference.above(x)


@given(st.integers(1, 30), seeds)
def test_histogram(N, seed):
    b, (q, w) = some_bins(N, 3, seed), whole(N, seed)
    rows = np.flatnonzero(np.random.default_rng(seed).random(N) < 0.7)
    S = histogram(b, q, w, rows)
    assert S.tolist() == reference.histogram(b.tolist(), q.tolist(), w.tolist(), rows.tolist())
    added = np.full((3, 256, 2), 77)
    for features in ([0, 2], [1]):
        add_rows(b, np.column_stack([q, w]), rows.astype(np.int32), np.array(features, np.uint64), added)
    np.testing.assert_array_equal(added, S)


@given(st.integers(2, 30), seeds)
def test_a_node_is_its_children_together(N, seed):
    b, (q, w) = some_bins(N, 3, seed), whole(N, seed)
    left = np.random.default_rng(seed).random(N) < 0.4
    whole_node, S_l, S_r = (histogram(b, q, w, np.flatnonzero(rows)) for rows in (left | True, left, ~left))
    np.testing.assert_array_equal(S_l + S_r, whole_node)
    np.testing.assert_array_equal(sibling(whole_node, S_l), S_r)
    assert sibling(whole_node, S_l).tolist() == reference.sibling(whole_node.tolist(), S_l.tolist())
    taken = whole_node.copy()
    take_away(taken, S_l, np.array([0, 2], np.uint64))
    np.testing.assert_array_equal(taken[[0, 2]], S_r[[0, 2]])
    np.testing.assert_array_equal(taken[1], whole_node[1])
    put_to(taken, S_l, np.array([0, 2], np.uint64))
    np.testing.assert_array_equal(taken, whole_node)


@given(seeds, each_kind)
def test_the_order_of_rows_does_not_matter(seed, kind):
    b, (g, h) = some_bins(60, 3, seed), derivatives(60, seed, kind)
    mixed = np.random.default_rng(seed).permutation(60)
    sums = []
    for order in (np.arange(60), mixed):
        q, w = whole_gradients(g[order])[0], whole_hessians(h[order])[0]
        sums.append(histogram(b[order], q, w, np.arange(60)))
    np.testing.assert_array_equal(*sums)
