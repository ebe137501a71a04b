"""Tails agree with SciPy's to the digits that SciPy has; how many it has is known from exact sums."""
import numpy as np
import pytest

from scratchml.core import distributions as ours, special

stats = pytest.importorskip("scipy.stats")
theirs = pytest.importorskip("scipy.special")

Q = np.concatenate([10.0 ** -np.linspace(0.01, 290, 400), np.linspace(0.02, 0.98, 49)])
T = np.concatenate([-np.logspace(-3, 1, 20), np.logspace(-3, 2, 60)])


def test_error_functions():
    x = np.linspace(-6, 26, 2001)
    np.testing.assert_allclose(special.erf(x), theirs.erf(x), rtol=1e-15)
    np.testing.assert_allclose(special.erfc(x), theirs.erfc(x), rtol=2e-13)
    np.testing.assert_allclose(special.erfc_inverse(Q), theirs.erfcinv(Q), rtol=2e-14)
    np.testing.assert_allclose(special.erf_inverse(Q), theirs.erfinv(Q), rtol=1e-14)


def test_gamma_ratios():
    a, d = np.logspace(-2, 6, 50)[:, None], np.array([1e-3, 0.5, 1, 7])
    np.testing.assert_allclose(special.log_gamma_ratio(a, d), np.log(theirs.poch(a, d)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("a", [0.01, 0.5, 1, 3.5, 40, 900])
@pytest.mark.parametrize("b", [0.02, 0.5, 1, 6, 70, 800])
def test_incomplete_beta(a, b):
    x = np.concatenate([np.logspace(-9, -2, 20), np.linspace(0.02, 0.98, 49), 1 - np.logspace(-9, -2, 20)])
    expected = theirs.betainc(a, b, x)
    kept = expected > 1e-290
    np.testing.assert_allclose(special.incomplete_beta(x, a, b)[kept], expected[kept], rtol=1e-11)


def test_normal():
    z = np.linspace(-37, 37, 2001)
    np.testing.assert_allclose(ours.normal_cdf(z), theirs.ndtr(z), rtol=1e-12)
    np.testing.assert_allclose(ours.normal_sf(z), stats.norm.sf(z), rtol=1e-12)
    np.testing.assert_allclose(ours.normal_isf(Q), stats.norm.isf(Q), rtol=1e-13)


@pytest.mark.parametrize("ν, digits", [(1, 12), (2, 12), (3.5, 12), (10, 12), (57, 12), (1e3, 12), (14e3, 11),
                                       (1e6, 9)])
def test_student(ν, digits):
    """For large ν it is SciPy that loses digits, in its logarithms of Γ."""
    expected = stats.t.sf(T, ν)
    kept = expected > 1e-290
    np.testing.assert_allclose(ours.student_sf(T, ν)[kept], expected[kept], rtol=10.0**-digits)
    q = Q[Q > 1e-20]
    np.testing.assert_allclose(ours.student_isf(q, ν), stats.t.isf(q, ν), rtol=10.0 ** (1 - digits))


@pytest.mark.parametrize("ν", [1, 3.5, 50, 14e3, 1e5])
def test_one_of_students_quantiles(ν):
    for q in (1e-15, 1e-6, 0.003, 0.025, 0.2, 0.6):
        assert ours.student_isf(q, ν) == pytest.approx(stats.t.isf(q, ν), rel=1e-12)


@pytest.mark.parametrize("M, K, n", [(50, 5, 10), (1000, 300, 120), (100_000, 40_000, 2000), (3, 3, 2), (7, 0, 3)])
def test_hypergeometric(M, K, n):
    k = np.arange(-1, min(K, n) + 2)
    for name in ("pmf", "cdf", "sf"):
        expected, got = getattr(stats.hypergeom, name)(k, M, K, n), getattr(ours, f"hypergeometric_{name}")(k, M, K, n)
        np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-13)


@pytest.mark.parametrize("W", [1, 2, 5, 40])
def test_chi_square(W):
    x = np.logspace(-3, 2.5, 60)
    np.testing.assert_allclose(ours.chi_square_mixture_sf(x, np.ones(W)), stats.chi2.sf(x, W), rtol=1e-12)
    np.testing.assert_allclose(ours.chi_square_mixture_cdf(x, np.ones(W)), stats.chi2.cdf(x, W), rtol=1e-12)


@pytest.mark.parametrize("t, ν", [(5.0, 1e5), (20.0, 1e6), (30.0, 1e8), (37.0, 5e9), (1e40, 2.5), (3e3, 17.0)])
def test_far_tails_against_the_incomplete_beta_function_in_long_numbers(t, ν):
    mp = pytest.importorskip("mpmath")
    with mp.workdps(40):
        y = ν / (ν + mp.mpf(t) ** 2)
        expected = mp.betainc(mp.mpf(ν) / 2, mp.mpf(1) / 2, 0, y, regularized=True) / 2
        assert abs(ours.student_sf(t, ν) / expected - 1) < 3e-13
