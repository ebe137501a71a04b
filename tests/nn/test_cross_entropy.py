"""Cross-entropy against its definition, elementary operations and central differences; its laws; bad targets."""
import sys

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import cross_entropy
from scratchml.nn.cross_entropy import CROSS_ENTROPY, log_sums, smoothed, surprises, surprises_by_scores, weighted_mean
from tests.nn.test_layers import assert_same_gradients, leaf
from tests.reference import cross_entropy as reference
from tests.strategies.cross_entropy import scored

EPS = np.finfo(float).eps


def size(z):
    return 1 + abs(z[np.isfinite(z)]).max(initial=0)


# --- equal to the definition

@given(scored())
def test_every_equation_is_its_definition(drawn):
    z, t, w, α, g = drawn
    K, tolerance = z.shape[1], 20 * z.size * EPS * size(z)
    np.testing.assert_allclose(log_sums(z), reference.log_sums(z), rtol=0, atol=tolerance)
    np.testing.assert_allclose(smoothed(t, α, K), reference.smoothed(t, α, K), rtol=4 * EPS)
    np.testing.assert_allclose(surprises(z, t, w, α), reference.surprises(z, t, w, α), rtol=0, atol=tolerance)
    np.testing.assert_allclose(surprises_by_scores(z, t, w, α, g), reference.surprises_by_scores(z, t, w, α, g),
                               rtol=0, atol=tolerance * abs(g).max())
    if w[t].sum():
        ℓ = reference.surprises(z, t, w, α)
        np.testing.assert_allclose(weighted_mean(ℓ, t, w), reference.weighted_mean(ℓ, t, w), rtol=20 * EPS * len(t))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@given(scored(kinds=("normal",)), st.booleans())
def test_equals_elementary_operations(reduction, drawn, ignore):
    z, t, w, α, _ = drawn
    counts = np.ones(len(t), bool)
    if ignore and len(t) > 1:
        counts[0], t[0] = False, 9
    w[t[-1]] += not w[t[counts]].any()                   # a mean over weights that are all 0 is no number
    x = Tensor(z, requires_grad=True)
    q = smoothed(t, α, z.shape[1]) * counts[:, None] * w
    losses = -(x.log_softmax(1) * q).sum(1)
    expected = {"mean": losses.sum() / w[t[counts]].sum(), "sum": losses.sum(), "none": losses}[reduction]
    ours = cross_entropy(x, t, w, ignore_index=9, reduction=reduction, label_smoothing=α)
    assert_same_gradients(ours, expected, [x])


@given(scored(kinds=("normal",)))
def test_one_hot_probabilities_are_the_classes(drawn):
    z, t, w, α, _ = drawn
    x, q = Tensor(z, requires_grad=True), np.eye(z.shape[1])[t]
    for reduction in ("sum", "none"):
        options = dict(reduction=reduction, label_smoothing=α)
        assert_same_gradients(cross_entropy(x, t, w, **options), cross_entropy(x, q, w, **options), [x])
    assert_same_gradients(cross_entropy(x, Tensor(q)), cross_entropy(x, t), [x])


@pytest.mark.parametrize("options", [{}, dict(weight=[1.0, 2.0, 0.5], label_smoothing=0.3), dict(reduction="none"),
                                     dict(ignore_index=2)])
@pytest.mark.parametrize("shape, t", [((4, 3), [0, 2, 1, 2]), ((3,), 1), ((2, 3, 2), [[0, 1], [2, 2]]),
                                      ((1, 3, 2, 1), [[[0], [1]]])])
def test_gradients(options, shape, t):
    assert gradcheck(lambda z: cross_entropy(z, t, **options), leaf(*shape))


# --- laws

def test_classes_in_the_second_dimension_are_those_of_rows():
    z, t = leaf(2, 4, 3, 5), np.random.default_rng(0).integers(4, size=(2, 3, 5))
    rows = z.permute(0, 2, 3, 1).reshape(-1, 4)
    assert_same_gradients(cross_entropy(z, t), cross_entropy(rows, t.reshape(-1)), [z])
    np.testing.assert_array_equal(cross_entropy(z, t, reduction="none").data.ravel(),
                                  cross_entropy(rows, t.ravel(), reduction="none").data)


