"""Checks let good input through unchanged and refuse the rest in words that say which, what, and what to do."""
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from scratchml.core.checks import (as_floats, as_matrix, as_vector, finite, held_in, in_order, is_missing, one_of,
                                   real_number, safe_to_square, sample_weights, true_or_false, unmasked, whole_number)
from tests.strategies.distances import BAD_TABLES, layouts, seeds, table


class Sparse:
    """What a sparse matrix is recognised by."""

    def toarray(self):
        raise AssertionError("a large one would not fit into memory")


def refuses(check, *arguments, error=ValueError, **options):
    """The message with which the check refuses its arguments."""
    with pytest.raises(error) as refusal:
        check(*arguments, **options)
    return str(refusal.value)


# --- tables

def test_a_good_table_is_not_copied():
    for dtype in (np.float64, np.float32):
        X = np.ones((3, 2), dtype)
        assert np.shares_memory(as_matrix(X), X)
        assert as_matrix(X).dtype == dtype


def test_every_layout_becomes_one():
    X = table(5, 3, 0)
    for name, same in layouts(X).items():
        checked = as_matrix(same)
        np.testing.assert_array_equal(checked, X, err_msg=name)
        assert checked.flags.c_contiguous and checked.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.bool_, np.float16, np.longdouble, ">f8", ">f4", object, str])
def test_other_numbers_become_double_precision(dtype):
    checked = as_matrix(np.array([[1, 0], [0, 1]]).astype(dtype))
    assert checked.dtype == np.float64 and checked.dtype.isnative and checked.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    with pytest.raises(ValueError, match=message) as refusal:
        as_matrix(bad, name="Y")
    assert str(refusal.value).startswith("Y: ")


@pytest.mark.parametrize("bad, words", [
    (5.0, ["scalar array", "()", "reshape"]),
    ([1.0, 2], ["1D array", "(2,)", "array.reshape(-1, 1)", "array.reshape(1, -1)"]),
    (np.zeros((1, 2, 3)), ["dim 3", "expected 2"]),
    (np.zeros((0, 3)), ["0 sample(s)", "(0, 3)", "minimum of 1"]),
    (np.zeros((3, 0)), ["0 feature(s)", "(3, 0)", "minimum of 1"]),
    ([[1, 2], [3]], ["different lengths"]),
    ([["a", 1]], ["expected numbers", "'a'"]),
    ([[1j, 2]], ["Complex data not supported", "complex128"]),
    (np.array([["2020-01-01"]], dtype="M8[D]"), ["expected numbers", "datetime64"]),
    (np.array([[3]], dtype="m8[D]"), ["expected numbers", "timedelta64"]),
    (np.zeros((2, 2), dtype=[("height", float)]), ["expected numbers", "height"]),
    (np.ma.masked_array([[1.0, 2]], mask=[[True, False]]), ["masked", "fill"]),
    ([np.ma.masked_array([1.0, 2], mask=[True, False])], ["masked", "fill"]),
    ((np.ma.masked_array([1.0, 2], mask=[False, True]), [3, 4]), ["masked", "fill"]),
    ([[10**400]], ["expected numbers", "too large"]),
    ([[np.longdouble(2) ** 2000]], ["infinity"]),
    ([[1, None]], ["NaN"]),
])
def test_the_message_says_what_came(bad, words):
    if np.finfo(np.longdouble).max == np.finfo(np.float64).max and "infinity" in words:
        pytest.skip("long double is double here")
    message = refuses(as_matrix, bad, name="Y")
    assert message.startswith("Y: ") and all(word in message for word in words), message


@pytest.mark.parametrize("bad, words", [
    (Sparse(), ["sparse", "toarray()", "by KMeans"]),
    ([[{}, 1]], ["expected numbers", "string or a number"]),
    (object(), ["expected numbers", "object"]),
    (None, ["expected numbers", "NoneType"]),
    ((row for row in [[1.0, 2]]), ["expected numbers", "generator", "a list of what it holds"]),
    (map(list, [[1.0, 2]]), ["expected numbers", "map", "a list of what it holds"]),
    ({0: [1.0, 2]}.values(), ["expected numbers", "dict_values", "a list of what it holds"]),
    ({(1.0, 2)}, ["expected numbers", "set", "no order"]),
    ({"a": [1.0, 2]}, ["expected numbers", "dict", "np.column_stack(list(d.values()))"]),
])
def test_what_is_no_table_at_all_is_a_type_error(bad, words):
    message = refuses(as_matrix, bad, owner="KMeans", error=TypeError)
    assert all(word in message for word in words), message


