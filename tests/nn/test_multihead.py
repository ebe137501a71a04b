"""Multi-head attention against its definition, against elementary operations, and against what must hold."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, grad, gradcheck, no_grad, ops
from scratchml.nn import MultiheadAttention, multihead
from scratchml.nn.multihead import combined_mask, context, mean_weights, merge_heads, split_heads
from tests.nn.test_attention import assert_near, kept_bytes
from tests.reference import multihead as reference
from tests.strategies.multihead import problems, seeds


def make(sizes, options, seed=0, **more):
    """A layer in float64 whose biases are not zero."""
    layer = MultiheadAttention(*sizes, **options, **more, dtype="float64", random_state=seed)
    rng = np.random.default_rng(seed)
    layer.load_state_dict({name: a + 0.1 * rng.normal(size=a.shape) for name, a in layer.state_dict().items()})
    return layer


def as_tensors(inputs):
    """Leaves; the same object for the same."""
    made = {id(a): Tensor(a, requires_grad=True) for a in inputs}
    return [made[id(a)] for a in inputs]


def additive(mask, shape):
    mask = np.asarray(mask, float) if np.asarray(mask).dtype != bool else np.where(mask, -np.inf, 0.0)
    return mask.reshape(shape)


def elementary(layer, q, k, v, options):
    """The same from elementary operations: B first, one head after the other."""
    if q.ndim == 2:
        q, k, v = q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0)
    elif not layer.batch_first:
        q, k, v = q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1)
    (B, L, E), S, H = q.shape, k.shape[1], layer.num_heads
    M = np.zeros((B, H, L, S))
    if "key_padding_mask" in options:
        M += additive(options["key_padding_mask"], (B, 1, 1, S))
    if "attn_mask" in options:
        M += additive(options["attn_mask"], (1, 1, L, S) if options["attn_mask"].ndim == 2 else M.shape)
    if options.get("is_causal"):
        M += np.triu(np.full((L, S), -np.inf), 1)
    if layer.in_proj_weight is None:
        maps = [layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight]
    else:
        maps = ops.split(layer.in_proj_weight, E, 0)
    biases = [0, 0, 0] if layer.in_proj_bias is None else ops.split(layer.in_proj_bias, E, 0)
    q, k, v = (x @ w.T + b for x, w, b in zip((q, k, v), maps, biases))
    A, read, weights = E // H, [], []
    for n in range(H):
        part = slice(n * A, (n + 1) * A)
        W = (q[..., part] @ k[..., part].mT / np.sqrt(A) + M[:, n]).softmax(-1)
        read.append(W @ v[..., part])
        weights.append(W)
    y = ops.concatenate(read, -1) @ layer.out_proj.weight.T
    y = y if layer.out_proj.bias is None else y + layer.out_proj.bias
    return y, ops.stack(weights, 1)


def with_batch_first(layer, y, batched):
    return y.reshape(1, *y.shape) if not batched else y if layer.batch_first else y.transpose(0, 1)


# --- equal to the definition

@given(seeds)
def test_the_equations(seed):
    rng = np.random.default_rng(seed)
    B, H, A, L, S = rng.integers(1, 4, size=5)
    q, k, v = (rng.normal(size=(B, places, H * A)) for places in (L, S, S))
    h = reference.split_heads(q, H)
    assert (split_heads(q, H) == h).all() and split_heads(q, H).base is not None
    assert (merge_heads(h) == reference.merge_heads(h)).all() and (merge_heads(h) == q).all()
    F, G = rng.random((L, S)) < 0.3, rng.random((B, S)) < 0.3
    M = np.broadcast_to(combined_mask(F, G), (B, H, L, S))
    assert (combined_mask(F, G) == reference.combined_mask(F, G)).all()
    assert (combined_mask(F, None) == additive(F, F.shape)).all() and combined_mask(None, None) is None
    assert_near(context(q, k, v, M, H), reference.context(q, k, v, M, H))
    W = rng.random((B, H, L, S))
    np.testing.assert_allclose(mean_weights(W), reference.mean_weights(W), rtol=1e-15)


# --- gradients, of every weight and input

@given(problems(), st.booleans(), seeds)
def test_elementary_operations_give_the_same(drawn, learned, seed):
    sizes, layer_options, inputs, options = drawn
    layer, twin = make(sizes, layer_options), make(sizes, layer_options)
    ours, theirs = as_tensors(inputs), as_tensors(inputs)
    y, R = layer(*ours, **options)
    y2, W = elementary(twin, *theirs, options)
    batched = inputs[0].ndim == 3
    y = with_batch_first(layer, y, batched)
    rng = np.random.default_rng(seed)
    g = rng.normal(size=y2.shape)
    loss, loss2 = (y * g).sum(), (y2 * g).sum()
    if R is not None:
        R2 = W.mean(1) if options["average_attn_weights"] else W
        R = R if batched else R.unsqueeze(0)
        assert_near(R.data, R2.data)
        h = rng.normal(size=R.shape)
        loss, loss2 = loss + (R * h).sum(), loss2 + (R2 * h).sum()
    loss.backward()
    loss2.backward()
    assert_near(y.data, y2.data, terms=4)
    for a, b in zip([*ours, *layer.parameters()], [*theirs, *twin.parameters()], strict=True):
        assert_near(a.grad.data, b.grad.data, terms=16)


@pytest.mark.parametrize("options", [{}, {"kdim": 3, "vdim": 2}, {"bias": False, "batch_first": True}])
def test_gradcheck(options):
    layer, rng = make((4, 2), options), np.random.default_rng(1)
    shape = (2, 3) if layer.batch_first else (3, 2)
    q, k, v = (Tensor(rng.normal(size=(*shape, width)), requires_grad=True) for width in (4, layer.kdim, layer.vdim))
    names = [name for name, _ in layer.named_parameters()]

    def f(q, k, v, F, *values):
        for name, value in zip(names, values):
            owner, _, own = name.rpartition(".")
            (layer.out_proj if owner else layer).__dict__[own] = value
        return layer(q, k, v, attn_mask=F, key_padding_mask=np.eye(2, 3) > 0)
    F = Tensor(rng.normal(size=(3, 3)), requires_grad=True)
    assert gradcheck(f, (q, k, v, F, *layer.parameters()), fast_mode=True)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3, 3)])
def test_a_learned_mask_gets_a_gradient(shape):
    layer, rng = make((4, 2), {"batch_first": True}), np.random.default_rng(2)
    x = rng.normal(size=(2, 3, 4))
    F = Tensor(rng.normal(size=shape), requires_grad=True)
    for padding in (None, np.array([[False, True, False], [False, False, True]])):
        assert gradcheck(lambda F: layer(x, x, x, attn_mask=F, key_padding_mask=padding)[0], F)


def test_dropout_is_for_training_alone():
    layer, x = make((4, 2), {"batch_first": True}, dropout=0.5), np.random.default_rng(3).normal(size=(2, 6, 4))
    _, R = layer(x, x, x, average_attn_weights=False)
    kept = R.data[R.data != 0]
    assert 0.2 < (R.data == 0).mean() < 0.8 and (layer(x, x, x)[1].data != layer(x, x, x)[1].data).any()
    layer.eval()
    _, P = layer(x, x, x, average_attn_weights=False)
    np.testing.assert_allclose(kept, 2 * P.data[R.data != 0], rtol=1e-12)
    assert (layer(x, x, x)[0].data == layer(x, x, x)[0].data).all()


def test_a_seed_gives_the_same_layer_and_the_same_dropout():
    x = np.random.default_rng(3).normal(size=(2, 6, 4))
    one, other = (MultiheadAttention(4, 2, 0.5, random_state=5) for _ in range(2))
    assert all((one.state_dict()[name] == array).all() for name, array in other.state_dict().items())
    for _ in range(2):
        assert (one(x, x, x)[0].data == other(x, x, x)[0].data).all()


# --- laws

@given(problems(batched=True))
def test_a_batch_is_its_members_one_by_one(drawn):
    sizes, layer_options, (q, k, v), options = drawn
    layer = make(sizes, layer_options)
    y, R = layer(q, k, v, **options)
    y, batch = y.data, 0 if layer.batch_first else 1
    G, F = options.pop("key_padding_mask", None), options.pop("attn_mask", None)
    for b in range(y.shape[batch]):
        own = F if F is None or F.ndim == 2 else F.reshape(-1, layer.num_heads, *F.shape[1:])[b]
        y_b, R_b = layer(*(x.take(b, batch) for x in (q, k, v)), None if G is None else G[b], attn_mask=own, **options)
        assert_near(y_b.data, y.take(b, batch), terms=4)
        assert R is None or np.allclose(R_b.data, R.data[b], atol=1e-13)


def test_a_causal_layer_does_not_see_the_future():
    layer = make((4, 2), {"batch_first": True})
    x = Tensor(np.random.default_rng(4).normal(size=(2, 5, 4)), requires_grad=True)
    for i in range(5):
        g, = grad(layer(x, x, x, is_causal=True)[0][:, i].sum(), x)
        assert not g.data[:, i + 1:].any() and g.data[:, :i + 1].all()


@pytest.mark.parametrize("as_numbers", [False, True])
def test_padding_never_matters(as_numbers):
    layer, rng = make((4, 2), {"batch_first": True}), np.random.default_rng(5)
    x, G = rng.normal(size=(2, 5, 4)), np.array([[False] * 5, [False, False, True, False, True]])
    huge = np.where(G[..., None], 1e200, x)              # after their maps the products overflow
    masks = np.where(G, -np.inf, 0.0) if as_numbers else G
    results = []
    for memory in (x, huge):
        q, m = Tensor(x, requires_grad=True), Tensor(memory, requires_grad=True)
        y, R = layer(q, m, m, masks)
        results.append([y.data, R.data, *(g.data for g in grad((y * y).sum(), (q, m)))])
    for got, expected in zip(*results):
        assert_near(got, expected, terms=4)
    assert not results[0][1][1, :, G[1]].any() and not results[0][3][G].any()


def test_a_sequence_of_padding_reads_nothing():
    layer = make((4, 2), {"batch_first": True})
    x = Tensor(np.random.default_rng(6).normal(size=(2, 3, 4)), requires_grad=True)
    y, R = layer(x, x, x, np.array([[True] * 3, [False] * 3]))
    np.testing.assert_array_equal(y.data[0], np.broadcast_to(layer.out_proj.bias.data, (3, 4)))
    assert not R.data[0].any()
    (y * y).sum().backward()
    assert not x.grad.data[0].any() and all(np.isfinite(p.grad.data).all() for p in layer.parameters())


@given(problems(forms=("self", "memory")))
def test_inputs_that_are_one_object_save_work_and_nothing_else(drawn):
    sizes, layer_options, (q, k, v), options = drawn
    layer = make(sizes, layer_options)
    apart = layer(q, k.copy(), v.copy(), **options)
    for got, expected in zip(layer(q, k, v, **options), apart):
        assert got is expected is None or assert_near(got.data, expected.data, terms=4) is None


# --- what it is made of

def test_names_and_shapes_of_the_weights():
    def shapes(*arguments, **options):
        return {name: a.shape for name, a in MultiheadAttention(*arguments, **options).state_dict().items()}
    assert shapes(6, 2) == {"in_proj_weight": (18, 6), "in_proj_bias": (18,), "out_proj.weight": (6, 6),
                            "out_proj.bias": (6,)}
    assert shapes(6, 2, bias=False, kdim=4) == {"q_proj_weight": (6, 6), "k_proj_weight": (6, 4),
                                                "v_proj_weight": (6, 6), "out_proj.weight": (6, 6)}


def test_first_weights():
    layer = MultiheadAttention(60, 2, random_state=0)
    bound = np.sqrt(6 / (60 + 180))
    assert 0.98 * bound < abs(layer.in_proj_weight.data).max() <= bound and layer.in_proj_weight.dtype == np.float32
    assert not layer.in_proj_bias.data.any() and not layer.out_proj.bias.data.any()
    assert "embed_dim=60, num_heads=2" in repr(layer)


def test_what_is_kept_for_the_sweep(monkeypatch):
    """Queries, keys and values, once, and the weights; without a sweep to come not even these."""
    saved = []
    monkeypatch.setattr(multihead.HEADS, "backward", lambda kept, *g: saved.append(kept) or (None,))
    layer, x = make((4, 2), {"batch_first": True}), np.ones((3, 5, 4))
    for need_weights in (False, True):
        layer(x, x, x, need_weights=need_weights)[0].sum().backward()
        assert kept_bytes(saved[-1]) == 8 * (3 * 5 * 12 + 3 * 2 * 5 * 5)
    calls = []
    attend = multihead.attend
    monkeypatch.setattr(multihead, "attend", lambda *given: calls.append(attend(*given)) or calls[-1])
    with no_grad():
        layer(x, x, x, need_weights=False)
    assert calls == [(None, None, None)]


# --- refused

X = np.ones((2, 3, 4))


@pytest.mark.parametrize("arguments, options, message", [
    ((5, 2), {}, "embed_dim=5: expected a multiple of num_heads=2"),
    ((0, 1), {}, "embed_dim=0: expected a whole number of at least 1"),
    ((4, 0), {}, "num_heads=0: expected a whole number of at least 1"),
    ((4, 2, 1.5), {}, "dropout=1.5: expected a number from 0 to 1"),
    ((4, 2), {"kdim": 0}, "kdim=0: expected a whole number"),
    ((4, 2), {"dtype": "int32"}, "dtype='int32': expected 'float32' or 'float64'"),
])
def test_a_layer_that_cannot_be(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        MultiheadAttention(*arguments, **options)


PADDING, MASK = "key_padding_mask", "attn_mask"


@pytest.mark.parametrize("inputs, options, message", [
    ((X[..., :3], X, X), {}, r"query: MultiheadAttention.embed_dim=4, .* expected .*B, places, 4.* \(2, 3, 3\)"),
    ((X, X[0], X[0]), {}, r"key: .* expected shape .* got \(3, 4\)"),
    ((X, X, X[..., :1]), {}, r"value: .* got \(2, 3, 1\)"),
    ((X[None], X[None], X[None]), {}, r"query: .* got \(1, 2, 3, 4\)"),
    ((X, X[:1], X[:1]), {}, r"key, value: .* the batch of query \(2, 3, 4\), got \(1, 3, 4\) and \(1, 3, 4\)"),
    ((X, X, X[:, :2]), {}, r"key, value: .* the same places in both.* got \(2, 3, 4\) and \(2, 2, 4\)"),
    ((X[0], X[0], X[0, :2]), {}, r"key, value: .* the same places in both"),
    ((X, X, X), {PADDING: np.ones((3, 2), bool)}, r"key_padding_mask: expected shape \(2, 3\), got \(3, 2\)"),
    ((X, X, X), {PADDING: np.ones((2, 3), int)}, "key_padding_mask: expected an array of bool or of floats"),
    ((X, X, X), {PADDING: np.full((2, 3), np.nan)}, "key_padding_mask: contains NaN"),
    ((X, X, X), {MASK: np.ones((2, 3), bool)}, r"attn_mask: expected shape \(3, 3\) or .* \(4, 3, 3\), got \(2, 3\)"),
    ((X, X, X), {MASK: np.ones((3, 3), int)}, "attn_mask: expected an array of bool or of floats, got dtype int64"),
    ((X, X, X), {MASK: np.full((3, 3), np.inf)}, "attn_mask: contains NaN or .inf"),
])
def test_inputs_that_do_not_fit(inputs, options, message):
    with pytest.raises(ValueError, match=message):
        MultiheadAttention(4, 2, batch_first=True)(*inputs, **options)


def test_a_tensor_of_another_dtype():
    with pytest.raises(ValueError, match="computes in float32, got a Tensor of float64"):
        MultiheadAttention(4, 2)(Tensor(X), X, X)
