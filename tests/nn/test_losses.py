"""Losses against their definitions and central differences; reductions, laws, bad targets."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml import nn
from scratchml.autograd import Tensor, TensorDataset, grad, gradcheck, ops
from scratchml.nn import (binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, cross_entropy,
                          hinge_embedding_loss, huber_loss, kl_div, l1_loss, margin_ranking_loss, mse_loss, nll_loss,
                          smooth_l1_loss, triplet_margin_loss)
from scratchml.nn.losses import (BINARY_SURPRISE, absolute, binary_surprise, cosine_embedding, cosines, divergence,
                                 hinge_embedding, huber, margin_ranking, negative_log_likelihood, squared, surprise,
                                 surprise_gradients, triplet_margin)
from tests.nn.test_layers import assert_same_gradients, leaf
from tests.reference import losses as reference
from tests.strategies.losses import pairs, signs

EPS = np.finfo(float).eps
ROUNDING = dict(rtol=40 * EPS, atol=400 * EPS)           # numbers below 10, squared
S = np.array([1.0, -1.0, -1.0])


def probabilities(shape, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), shape[:-1])


def inside(*shape, seed=0):
    """Probabilities that are neither 0 nor 1."""
    return Tensor(np.random.default_rng(seed).uniform(0.05, 0.95, shape), requires_grad=True)


CALLS = {
    "mse_loss": lambda **o: (lambda x, y: mse_loss(x, y, **o), leaf(3, 4), leaf(3, 4, seed=1)),
    "l1_loss": lambda **o: (lambda x, y: l1_loss(x, y, **o), leaf(3, 4), leaf(3, 4, seed=1)),
    "huber_loss": lambda **o: (lambda x, y: huber_loss(x, y, delta=0.6, **o), leaf(3, 4), leaf(3, 4, seed=1)),
    "smooth_l1_loss": lambda **o: (lambda x, y: smooth_l1_loss(x, y, beta=0.6, **o), leaf(3, 4), leaf(3, 4, seed=1)),
    "binary_cross_entropy": lambda **o: (lambda x, y: binary_cross_entropy(x, y, [1.0, 2.0, 0.0, 0.5], **o),
                                         inside(3, 4), inside(3, 4, seed=1)),
    "binary": lambda **o: (lambda x, y: binary_cross_entropy_with_logits(x, y, **o), leaf(3, 4),
                           Tensor(np.random.default_rng(0).random((3, 4)), requires_grad=True)),
    "binary, weighted": lambda **o: (
        lambda x: binary_cross_entropy_with_logits(x, np.eye(3), [[2.0], [1.0], [0.0]], pos_weight=[1, 3, 0.5], **o),
        leaf(3, 3)),
    "kl_div": lambda **o: (lambda x, y: kl_div(x, y, **o), leaf(3, 4),
                           Tensor(0.1 + np.random.default_rng(0).random((3, 4)), requires_grad=True)),
    "kl_div, logarithms": lambda **o: (lambda x, y: kl_div(x, y, log_target=True, **o), leaf(3, 4), leaf(3, 4, seed=1)),
    "nll_loss": lambda **o: (lambda x: nll_loss(x, [1, 9, 0], [1.0, 2.0], ignore_index=9, **o), leaf(3, 2)),
    "margin_ranking_loss": lambda **o: (lambda u, v: margin_ranking_loss(u, v, S, 0.3, **o), leaf(3), leaf(3, seed=1)),
    "hinge_embedding_loss": lambda **o: (lambda u: hinge_embedding_loss(u, S, 0.5, **o), leaf(3)),
    "triplet_margin_loss": lambda **o: (lambda a, p, q: triplet_margin_loss(a, p, q, 2.0, **o), leaf(3, 2),
                                        leaf(3, 2, seed=1), leaf(3, 2, seed=2)),
    "triplet, swapped": lambda **o: (lambda a, p, q: triplet_margin_loss(a, p, q, 2.0, swap=True, **o), leaf(3, 2),
                                     leaf(3, 2, seed=1), leaf(3, 2, seed=2)),
    "cosine_embedding_loss": lambda **o: (lambda a, p: cosine_embedding_loss(a, p, S, -0.5, **o), leaf(3, 2),
                                          leaf(3, 2, seed=1)),
}
each_loss = pytest.mark.parametrize("name", CALLS)


# --- fused

@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]), st.sampled_from([1.0, 30.0, 1e3]))
def test_the_loop_says_what_the_equation_says_and_has_its_slopes(seed, dtype, scale):
    rng = np.random.default_rng(seed)
    logits, wanted = scale * rng.normal(size=(3, 5)), rng.random((3, 5)) * (rng.random((3, 5)) < 0.7)
    logits[0, :3], wanted[0, :3] = [np.inf, -np.inf, 0.0], [1.0, 0.0, 0.5]
    g, found = rng.normal(size=(3, 5)), []
    for loss in (lambda x, y: BINARY_SURPRISE(x, y, both=True), binary_surprise):
        x, y = (Tensor(array.astype(dtype), requires_grad=True) for array in (logits, wanted))
        losses = loss(x, y)
        losses.backward(Tensor(g.astype(dtype)))
        found.append((losses.data, x.grad.data, y.grad.data))
    for ours, theirs in zip(*found):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, rtol=20 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)


# --- equal to the definition

@given(pairs(), st.floats(0.05, 3))
def test_losses_of_entries_are_their_definition(drawn, δ):
    x, y = drawn
    p = np.random.default_rng(0).random(x.shape) * (x > -1)
    for ours, theirs in [(squared(x, y), reference.squared(x, y)), (absolute(x, y), reference.absolute(x, y)),
                         (huber(x, y, δ), reference.huber(x, y, δ)),
                         (binary_surprise(x, p), reference.binary_surprise(x, p)),
                         (divergence(x, p), reference.divergence(x, p))]:
        np.testing.assert_allclose(ours.data, theirs, **ROUNDING)


@given(st.data(), st.floats(-1, 1))
def test_losses_of_samples_are_their_definition(data, m):
    a, p, q = data.draw(pairs(count=3))
    s, t = data.draw(signs(len(a))), np.random.default_rng(0).integers(a.shape[1], size=len(a))
    u, v, w = a[:, 0], p[:, 0], abs(q[0])
    for ours, theirs in [
        (negative_log_likelihood(a, t, w), reference.negative_log_likelihood(a, t, w)),
        (margin_ranking(u, v, s, m), reference.margin_ranking(u, v, s, m)),
        (hinge_embedding(u, s, m), reference.hinge_embedding(u, s, m)),
        (triplet_margin(u, v, m), reference.triplet_margin(u, v, m)),
        (cosines(a, p, 1e-12), reference.cosines(a, p, 1e-12)),
        (cosine_embedding(u, s, m), reference.cosine_embedding(u, s, m)),
    ]:
        np.testing.assert_allclose(ours.data, theirs, **ROUNDING)


@given(pairs())
def test_the_surprise_of_probabilities_is_its_definition(drawn):
    x, y = (1 / (1 + np.exp(-z)) for z in drawn)
    np.testing.assert_allclose(surprise(x, y), reference.surprise(x, y), rtol=1e-12)
    for ours, theirs in zip(surprise_gradients(x, y), reference.surprise_gradients(x, y)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    edges, certain = np.array([[0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
    np.testing.assert_array_equal(surprise(edges, certain), reference.surprise(edges, certain))
    assert surprise_gradients(edges, certain)[0].tolist() == [[0, 0, -1e12, 1e12]]


# --- gradients and reductions

@each_loss
def test_gradients(name):
    f, *inputs = CALLS[name]()
    assert gradcheck(f, tuple(inputs))


@each_loss
def test_reductions(name):
    made = (CALLS[name](reduction=reduction) for reduction in ("none", "sum", "mean"))
    losses, total, mean = (f(*inputs).data for f, *inputs in made)
    np.testing.assert_allclose(total, losses.sum(), rtol=1e-14)
    np.testing.assert_allclose(mean, losses.sum() / (3 if name == "nll_loss" else losses.size), rtol=1e-14)
    with pytest.raises(ValueError, match="reduction='avg': expected one of"):
        f, *inputs = CALLS[name](reduction="avg")
        f(*inputs)


@each_loss
def test_float32_stays(name):
    f, *inputs = CALLS[name]()
    single = [Tensor(x.data.astype(np.float32), requires_grad=True) for x in inputs]
    loss = f(*single)
    loss.backward()
    assert loss.dtype == np.float32 and all(x.grad.dtype == np.float32 for x in single)
    np.testing.assert_allclose(loss.data, f(*inputs).data, rtol=1e-5)


# --- laws

def test_cross_entropy_is_the_likelihood_of_a_softmax():
    z, t, w = leaf(4, 3), [0, 2, 2, 1], [1.0, 2.0, 0.5]
    assert_same_gradients(nll_loss(z.log_softmax(1), t, w), cross_entropy(z, t, w), [z])
    assert_same_gradients(nll_loss(z[0].log_softmax(0), 2), cross_entropy(z[0], 2), [z])


def test_two_classes_are_one_logit():
    z, y = leaf(5), np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    both = ops.stack([z * 0, z], 1)
    assert_same_gradients(binary_cross_entropy_with_logits(z, y), cross_entropy(both, y.astype(int)), [z])


def test_smooth_l1_is_huber_over_its_bend():
    x, y = leaf(6), leaf(6, seed=1)
    assert_same_gradients(smooth_l1_loss(x, y, beta=0.6), huber_loss(x, y, delta=0.6) / 0.6, [x, y])
    assert_same_gradients(smooth_l1_loss(x, y, beta=0), l1_loss(x, y), [x, y])


def test_probabilities_and_logits_have_one_loss():
    z, y = leaf(6), np.array([1.0, 0.0, 0.3, 1.0, 0.5, 0.0])
    assert_same_gradients(binary_cross_entropy(z.sigmoid(), y), binary_cross_entropy_with_logits(z, y), [z])


def test_samples_behind_the_classes():
    z, t, w = leaf(3, 4, 5), np.random.default_rng(0).integers(4, size=(3, 5)), [1.0, 2.0, 0.5, 0.0]
    t[0, 0] = -100
    for reduction in ("mean", "sum", "none"):
        options = dict(weight=w, reduction=reduction)
        rows = nll_loss(z.log_softmax(1).permute(0, 2, 1).reshape(15, 4), t.ravel(), **options)
        assert_same_gradients(nll_loss(z.log_softmax(1), t, **options), rows if rows.ndim == 0 else rows.reshape(3, 5),
                              [z])
        assert_same_gradients(nll_loss(z.log_softmax(1), t, **options), cross_entropy(z, t, **options), [z])


def test_scores_that_just_keep_a_margin_still_move():
    u, v = Tensor([0.0, 0.0], requires_grad=True), Tensor([0.0, 0.0], requires_grad=True)
    margin_ranking_loss(u, v, [1, -1]).backward()
    assert u.grad.data.tolist() == [-0.5, 0.5] and v.grad.data.tolist() == [0.5, -0.5]
    for loss in (lambda x: hinge_embedding_loss(x, [-1], 0.0), lambda x: -cosine_like(x)):
        x = Tensor([0.0], requires_grad=True)
        loss(x).backward()
        assert x.grad.data.tolist() == [-1.0]


def cosine_like(x):
    """(11) at its margin."""
    return cosine_embedding(x, np.array([-1.0]), 0.0).sum()


def test_huber_is_between_squares_and_lines():
    x, y = leaf(6), leaf(6, seed=1)
    assert_same_gradients(huber_loss(x, y, delta=100.0), mse_loss(x, y) / 2, [x, y])
    assert_same_gradients(huber_loss(x, y, delta=1e-9) / 1e-9, l1_loss(x, y), [x, y], 1e-6)


def test_divergence_is_not_negative_and_zero_for_equals():
    p, q = probabilities((5, 4)), probabilities((5, 4), 1)
    assert (kl_div(np.log(q), p, "none").data.sum(1) > 0).all()
    assert abs(kl_div(np.log(p), p, "batchmean").item()) < 1e-15
    np.testing.assert_allclose(kl_div(np.log(q), p, "batchmean").data,
                               kl_div(np.log(q), np.log(p), "batchmean", log_target=True).data, rtol=1e-14)


def test_nothing_is_lost_where_probabilities_are_zero():
    x, y = Tensor([[-np.inf, 0.0], [-1e4, -1.0]], requires_grad=True), np.array([[0.0, 1.0], [0.0, 0.5]])
    loss = kl_div(x, y, "sum")
    loss.backward()
    np.testing.assert_allclose(loss.item(), 0.5 * (np.log(0.5) + 1), rtol=1e-14)
    assert x.grad.data.tolist() == [[0, -1], [0, -0.5]]
    with np.errstate(divide="ignore"):
        assert kl_div(x, np.log(y), "sum", log_target=True).item() == pytest.approx(loss.item(), rel=1e-14)
    for logit, y, expected in ((800.0, 0.0, 800.0), (-800.0, 1.0, 800.0), (800.0, 1.0, 0.0), (-800.0, 0.0, 0.0)):
        assert binary_cross_entropy_with_logits([logit], [y]).item() == expected
    assert nll_loss([[-np.inf, 0.0]], [0], [0.0, 1.0], reduction="sum").item() == 0


@pytest.mark.parametrize("options", [{}, dict(pos_weight=[1.0])])
def test_answers_that_are_nearly_certain_keep_their_digits(options):
    for x, y, expected in ((40.0, 1.0, 1), (-40.0, 0.0, 1), (-40.0, 0.25, 1 + 10 * np.exp(40.0))):
        logit = Tensor([x], requires_grad=True)
        loss = binary_cross_entropy_with_logits(logit, [y], **options)
        loss.backward()
        np.testing.assert_allclose(loss.item(), expected * np.exp(-40.0), rtol=4 * EPS)
        np.testing.assert_allclose(logit.grad.data, -y if y == 0.25 else -np.sign(x) * np.exp(-40.0), rtol=4 * EPS)


@pytest.mark.parametrize("x, y", [(np.inf, 1.0), (-np.inf, 0.0)])
def test_a_right_answer_that_is_certain_costs_nothing(x, y):
    logit = Tensor([x, 0.0], requires_grad=True)
    losses = binary_cross_entropy_with_logits(logit, [y, 1.0], reduction="none")
    losses.sum().backward()
    assert losses.data[0] == 0 and logit.grad.data.tolist() == [0, -0.5]
    assert binary_cross_entropy_with_logits([x], [1 - y]).item() == np.inf


def test_a_distance_of_nothing_has_no_slope():
    p = leaf(2, 3)
    a = Tensor(np.zeros((2, 3)), requires_grad=True)
    p.data[:] = [[0.25] * 3, [1.0] * 3]
    loss = triplet_margin_loss(a, p, np.full((2, 3), 0.5), margin=5.0, eps=0.25)
    loss.backward()
    root = np.sqrt(3)
    np.testing.assert_allclose(loss.item(), ((0 - 0.25 * root + 5) + (0.75 * root - 0.25 * root + 5)) / 2, rtol=1e-14)
    np.testing.assert_allclose(p.grad.data, [[0] * 3, [0.5 / root] * 3], rtol=1e-14)


def test_equal_points_have_gradients():
    a = leaf(2, 3)
    triplet_margin_loss(a, a.data, a.data).backward()
    assert np.isfinite(a.grad.data).all()
    zero = Tensor(np.zeros((2, 3)), requires_grad=True)
    cosine_embedding_loss(zero, np.ones((2, 3)), [1, -1]).backward()
    assert np.isfinite(zero.grad.data).all()


def test_targets_may_be_tensors_or_arrays():
    x, y = leaf(3), leaf(3, seed=1)
    assert mse_loss(x, y).item() == mse_loss(x, y.data).item() == mse_loss(x.data, y).item()
    assert mse_loss(x, Tensor(y.data)).requires_grad and mse_loss([1, 2], [1, 3]).item() == 0.5


# --- bad arguments

A, B = np.zeros((2, 3)), np.zeros((3, 2))


@pytest.mark.parametrize("call, message", [
    (lambda: mse_loss(A, B), r"target: mse_loss expected shape \(2, 3\), as the first has, got \(3, 2\)"),
    (lambda: l1_loss(np.zeros((3, 1)), np.zeros(3)), r"l1_loss expected shape \(3, 1\).*got \(3,\)"),
    (lambda: mse_loss(A, np.full((2, 3), np.nan)), r"target: Input contains NaN, first at \[0, 0\]"),
    (lambda: huber_loss([0.0], [np.inf]), "target: Input contains infinity"),
    (lambda: huber_loss(A, A, delta=0), "delta=0"), (lambda: mse_loss([], []), "cannot take the mean"),
    (lambda: binary_cross_entropy_with_logits([0.0, 0.0], [0.5, 2.0]), "expected probabilities from 0 to 1, got 2.0"),
    (lambda: binary_cross_entropy_with_logits([0.0], [np.nan]), "NaN"),
    (lambda: binary_cross_entropy_with_logits([0.0], [1.0], pos_weight=[np.nan]), "pos_weight: Input contains NaN"),
    (lambda: kl_div(A, A - 1), "kl_div expected probabilities, got -1.0; logarithms need log_target=True"),
    (lambda: kl_div(A, np.full((2, 3), np.nan), log_target=True), "expected logarithms of prob.* got NaN or .inf"),
    (lambda: kl_div(A, np.full((2, 3), np.inf), log_target=True), "expected logarithms of prob.* got NaN or .inf"),
    (lambda: nll_loss(A, [0, 3]), r"nll_loss expected class numbers from 0 to 2, or -100 to ignore, got 3 at \[1\]"),
    (lambda: nll_loss(np.zeros((1, 2, 3)), [0]), r"target: nll_loss expected shape \(1, 3\)"),
    (lambda: nll_loss(1.0, 0), r"input: nll_loss expected shape \(N, D\)"),
    (lambda: binary_cross_entropy([1.5], [1.0]), "input: binary_cross_entropy expected probabilities.*got 1.5"),
    (lambda: binary_cross_entropy([np.nan], [1.0]), "input: binary_cross_entropy expected probabilities.*got nan"),
    (lambda: binary_cross_entropy([0.5], [-1.0]), "target: binary_cross_entropy expected probabilities.*got -1.0"),
    (lambda: smooth_l1_loss(A, A, beta=-1), "beta=-1"),
    (lambda: margin_ranking_loss([0.0], [0.0], [0]), "margin_ranking_loss expected 1 or -1, got 0"),
    (lambda: margin_ranking_loss([0.0], [0.0, 1.0], [1]), "input2: margin_ranking_loss expected shape"),
    (lambda: hinge_embedding_loss([0.0], [1, 1]), r"target: hinge_embedding_loss expected shape \(1,\), got \(2,\)"),
    (lambda: hinge_embedding_loss([0.0], [1], margin=np.nan), "margin=nan"),
    (lambda: triplet_margin_loss(A, B, A), "positive: triplet_margin_loss expected shape"),
    (lambda: triplet_margin_loss(A, A, B), "negative: triplet_margin_loss expected shape"),
    (lambda: triplet_margin_loss(A, A, A, p=-1), "p=-1"), (lambda: triplet_margin_loss(A, A, A, eps=0), "eps=0"),
    (lambda: triplet_margin_loss(1.0, 1.0, 1.0), r"expected shape \(N, D\)"),
    (lambda: cosine_embedding_loss(A, A, [1, np.nan]), "expected 1 or -1, got nan"),
    (lambda: cosine_embedding_loss(1.0, 1.0, 1), r"expected shape \(N, D\)"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_loss_is_offered():
    assert all(hasattr(nn, name.split(",")[0]) for name in CALLS if "binary" not in name and "triplet," not in name)
    assert nn.binary_cross_entropy is binary_cross_entropy


# --- a margin that is just kept

@pytest.mark.parametrize("margin", [0.0, 0.5, -2.0])
def test_scores_on_the_margin_move(margin):
    """As in PyTorch: a ranker whose scores are all 0 at first would otherwise stay there."""
    u, v = Tensor([margin, 0.0], requires_grad=True), Tensor([0.0, margin], requires_grad=True)
    margin_ranking_loss(u, v, [1, -1], margin).backward()
    assert u.grad.data.tolist() == [-0.5, 0.5] and v.grad.data.tolist() == [0.5, -0.5]


def test_other_losses_on_the_margin():
    d = Tensor([1.0, 1.0], requires_grad=True)
    hinge_embedding_loss(d, [-1, 1]).backward()
    assert d.grad.data.tolist() == [-0.5, 0.5]
    a = Tensor([[0.0, 0.0]], requires_grad=True)
    triplet_margin_loss(a, [[3.0, 4.0]], [[3.0, 4.0]], margin=0.0).backward()
    assert not a.grad.data.any()                         # both terms pull, by equal amounts
    far = Tensor([[6.0, 8.0]], requires_grad=True)
    triplet_margin_loss([[0.0, 0.0]], [[3.0, 4.0]], far, margin=5.0).backward()
    np.testing.assert_allclose(far.grad.data, [[-0.6, -0.8]], rtol=1e-6)
    x = Tensor([[1.0, 0.0]], requires_grad=True)
    cosine_embedding_loss(x, [[0.0, 1.0]], [-1]).backward()
    np.testing.assert_allclose(x.grad.data, [[0.0, 1.0]], atol=1e-9)


# --- narrow whole numbers

@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "u8"])
def test_classes_in_narrow_whole_numbers(dtype):
    z = Tensor(np.random.default_rng(0).normal(size=(3, 300)), requires_grad=True)
    for loss in (nll_loss, cross_entropy):
        wide, = grad(loss(z, np.array([0, 127, 5])), z)
        narrow, = grad(loss(z, np.array([0, 127, 5], dtype)), z)
        np.testing.assert_array_equal(narrow.data, wide.data)


class Column:
    """A column of a data frame, as far as NumPy looks; `_data` is what pandas has there."""

    def __init__(self, values):
        self._values, self._data = np.asarray(values), object()

    def __array__(self, dtype=None, copy=None):
        return self._values.astype(dtype or self._values.dtype)


def test_columns_of_data_frames_are_targets_and_weights():
    x, t, w = Tensor(np.random.default_rng(0).normal(size=(3, 4))), [2, 0, 3], [1.0, 2, 3, 4]
    for loss in (cross_entropy, lambda x, t, **options: nll_loss(x.log_softmax(1), t, **options)):
        assert loss(x, Column(t), weight=Column(w)).item() == loss(x, t, weight=w).item()
    u, v = Tensor(inside(3, 2).data), Tensor(inside(3, 2, seed=1).data)
    assert cosine_embedding_loss(u, v, Column(S)).item() == cosine_embedding_loss(u, v, S).item()
    y, p = [1.0, 0, 1], Tensor([0.2, 0.5, 0.9])
    assert binary_cross_entropy(p, Column(y), weight=Column(y)).item() == binary_cross_entropy(p, y, weight=y).item()


@pytest.mark.parametrize("hidden", [
    lambda some: cross_entropy(Tensor(np.eye(3)), some),
    lambda some: cross_entropy(Tensor(np.eye(3)), [0, 1, 2], weight=some),
    lambda some: nll_loss(Tensor(np.eye(3)), some), lambda some: mse_loss(Tensor(np.ones(3)), some),
    lambda some: cosine_embedding_loss(Tensor(np.eye(3)), Tensor(np.eye(3)), some),
    lambda some: nn.Embedding(3, 2)(some),
    lambda some: nn.Linear(3, 2, dtype="float64")(some), TensorDataset, Tensor, lambda some: Tensor(np.ones(3)) * some,
    lambda some: Tensor(np.ones(3))[some], lambda some: Tensor(np.ones(3)).masked_fill(some == 1, 0.0)], ids=str)
def test_what_is_masked_is_not_read(hidden):
    with pytest.raises(ValueError, match="contains masked values. Remove such values or fill them in"):
        hidden(np.ma.masked_array([1, 1, 1], mask=[False, True, False]))
