"""The scaled sums against their definition and against log space, also where probabilities underflow."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.sequences.crf import edge_marginals, log_partition, node_marginals
from scratchml.sequences.crf_scaled import (add_marginals, add_marginals_in_log_space, adds_up, exponentials,
                                            scaled_backward, scaled_edge_sums, scaled_forward, scaled_log_partition,
                                            scaled_node_marginals, spans_too_much)
from scratchml.sequences.crf_training import factors
from tests.reference import crf_scaled as reference
from tests.sequences.test_crf import rounding
from tests.strategies.crf import KINDS, field, fields, seeds
from tests.strategies.crf_scaled import scaled_parts

EPS = np.finfo(float).eps


def products(T, K):
    """T factors of K terms each, all positive: T (K + 4) roundings in either route."""
    return dict(rtol=4 * T * (K + 4) * EPS)


# --- equal to the definition

@given(fields(kinds=("normal", "forbidden", "integers")))
def test_the_exponentials(drawn):
    E = drawn[0]
    for got, expected in zip(exponentials(E), reference.exponentials(E)):
        np.testing.assert_allclose(got, expected, rtol=8 * EPS)


@given(st.integers(1, 5), st.integers(1, 6), seeds)
def test_beginnings_and_ends(T, K, seed):
    T = min(T, 3 if K > 4 else 5)
    e, M, Mt = (scaled_parts(T, K, seed)[name] for name in ("e", "M", "Mt"))
    a, c = scaled_forward(e, M)
    for got, expected in zip((a, c), reference.scaled_forward(e, M)):
        np.testing.assert_allclose(got, expected, **products(T, K))
    np.testing.assert_allclose(scaled_backward(e, Mt, c), reference.scaled_backward(e, Mt, c), **products(T, K))


@given(st.integers(1, 12), st.integers(1, 7), seeds)
def test_sums_of_what_is_scaled(T, K, seed):
    part = scaled_parts(T, K, seed)
    a, b, c, e, m, M = (part[name] for name in "abcemM")
    np.testing.assert_allclose(scaled_log_partition(c, m), reference.scaled_log_partition(c, m), rtol=0,
                               atol=4 * T * EPS * (np.abs(m).sum() + np.abs(np.log(c)).sum() + 1))
    np.testing.assert_array_equal(scaled_node_marginals(a, b), reference.scaled_node_marginals(a, b))
    np.testing.assert_allclose(scaled_edge_sums(a, b, e, c, M), reference.scaled_edge_sums(a, b, e, c, M),
                               rtol=2 * (T + 6) * EPS)


# --- the same as log space

def check_against_log_space(E, A):
    K = E.shape[1]
    gamma, xi = np.ones(E.shape), np.full((K, K), 2.0)
    with np.errstate(over="ignore", invalid="ignore"):   # without the compiler, NumPy warns of sums not to be trusted
        log_Z = add_marginals(E, A, *factors(A), -0.5, gamma, xi)
    close = rounding(E, A)
    np.testing.assert_allclose(log_Z, log_partition(E, A), **close)
    np.testing.assert_allclose(1 - gamma, node_marginals(E, A) / 2, **close)
    np.testing.assert_allclose(2 - xi, edge_marginals(E, A).sum(axis=0) / 2, rtol=0, atol=len(E) * close["atol"])


@given(st.integers(1, 30), st.integers(1, 7), st.sampled_from(KINDS), seeds)
def test_same_sums_as_in_log_space(T, K, kind, seed):
    check_against_log_space(*field(T, K, kind, seed))


@pytest.mark.parametrize("T, K", [(400, 5), (3000, 3)])
def test_long_sequences(T, K):
    check_against_log_space(*field(T, K, seed=1))


def test_a_path_that_only_a_very_unlikely_label_leads_to():
    """Label 1 is 1e-400 times less likely at the first two places, and the only one that leads on."""
    E = np.array([[0.0, -460], [0, -460], [-np.inf, 0], [0, 0]])
    A = np.array([[0.0, -np.inf], [1, 2]])
    check_against_log_space(E, A)


def test_what_underflows_is_done_in_log_space():
    E = np.array([[0.0, -800], [-800, 0], [0, 0]])
    A = np.array([[0.0, -1600], [0, 0]])
    assert spans_too_much(E, E.max(axis=1)) and np.isnan(factors(A)[0]).all()
    check_against_log_space(E, A)
    check_against_log_space(E, np.zeros((2, 2)))


@pytest.mark.parametrize("T", [3, 40])
def test_what_is_lost_on_the_way_is_noticed(T):
    """A step of -350 each place, well above the least exponential, adds up to what no float64 holds."""
    E, A = np.zeros((T, 2)), np.array([[-350.0, -np.inf], [0, 0]])
    E[:, 1] = -350
    E[-1] = [0, -np.inf]
    E[0] = [0, -345]
    check_against_log_space(E, A)


def test_a_label_that_underflows_may_still_lead_to_the_best_path():
    """Lost in both directions, so that γ adds up all the same: only the span of E tells."""
    check_against_log_space(np.array([[0.0, -800], [0, 0]]), np.array([[-690.0, -690], [690, 690]]))


def test_infinities_are_not_a_span():
    E = np.array([[0.0, -np.inf, -699], [1, 0, 0]])
    assert not spans_too_much(E, E.max(axis=1))
    E[0, 2] = -701
    assert spans_too_much(E, E.max(axis=1))


def test_factors_are_given_up_where_they_would_lose_a_score():
    A = np.array([[1.0, -np.inf], [-700, 700]])
    M, Mt = factors(A)
    np.testing.assert_array_equal(M, np.exp(A))
    np.testing.assert_array_equal(Mt, M.T)
    for score in (-701, 701, np.nan):
        assert np.isnan(factors(np.array([[score, 0.0]] * 2))[0]).all()


def test_adds_up():
    gamma = np.full((3, 4), 0.25)
    assert adds_up(gamma)
    off = gamma.copy()
    off[2, 0] += 3.8 * 3 * (4 + 4) * EPS
    assert adds_up(off)
    for wrong in (4.3 * 3 * (4 + 4) * EPS, 1e-12, -1e-12, np.nan, np.inf):
        off = gamma.copy()
        off[1, 2] += wrong
        assert not adds_up(off)


def test_where_no_path_is_possible_nothing_is_added():
    gamma, xi, A = np.ones((3, 2)), np.ones((2, 2)), np.full((2, 2), -np.inf)
    assert add_marginals(np.zeros((3, 2)), A, *factors(A), 1.0, gamma, xi) == -np.inf
    assert (gamma == 1).all() and (xi == 1).all()


@given(fields(max_T=6, max_K=4))
def test_steps_of_their_own_in_log_space(drawn):
    E, A = drawn
    A = A if A.ndim == 3 else A[None].repeat(len(E) - 1, axis=0)
    gamma, xi = np.zeros(E.shape), np.zeros(A.shape)
    log_Z = add_marginals_in_log_space(E, A, 3.0, gamma, xi)
    np.testing.assert_allclose(log_Z, log_partition(E, A), **rounding(E, A))
    np.testing.assert_allclose(gamma, 3 * node_marginals(E, A), rtol=0, atol=3 * rounding(E, A)["atol"])
    np.testing.assert_allclose(xi, 3 * edge_marginals(E, A), rtol=0, atol=3 * rounding(E, A)["atol"])
