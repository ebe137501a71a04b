"""The heap against sorting, ties and shortages included."""
import numpy as np
from hypothesis import given, strategies as st

from scratchml.core import selection
from scratchml.core.sparse import known_entries
from scratchml.recommend.best_items import BLOCK, best_of_all, cosine, largest, nothing
from tests.reference import best_items as reference
from tests.strategies.best_items import scores

seeds = st.integers(0, 2**32 - 1)


# --- equal to the definition

@given(scores(), st.data())
def test_the_heap_finds_what_sorting_finds(y, data):
    before, T = y.copy(), data.draw(st.integers(1, len(y)))
    assert largest(y, T).tolist() == reference.largest(y, T)
    np.testing.assert_array_equal(y, before)


@given(st.integers(1, 6), st.integers(1, 4), seeds, st.integers(-8, 8))
def test_cosines_are_their_definition(M, F, seed, scale):
    rng = np.random.default_rng(seed)
    V, v = 10.0**scale * rng.normal(size=(M, F)), rng.normal(size=F)
    V[rng.integers(M)] = 0
    np.testing.assert_allclose(cosine(V, v), reference.cosine(V, v), rtol=0, atol=1e-15 * F * 4)
    assert not cosine(V, 0 * v).any()


def test_cosines_of_lengths_whose_squares_float32_cannot_hold():
    V = np.array([[3, 4], [-4, 3], [4, 3]], np.float32)
    for scale in (np.float32(1e-30), np.float32(1e30)):
        np.testing.assert_allclose(cosine(scale * V, V[0]), [1, 0, 0.96], atol=1e-6)


def test_how_many_come_among_the_best_so_far():
    """The cost that is stated: number j is among the T largest of the first j with the probability T / j."""
    rng, M, T = np.random.default_rng(0), 2000, 10
    counts = [sum(y[j] >= np.sort(y[:j + 1])[-min(T, j + 1)] for j in range(M)) for y in rng.normal(size=(8, M))]
    assert abs(np.mean(counts) / (T * (1 + np.log(M / T))) - 1) < 0.1


# --- blocks of users

@given(st.integers(1, 5), st.integers(1, 8), st.data(), seeds)
def test_each_user_gets_the_best_of_what_it_does_not_know(N, M, data, seed):
    rng, T = np.random.default_rng(seed), data.draw(st.integers(1, M))
    U, V = rng.integers(-2, 3, size=(N, 2)) * 1.0, rng.integers(-2, 3, size=(M, 2)) * 1.0
    offsets = rng.integers(0, 2, size=M)
    A = np.where(rng.random((N, M)) < 0.4, 1.0, np.nan)
    rows = rng.integers(N, size=6)
    items, best = best_of_all(U, V, rows, known_entries(A), T, offsets)
    for s, i in enumerate(rows):
        y = U[i] @ V.T + offsets
        left = [j for j in reference.largest(y, M) if np.isnan(A[i, j])][:T]
        short = T - len(left)
        assert items[s].tolist() == left + [-1] * short and best[s].tolist() == [y[j] for j in left] + [-np.inf] * short


def test_more_users_than_one_block_holds():
    rng = np.random.default_rng(0)
    U, V = rng.integers(-9, 10, size=(BLOCK + 70, 3)) * 1.0, rng.integers(-9, 10, size=(6, 3)) * 1.0
    items, _ = best_of_all(U, V, np.arange(len(U)), nothing((len(U), 6)), 2)
    np.testing.assert_array_equal(items, np.argsort(-(U @ V.T), axis=1, kind="stable")[:, :2])


def test_more_items_than_one_tile_holds(monkeypatch):
    rng = np.random.default_rng(0)
    U, V = rng.integers(-2, 3, size=(5, 2)) * 1.0, rng.integers(-2, 3, size=(700, 2)) * 1.0
    offsets = rng.integers(3, size=700)
    A = np.where(rng.random((5, 700)) < 0.4, 1.0, np.nan)
    whole = best_of_all(U, V, np.arange(5), known_entries(A), 300, offsets)
    monkeypatch.setattr(selection, "tile_width", lambda users: 256)
    np.testing.assert_array_equal(best_of_all(U, V, np.arange(5), known_entries(A), 300, offsets), whole)
    y = np.where(np.isnan(A), U @ V.T + offsets, -np.inf)
    np.testing.assert_array_equal(whole[0], np.argsort(-y, axis=1, kind="stable")[:, :300])
