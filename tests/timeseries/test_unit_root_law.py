"""The law of τ: MacKinnon's polynomials as published, and walks that are drawn."""
import math
import os

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries.unit_root_law import (MACKINNON, TERMS, _null_distribution, asymptotic_p_value,
                                                critical_values, null_distribution, simulated_p_value, trend)
from tests.reference import unit_root_law as reference
from tests.strategies.unit_root_law import regressions, steps

EPS = np.finfo(float).eps
each_regression = pytest.mark.parametrize("d", TERMS)
compiled = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="millions of steps in plain Python")


# --- equal to the definition

@given(st.floats(-25, 4), regressions)
def test_p_values_are_the_polynomials(τ, d):
    """erfc's relative error grows with its argument, up to 6."""
    assert math.isclose(asymptotic_p_value(τ, d), reference.asymptotic_p_value(τ, d), rel_tol=1e-12, abs_tol=1e-300)


@given(st.integers(1, 100_000), regressions)
def test_critical_values_are_the_polynomials(n, d):
    np.testing.assert_allclose(critical_values(n, d), reference.critical_values(n, d), rtol=1e-13, atol=1e-12)


@given(steps(), regressions)
def test_the_walks_are_regressed_as_defined(E, d):
    """D may leave little of a short walk: as much less of x x as its digits that are asked for."""
    expected = reference.null_distribution(E.tolist(), d)
    for found in (null_distribution(E, d), _null_distribution(E, np.linalg.qr(trend(E.shape[1], d))[0])):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


def test_steps_in_float32_are_taken_as_they_are():
    E = np.random.default_rng(0).standard_normal((5, 40), dtype=np.float32)
    Q = np.linalg.qr(trend(40, "ct"))[0]
    np.testing.assert_allclose(_null_distribution(E, Q), _null_distribution(E.astype(float), Q), rtol=1e-13)


# --- published

@pytest.mark.parametrize("d, published", [("n", [-2.66, -1.95, -1.60]), ("c", [-3.75, -3.00, -2.63]),
                                          ("ct", [-4.38, -3.60, -3.24])])
def test_fullers_table_of_1976_for_25_values(d, published):
    """Two digits, from far fewer draws than today's: within .03."""
    np.testing.assert_allclose(critical_values(25, d), published, atol=0.03)


def test_an_endless_series_has_the_known_quantiles():
    for d, level, known in (("n", 1, -1.941), ("c", 1, -2.862), ("ct", 1, -3.410), ("c", 0, -3.430)):
        assert round(critical_values(10**9, d)[level], 3) == known
        assert abs(asymptotic_p_value(known, d) - (0.05 if level else 0.01)) < 5e-4


# --- laws

@each_regression
def test_p_rises_with_tau(d):
    """But for 1e-7 just below the greatest τ, where the cubic has turned."""
    p = [asymptotic_p_value(τ, d) for τ in np.linspace(-20, 4, 5001)]
    assert p[0] == 0 and p[-1] > 0.99 and np.diff(p).min() > -1e-7


@each_regression
def test_ends(d):
    law = MACKINNON[d]
    assert asymptotic_p_value(law.least - 1e-9, d) == 0 and asymptotic_p_value(-math.inf, d) == 0
    if law.greatest < math.inf:
        assert asymptotic_p_value(law.greatest + 1e-9, d) == 1 and asymptotic_p_value(math.inf, d) == 1
    assert 0 <= asymptotic_p_value(law.least, d) < 1e-15


@compiled
@each_regression
@pytest.mark.parametrize("n", [25, 50, 100, 250])
def test_walks_agree_with_the_formula_for_their_length(d, n):
    """40,000 walks: the share below a critical value is its level, within three standard errors."""
    for level, critical in zip((.01, .05, .1), critical_values(n, d)):
        share = simulated_p_value(critical, n, d, draws=40_000, random_state=n)
        assert abs(share - level) < 3 * math.sqrt(level * (1 - level) / 40_000), (level, share)


@compiled
def test_walks_seem_to_come_back():
    """19 of 20 slopes are negative where a level is estimated, and half of all τ are below -1.5."""
    assert 0.94 < simulated_p_value(0.0, 25, "c", draws=20_000, random_state=5) < 0.96
    assert abs(simulated_p_value(-1.52, 25, "c", draws=20_000, random_state=5) - 0.5) < 0.02


@compiled
@pytest.mark.parametrize("n, share", [(25, .0646), (50, .0576), (100, .0538)])
def test_what_five_percent_of_the_endless_law_are_in_a_short_series(n, share):
    """P(τ < -2.86): within three standard errors of the shares that 400,000 walks have shown, and (1) says .0502."""
    found = simulated_p_value(-2.86, n, "c", draws=100_000, random_state=1)
    assert abs(found - share) < 3 * math.sqrt(share * (1 - share) * (1 / 100_000 + 1 / 400_000))
    assert found > asymptotic_p_value(-2.86, "c") + 3 * math.sqrt(share * (1 - share) / 100_000)


def test_the_same_bits_on_any_number_of_threads(monkeypatch):
    found = set()
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.add(simulated_p_value(-1.7, 400, "ct", draws=1000, random_state=2))
    assert len(found) == 1


def test_p_counts_itself_and_rises_with_tau_exactly():
    assert simulated_p_value(-1e9, 20, "c", draws=99, random_state=0) == 0.01
    assert simulated_p_value(1e9, 20, "c", draws=99, random_state=0) == 1
    p = [simulated_p_value(τ, 20, "c", draws=999, random_state=0) for τ in np.linspace(-5, 2, 30)]
    assert (np.diff(p) >= 0).all()


@compiled
def test_blocks_of_draws_are_one_stream():
    """More walks than a block holds: the first are those of a smaller number, and a Generator goes on."""
    rng = np.random.default_rng(4)
    first, second = (simulated_p_value(-1.5, 2**19, "n", draws=3, random_state=rng) for _ in range(2))
    assert first in (.25, .5, .75, 1) and second in (.25, .5, .75, 1)
    E = np.random.default_rng(4).standard_normal((3, 2**19), dtype=np.float32)
    assert first == (1 + (null_distribution(E.astype(float), "n") <= -1.5).sum()) / 4