@given(scored(kinds=("normal", "wide")), st.floats(-1e3, 1e3))
def test_a_constant_added_to_all_scores_does_not_matter(drawn, constant):
    z, t, w, α, g = drawn
    shifted = z + constant
    np.testing.assert_allclose(surprises(shifted, t, w, α), surprises(z, t, w, α), rtol=0,
                               atol=40 * z.size * EPS * (size(z) + abs(constant)))
    d = surprises_by_scores(z, t, w, α, g)
    np.testing.assert_allclose(d.sum(1), 0, atol=40 * z.size * EPS * size(z) * abs(g).max())


def test_a_batch_is_its_members_one_by_one():
    z, t = leaf(6, 4), [3, 0, 0, 2, 1, 3]
    losses = cross_entropy(z, t, reduction="none")
    assert [cross_entropy(z[n], t[n]).item() for n in range(6)] == losses.data.tolist()


def test_extreme_scores():
    z = Tensor([[1e4, -1e4, 0.0], [-np.inf, 0.0, -np.inf], [-1e300, 1e300, 0.0]], requires_grad=True)
    losses = cross_entropy(z, [1, 1, 1], reduction="none")
    assert losses.data.tolist() == [2e4, 0, 0]
    losses.sum().backward()
    assert z.grad.data.tolist() == [[1, -1, 0], [0, 0, 0], [0, 0, 0]]
    assert cross_entropy([[0.0, -np.inf]], [1]).item() == np.inf


def test_what_is_ignored_gets_nothing():
    z = leaf(3, 2)
    loss = cross_entropy(z, [-100, 1, -100])
    loss.backward()
    assert loss.item() == cross_entropy(z[1:2], [1]).item()
    assert not z.grad.data[[0, 2]].any() and z.grad.data[1].all()
    assert cross_entropy(z, [-100] * 3, reduction="sum").item() == 0
    assert cross_entropy(z, [0, -100, 1], reduction="none").data[1] == 0


@pytest.mark.parametrize("row", [[np.nan, 0.0], [0.0, np.nan], [np.inf, 0.0], [0.0, np.inf], [-np.inf, -np.inf]])
@pytest.mark.filterwarnings("ignore:invalid value")     # of plain Python, in what is then refused or left out
def test_scores_without_a_softmax_are_refused_unless_they_do_not_count(row):
    for dtype in (np.float64, np.float32):
        z = Tensor(np.array([[1.0, 2.0], row], dtype), requires_grad=True)
        with pytest.raises(ValueError, match="those of sample 1 are NaN, inf, or all -inf"):
            cross_entropy(z, [0, 0])
        loss = cross_entropy(z, [0, -100])
        loss.backward()
        assert np.isfinite(loss.data) and not z.grad.data[1].any() and np.isfinite(z.grad.data).all()


@pytest.mark.parametrize("row", [[np.nan, 0.0], [np.inf, 0.0], [0.0, np.inf], [-np.inf, -np.inf], [0.0, np.nan]])
@pytest.mark.parametrize("target", [[0, 0], [[0.5, 0.5], [1.0, 0.0]]])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_sample_of_weight_0_does_not_count_whatever_its_scores(row, target):
    for dtype in (np.float64, np.float32):
        z = Tensor(np.array([[1.0, 2.0], row], dtype), requires_grad=True)
        with pytest.raises(ValueError, match="those of sample 1 are NaN, inf, or all -inf"):
            cross_entropy(z, target)
        weightless = [1, 0] if np.ndim(target) == 1 else target
        loss = cross_entropy(z, weightless, [0.0, 1.0], reduction="sum")
        loss.backward()
        assert np.isfinite(loss.data) and np.isfinite(z.grad.data).all() and z.grad.data[0].all()
        assert not z.grad.data[1].any()


def test_an_impossible_class_of_which_nothing_is_wanted():
    z = Tensor([[0.0, -np.inf, 1.0], [2.0, 0.0, -np.inf]], requires_grad=True)
    q = np.array([[0.3, 0.0, 0.7], [1.0, 0.0, 0.0]])
    cross_entropy(z, q).backward()
    p = np.exp(z.data) / np.exp(z.data).sum(1, keepdims=True)
    np.testing.assert_allclose(z.grad.data, (p - q) / 2, atol=2 * EPS)
    assert cross_entropy(z, [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]).item() == np.inf


