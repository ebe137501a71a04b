"""Additive attention against its definition, against elementary operations, and against what must hold."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor, grad, gradcheck
from scratchml.nn import AdditiveAttention, additive
from scratchml.nn.additive import (additive_context, energies, energies_by_key, energies_by_query, energies_by_weight,
                                   energy_gradients)
from tests.nn.test_attention import assert_near, kept_bytes, tensors
from tests.reference import additive as reference
from tests.strategies.additive import arrays, operands, problems


def make(sizes, seed=0):
    return AdditiveAttention(*sizes, dtype="float64", random_state=seed)


def elementary(layer, query, keys, values, mask):
    """The same from elementary operations."""
    single = query.ndim == 2
    query = query.unsqueeze(1) if single else query
    a = query @ layer.query_proj.weight.T
    u = keys @ layer.key_proj.weight.T + layer.key_proj.bias
    Z = ((a.unsqueeze(2) + u.unsqueeze(1)).tanh() * layer.score.weight.reshape(-1)).sum(-1)
    if mask is not None:
        Z = Z + (np.where(mask, -np.inf, 0.0) if mask.dtype == bool else mask)[:, None, :]
    P = Z.softmax(-1)
    y = P @ values
    return (y.squeeze(1), P.squeeze(1)) if single else (y, P)


# --- equal to the definition

@given(operands())
def test_energies_and_what_is_read(drawn):
    a, u, w, M, v, dZ = drawn
    assert_near(energies(a, u, w), reference.energies(a, u, w))
    assert_near(additive_context(a, u, w, M, v), reference.additive_context(a, u, w, M, v), terms=16)


@given(operands())
def test_gradients_by_hand(drawn):
    a, u, w, M, v, dZ = drawn
    dZ[M == -np.inf] = 0
    expected = reference.energies_by_query(dZ, a, u, w), reference.energies_by_key(dZ, a, u, w), \
        reference.energies_by_weight(dZ, a, u)
    separate = energies_by_query(dZ, a, u, w), energies_by_key(dZ, a, u, w), energies_by_weight(dZ, a, u)
    for one, other, exact in zip(separate, energy_gradients(dZ, a, u, w), expected):
        assert_near(one, exact, terms=16)
        assert_near(other, exact, terms=16)


def test_more_keys_than_the_cache_holds_at_a_time():
    """Blocks of two keys and of the one that is left; of a pair that does not count, t may be NaN."""
    rng = np.random.default_rng(0)
    H = additive.BLOCK // 2
    a, u, w, dZ = (rng.normal(size=size) for size in ((1, 2, H), (1, 5, H), H, (1, 2, 5)))
    Z = np.tanh(a[:, :, None] + u[:, None]) @ w
    np.testing.assert_allclose(energies(a, u, w), Z, rtol=1e-12)
    a[0, 1], dZ[0, 1], dZ[0, 0, 2:4], dZ[0, 0, 1] = np.nan, 0, 0, 0
    t = np.tanh(a[:, :1, None] + u[:, None])
    expected = (np.stack([w * (dZ[0, 0] @ (1 - t[0, 0]**2)), 0 * w]), w * dZ[0, 0, :, None] * (1 - t[0, 0]**2),
                dZ[0, 0] @ t[0, 0])
    u[0, 1] = np.nan
    da, du, dw = energy_gradients(dZ, a, u, w)
    for got, exact in zip((da[0], du[0], dw), expected):
        np.testing.assert_allclose(got, exact, rtol=1e-12, atol=1e-14)


# --- gradients

@pytest.mark.parametrize("need_weights", [False, True])
def test_gradcheck(need_weights):
    a, u, w, M, v, _ = arrays(np.random.default_rng(3), 2, 3, 4, 2, 3)
    mask = additive.Mask(M, (2,), 3, 4, M.dtype)
    assert gradcheck(lambda *given: additive.ADDITIVE(*given, mask=mask, need_weights=need_weights),
                     tensors((a, u, w, v)))


@given(problems())
def test_elementary_operations_give_the_same(drawn):
    sizes, inputs, mask = drawn
    layer, twin = make(sizes), make(sizes)
    ours, theirs = tensors(inputs), tensors(inputs)
    (y, P), (y2, P2) = layer(*ours, mask), elementary(twin, *theirs, mask)
    assert_near(y.data, y2.data)
    assert_near(P.data, P2.data)
    ((y * y).sum() + (P ** 3).sum()).backward()
    ((y2 * y2).sum() + (P2 ** 3).sum()).backward()
    for a, b in zip([*ours, *layer.parameters()], [*theirs, *twin.parameters()], strict=True):
        assert_near(a.grad.data, b.grad.data, terms=64)


# --- laws

@given(problems())
def test_weights_sum_to_one_and_the_order_of_keys_does_not_matter(drawn):
    sizes, (query, keys, values), mask = drawn
    layer = make(sizes)
    y, P = layer(query, keys, values, mask)
    np.testing.assert_allclose(P.data.sum(-1), 1, atol=1e-14)
    order = np.arange(keys.shape[1])[::-1]
    again, _ = layer(query, keys[:, order], values[:, order], None if mask is None else mask[:, order])
    assert_near(again.data, y.data)


@given(problems())
def test_a_batch_is_its_members_and_a_step_is_a_sequence_of_one(drawn):
    sizes, (query, keys, values), mask = drawn
    layer = make(sizes)
    y = layer(query, keys, values, mask)[0].data
    for b in range(len(y)):
        one, part = slice(b, b + 1), None if mask is None else mask[b:b + 1]
        assert_near(layer(query[one], keys[one], values[one], part)[0].data, y[one])
    if query.ndim == 2:
        assert_near(layer(query[:, None], keys, values, mask)[0].data[:, 0], y)


@given(problems())
def test_keys_that_are_mapped_beforehand(drawn):
    sizes, (query, keys, values), mask = drawn
    layer = make(sizes)
    y, P = layer(query, keys, values, mask, projected=layer.key_proj(keys))
    assert (y.data == layer(query, keys, values, mask, need_weights=False)[0].data).all()
    assert layer(query, keys, values, mask, False)[1] is None


def test_values_are_the_keys_by_default():
    layer, rng = make((2, 3, 4)), np.random.default_rng(0)
    query, keys = rng.normal(size=(2, 5, 2)), rng.normal(size=(2, 6, 4))
    assert (layer(query, keys)[0].data == layer(query, keys, keys)[0].data).all()


def test_padding_never_matters_and_nothing_is_read_where_all_is_padding():
    layer, rng = make((2, 3, 2)), np.random.default_rng(5)
    query, keys = rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 5, 2))
    G = np.array([[True] * 5, [False, False, True, False, True]])
    results = []
    for filling in (0.0, 1e307):
        q, k = tensors((query, np.where(G[..., None], filling, keys)))
        y, P = layer(q, k, key_padding_mask=G)
        results.append([y.data, P.data, *(g.data for g in grad((y * y).sum(), (q, k)))])
    for got, expected in zip(*results):
        assert_near(got, expected)
    y, P, dq, dk = results[0]
    assert not y[0].any() and not P[0].any() and not dq[0].any() and not dk[G].any() and not P[1][:, G[1]].any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_gives_nan_without_a_warning(bad):
    arrays = [np.ones(shape) for shape in ((1, 2, 3), (1, 4, 3), (3,), (1, 4, 2))]
    arrays[3][0, 1, 0] = bad
    if np.isnan(bad):
        arrays[0][0, 1] = bad
    t = tensors(arrays)
    mask = additive.Mask(np.array([True, False, True, True]), (1,), 2, 4, np.dtype(float))
    y = additive.ADDITIVE(*t, mask=mask, need_weights=False)
    assert np.isnan(y.data[..., 0]).all() and (y.data[0, 0, 1] == 1) and np.isnan(bad) == np.isnan(y.data[0, 1, 1])
    y.sum().backward()


# --- threads, memory, what it is made of

def test_chunks_and_threads_change_nothing(monkeypatch):
    a, u, w, M, v, dZ = arrays(np.random.default_rng(7), 5, 3, 4, 2, 3)
    results = []
    for chunk, threads in ((2**17, "1"), (1, "2"), (2 * 3 * 4 * 2, "2")):
        monkeypatch.setattr(additive, "CHUNK", chunk)
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        results.append([energies(a, u, w), *energy_gradients(dZ, a, u, w)])
    for other in results[1:]:
        assert all((one == two).all() for one, two in zip(results[0], other))


def test_what_is_kept_for_the_sweep(monkeypatch):
    """The operands and the weights, but no hidden layer."""
    saved = []
    monkeypatch.setattr(additive.ADDITIVE, "backward", lambda kept, *g: saved.append(kept) or (None,) * 4)
    make((2, 7, 3))(np.ones((2, 5, 2)), np.ones((2, 6, 3)), np.ones((2, 6, 4)))[0].sum().backward()
    assert kept_bytes(saved[0]) == 8 * (2 * 5 * 7 + 2 * 6 * 7 + 7 + 2 * 6 * 4 + 2 * 5 * 6)


def test_names_and_shapes_of_the_weights():
    layer = AdditiveAttention(2, 3, 4)
    assert {name: a.shape for name, a in layer.state_dict().items()} == {
        "query_proj.weight": (3, 2), "key_proj.weight": (3, 4), "key_proj.bias": (3,), "score.weight": (1, 3)}
    assert AdditiveAttention(2, 3).key_dim == 2 and layer(np.ones((1, 2)), np.ones((1, 5, 4)))[0].dtype == np.float32


# --- refused

Q, K, V = np.ones((2, 3, 2)), np.ones((2, 5, 4)), np.ones((2, 5, 6))


@pytest.mark.parametrize("arguments, options, message", [
    ((Q[..., :1], K, V), {}, r"query: AdditiveAttention.query_dim=2, .* expected shape \(B, L, 2\) or .* \(2, 3, 1\)"),
    ((Q[None], K, V), {}, r"query: .* got \(1, 2, 3, 2\)"),
    ((Q, K[..., :3], V), {}, r"keys: .* expected shape \(B, S, 4\) .* got \(2, 5, 3\)"),
    ((Q, K[:1], V[:1]), {}, r"keys: .* with the B of query \(2, 3, 2\), got \(1, 5, 4\)"),
    ((Q, K, V[:, :4]), {}, r"values: .* B and S of keys \(2, 5, 4\), got \(2, 4, 6\)"),
    ((Q, K, V, np.ones((2, 4), bool)), {}, r"key_padding_mask: .* expected shape \(2, 5\), got \(2, 4\)"),
    ((Q, K, V, np.ones((2, 5), int)), {}, "key_padding_mask: expected an array of bool or of floats"),
    ((Q, K, V, np.full((2, 5), np.inf)), {}, "key_padding_mask: contains NaN or .inf"),
    ((Q, K, V), {"projected": K}, r"projected: .* expected shape \(2, 5, 3\), got \(2, 5, 4\)"),
])
def test_inputs_that_do_not_fit(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        AdditiveAttention(2, 3, 4)(*arguments, **options)


@pytest.mark.parametrize("sizes, message", [
    ((0, 3), "query_dim=0"), ((2, 0), "hidden_dim=0"), ((2, 3, 0), "key_dim=0"),
])
def test_a_layer_that_cannot_be(sizes, message):
    with pytest.raises(ValueError, match=message):
        AdditiveAttention(*sizes)
    with pytest.raises(ValueError, match="computes in float32"):
        AdditiveAttention(2, 3, 4)(Tensor(Q), K, V)
