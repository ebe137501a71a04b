"""Products in panels against exact sums, wherever the factors lie in memory; and which bits are the same as which."""
import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from scratchml.core import products
from scratchml.core.instructions import LOW, PANEL, TALL
from scratchml.core.jit import run_chunks
from scratchml.core.products import (
    DEPTH, FEW, SMALL, Panels, add_product, in_panels, laid_out, product, product_of_each)
from tests.reference import products as reference
from tests.strategies.products import factors

seeds = st.integers(0, 2**32 - 1)


def bound(A, B, C=0.0):
    """K + 1 roundings of sums that are at most these, and one of what is given back, each of half an eps."""
    return (A.shape[1] + 2) * np.finfo(A.dtype).eps * (np.abs(A).astype(float) @ np.abs(B) + np.abs(C)) + 1e-300


def drawn(seed, M, K, N, dtype="float64"):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(M, K)).astype(dtype), rng.normal(size=(K, N)).astype(dtype)


# --- equal to the definition

@given(factors(largest=14))
def test_products(given_):
    A, B, _ = given_
    expected = reference.product(A, B)
    for got in (product(A, Panels(B)), product(A, B)):
        assert got.shape == expected.shape and got.dtype == A.dtype
        assert np.all(np.abs(got - expected) <= bound(A, B))


@given(factors(largest=14))
def test_products_that_are_added(given_):
    A, B, C = given_
    expected, before = reference.add_product(A, B, C), C.copy()
    for factor in (Panels(B), B):
        total = before.copy()
        assert add_product(A, factor, total) is total
        assert np.all(np.abs(total - expected) <= bound(A, B, before))


@given(factors(), st.integers(1, 9))
def test_panels(given_, W):
    B = given_[1]
    np.testing.assert_array_equal(in_panels(B, W), reference.in_panels(B, W))
    assert Panels(B).P.shape[2] * B.itemsize == PANEL


@given(factors(largest=70))
def test_every_height_and_width_of_a_tile(given_):
    A, B, C = given_
    exact = A.astype(float) @ B.astype(float)
    assert np.all(np.abs(product(A, Panels(B)) - exact) <= 2 * bound(A, B))
    assert np.all(np.abs(add_product(A, Panels(B), C.copy()) - (exact + C)) <= 2 * bound(A, B, C))