def test_masks_that_hide_nothing_are_no_masks():
    X = np.ma.masked_array([[1.0, 2]], mask=False)
    assert unmasked(X, "X") is X and as_matrix([X[0]]).tolist() == [[1, 2]]
    assert "masked" in refuses(unmasked, [np.ma.masked], "X")


def test_too_few_samples_name_who_needs_them():
    assert as_matrix(np.ones((2, 1)), min_samples=2).shape == (2, 1)
    message = refuses(as_matrix, np.ones((1, 3)), min_samples=2, owner="IncrementalPCA")
    assert "1 sample(s)" in message and "minimum of 2 is required by IncrementalPCA" in message


def test_an_unmasked_masked_array_is_an_array():
    assert as_matrix(np.ma.masked_array([[1.0, 2]], mask=False)).tolist() == [[1, 2]]


# --- not finite

@given(hnp.array_shapes(min_dims=1, max_dims=3, max_side=5), st.sampled_from([np.float32, np.float64]),
       st.sampled_from([np.nan, np.inf, -np.inf]), seeds)
def test_the_first_bad_number_is_found(shape, dtype, bad, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape).astype(dtype)
    assert finite(X, "X") is X
    first = rng.integers(X.size)
    X.flat[first:] = rng.choice([1, np.nan, np.inf], size=X.size - first)
    X.flat[first] = bad
    place = ", ".join(map(str, np.unravel_index(first, shape)))
    what = "NaN" if np.isnan(bad) else "infinity"
    message = refuses(finite, X, "X")
    assert message == f"X: Input contains {what}, first at [{place}]. Remove such values or fill them in."


def test_opposite_infinities_are_found():                # their sum is NaN
    assert "infinity, first at [1]" in refuses(finite, np.array([0, np.inf, -np.inf]), "x")


def test_a_sum_that_overflows_is_no_reason_to_refuse():
    for X in (np.full((4, 4), 1e308), np.full((4, 4), -3e38, np.float32)):
        assert finite(X, "X") is X


def test_missing_values_may_be_allowed_but_no_infinity():
    X = np.array([[1, np.nan], [np.nan, 2]])
    assert np.shares_memory(as_matrix(X, allow_nan=True), X)
    X[1, 1] = -np.inf
    assert "infinity, first at [1, 1]" in refuses(as_matrix, X, allow_nan=True)


# --- vectors

def test_vectors():
    x = np.array([1.0, 2, 3])
    assert np.shares_memory(as_vector(x, name="x"), x) and np.shares_memory(as_vector(x, name="x", size=3), x)
    assert as_vector(x[::-1], name="x").tolist() == [3, 2, 1] and as_vector([1, 2], name="x").dtype == np.float64
    assert as_vector(np.ones(2, np.float32), name="x").dtype == np.float32
    assert as_vector([], name="x").shape == (0,)


@pytest.mark.parametrize("bad, size, words", [
    ([1.0, 2], 3, ["(3,)", "(2,)"]),
    (1.0, None, ["(N,)", "()"]),
    ([[1.0]], None, ["(N,)", "(1, 1)"]),
    ([1.0, np.nan], None, ["NaN", "[1]"]),
    (["one"], None, ["expected numbers", "one"]),
])
def test_bad_vectors(bad, size, words):
    message = refuses(as_vector, bad, name="x", size=size)
    assert message.startswith("x: ") and all(word in message for word in words), message


def test_a_single_number_that_is_not_finite_has_no_place():
    assert "as its value" in refuses(finite, as_floats(np.nan, "x"), "x")
    assert as_floats(2, "x").shape == ()


# --- values that are squared

