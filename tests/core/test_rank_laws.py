"""Laws of ranks against exact counts, drawn paths, and one another."""
import math
import os

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.rank_laws import kolmogorov_sf, mann_whitney_cdf, smirnov_tail
from tests.reference import rank_laws as reference
from tests.strategies.rank_laws import areas, distances

small = st.integers(1, 5)
compiled = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="minutes in plain Python")


def exactly(found, expected, digits=1e-12):
    assert found == pytest.approx(float(expected), rel=digits, abs=1e-300)


# --- against the definition

@given(areas())
def test_mann_whitney_is_its_definition(drawn):
    exactly(mann_whitney_cdf(*drawn), reference.mann_whitney_cdf(*drawn))


@given(distances())
def test_smirnov_is_its_definition(drawn):
    exactly(smirnov_tail(*drawn), reference.smirnov_tail(*drawn))


@given(st.floats(0.1, 12))
def test_kolmogorov_is_its_definition(z):
    exactly(kolmogorov_sf(z), reference.kolmogorov_sf(z), 1e-13)


@given(small, small)
def test_every_path_is_as_likely(n, m):
    drawn, away = list(reference.areas(n, m)), list(reference.farthest(n, m))
    for u in range(n * m + 1):
        exactly(mann_whitney_cdf(u, n, m), np.mean([area <= u for area in drawn]))
    for d in range(math.lcm(n, m) + 1):
        exactly(smirnov_tail(d, n, m), np.mean([far >= d for far in away]))


# --- laws

@given(areas(most=300))
def test_both_tails_are_alike_and_the_samples_can_change_places(drawn):
    u, n, m = drawn
    exactly(mann_whitney_cdf(u, n, m) + (mann_whitney_cdf(n * m - u - 1, n, m) if u < n * m else 0), 1)
    assert mann_whitney_cdf(u, n, m) == mann_whitney_cdf(u, m, n)


@given(distances())
def test_the_samples_can_change_places(drawn):
    d, n, m = drawn
    exactly(smirnov_tail(d, n, m), smirnov_tail(d, m, n))
    assert smirnov_tail(0, n, m) == 1 and smirnov_tail(d + 1, n, m) <= smirnov_tail(d, n, m)
    exactly(smirnov_tail(math.lcm(n, m), n, m), 2 / math.comb(n + m, m))


@compiled
def test_small_tails_keep_their_digits():
    """The ends: one path, and two."""
    exactly(mann_whitney_cdf(0, 8, 500), 1 / math.comb(508, 8))
    exactly(mann_whitney_cdf(40, 8, 500), reference.mann_whitney_cdf(40, 8, 45) * math.comb(53, 8) / math.comb(508, 8))
    exactly(smirnov_tail(261 * 104, 104, 261), 2 / math.comb(365, 104))


@compiled
def test_with_large_samples_the_limit_is_near():
    n, m = 1500, 2500
    for D in 0.02, 0.04, 0.06:
        d, z = round(D * math.lcm(n, m)), D * math.sqrt(n * m / (n + m))
        assert smirnov_tail(d, n, m) == pytest.approx(kolmogorov_sf(z), rel=0.06)
    assert kolmogorov_sf(0.03) == kolmogorov_sf(0) == 1 and kolmogorov_sf(20) < 1e-300 and kolmogorov_sf(np.inf) == 0
    exactly(kolmogorov_sf(np.nextafter(1, 0)), kolmogorov_sf(1.0), 1e-14)


def test_arrays():
    assert mann_whitney_cdf([0, 15], 3, 5).tolist() == [1 / 56, 1]
    assert smirnov_tail(np.array([[0], [15]]), 3, 5).tolist() == [[1], [2 / 56]]


@pytest.mark.parametrize("law, arguments, message", [
    (mann_whitney_cdf, (-1, 2, 3), "u: got -1.0"), (mann_whitney_cdf, (1, 0, 3), "n=0: expected a whole number"),
    (smirnov_tail, (1, 2, 2.5), "m=2.5"), (smirnov_tail, (0.5, 2, 3), "d: got 0.5, expected whole numbers"),
    (smirnov_tail, (np.nan, 2, 3), "d: got nan"), (kolmogorov_sf, (-0.1,), "z: got -0.1"),
])
def test_bad_input(law, arguments, message):
    with pytest.raises(ValueError, match=message):
        law(*arguments)
