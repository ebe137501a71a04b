"""Layers against their definitions, against elementary operations, central differences, and what must always hold."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, grad, gradcheck
from scratchml.core.products import product
from scratchml.core.random import generator, manual_seed
from scratchml.nn import Dropout, Embedding, Flatten, GaussianNoise, Identity, LeakyReLU, Linear, ReLU
from scratchml.nn.layers import (DROPOUT, drop, embed, embed_by_table, kept_entries, linear, linear_by_bias,
                                 linear_by_input, linear_by_weight)
from tests.reference import layers as reference
from tests.strategies.layers import affine, drops, tables

EPS = np.finfo(float).eps


def products(a, b):
    """A bound of the rounding in the sums of the product a b."""
    return (a.shape[1] + 2) * EPS * (abs(a) @ abs(b))


def assert_within(ours, theirs, bound):
    assert ours.shape == theirs.shape and (abs(ours - theirs) <= bound + 1e-300).all()


def leaf(*shape, seed=0, dtype=np.float64):
    return Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype), requires_grad=True)


def assert_same_gradients(ours, theirs, inputs, tolerance=1e-12):
    """Values and gradients of two expressions that should be the same, weighted at random."""
    np.testing.assert_allclose(ours.data, theirs.data, rtol=tolerance, atol=tolerance)
    weights = np.random.default_rng(1).normal(size=ours.shape)
    for a, b in zip(grad(ours, inputs, grad_outputs=weights), grad(theirs, inputs, grad_outputs=weights)):
        np.testing.assert_allclose(a.data, b.data, rtol=tolerance, atol=tolerance)


# --- affine maps

@given(affine())
def test_affine_maps_are_their_definition(drawn):
    x, W, b, g = drawn
    assert_within(linear(x, W, b), reference.linear(x, W, b), products(x, W.T) + 4 * EPS * abs(b))
    assert_within(linear_by_input(g, W), reference.linear_by_input(g, W), products(g, W))
    assert_within(linear_by_weight(g, x), reference.linear_by_weight(g, x), products(g.T, x))
    assert_within(linear_by_bias(g), reference.linear_by_bias(g), (len(g) + 1) * EPS * abs(g).sum(0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_weight_gradient_has_the_same_bits_from_either_factor_in_panels(dtype):
    rng = np.random.default_rng(0)
    g, x = rng.normal(size=(64, 64)).astype(dtype), rng.normal(size=(64, 70)).astype(dtype)
    found = linear_by_weight(g, x)
    np.testing.assert_array_equal(found, product(g.T, x))
    assert found.shape == (64, 70) and found.flags.c_contiguous


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 4, 3), (0, 3)])
def test_linear_equals_elementary_operations(bias, shape):
    layer, x = Linear(3, 2, bias, dtype="float64", random_state=0), leaf(*shape)
    inputs = [x, *layer.parameters()]
    assert len(inputs) == 2 + bias
    assert_same_gradients(layer(x), x @ layer.weight.T + (layer.bias if bias else 0), inputs)
    if x.data.size:
        gradcheck(lambda x, *weights: layer(x), (x,))


def test_gradients_of_the_weights_of_linear():
    layer, x = Linear(3, 2, dtype="float64", random_state=0), leaf(2, 2, 3)

    def applied(x, W, b):
        layer.weight, layer.bias = W, b
        return layer(x)
    assert gradcheck(applied, (x, leaf(2, 3, seed=1), leaf(2, seed=2)))


def test_a_batch_is_its_members_one_by_one():
    layer, x = Linear(7, 5, dtype="float64", random_state=0), leaf(6, 7)
    for n in range(6):
        np.testing.assert_allclose(layer(x).data[n], layer(x[n]).data, rtol=0, atol=20 * EPS * 7)


def test_linear_begins_within_its_bound():
    layer = Linear(100, 200, random_state=0)
    for p in layer.parameters():
        assert p.dtype == np.float32 and 0.095 < abs(p.data).max() <= 0.1
    same = Linear(100, 200, random_state=0)
    assert (layer.weight.data == same.weight.data).all() and (Linear(100, 200).weight.data != same.weight.data).any()


def test_linear_keeps_no_more_than_the_gradient_needs():
    layer, x = Linear(3, 2, random_state=0), np.ones((4, 3), np.float32)

    def kept(y):
        saved, _ = y._node.saved
        return [part.shape for part in saved if isinstance(part, np.ndarray)]
    assert kept(layer(x)) == [(4, 3)]                    # of data no gradient is asked: no need for the weight
    assert kept(layer(Tensor(x, requires_grad=True))) == [(4, 3), (2, 3)]
    layer.weight.requires_grad = False
    assert kept(layer(x)) == []
    y = layer(Tensor(x, requires_grad=True))
    layer.weight.data[0] = 7
    with pytest.raises(RuntimeError, match="has been changed in place"):
        y.sum().backward()


def test_strides_of_the_input_do_not_matter():
    layer, x = Linear(3, 2, random_state=0), np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32).T
    for other in (x.copy(), np.asfortranarray(x), np.stack([x, x], -1)[..., 0]):
        np.testing.assert_allclose(layer(x).data, layer(other).data, rtol=1e-6)


# --- tables

@given(tables())
def test_looking_up_and_back(drawn):
    E, i, e = drawn
    np.testing.assert_array_equal(embed(E, i), reference.embed(E, i))
    bound = (len(i) + 1) * EPS * reference.embed_by_table(abs(e), i, len(E))
    assert_within(embed_by_table(e, i, len(E)), reference.embed_by_table(e, i, len(E)), bound)


@pytest.mark.parametrize("shape", [(6,), (2, 4), (), (0,), (2, 0, 3)])
def test_embedding_equals_elementary_operations(shape):
    layer = Embedding(5, 3, dtype="float64", random_state=0)
    ids = np.random.default_rng(0).integers(5, size=shape)
    assert_same_gradients(layer(ids), layer.weight[ids], [layer.weight])
    assert layer(ids.tolist()).shape == (*np.shape(ids.tolist()), 3)


def test_gradient_of_an_embedding():
    layer, ids = Embedding(4, 2, dtype="float64"), np.array([[0, 3], [3, 3]])

    def looked_up(weight):
        layer.weight = weight
        return layer(ids) ** 2
    assert gradcheck(looked_up, leaf(4, 2))


@given(st.integers(-5, 4))
def test_padding_has_no_gradient(padding):
    layer = Embedding(5, 3, padding, random_state=0)
    (layer([[0, 1, 2], [3, 4, 4]]) ** 2).sum().backward()
    assert not layer.weight.data[padding].any() and not layer.weight.grad.data[padding].any()
    assert layer.weight.grad.data.any(1).sum() == 4 and layer.padding_idx == padding % 5


def test_ids_may_change_after_the_lookup():
    layer, ids = Embedding(5, 3, random_state=0), np.array([1, 2])
    y = layer(ids).sum()
    ids[:] = 0
    y.backward()
    assert layer.weight.grad.data.any(1).tolist() == [False, True, True, False, False]


def test_an_embedding_keeps_its_ids_alone():
    saved, _ = Embedding(5, 3)([1, 2])._node.saved
    assert [part.shape for part in saved if isinstance(part, np.ndarray)] == [(2,)]


# --- noise

@given(drops())
def test_dropping_is_its_definition(drawn):
    u, m, p = drawn
    np.testing.assert_allclose(drop(u, m, p), reference.drop(u, m, p), rtol=4 * EPS)
    x = Tensor(u, requires_grad=True)
    assert_same_gradients(DROPOUT(x, m=m, p=p), x * (m / (1 - p)), [x])


def test_gradient_of_dropout():
    m = np.random.default_rng(0).random((3, 4)) < 0.5
    assert gradcheck(lambda x: DROPOUT(x, m=m, p=0.25), leaf(3, 4))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_and_mean_of_what_stays(p):
    """Within five deviations: √(p (1 - p) / n) of the share, √(p / (1 - p) / n) of the mean of ones."""
    n = 100_000
    y = Dropout(p, random_state=0)(np.ones((n // 4, 4))).data
    assert abs((y == 0).mean() - p) < 5 * np.sqrt(p * (1 - p) / n)
    assert abs(y.mean() - 1) < 5 * np.sqrt(p / (1 - p) / n)
    assert len(np.unique(y)) == 2
    share = (y == 0).mean(axis=0)                        # of each column, and of pairs of neighbours
    assert (abs(share - p) < 5 * np.sqrt(p * (1 - p) / (n // 4))).all()
    assert abs((y[1:] * y[:-1]).mean() - 1) < 10 * np.sqrt((1 / (1 - p) ** 2 - 1) / n)


def test_dropout_at_its_ends_and_outside_of_training():
    x = leaf(3, 4)
    assert Dropout(0.0)(x) is x and Dropout(0.7).eval()(x) is x and GaussianNoise(3.0).eval()(x) is x
    y = Dropout(1.0)(x)
    y.sum().backward()
    assert not y.data.any() and not x.grad.data.any()
    with np.errstate(invalid="raise"):
        assert not Dropout(1.0)(np.full(5, np.inf)).data.any()


def test_a_seed_drops_the_same_in_both_precisions():
    single, double = (Dropout(0.5, random_state=3)(np.ones((5, 7), dtype)).data for dtype in (np.float32, np.float64))
    assert single.dtype == np.float32 and (single == double).all() and len(np.unique(single)) == 2
    layer = Dropout(0.5, random_state=3)
    assert (layer(np.ones((5, 7))).data != layer(np.ones((5, 7))).data).any()
    rng = np.random.default_rng(0)
    assert Dropout(random_state=rng).random_state is Dropout(random_state=rng).random_state is rng


def test_small_probabilities_are_neither_lost_nor_certain():
    m, p = kept_entries((3, 5), 1e-9, np.random.default_rng(0))
    assert m.shape == (3, 5) and m.all() and abs(p - 1e-9) < 2 ** -32
    m, p = kept_entries((7,), 1.0, np.random.default_rng(0))
    assert not m.any() and p == 1


def test_dropout_keeps_a_byte_an_entry():
    saved, _ = Dropout(0.5)(leaf(4, 3))._node.saved
    assert saved[0].shape == (4, 3) and saved[0].itemsize == 1 and saved[1:] == (0.5,)


def test_noise_has_the_deviation_that_it_should():
    x = leaf(1000, 50, dtype=np.float32)
    y = GaussianNoise(0.3, random_state=0)(x)
    noise = y.data - x.data
    assert y.dtype == np.float32 and abs(noise.mean()) < 5 * 0.3 / 50_000 ** 0.5
    np.testing.assert_allclose(noise.std(), 0.3, rtol=5 / 100_000 ** 0.5)
    y.sum().backward()
    assert (x.grad.data == 1).all()


# --- bad arguments

# --- tables that come from elsewhere, and shapes

def test_vectors_that_were_learned_elsewhere():
    E = np.random.default_rng(0).normal(size=(4, 3))
    manual_seed(0)
    layer = Embedding.from_pretrained(E, padding_idx=-1)
    drawn = generator(None).normal()
    manual_seed(0)
    assert drawn == generator(None).normal()             # no weights were drawn before
    assert layer.weight.numpy() is E and not layer.weight.requires_grad and layer.padding_idx == 3
    assert list(layer.state_dict()) == ["weight"] and (layer([[3, 0]]).data == E[[3, 0]]).all()
    assert (layer.num_embeddings, layer.embedding_dim) == (4, 3)
    learned = Embedding.from_pretrained(Tensor(E.astype(np.float32)), freeze=False)
    learned([1]).sum().backward()
    assert learned.weight.grad.data[1].tolist() == [1, 1, 1] and learned.weight.dtype == np.float32
    with pytest.raises(ValueError, match=r"embeddings: expected shape \(num_embeddings, embedding_dim\), got \(3,\)"):
        Embedding.from_pretrained(E[0])
    with pytest.raises(ValueError, match="padding_idx=4"):
        Embedding.from_pretrained(E, padding_idx=4)


def test_what_changes_shapes_alone():
    x = leaf(2, 3, 4)
    assert Identity(3, a=4)(x) is x
    for layer, shape in [(Flatten(), (2, 12)), (Flatten(0), (24,)), (Flatten(0, 1), (6, 4)), (Flatten(-1), (2, 3, 4))]:
        y = layer(x)
        assert y.shape == shape and (y.data.ravel() == x.data.ravel()).all()
    assert Flatten()(np.ones((0, 3, 4))).shape == (0, 12) and gradcheck(Flatten(), x)


def test_nothing_happens_in_place():
    x = Tensor([[-1.0, 2.0]])
    for layer in (ReLU(True), LeakyReLU(0.1, True), Dropout(0.5, True)):
        layer(x)
        assert x.data.tolist() == [[-1, 2]]


@pytest.mark.parametrize("call, message", [
    (lambda: Linear(0, 2), "in_features=0: expected a whole number of at least 1"),
    (lambda: Linear(2, 1.5), "out_features=1.5"), (lambda: Linear(2, 2, dtype="int32"), "dtype='int32'"),
    (lambda: Linear(3, 2)(np.ones((4, 2))),
     r"input: Linear\(in_features=3, out_features=2\) expected shape \(..., 3\), got \(4, 2\)"),
    (lambda: Linear(3, 2)(1.0), r"expected shape \(..., 3\), got \(\)"),
    (lambda: Linear(3, 2)(Tensor(np.ones((1, 3)))), "computes in float32, got a Tensor of float64"),
    (lambda: Linear(3, 2, random_state="x"), "random_state='x'"),
    (lambda: Embedding(3, 0), "embedding_dim=0"), (lambda: Embedding(3, 2, 3), "padding_idx=3: expected a row of 3"),
    (lambda: Embedding(3, 2, -4), "padding_idx=-4"),
    (lambda: Embedding(3, 2)([[0, 1], [2, 3]]), r"expected whole numbers from 0 to 2, got 3 at \[1, 1\]"),
    (lambda: Embedding(3, 2)(-1), "Embedding.*expected whole numbers from 0 to 2, got -1"),
    (lambda: Embedding(3, 2)([0.0]), "got dtype float64"), (lambda: Embedding(3, 2)([True]), "got dtype bool"),
    (lambda: Embedding(3, 2)(Tensor([1.0])), "got a Tensor, which holds floats"),
    (lambda: Dropout(1.5), "p=1.5: expected a probability"), (lambda: Dropout(-0.1), "p=-0.1"),
    (lambda: Flatten(2)(np.ones((2, 3))), r"Flatten\(start_dim=2, end_dim=-1\) expected these dimensions"),
    (lambda: Flatten(1, 0)(np.ones((2, 3))), "in this order"), (lambda: Flatten("a"), "start_dim='a'"),
    (lambda: GaussianNoise(-1), "stddev=-1"), (lambda: Dropout(0.5, random_state=-1), "random_state=-1"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