@pytest.mark.parametrize("K", [0, 1, DEPTH - 1, DEPTH, DEPTH + 1, 2 * DEPTH + 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_several_blocks(K, dtype):
    A, B = drawn(K, TALL + LOW + 1, K, PANEL // 4 + 3, dtype)
    exact, C = A.astype(float) @ B.astype(float), np.full((len(A), B.shape[1]), 0.25, dtype)
    assert np.all(np.abs(product(A, Panels(B)) - exact) <= 2 * bound(A, B))
    assert np.all(np.abs(add_product(A, Panels(B), C.copy()) - exact - C) <= 2 * bound(A, B, C))


stacks = st.tuples(st.lists(st.integers(0, 3), min_size=1, max_size=2), st.integers(0, 2 * TALL), st.integers(0, 5),
                   st.integers(0, PANEL // 4 + 3), st.sampled_from(["float32", "float64"]))


@given(seeds, stacks, st.booleans(), st.booleans(), st.booleans())
def test_products_of_each_pair_wherever_they_lie(seed, sizes, turned, other_turned, with_gaps):
    G, M, K, N, dtype = sizes
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(*G, M, K)).astype(dtype), rng.normal(size=(*G, K, N)).astype(dtype)
    A = A.swapaxes(-1, -2).copy().swapaxes(-1, -2) if turned else A
    B = B.swapaxes(-1, -2).copy().swapaxes(-1, -2) if other_turned else B
    out = np.full((*G, M, 2 * N), 7, dtype)[..., ::2] if with_gaps else np.full((*G, M, N), 7, dtype)
    expected = reference.product_of_each(A, B)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "FEW", 0)
        patch.setattr(products, "SMALL", 0)
        got = product_of_each(A, B)
        assert product_of_each(A, B, out) is out
    sizes = np.abs(A).astype(float) @ np.abs(B)
    assert got.dtype == out.dtype == A.dtype and got.shape == expected.shape
    for C in (got, out):
        assert np.all(np.abs(C - expected) <= (K + 2) * np.finfo(dtype).eps * sizes + 1e-300)


def test_each_pair_gives_the_bits_of_its_own_product():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(2, 3, FEW, 64)), rng.normal(size=(2, 3, 64, 100))
    assert FEW * B[0, 0].size >= SMALL
    C = product_of_each(A, B)
    for g in np.ndindex(2, 3):
        np.testing.assert_array_equal(C[g], product(A[g], Panels(B[g])))
    heads = np.ascontiguousarray(A.swapaxes(1, 2)).swapaxes(1, 2)                  # as attention has them
    out = np.empty((2, FEW, 3, 100)).swapaxes(1, 2)
    assert product_of_each(heads, B, out) is out
    np.testing.assert_array_equal(out, C)


def test_what_panels_do_not_serve_numpy_multiplies():
    A, B = np.ones((2, FEW, 64), int), np.ones((2, 64, 100), int)
    np.testing.assert_array_equal(product_of_each(A, B), A @ B)
    np.testing.assert_array_equal(product_of_each(A[:1], B), A[:1] @ B)
    mixed = product_of_each(A.astype("f4"), B.astype("f8"))
    assert mixed.dtype == "f8" and (mixed == 64).all()
    with pytest.raises(ValueError, match="mismatch"):
        product_of_each(A, B[:, 1:])
    A, B = A.astype(float), B.astype(float)
    np.testing.assert_array_equal(product_of_each(A[:1], B), A[:1] @ B)
    np.testing.assert_array_equal(product_of_each(A, B, np.empty((2, FEW, 100), "float32")), A @ B)
    for shape in ((2, FEW, 99), (FEW, 2, 100)):
        with pytest.raises(ValueError):
            product_of_each(A, B, np.empty(shape))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pairs_are_shared_among_threads_without_a_change(monkeypatch, dtype):
    monkeypatch.setattr(products, "LEAST", 2**12)
    rng, results = np.random.default_rng(0), []
    A, B = rng.normal(size=(5, FEW, 64)).astype(dtype), rng.normal(size=(5, 64, 100)).astype(dtype)
    for threads in (1, 2, 3):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", str(threads))
        results.append(product_of_each(A, B))
        np.testing.assert_array_equal(results[0], results[-1])


# --- laws

@given(seeds, st.integers(1, 3 * TALL), st.data())
def test_the_bits_of_a_row_depend_on_no_other_row(seed, M, data):
    A, B = drawn(seed, M, 9, 5)
    laid, rows = Panels(B), data.draw(st.permutations(range(M)))
    some = rows[:data.draw(st.integers(1, M))]
    np.testing.assert_array_equal(product(A[some], laid), product(A, laid)[some])


@given(seeds, st.permutations(range(40)))
def test_the_bits_of_a_column_depend_on_no_other_column(seed, columns):
    A, B = drawn(seed, 5, 9, 40)
    np.testing.assert_array_equal(product(A, Panels(B[:, columns[:21]])), product(A, Panels(B))[:, columns[:21]])


def pieces(monkeypatch, A, B, threads):
    """How many rows each piece of A B has for so many threads."""
    got = []

    def counted(chunk_kernel, n, *args, chunk):
        got.extend(min(chunk, n - start) for start in range(0, n, chunk))
        run_chunks(chunk_kernel, n, *args, chunk=chunk)
    monkeypatch.setattr(products, "run_chunks", counted)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", str(threads))
    product(A, Panels(B))
    return got


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_are_the_same_for_any_number_of_threads(monkeypatch, dtype):
    monkeypatch.setattr(products, "LEAST", 2**12)
    A, B = drawn(0, 3 * TALL + LOW + 1, 7, 33, dtype)
    results = []
    for threads in (1, 2, 3):
        assert len(pieces(monkeypatch, A, B, threads)) == threads
        results.append(product(A, Panels(B)))
        np.testing.assert_array_equal(results[0], results[-1])


def test_threads_get_pieces_of_one_size_as_large_as_can_be_if_these_pay(monkeypatch):
    A, B = drawn(0, 20 * LOW, 8, 8)
    cost = A.size * 8 * 8
    monkeypatch.setattr(products, "LEAST", cost // 3)
    assert pieces(monkeypatch, A, B, 1) == [20 * LOW]
    assert pieces(monkeypatch, A, B, 2) == [10 * LOW] * 2
    assert pieces(monkeypatch, A, B, 9) == [7 * LOW, 7 * LOW, 6 * LOW]
    monkeypatch.setattr(products, "MOST", cost // 4)
    monkeypatch.setattr(products, "LEAST", cost // 10)
    assert pieces(monkeypatch, A, B, 1) == [5 * LOW] * 4
    assert pieces(monkeypatch, A, B, 3) == [4 * LOW] * 5     # six, of whole tiles
    monkeypatch.setattr(products, "LEAST", cost + 1)
    assert pieces(monkeypatch, A, B, 2) == [20 * LOW]
    assert pieces(monkeypatch, A[:0], B, 2) == []


@given(seeds)
def test_what_panels_are_wider_by_reaches_no_result(seed):
    """The zeros behind the last column meet inf and NaN."""
    A, B = drawn(seed, 5, 4, 3)
    A[1, 2], A[3, 0] = np.inf, np.nan
    room = np.full((5, 40), 7.0)
    got = product(A, Panels(B), out=room[:, :3])         # without a warning
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(np.isnan(got), np.isnan(A @ B))
    assert (room[:, 3:] == 7).all()


# --- where the result goes

@given(factors(largest=20))
def test_rows_may_lie_apart(given_):
    A, B, C = given_
    room = np.full((len(C), C.shape[1] + 5), 7, C.dtype)
    out = room[:, 2:2 + C.shape[1]]
    out[:] = np.nan                                      # it is overwritten, not added to
    assert product(A, Panels(B), out=out) is out
    np.testing.assert_array_equal(out, product(A, Panels(B)))
    assert (room[:, :2] == 7).all() and (room[:, 2 + C.shape[1]:] == 7).all()


def test_a_matrix_is_laid_out_where_that_pays():
    A, B = drawn(0, FEW, -(-SMALL // (FEW * 8)), 8)
    assert products._panels(A, B) is not None
    assert products._panels(A[1:], B) is None and products._panels(A[:, 1:], B[1:, :7]) is None
    assert products._panels(A, B.astype("float32")) is None
    assert isinstance(laid_out(B, FEW), Panels) and laid_out(B, FEW - 1) is B and laid_out(B[:, 1:], FEW).shape[1] == 7
    assert not isinstance(laid_out(B.astype(int), FEW), Panels)
    np.testing.assert_array_equal(product(A, B), product(A, Panels(B)))


@pytest.mark.parametrize("A, C", [
    (np.ones((4, 3)), np.ones((4, 2), "float32")), (np.ones((4, 3), "float32"), np.ones((4, 2))),
    (np.ones((4, 2)), np.ones((4, 2))), (np.ones((4, 3)), np.ones((3, 2))), (np.ones((4, 3)), np.ones((4, 3))),
    (np.ones((4, 3)), np.asfortranarray(np.ones((4, 2)))),
])
def test_what_does_not_fit_is_refused(A, C):
    with pytest.raises(ValueError, match="expected rows of 3 numbers of float64, and for the product"):
        add_product(A, Panels(np.ones((3, 2))), C)


@example(0)
@given(seeds)
def test_types_without_panels_are_multiplied_all_the_same(seed):
    A, B = np.random.default_rng(seed).integers(-9, 9, size=(2, 60, 60))
    np.testing.assert_array_equal(product(A, B), A @ B)
    np.testing.assert_array_equal(add_product(A, B, np.ones((60, 60), int)), A @ B + 1)
