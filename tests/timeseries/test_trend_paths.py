"""Paths against their definitions, and the law that they are drawn from."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries.trend_paths import deviations, draw_changes, mean_size, quantiles, run_blocks
from tests.reference import trend_paths as reference
from tests.strategies.trend_paths import paths

seeds = st.integers(0, 2**32 - 1)


@given(st.integers(1, 20), st.integers(0, 12), st.integers(1, 6), seeds)
def test_every_part_is_its_definition(T, n, P, seed):
    t, s, x, p = paths(T, n, P, seed)
    np.testing.assert_allclose(deviations(t, s, x, p, P), reference.deviations(t, s, x, p, P), rtol=0, atol=1e-12)
    assert mean_size(t) == pytest.approx(reference.mean_size(t), rel=1e-14)
    V, q = np.random.default_rng(seed).normal(size=(T, P)), [0.0, 0.1, 0.5, 0.9, 1.0]
    np.testing.assert_allclose(quantiles(V, q), reference.quantiles(V.tolist(), q), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(quantiles(V, q), np.quantile(V, q, axis=1), rtol=1e-13, atol=1e-15)


def test_a_block_in_the_middle_begins_with_all_changes_so_far():
    t, s, x, p = paths(600, 40, 3, 1)                    # three chunks
    np.testing.assert_allclose(deviations(t, s, x, p, 3), reference.deviations(t, s, x, p, 3), rtol=0, atol=1e-11)


def test_changes_are_as_many_and_as_large_as_they_should():
    δ = np.array([0.5, -0.1, 0.0, 0.6])
    changes = draw_changes(np.random.default_rng(0), 1.5, δ, 4, 20_000)
    assert len(changes.s) == pytest.approx(4 * 0.5 * 20_000, rel=0.02)
    counts = np.bincount(changes.p, minlength=20_000)
    assert counts.var() == pytest.approx(2, rel=0.05)                     # of Poisson's, the mean
    assert (np.diff(changes.s) >= 0).all() and changes.s.min() >= 1 and changes.s.max() < 1.5
    assert changes.s.mean() == pytest.approx(1.25, abs=0.005)
    assert np.abs(changes.x).mean() == pytest.approx(0.3, rel=0.02)
    assert changes.x.mean() == pytest.approx(0, abs=0.01) and changes.x.var() == pytest.approx(2 * 0.09, rel=0.05)
    assert len(draw_changes(np.random.default_rng(0), 0.9, δ, 4, 100).s) == 0


def test_how_far_a_trend_strays():
    """The variance of ∫ of a compound Poisson process: 2 λ² · S (t - 1)³ / 3."""
    δ = np.full(5, 0.2)
    changes = draw_changes(np.random.default_rng(1), 2.0, δ, 5, 20_000)
    D = deviations(np.array([1.0, 1.5, 2.0]), *changes, 20_000)
    np.testing.assert_allclose(D.var(axis=1), [0, 0.4 / 3 * 0.125, 0.4 / 3], rtol=0.06)


def test_more_changes_than_can_be_drawn_are_refused():
    with pytest.raises(ValueError, match="nearer times"):
        draw_changes(np.random.default_rng(0), 1e9, np.ones(25), 25, 1000)


def test_blocks_have_generators_of_their_own(monkeypatch):
    def drawn(threads):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found = np.empty(1000)

        def work(rows, rng):
            found[rows] = rng.random(rows.stop - rows.start)
        run_blocks(work, 1000, 3, np.random.default_rng(3))
        return found
    one = drawn("1")
    np.testing.assert_array_equal(one, drawn("2"))
    assert len(np.unique(one)) == 1000
    sizes = []
    run_blocks(lambda rows, rng: sizes.append(rows.stop - rows.start), 10, 2**17, np.random.default_rng(3))
    assert sizes == [2] * 5                              # many paths, few rows at once
