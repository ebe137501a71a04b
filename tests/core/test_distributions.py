"""Tails against exact sums and long decimals, to the digits that the chapter states, and the laws that tails obey."""
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.distributions import (hypergeometric_cdf, hypergeometric_pmf, hypergeometric_sf, normal_cdf,
                                          normal_isf, normal_sf, student_cdf, student_isf, student_sf)
from tests.reference import distributions as reference
from tests.reference.special import exact
from tests.strategies.distributions import freedom, tables, tails, thresholds

EPS, INF, NAN, TINY = float(np.finfo(float).eps), math.inf, math.nan, 2.3e-308


def assert_near(got, expected, relative):
    """`got` is a float, and as near as stated, but where numbers lose their digits below 2.3e-308."""
    assert type(got) is float and not math.isnan(got)
    expected = exact(expected)
    loss = Decimal("1e-323") + abs(expected) * Decimal("1e-12") if abs(expected) < TINY else 0
    assert abs(Decimal(got) - expected) <= Decimal(relative) * abs(expected) + loss, (got, expected)


# --- normal

@given(thresholds)
def test_normal_tails(z):
    assert_near(normal_sf(z), reference.normal_sf(z), (4 + z * z) * EPS)
    assert_near(normal_cdf(z), reference.normal_cdf(z), (4 + z * z) * EPS)


@given(tails.filter(lambda q: 1e-100 < q < 1))
def test_normal_quantiles(q):
    assert_near(normal_isf(q), reference.normal_isf(q), 4 * EPS)


@pytest.mark.parametrize("q", [5e-324, 1e-308, 1e-300, 1e-291, 0.25, 0.25000000000000006, 0.75, 1 - 2**-53])
def test_normal_quantiles_where_the_method_changes(q):
    assert_near(normal_isf(q), reference.normal_isf(q), 4 * EPS)


# --- Student

@given(thresholds, freedom)
def test_student_tails(t, ν):
    assert_near(student_sf(t, ν), reference.student_sf(t, ν), 2e-13)
    assert_near(student_cdf(t, ν), reference.student_cdf(t, ν), 2e-13)


@pytest.mark.parametrize("ν", [1e-6, 0.01, 0.3, 1e5, 1e6, 1e9])
@pytest.mark.parametrize("t", [1e-9, 0.4, 1.0, 1.7, 1.75, 3.0, 9.0])
def test_student_tails_of_few_and_of_many_degrees_of_freedom(t, ν):
    assert_near(student_sf(t, ν), reference.student_sf(t, ν), 2e-13)


@given(st.floats(-40, 40), st.integers(1, 40))
def test_student_is_a_finite_sum_for_whole_numbers(t, ν):
    assert abs(student_sf(t, ν) - reference.student_sf_of_whole(t, ν)) <= 4e-15


@pytest.mark.parametrize("q", [0.9, 0.5 + 1e-9, 0.49999, 0.25, 0.1, 1e-6, 1e-60])
@pytest.mark.parametrize("ν", [0.5, 1, 1.5, 7, 1e3, 1e6])
def test_student_quantiles(q, ν):
    assert_near(student_isf(q, ν), reference.student_isf(q, ν), 2e-13 if ν >= 1 else 1e-12 / ν)


@given(tails.filter(lambda q: q < 1), freedom)
def test_student_quantiles_lie_between_neighbours_of_different_tails(q, ν):
    """The same without solving anything: what is 4e-13 of t less is exceeded too often, what is more too seldom."""
    t, q = student_isf(q, ν), Decimal(q)
    if t == 0 or math.isinf(t):
        assert q == Decimal(0.5) or reference.student_sf(1.7e308, ν) > q
    else:
        span = abs(Decimal(t)) * Decimal("4e-13")
        assert reference.student_sf(Decimal(t) - span, ν) > q > reference.student_sf(Decimal(t) + span, ν)


@given(st.floats(1e-300, 0.5))
def test_student_quantiles_in_closed_form(q):
    assert_near(student_isf(q, 1), Decimal(1 / math.tan(math.pi * q)) if q < 0.49 else student_isf(q, 1), 2e-13)
    assert_near(student_isf(q, 2), (1 - 2 * Decimal(q)) / (2 * Decimal(q) * (1 - Decimal(q))).sqrt(), 2e-13)


# --- hypergeometric

@given(tables())
def test_hypergeometric(table):
    assert_near(hypergeometric_pmf(*table), reference.hypergeometric_pmf(*table), 1e-13)
    assert_near(hypergeometric_cdf(*table), reference.hypergeometric_cdf(*table), 1e-13)
    assert_near(hypergeometric_sf(*table), reference.hypergeometric_sf(*table), 1e-13)