@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (200, 50)])
def test_what_is_safe_to_square_is(dtype, shape):
    limits, size = np.finfo(dtype), shape[0] * shape[1]
    least = float(limits.tiny) ** 0.5 / float(limits.eps)
    most = (float(limits.max) / 4 / size) ** 0.5
    for largest in (1.01 * least, 1.0, 0.99 * most, 0.0):
        X = np.full(shape, largest, dtype)
        assert safe_to_square(X) is X
        with np.errstate(all="raise"):
            differences = X + X
            total = (differences * differences).sum()
        assert total / size >= 4 * largest**2 * (1 - 1e-3)
    for largest in (0.99 * least, 1.01 * most, -1.01 * most):
        X = np.zeros(shape, dtype)
        X[...] = largest
        message = refuses(safe_to_square, X, "Y")
        assert message.startswith("Y: ") and f"{abs(X[0, 0]):.3g}" in message and "divide Y by" in message
        factor = float(message.rpartition(" ")[2])
        safe_to_square(X / dtype(factor))                # the remedy helps


def test_only_the_largest_magnitude_counts():
    assert safe_to_square(np.array([[1e-300, -1.0]])).tolist() == [[1e-300, -1]]
    assert safe_to_square(np.array([[0.9e153, 0, 0, 0]])) is not None
    assert "1e+154" in refuses(safe_to_square, np.array([[1.0, -1e154]]))
    assert safe_to_square(np.zeros((0, 3))).shape == (0, 3)


def test_what_is_squared_in_double_precision_is_judged_there():
    for value in (1e-45, 1e-30, 1e30, 3e38):
        X = np.full((50, 3), value, np.float32)
        assert safe_to_square(X, work=np.float64) is X and safe_to_square(X, weight=1e30, work=np.float64) is X
        assert "float32" in refuses(safe_to_square, X)
    assert "float64" in refuses(safe_to_square, np.array([[1e200]]), work=np.float64)


def test_a_type_that_cannot_hold_the_numbers():
    X = np.array([[1.0, 2]])
    assert held_in(X, np.float64) is X and held_in(X, np.float32).dtype == np.float32
    assert held_in(np.array([[1e-300]]), np.float32).tolist() == [[0]]
    message = refuses(held_in, np.array([[1.0, -1e300]]), np.float32, "init")
    assert message.startswith("init: ") and "1e+300" in message and "float32" in message


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_that_come_later_may_be_small_but_not_too_large(dtype):
    limits = np.finfo(dtype)
    for value in (limits.smallest_subnormal, limits.tiny, 1.0):
        X = np.array([[value, 0]], dtype)
        assert safe_to_square(X, fitted=True) is X and safe_to_square(X, weight=1e-30, fitted=True) is X
    assert "divide" in refuses(safe_to_square, np.array([[1, limits.max / 4]], dtype), fitted=True)


@pytest.mark.parametrize("value, weight", [(1e100, 1e110), (1e-100, 1e-100), (1e153, 50), (1e-138, 0.01)])
def test_a_weight_counts_too(value, weight):
    X = np.array([[value, 0], [0, value]])
    assert safe_to_square(X) is X
    message = refuses(safe_to_square, X, weight=weight)
    assert f"the weight {weight:.3g}" in message
    safe_to_square(X / value, weight=weight)


def test_a_sum_of_squares_that_is_known_saves_a_look():
    X = np.full((3, 2), 1e200)
    assert safe_to_square(X, squares=6.0) is X           # taken at its word
    for squares in (np.inf, np.nan, 1e308, 0.0):         # what proves nothing
        assert "1e+200" in refuses(safe_to_square, X, squares=squares)
        assert safe_to_square(np.ones((3, 2)), squares=squares) is not None
    small = np.full((3, 2), 0.9 * np.finfo(float).tiny ** 0.5 / np.finfo(float).eps)
    assert "divide" in refuses(safe_to_square, small, squares=(small**2).sum())
    assert "1e+200" in refuses(safe_to_square, X, squares=6.0, weight=1e308)
    assert "1e+200" in refuses(safe_to_square, X, squares=6.0, weight=1e-290)


# --- weights

def test_weights():
    none = sample_weights(None, 3, np.float32)
    assert none.tolist() == [1, 1, 1] and none.dtype == np.float32
    assert sample_weights(2, 3, np.float64).tolist() == [2, 2, 2]
    assert sample_weights([0, 1, 2.5], 3, np.float64).tolist() == [0, 1, 2.5]
    assert sample_weights(np.float32([1, 2]), 2, np.float64).dtype == np.float64
    w = np.array([1.0, 2])
    assert np.shares_memory(sample_weights(w, 2, w.dtype), w)