@pytest.mark.parametrize("K, size, α", [(3, 1.0, 0.0), (130, 5.0, 0.1), (257, 1.0, 0.0), (3, 1000.0, 0.3)])
def test_float32_is_as_exact_as_float32_can_be(K, size, α):
    """Also over several blocks of 128 classes."""
    rng = np.random.default_rng(0)
    z, t, g = (size * rng.normal(size=(2, K)) + size).astype(np.float32), rng.integers(K, size=2), rng.normal(size=2)
    w, exact = rng.random(K), z.astype(np.float64)
    np.testing.assert_allclose(surprises(z, t, w, α), surprises(exact, t, w, α), rtol=1e-6)
    d = surprises_by_scores(exact, t, w, α, g)
    np.testing.assert_allclose(surprises_by_scores(z, t, w, α, g), d, rtol=0, atol=1e-6 * abs(d).max())


def test_the_number_of_threads_does_not_matter(monkeypatch):
    monkeypatch.setattr(sys.modules["scratchml.nn.cross_entropy"], "CHUNK", 8)     # two samples a chunk
    z, t = leaf(7, 4), [3, 0, 0, 2, 1, 3, 3]
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        z.grad = None
        loss = cross_entropy(z, t)
        loss.backward()
        found.append((loss.data.tobytes(), z.grad.data.tobytes()))
    assert found[0] == found[1]


def test_float32():
    z = leaf(5, 4, dtype=np.float32)
    for options in ({}, dict(reduction="none"), dict(weight=np.arange(1, 5))):
        z.grad = None
        loss = cross_entropy(z, [0, 1, 2, 3, 3], **options)
        loss.sum().backward()
        assert loss.dtype == z.grad.dtype == np.float32
        exact = cross_entropy(z.data.astype(np.float64), [0, 1, 2, 3, 3], **options)
        np.testing.assert_allclose(loss.data, exact.data, rtol=1e-6)


def test_targets_may_change_afterwards():
    z, t = leaf(2, 3), np.array([0, 1])
    loss = cross_entropy(z, t)
    t[:] = 2
    loss.backward()
    assert (z.grad.data[[0, 1], [0, 1]] < 0).all()


def test_what_is_kept():
    z = leaf(6, 50)
    (x, t, w, _, sums, _), _ = cross_entropy(z, [0] * 6)._node.saved
    assert x is z.detach().numpy() and t.shape == (6,) and w.shape == (50,) and [s.shape for s in sums] == [(6,)] * 3
    assert CROSS_ENTROPY.name == "_cross_entropy"


# --- bad arguments

Z = np.zeros((2, 3))


@pytest.mark.parametrize("call, message", [
    (lambda: cross_entropy(Z, [0, 3]), r"expected class numbers from 0 to 2, or -100 to ignore, got 3 at \[1\]"),
    (lambda: cross_entropy(Z, [-1, 0]), r"got -1 at \[0\]"), (lambda: cross_entropy(Z[0], 5), "got 5$"),
    (lambda: cross_entropy(Z, [0]), r"cross_entropy expected shape \(2,\) for scores of shape \(2, 3\), got \(1,\)"),
    (lambda: cross_entropy(Z, np.array([0, 2**64 - 100], np.uint64)), r"got 9\d+ at \[1\]"),
    (lambda: cross_entropy(Z, [0.0, 1.0]), "expected class numbers, whole numbers from 0 to 2, got dtype float64"),
    (lambda: cross_entropy(Z, [np.nan, 1.0]), "got dtype float64"),
    (lambda: cross_entropy(Z, np.full((2, 3), np.nan)), "target: Input contains NaN"),
    (lambda: cross_entropy(Z, leaf(2, 3)), "target: cross_entropy gives no gradient to probabilities"),
    (lambda: cross_entropy(Z, [-100, -100]), "cannot take the mean, since no sample counts"),
    (lambda: cross_entropy(np.zeros((0, 3)), []), "no sample counts"),
    (lambda: cross_entropy(np.zeros((0, 3)), np.zeros((0, 3))), "no sample counts"),
    (lambda: cross_entropy(Z, [0, 1], [0.0, 0.0, 1.0]), "or have weight 0"),
    (lambda: cross_entropy(Z, [0, 1], [1.0, 1.0]), r"weight: expected an array of shape \(3,\)"),
    (lambda: cross_entropy(Z, [0, 1], [1.0, -1.0, 1.0]), "weight: expected no negative weight, got -1.0 at 1"),
    (lambda: cross_entropy(Z, [0, 1], reduction="avg"), "reduction='avg': expected one of 'mean'"),
    (lambda: cross_entropy(Z, [0, 1], label_smoothing=1.5), "label_smoothing=1.5"),
    (lambda: cross_entropy(np.zeros((2, 0)), [0, 0]), r"expected scores of shape \(N, K\), got \(2, 0\)"),
    (lambda: cross_entropy(1.0, 0), r"got \(\)"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