@given(tables(most=3000))
def test_hypergeometric_of_many(table):
    for ours in (hypergeometric_pmf, hypergeometric_cdf, hypergeometric_sf):
        expected = getattr(reference, ours.__name__)(*table)
        assert_near(ours(*table), expected, 4e-13 if not 0 < expected < Fraction(1, 10**300) else 1)


def test_recall_in_a_sample_is_hypergeometric():
    """Among the best 3 of 10, if the 9 others are drawn from 99 of which 5 are better: at most 2 of these."""
    ways = sum(math.comb(5, j) * math.comb(94, 9 - j) for j in range(3))
    assert_near(hypergeometric_cdf(2, 99, 5, 9), Fraction(ways, math.comb(99, 9)), 1e-13)


def test_fisher():
    """8, 2 against 1, 5: the tables no likelier than this one have probability .034965034965."""
    P = hypergeometric_pmf(np.arange(11), 16, 9, 10)
    assert abs(P[P <= P[8] * (1 + 1e-14)].sum() - 0.034965034965034965) < 1e-15


# --- laws

@given(thresholds, freedom)
def test_tails_are_symmetric_and_complementary(t, ν):
    assert normal_cdf(t) == normal_sf(-t) and student_cdf(t, ν) == student_sf(-t, ν)
    assert abs(normal_cdf(t) + normal_sf(t) - 1) <= 4 * EPS and abs(student_sf(t, ν) + student_sf(-t, ν) - 1) <= 4e-15


@given(tails, freedom)
def test_the_inverse_undoes_the_tail(q, ν):
    if TINY < q < 1:
        assert abs(normal_sf(normal_isf(q)) / q - 1) <= 2e-12                    # z eps moves q by z² eps
        t = student_isf(q, ν)
        if not math.isinf(t):
            assert abs(student_sf(t, ν) / q - 1) <= 1e-12 * max(1, math.log(t * t / ν + 1))


@given(tails.filter(lambda q: 1e-300 < q < 1))
def test_student_tends_to_normal(q):
    """t = z + (z³ + z) / 4ν + O(z⁵ / ν²), within the bound that the chapter states, a tenth of the second term."""
    z, ν = normal_isf(q), 1e11
    assert abs(student_isf(q, ν) - z - (z**3 + z) / (4 * ν)) <= 2e-13 * abs(z)
    assert abs(student_sf(z, 1e150) / q - 1) <= 1e-12


@given(st.lists(tails, min_size=2, max_size=9), freedom)
def test_quantiles_fall(q, ν):
    q = np.sort(q)
    z, t = normal_isf(q), student_isf(q, ν)
    assert (z[1:] <= z[:-1]).all()
    assert all(b <= a or math.isclose(a, b, rel_tol=4e-13) for a, b in zip(t, t[1:]))


@given(st.floats(0.01, 30), freedom, freedom)
def test_fewer_degrees_of_freedom_have_heavier_tails(t, ν, more):
    ν, more = min(ν, more), max(ν, more)
    assert student_sf(t, ν) >= student_sf(t, more) * (1 - 4e-13) >= normal_sf(t) * (1 - 1e-12)


@given(tables())
def test_hypergeometric_counts_from_either_side(table):
    k, M, K, n = table
    assert abs(hypergeometric_pmf(k, M, K, n) - hypergeometric_pmf(k, M, n, K)) <= 1e-13
    assert abs(hypergeometric_cdf(k, M, K, n) - hypergeometric_sf(n - k - 1, M, M - K, n)) <= 1e-13
    all_k = np.arange(n + 1)
    assert abs(hypergeometric_pmf(all_k, M, K, n).sum() - 1) <= 1e-13
    sums = hypergeometric_pmf(all_k, M, K, n).cumsum()
    assert np.allclose(sums, hypergeometric_cdf(all_k, M, K, n), rtol=0, atol=1e-13)


# --- the edges

@pytest.mark.parametrize("f, arguments, expected", [
    (normal_sf, (INF,), 0), (normal_sf, (-INF,), 1), (normal_cdf, (-39,), 0), (normal_sf, (0,), 0.5),
    (normal_isf, (0,), INF), (normal_isf, (1,), -INF), (normal_isf, (0.5,), 0),
    (student_sf, (0, 3), 0.5), (student_sf, (INF, 3), 0), (student_cdf, (INF, 3), 1), (student_cdf, (-INF, 3), 0),
    (student_isf, (0, 3), INF), (student_isf, (1, 3), -INF), (student_isf, (0.5, 3), 0),
    (student_isf, (1e-300, 0.5), INF), (student_isf, (1 - 2**-53, 0.01), -INF),
    (hypergeometric_pmf, (0, 0, 0, 0), 1), (hypergeometric_pmf, (3, 9, 9, 3), 1), (hypergeometric_pmf, (4, 9, 9, 3), 0),
    (hypergeometric_cdf, (-1, 9, 4, 3), 0), (hypergeometric_cdf, (INF, 9, 4, 3), 1),
    (hypergeometric_sf, (-INF, 9, 4, 3), 1), (hypergeometric_sf, (3, 9, 4, 3), 0),
])
def test_ends(f, arguments, expected):
    assert f(*arguments) == expected and type(f(*arguments)) is float