@pytest.mark.parametrize("bad, dtype, words", [
    ([1.0, 2, 3], np.float64, ["(2,)", "(3,)"]),
    ([[1.0], [2]], np.float64, ["(2,)", "(2, 1)"]),
    ([1.0, -0.5], np.float64, ["negative", "-0.5 at 1"]),
    (-1, np.float64, ["negative", "-1.0 at 0"]),
    ([0.0, 0], np.float64, ["every weight is zero", "at least one"]),
    ([1.0, np.nan], np.float64, ["NaN", "[1]"]),
    ([1.0, np.inf], np.float64, ["infinity"]),
    (["a", "b"], np.float64, ["expected numbers"]),
    ([1.0, 1.5e308], np.float64, ["1.5e+308", "sums", "float64", "divide"]),
    ([1.0, 3e38], np.float32, ["3e+38", "float32", "divide"]),
    ([1.0, 1e100], np.float32, ["1e+100", "float32"]),
    ([1e-40, 0], np.float32, ["1e-40", "float32"]),
    ([1e-310, 0], np.float64, ["1e-310", "float64"]),
])
def test_bad_weights(bad, dtype, words):
    message = refuses(sample_weights, bad, 2, dtype)
    assert message.startswith("sample_weight: ") and all(word in message for word in words), message


# --- parameters

@pytest.mark.parametrize("value", [1, 3, np.int8(3), np.uint64(2**63), 10**30])
def test_whole_numbers(value):
    assert whole_number(value, "n") == value and type(whole_number(value, "n")) is int
    assert whole_number(0, "n", least=0) == 0


@pytest.mark.parametrize("value, least", [(0, 1), (-1, 0), (1.0, 1), (True, 1), (np.True_, 1), (None, 1), ("2", 1),
                                          (np.nan, 1), ([1], 1), (4, 5), (np.timedelta64(3), 1),
                                          (np.timedelta64(3, "D"), 1)])
def test_no_whole_number(value, least):
    message = refuses(whole_number, value, "n_clusters", least=least)
    assert message.startswith(f"n_clusters={value!r}: ") and f"at least {least}" in message


@pytest.mark.parametrize("value", [0, 0.5, 10**300, np.float32(0.5), np.int8(3), Fraction(1, 3)])
def test_real_numbers(value):
    assert real_number(value, "tol") == float(value) and type(real_number(value, "tol")) is float
    assert real_number(-1.5, "x", least=-2.0) == -1.5 and real_number(1e-9, "x", above=0) == 1e-9


@pytest.mark.parametrize("value", [-1e-300, np.nan, np.inf, -np.inf, np.float32(np.inf), 10**400, -10**400, "0.5", None,
                                   True, np.True_, 1j, [0.5], np.array(0.5), np.timedelta64(3, "D")])
def test_no_real_number(value):
    message = refuses(real_number, value, "tol")
    assert message.startswith(f"tol={value!r}: ") and "a number, at least 0" in message


def test_a_limit_that_is_not_itself_allowed():
    assert "perplexity=1: expected a number, greater than 1" in refuses(real_number, 1, "perplexity", above=1)
    assert real_number(1, "perplexity") == 1


def test_choices():
    assert one_of("full", "solver", ("full", "randomized")) == "full"
    for value in ("Full", "", None, 1, ["full"], np.array("full")):
        message = refuses(one_of, value, "solver", ("full", "randomized"))
        assert message.startswith(f"solver={value!r}: ") and "'full', 'randomized'" in message


def test_nothing_here_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bad in ([[np.longdouble("1e4000")]], [[1e308, 1e308]], np.float32([[3e38, 3e38]]), [[np.inf, -np.inf]]):
            try:
                as_matrix(bad)
                safe_to_square(as_matrix(bad))
            except ValueError:
                pass


@pytest.mark.parametrize("things, answer", [
    ([], True), ((1,), True), (iter([1]), True), (np.zeros(0), True), ({}.keys(), True), (range(3), True),
    ("ab", False),
    (b"ab", False), ({1}, False), ({}, False), (frozenset(), False), (np.array(1), False), (5, False), (None, False),
])
def test_what_is_in_order(things, answer):
    assert in_order(things) is answer


