"""Distances against their definitions in exact arithmetic, and against what must hold whatever the rows."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.distances import (
    cosine_distances, cosine_similarity, directions, euclidean, manhattan, squared_euclidean,
)
from scratchml.core.sparse import Rows, sparse_rows, sparse_table
from tests.reference import distances as reference
from tests.strategies.distances import BAD_TABLES, layouts, pairs, pairs_of_any_length, seeds, table, tables

EPS = np.finfo(float).eps
DIFFERENCES = [squared_euclidean, euclidean, manhattan]
COSINES = [cosine_similarity, cosine_distances]
each_difference = pytest.mark.parametrize("f", DIFFERENCES)
each_cosine = pytest.mark.parametrize("f", COSINES)
each = pytest.mark.parametrize("f", DIFFERENCES + COSINES)


def relative(D, eps=EPS):
    """A term is rounded three times, by eps/2 each, and the sum of D positive terms D - 1 times, whatever its order."""
    return dict(rtol=(D + 2) * eps)


def absolute(D, eps=EPS):
    """Σ|x_d y_d| <= ‖x‖‖y‖, so all roundings of the dot product, the norms and a rescaling count at most this."""
    return dict(rtol=0, atol=(D + 4) * eps)


# --- equal to the definition

@given(pairs(5, 6))
def test_squared_euclidean_is_exact_to_rounding(drawn):
    X, Y = drawn
    np.testing.assert_allclose(squared_euclidean(X, Y), reference.squared_euclidean(X, Y), **relative(X.shape[1]))


@given(pairs(5, 6))
def test_euclidean_is_exact_to_rounding(drawn):
    X, Y = drawn
    np.testing.assert_allclose(euclidean(X, Y), reference.euclidean(X, Y), **relative(X.shape[1]))


@given(pairs(5, 6))
def test_manhattan_is_exact_to_rounding(drawn):
    X, Y = drawn
    np.testing.assert_allclose(manhattan(X, Y), reference.manhattan(X, Y), **relative(X.shape[1]))


@given(st.one_of(pairs(5, 6), pairs_of_any_length(5, 6)))
def test_cosine_similarity_is_exact_to_rounding(drawn):
    X, Y = drawn
    np.testing.assert_allclose(cosine_similarity(X, Y), reference.cosine_similarity(X, Y), **absolute(X.shape[1]))


@given(st.one_of(pairs(5, 6), pairs_of_any_length(5, 6)))
def test_cosine_distances_are_exact_to_rounding(drawn):
    X, Y = drawn
    np.testing.assert_allclose(cosine_distances(X, Y), reference.cosine_distances(X, Y), **absolute(X.shape[1]))


@pytest.mark.parametrize("D", [1, 7, 8, 9, 33, 100])     # around every width of a vector register
@each
def test_long_rows(f, D):
    X, Y = table(3, D, 0), table(4, D, 1)
    bound = relative(D) if f in DIFFERENCES else absolute(D)
    np.testing.assert_allclose(f(X, Y), getattr(reference, f.__name__)(X, Y), **bound)


@pytest.mark.parametrize("N, M, D", [(1, 1, 3), (1, 70, 3), (70, 1, 3), (67, 41, 3), (3, 2, 60_000)])
@each
def test_every_pair_is_computed_whatever_the_number_of_rows(f, N, M, D):
    X, Y = table(N, D, 0), table(M, D, 1)
    one_by_one = [[f(x[None], y[None])[0, 0] for y in Y] for x in X]
    np.testing.assert_allclose(f(X, Y), one_by_one, rtol=0, atol=0 if f in DIFFERENCES else absolute(D)["atol"])


@pytest.mark.parametrize("offset", [1e6, 1e8])
@each_difference
def test_an_offset_costs_no_digits(f, offset):
    X, Y = offset + table(5, 4, 0), offset + table(6, 4, 1)
    np.testing.assert_allclose(f(X, Y), getattr(reference, f.__name__)(X, Y), **relative(4))


@pytest.mark.parametrize("scale", [1e150, 1e-150])
@each_difference
def test_differences_at_the_ends_of_the_range(f, scale):
    X, Y = scale * table(4, 3, 0), scale * table(5, 3, 1)
    np.testing.assert_allclose(f(X, Y), getattr(reference, f.__name__)(X, Y), **relative(3))


# --- laws

@given(pairs(6, 5))
@each_difference
def test_differences_are_symmetric_and_not_negative(f, drawn):
    X, Y = drawn
    np.testing.assert_array_equal(f(X, Y), f(Y, X).T)
    assert (f(X, Y) >= 0).all()


@given(pairs_of_any_length(6, 5))
@each_cosine
def test_cosines_are_symmetric(f, drawn):
    X, Y = drawn
    np.testing.assert_allclose(f(X, Y), f(Y, X).T, **absolute(X.shape[1]))


@given(tables(6, 5))
@each_difference
def test_a_row_is_at_no_distance_from_itself_and_only_from_itself(f, X):
    same = (X[:, None] == X[None]).all(axis=2)
    np.testing.assert_array_equal(f(X, X) == 0, same)


@given(pairs_of_any_length(6, 5))
def test_a_row_points_where_it_points_and_a_zero_row_nowhere(drawn):
    X, _ = drawn
    lengths = np.abs(X).max(axis=1)
    np.testing.assert_allclose(np.diag(cosine_similarity(X, X)), lengths > 0, **absolute(X.shape[1]))
    np.testing.assert_allclose(np.diag(cosine_similarity(X, -X)), -1.0 * (lengths > 0), **absolute(X.shape[1]))
    assert (cosine_similarity(X, X)[lengths == 0] == 0).all() and (cosine_distances(X, X)[:, lengths == 0] == 1).all()


@given(pairs_of_any_length(6, 5))
def test_cosines_stay_within_one(drawn):
    X, Y = drawn
    for rows in (Y, X, -X, 3 * X):                       # parallel rows are where rounding would leave the interval
        assert (np.abs(cosine_similarity(X, rows)) <= 1).all()
        assert (cosine_distances(X, rows) >= 0).all() and (cosine_distances(X, rows) <= 2).all()


@given(pairs_of_any_length(6, 5))
def test_cosine_distance_is_one_minus_the_similarity(drawn):
    np.testing.assert_array_equal(cosine_distances(*drawn), 1 - cosine_similarity(*drawn))


@given(tables(7, 5, min_rows=3))
@pytest.mark.parametrize("f", [euclidean, manhattan])
def test_no_detour_is_shorter(f, X):
    d = f(X, X)
    detours = d[:, :, None] + d[None]                    # [i, j, l]: from i by way of j to l
    assert (d[:, None] <= detours * (1 + (X.shape[1] + 4) * EPS)).all()


@given(pairs(6, 5))
def test_the_straight_line_is_shortest(drawn):
    X, Y = drawn
    D = X.shape[1]
    straight, blocks = euclidean(X, Y), manhattan(X, Y)
    assert (straight <= blocks * (1 + (D + 4) * EPS)).all()
    assert (blocks <= np.sqrt(D) * straight * (1 + (D + 4) * EPS)).all()


@given(pairs(6, 5), st.integers(-30, 30))
def test_powers_of_two_scale_exactly(drawn, exponent):
    X, Y = drawn
    s = 2.0 ** exponent
    np.testing.assert_array_equal(squared_euclidean(s * X, s * Y), s * s * squared_euclidean(X, Y))
    np.testing.assert_array_equal(euclidean(s * X, s * Y), s * euclidean(X, Y))
    np.testing.assert_array_equal(manhattan(s * X, s * Y), s * manhattan(X, Y))


@given(pairs(6, 5, kinds=("normal", "integer grid", "duplicates")), seeds)
@each_cosine
def test_cosines_do_not_see_the_length_of_a_row(f, drawn, seed):
    X, Y = drawn
    rng = np.random.default_rng(seed)
    longer_X = X * 10.0 ** rng.uniform(-240, 240, size=(len(X), 1))
    longer_Y = Y * 10.0 ** rng.uniform(-240, 240, size=(len(Y), 1))
    np.testing.assert_allclose(f(longer_X, longer_Y), f(X, Y), **absolute(X.shape[1] + 4))


@given(pairs(6, 5, kinds=("integer grid",)), st.integers(-2**30, 2**30))
@each_difference
def test_a_common_shift_changes_nothing(f, drawn, shift):       # whole numbers: the shift itself does not round
    X, Y = drawn
    np.testing.assert_array_equal(f(X + shift, Y + shift), f(X, Y))


# --- examples

def test_by_hand():
    X, Y = [[0.0, 0], [1, 1]], [[3.0, 4], [1, 0], [-2, -2]]
    assert squared_euclidean(X, Y).tolist() == [[25, 1, 8], [13, 1, 18]]
    assert euclidean(X, Y).tolist() == [[5, 1, np.sqrt(8)], [np.sqrt(13), 1, np.sqrt(18)]]
    assert manhattan(X, Y).tolist() == [[7, 1, 4], [5, 1, 6]]
    np.testing.assert_allclose(cosine_similarity(X, Y), [[0, 0, 0], [7 / np.sqrt(50), np.sqrt(0.5), -1]], **absolute(2))


# --- sparse tables

def sparse(X, seed=0):
    """`X` with some zeros stored and the columns of each row in no order, as a table."""
    rows, rng = sparse_rows(np.where(X == 0, 1e99, X)), np.random.default_rng(seed)
    stored = np.where(rows.data == 1e99, 0, rows.data)
    keep = np.flatnonzero((stored != 0) | (rng.random(stored.size) < 0.3))
    row = np.repeat(np.arange(len(X)), X.shape[1])[keep]
    keep, row = (some[np.lexsort((rng.random(keep.size), row))] for some in (keep, row))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(X)))])
    return sparse_table(Rows(indptr, rows.indices[keep], stored[keep], X.shape))


@pytest.mark.parametrize("f", [squared_euclidean, manhattan])
@given(drawn=pairs(6, 5), share=st.floats(0, 1), seed=seeds)
def test_sparse_tables_are_as_far_as_what_they_stand_for(f, drawn, share, seed):
    rng = np.random.default_rng(seed)
    X, Y = (Z * (rng.random(Z.shape) < share) for Z in drawn)
    X[-1] = Y[0]
    got = f(sparse(X, seed), sparse(Y, seed + 1))
    np.testing.assert_allclose(got, getattr(reference, f.__name__)(X, Y), **relative(X.shape[1]))
    assert got[-1, 0] == 0 and got.dtype == np.float64


@given(pairs_of_any_length(6, 5), seeds)
def test_directions_of_a_sparse_table(drawn, seed):
    X = drawn[0] * (np.random.default_rng(seed).random(drawn[0].shape) < 0.5)
    np.testing.assert_allclose(directions(sparse(X, seed)).written_out(), directions(X), rtol=8 * EPS)


def test_a_sparse_table_against_something_else():
    X = sparse(table(5, 3, 0))
    for other in (table(5, 3, 0), sparse(table(5, 4, 0))):
        with pytest.raises(ValueError, match="expected sparse tables with the same number of features"):
            manhattan(X, other)


# --- what comes in

@each
def test_every_layout_gives_the_same(f):
    X, Y = table(5, 3, 0), table(4, 3, 1)
    for name, same in layouts(X).items():
        np.testing.assert_array_equal(f(same, Y), f(X, Y), err_msg=name)
        np.testing.assert_array_equal(f(Y, same), f(Y, X), err_msg=name)


@each
def test_whole_numbers_are_numbers(f):
    X, Y = table(5, 3, 0, "integer grid"), table(4, 3, 1, "integer grid")
    for dtype in (np.int64, np.int8):                    # in int8, squares and differences would wrap around
        got = f((20 * X).astype(dtype), (-20 * Y).astype(dtype))
        np.testing.assert_array_equal(got, f(20 * X, -20 * Y))
        assert got.dtype == np.float64


@each
def test_single_precision_stays_single(f):
    X, Y = table(5, 4, 0).astype(np.float32), table(6, 4, 1).astype(np.float32)
    bound = (relative if f in DIFFERENCES else absolute)(4, np.finfo(np.float32).eps)
    assert f(X, Y).dtype == np.float32
    np.testing.assert_allclose(f(X, Y), getattr(reference, f.__name__)(X, Y), **bound)


@each
def test_any_number_of_threads_gives_the_same_bits(f, monkeypatch):
    X, Y = table(6000, 2, 0), table(3, 2, 1)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = f(X, Y)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    np.testing.assert_array_equal(f(X, Y), alone)


def test_squares_go_where_they_are_wanted():
    X, Y = table(5, 7, 0), table(4, 7, 1)
    out = np.full((5, 4), np.nan)
    assert squared_euclidean(X, Y, out=out) is out
    np.testing.assert_array_equal(out, squared_euclidean(X, Y))


# --- bad input

@pytest.mark.parametrize("out", [np.empty((4, 5)), np.empty((5, 4), np.float32), np.empty((4, 5)).T])
def test_room_of_another_kind(out):
    with pytest.raises(ValueError, match=r"out: expected a C-contiguous array of shape \(5, 4\) and float64"):
        squared_euclidean(table(5, 2, 0), table(4, 2, 1), out=out)


@pytest.mark.parametrize("bad, message", BAD_TABLES)
@each
def test_bad_tables(f, bad, message):
    good = [[1.0, 2], [3, 4]]
    with pytest.raises(ValueError, match=message):
        f(bad, good)
    with pytest.raises(ValueError, match=message):
        f(good, bad)


@each
def test_an_error_names_its_argument(f):
    good, bad = [[1.0, 2], [3, 4]], [[1.0, np.nan]]
    with pytest.raises(ValueError, match=r"\bX\b"):
        f(bad, good)
    with pytest.raises(ValueError, match=r"\bY\b"):
        f(good, bad)


@each
def test_rows_of_different_lengths(f):
    for X, Y in ([[1.0, 2, 3]], [[1.0, 2]]), ([[1.0, 2]], [[1.0]]):
        with pytest.raises(ValueError, match=rf"{len(X[0])}.*{len(Y[0])}|{len(Y[0])}.*{len(X[0])}"):
            f(X, Y)


@pytest.mark.parametrize("dtype, exponents",
                         [(np.float64, [-1000, -700, 0, 700, 1000]), (np.float32, [-120, -80, 0, 80, 120])])
def test_euclidean_distances_span_the_whole_range(dtype, exponents):
    X, Y = table(4, 3, 0).astype(dtype), table(5, 3, 1).astype(dtype)
    for exponent in exponents:                           # a power of two, so equal to the last bit
        scaled = euclidean(np.ldexp(X, exponent), np.ldexp(Y, exponent))
        np.testing.assert_array_equal(scaled, np.ldexp(euclidean(X, Y), exponent))


LARGEST = float(np.finfo(np.float32).max)


@pytest.mark.parametrize("dtype, X, Y", [
    (np.float32, [[1, 2], [1e30, 0]], [[4, 6]]), (np.float32, [[1, 2], [LARGEST / 2, 0]], [[4, 6]]),
    (np.float32, [[1, 2], [1e20, 0]], [[1.001, 2]]), (np.float64, [[1, 2], [1e200, 0]], [[4, 6]]),
    (np.float64, [[1e300, 0], [3e-10, 0]], [[0, 0], [0, 4e-10]]),
    (np.float64, [[1, 0], [3e-200, 0], [3e-320, 0]], [[0, 4e-200], [0, 4e-320], [0, 0], [1, 0]]),
    (np.float32, [[1, 0], [3e-25, 1e-30], [3e-43, 0]], [[0, 4e-25], [0, 4e-43], [0, 0], [1, 0]]),
    (np.float32, [[-999, 5, 1e25], [-999, 8, 1e25], [1e-24, 0, 0]], [[-999, 1, 1e25], [0, 0, 0], [-999, 5, -1e25]]),
    (np.float64, [[1e308, 1e-300], [5, 5]], [[-1e307, 1e-300], [5, 5], [5, 5 + 1e-15]]),
])
def test_every_pair_has_a_scale_of_its_own(dtype, X, Y):
    X, Y = np.array(X, dtype), np.array(Y, dtype)
    expected = [[np.hypot.reduce(x.astype(np.longdouble) - y) for y in Y] for x in X]
    eps, spacing = float(np.finfo(dtype).eps), float(np.nextafter(dtype(0), dtype(1)))
    np.testing.assert_allclose(euclidean(X, Y), np.array(expected, float), rtol=4 * eps, atol=spacing)
    np.testing.assert_array_equal(euclidean(Y, X), euclidean(X, Y).T)
    for some in ([0], [0, 1], [-1]):                     # a pair does not depend on the others
        np.testing.assert_array_equal(euclidean(X[some], Y), euclidean(X, Y)[some])


@given(st.integers(0, 2**32 - 1), st.sampled_from([(np.float64, 290), (np.float32, 35)]))
def test_rows_of_every_length_side_by_side(seed, kind):
    (dtype, widest), rng = kind, np.random.default_rng(seed)
    X, Y = ((rng.normal(size=(6, 5)) * 10.0 ** rng.integers(-widest, widest, size=(6, 1))).astype(dtype) for _ in "XY")
    expected = [[np.hypot.reduce(x.astype(np.longdouble) - y) for y in Y] for x in X]
    np.testing.assert_allclose(euclidean(X, Y), np.array(expected, float), **relative(5, float(np.finfo(dtype).eps)))