@pytest.mark.parametrize("ν", [1e-150, 1e-9, 0.01, 1e15, 1e150])
@pytest.mark.parametrize("t", [1e-300, 1e-9, 1, 1.74, 37, 1e9, 1e200, 1.7e308])
def test_student_of_any_size_is_a_tail(t, ν):
    assert 0 <= student_sf(t, ν) <= 0.5
    p = student_sf(t, ν)
    if 1e-300 < p < 0.49:
        assert math.isclose(student_isf(p, ν), t, rel_tol=1e-12 * max(1, 1 / ν))


@pytest.mark.parametrize("f, arguments, words", [
    (normal_cdf, (NAN,), "z: got nan"), (normal_sf, ([0, NAN],), r"z: got nan at \[1\]"),
    (normal_isf, (1.1,), "q: got 1.1"), (normal_isf, (-1e-300,), "q: got -1e-300, expected numbers from 0 to 1"),
    (normal_isf, (NAN,), "q"), (student_sf, (NAN, 1), "t"), (student_sf, (1, 0), "ν: got 0.0"),
    (student_sf, (1, INF), "ν"), (student_sf, (1, NAN), "ν"), (student_isf, (2, 3), "q: got 2"),
    (student_isf, (0.1, -1), "ν"), (student_isf, ([0.1] * 2, [1] * 3), "do not go together"),
    (hypergeometric_pmf, (1.5, 9, 4, 3), "k: got 1.5, expected whole"),
    (hypergeometric_cdf, (1, 9.5, 4, 3), "M: got 9.5"),
    (hypergeometric_cdf, (1, 9, 10, 3), "K: 10 marked of 9"), (hypergeometric_sf, (1, 9, 4, 10), "n: 10 drawn of 9"),
    (hypergeometric_sf, (1, 2**31, 4, 10), "M: got"), (hypergeometric_sf, (1, 9, -1, 2), "K: got -1"),
    (hypergeometric_sf, (NAN, 9, 1, 2), "k: got nan"),
    (student_sf, ("a", 1), "t: expected numbers"),
])
def test_what_makes_no_sense_is_refused_in_words(f, arguments, words):
    with pytest.raises(ValueError, match=words):
        f(*arguments)


def test_the_largest_population():
    """Half of 2³¹ - 1 are drawn: nearly normal."""
    M, K, n = 2**31 - 1, 10**6, 2**30
    spread = math.sqrt(K * (M - K) / M * (n / M) * (M - n) / (M - 1))
    k = int(K * n / M + 3 * spread)
    assert math.isclose(hypergeometric_sf(k, M, K, n), normal_sf((k + 0.5 - K * n / M) / spread), rel_tol=1e-3)
    assert abs(hypergeometric_sf(k, M, K, n) + hypergeometric_cdf(k, M, K, n) - 1) < 1e-15


def test_arrays_of_any_shape():
    ν = np.array([[1.0], [4.0]], np.float32)
    got = student_isf([0.5, 0.1, 0.01], ν)
    assert got.shape == (2, 3) and got.dtype == np.float64 and got[1, 2] == student_isf(0.01, 4)
    assert hypergeometric_pmf([0, 1], [[5], [6]], 2, 2).shape == (2, 2) and normal_cdf([]).shape == (0,)


@pytest.mark.parametrize("q", [0.0, 5e-324, 1e-6, 0.158, 0.3, 0.5, 0.8, 1 - 2**-53, 1.0])
@pytest.mark.parametrize("ν", [1e-150, 0.3, 1, 7.5, 1e5, 1e150])
def test_one_number_is_what_it_is_in_an_array(q, ν):
    assert student_isf(q, ν) == student_isf([q], ν)[0] == student_isf(np.float64(q), np.float64(ν))
    assert type(student_isf(np.float64(q), ν)) is float


def test_the_number_of_threads_does_not_matter(monkeypatch):
    q = np.linspace(0, 1, 5001)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = student_isf(q, 3.5)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    assert np.array_equal(student_isf(q, 3.5), alone) and alone[17] == student_isf(q[17], 3.5)