@pytest.mark.parametrize("value, answer", [(None, True), (float("nan"), True), (np.datetime64("NaT"), True), (0, False),
                                           ("", False), (np.float32("nan"), True), (False, False),
                                           (np.str_("a"), False)])
def test_what_is_missing(value, answer):
    assert is_missing(value) is answer


# --- data frames

def frame(**columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def test_a_frame_of_nullable_numbers_is_a_table():
    pandas = pytest.importorskip("pandas")
    table = frame(a=pandas.array([1, 2, 3], dtype="Int64"), b=[1.5, 2, 3],
                  c=pandas.array([True, False, True], "boolean"))
    assert as_matrix(table).tolist() == [[1, 1.5, 1], [2, 2, 0], [3, 3, 1]]
    assert as_matrix(frame(a=[1.0, 2]).astype(np.float32)).dtype == np.float32
    table = pandas.concat([frame(a=[1, 2]), frame(a=pandas.array([3, 4], dtype="Int32"))], axis=1)     # two alike
    assert as_matrix(table).tolist() == [[1, 3], [2, 4]]
    missing = frame(a=pandas.array([1, None], dtype="Int64"), b=[1, 2])
    np.testing.assert_array_equal(as_matrix(missing, allow_nan=True), [[1, 1], [np.nan, 2]])


@pytest.mark.parametrize("make, words", [
    (lambda pd: frame(a=[1, 2, 3], b=pd.array([1, None, 3], dtype="Int64")), ["NaN", "[1, 1]", "'b'", "fill"]),
    (lambda pd: frame(a=[1, 2, 3], b=pd.array([1.0, None, 3], dtype="Float32")), ["NaN", "[1, 1]", "'b'"]),
    (lambda pd: frame(a=[1, 2, 3], b=[1, np.nan, 3]), ["NaN", "[1, 1]", "'b'"]),
    (lambda pd: frame(a=[1, 2, 3], b=[1, np.inf, 3]), ["infinity", "[1, 1]", "'b'"]),
    (lambda pd: frame(a=[1, 2, 3], b=pd.array([True, None, True], dtype="boolean")), ["NaN", "[1, 1]", "'b'"]),
    (lambda pd: frame(a=[1, 2, 3], b=[1, None, "3"]), ["NaN", "[1, 1]", "'b'"]),
    (lambda pd: frame(t=pd.date_range("2020", periods=3), b=1.0), ["'t'", "dates", "datetime64", "numbers"]),
    (lambda pd: frame(t=pd.date_range("2020", periods=3)), ["'t'", "dates", "datetime64"]),
    (lambda pd: frame(b=1, t=pd.date_range("2020", periods=3, tz="UTC")), ["'t'", "dates", "UTC"]),
    (lambda pd: frame(b=1, t=pd.to_timedelta([1, 2, 3], unit="h")), ["'t'", "times", "timedelta64"]),
    (lambda pd: frame(b=[1, 2, 3], t=[__import__("datetime").date(2020, 1, day) for day in (1, 2, 3)]),
     ["'t'", "dates"]),
    (lambda pd: frame(b=1, p=pd.period_range("2020", periods=3, freq="D")), ["'p'", "period"]),
    (lambda pd: frame(b=1, c=["x", "y", "z"]), ["'c'", "'x'"]),
    (lambda pd: frame(b=1, c=pd.Categorical(["x", "y", "x"])), ["'c'", "category", "'x'"]),
])
def test_what_is_wrong_with_a_frame_names_the_column(make, words):
    message = refuses(as_matrix, make(pytest.importorskip("pandas")), name="Y")
    assert message.startswith("Y: ") and all(word in message for word in words), message


def test_a_missing_value_outside_of_a_frame():
    pandas = pytest.importorskip("pandas")
    assert "NaN, first at [0, 1]" in refuses(as_matrix, [[1, pandas.NA], [2, 3]])
    assert "NaN, first at [1]" in refuses(as_vector, pandas.Series([1, None, 3], dtype="Int64"), name="x")


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
def test_true_and_false(value):
    assert true_or_false(value, "whiten") is bool(value)


@pytest.mark.parametrize("bad", ["False", "no", 0, 1, 1.0, None, [], np.array([True])])
def test_what_only_counts_as_true_or_false(bad):
    assert refuses(true_or_false, bad, "whiten") == f"whiten={bad!r}: expected True or False"
