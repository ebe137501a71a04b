"""Attention against its definition, against elementary operations on Tensors, and against what must hold."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import GradcheckError, Tensor, grad, gradcheck, no_grad, ops
from scratchml.nn import attention
from scratchml.nn.attention import (attention_weights, dropped, query_key_gradients, scaled_dot_product_attention,
                                    score_gradient, scores, to_score_gradient, to_weights, value_gradient,
                                    weight_gradient, weighted_values)
from scratchml.nn.masks import Mask
from tests.reference import attention as reference
from tests.strategies.attention import MASKS, additive, mask_options, problems, scale, seeds

EPS = np.finfo(float).eps


def tensors(arrays):
    return [Tensor(array, requires_grad=True) for array in arrays]


def elementary(q, k, v, options, X=None, p=0.0):
    """The same from elementary operations; rows in which nothing may be seen are left out by weights of 0."""
    M = additive(options, (*q.shape[:-1], k.shape[-2]))
    empty = (M == -np.inf).all(-1, keepdims=True) if M.shape[-1] else np.ones((*M.shape[:-1], 1), bool)
    Z = (q * scale(options, q.shape[-1])) @ k.mT + np.where(empty, 0.0, M)
    W = ops.masked_fill(Z.softmax(-1), np.broadcast_to(empty, M.shape), 0.0)
    if X is not None:
        W = W * X / (1 - p)
    return W @ v, W


def assert_near(got, expected, terms=1):
    """Up to the rounding of sums of `terms` numbers as large as the largest result, and of one exponential each."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    largest = max(1.0, abs(expected).max(initial=0))
    np.testing.assert_allclose(got, expected, rtol=0, atol=64 * (terms + 4) * np.finfo(got.dtype).eps * largest)


@st.composite
def operands(draw):
    """Arrays for the equations, each of its own shape: q, k, v, dy, Z with -inf in it, dP, and X."""
    rng = np.random.default_rng(draw(seeds))
    N, L, S, D, C = (draw(st.integers(1, 4)) for _ in range(5))
    q, k, v, dy = (rng.normal(size=shape) for shape in ((N, L, D), (N, S, D), (N, S, C), (N, L, C)))
    Z, dP = rng.normal(size=(2, N, L, S)) * draw(st.sampled_from([1, 30, 1e3]))
    Z[rng.random(Z.shape) < draw(st.sampled_from([0, 0.4]))] = -np.inf
    return q, k, v, dy, Z, dP, rng.random(Z.shape) < 0.6


# --- equal to the definition

@given(operands())
def test_scores_and_weights(drawn):
    q, k, v, dy, Z, dP, X = drawn
    M = np.where(X, 0.5, -np.inf)
    np.testing.assert_allclose(scores(q, k, 0.7, M), reference.scores(q, k, 0.7, M), atol=1e-14, rtol=1e-14)
    np.testing.assert_allclose(attention_weights(Z), reference.attention_weights(Z), atol=1e-15, rtol=1e-13)


@given(operands(), seeds)
def test_kernels_are_the_equations(drawn, seed):
    """In place, with a scale, and with keys that are forbidden to some queries."""
    q, k, v, dy, Z, dP, X = drawn
    M = np.where((np.random.default_rng(seed).random(Z.shape) < 0.3) | (Z == -np.inf), -np.inf, 0.25)
    P, dZ = np.array(Z, order="C"), np.array(dP, order="C")
    to_weights(P, 0.7, Mask(M, Z.shape[:1], *Z.shape[1:], Z.dtype))
    expected = attention_weights(0.7 * Z + M)
    np.testing.assert_allclose(P, expected, atol=1e-15, rtol=1e-13)
    dZ[P == 0] = np.inf
    of_formula = 0.7 * score_gradient(P, dZ)
    to_score_gradient(P, dZ, 0.7)
    np.testing.assert_allclose(dZ, of_formula, rtol=0, atol=1e-14 * max(1, np.abs(dP).max(initial=0)))


@given(operands())
def test_values_and_dropout(drawn):
    q, k, v, dy, Z, dP, X = drawn
    P = reference.attention_weights(Z)
    np.testing.assert_allclose(dropped(P, X, 0.3), reference.dropped(P, X, 0.3), rtol=1e-15)
    assert not dropped(P, X, 1.0).any()
    assert_near(weighted_values(P, v), reference.weighted_values(P, v))


@given(operands())
def test_gradients_by_hand(drawn):
    q, k, v, dy, Z, dP, X = drawn
    P = reference.attention_weights(Z)
    assert_near(value_gradient(P, dy), reference.value_gradient(P, dy))
    assert_near(weight_gradient(dy, v), reference.weight_gradient(dy, v))
    dZ = reference.score_gradient(P, dP)
    np.testing.assert_allclose(score_gradient(P, dP), dZ, rtol=0, atol=1e-14 * abs(dP).max())
    for got, expected in zip(query_key_gradients(dZ, q, k, 0.7), reference.query_key_gradients(dZ, q, k, 0.7)):
        assert_near(got, expected)


@given(problems(lead=[2]))
def test_all_at_once(drawn):
    (q, k, v), options = drawn
    M, s = additive(options, (2, q.shape[1], k.shape[1])), scale(options, q.shape[-1])
    y, W = scaled_dot_product_attention(q, k, v, **options, need_weights=True)
    assert_near(y.data, reference.attention(q, k, v, s, M))
    assert_near(W.data, reference.attention_weights(reference.scores(q, k, s, M)))
    assert_near(scaled_dot_product_attention(q, k, v, **options).data, y.data)


# --- gradients

@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("need_weights", [False, True])
def test_gradcheck(kind, need_weights):
    rng = np.random.default_rng(3)
    q, k, v = tensors(rng.normal(size=shape) for shape in ((2, 3, 2), (2, 4, 2), (2, 4, 3)))
    options = mask_options(kind, rng, (2, 3, 4))
    assert gradcheck(lambda q, k, v: scaled_dot_product_attention(q, k, v, **options, need_weights=need_weights),
                     (q, k, v))


@pytest.mark.parametrize("shape", [(2, 3, 4), (3, 4), (1, 3, 1), (2, 1, 4), (4,), (1, 1), ()])
def test_gradcheck_of_a_learned_mask(shape):
    rng = np.random.default_rng(4)
    q, k, v, M = tensors(rng.normal(size=s) for s in ((2, 3, 2), (2, 4, 2), (2, 4, 3), shape))
    assert gradcheck(lambda q, k, v, M: scaled_dot_product_attention(q, k, v, M, scale=0.9), (q, k, v, M))
    assert gradcheck(lambda M: scaled_dot_product_attention(q, k, v, M, is_causal=True, scale=0.0), M)


def test_gradcheck_with_dropout():
    rng = np.random.default_rng(5)
    q, k, v = tensors(rng.normal(size=shape) for shape in ((2, 3, 2), (2, 4, 2), (2, 4, 3)))
    for need_weights in (False, True):
        assert gradcheck(lambda *qkv: scaled_dot_product_attention(*qkv, dropout_p=0.4, need_weights=need_weights,
                                                                   random_state=1), (q, k, v))


def test_a_wrong_gradient_is_found(monkeypatch):
    rng = np.random.default_rng(6)
    q, k, v = tensors(rng.normal(size=shape) for shape in ((3, 2), (4, 2), (4, 3)))
    monkeypatch.setattr(attention, "value_gradient", lambda W, dy, out: value_gradient(W, 1.01 * dy, out))
    with pytest.raises(GradcheckError):
        gradcheck(scaled_dot_product_attention, (q, k, v))


@given(problems(), seeds)
def test_elementary_operations_give_the_same(drawn, seed):
    arrays, options = drawn
    ours, composed = tensors(arrays), tensors(arrays)
    y, W = scaled_dot_product_attention(*ours, **options, need_weights=True)
    y2, W2 = elementary(*composed, options)
    rng = np.random.default_rng(seed)
    g, h = rng.normal(size=y.shape), rng.normal(size=W.shape)
    ((y * g).sum() + (W * h).sum()).backward()
    ((y2 * g).sum() + (W2 * h).sum()).backward()
    for got, expected in ((y.data, y2.data), (W.data, W2.data), *((a.grad.data, b.grad.data)
                                                                  for a, b in zip(ours, composed))):
        assert_near(got, expected, terms=4)


@given(problems(masks=("none", "bool")), seeds)
def test_dropout_is_a_product_with_what_is_kept(drawn, seed):
    arrays, options = drawn
    ours, composed = tensors(arrays), tensors(arrays)
    y, W = scaled_dot_product_attention(*ours, **options, dropout_p=0.5, need_weights=True, random_state=seed)
    _, P = elementary(*composed, options)
    X = W.data != 0
    y2, W2 = elementary(*composed, options, X=X, p=0.5)
    assert_near(W.data, W2.data)
    y.sum().backward()
    y2.sum().backward()
    for a, b in zip(ours, composed):
        assert_near(a.grad.data, b.grad.data, terms=4)


def test_dropout_drops_the_share_that_it_states_and_repeats_itself():
    q = np.zeros((4, 50, 2))
    def weights(p, seed):
        return scaled_dot_product_attention(q, q, q, dropout_p=p, need_weights=True, random_state=seed)[1].data
    share = (weights(0.3, 0) == 0).mean()
    assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / weights(0.3, 0).size)
    np.testing.assert_allclose(weights(0.3, 0).max(), 1 / 50 / 0.7)
    assert (weights(0.3, 0) == weights(0.3, 0)).all() and (weights(0.3, 0) != weights(0.3, 1)).any()
    assert not weights(1.0, 0).any()


# --- laws

@given(problems())
def test_rows_sum_to_one_or_to_nothing(drawn):
    (q, k, v), options = drawn
    _, W = scaled_dot_product_attention(q, k, v, **options, need_weights=True)
    allowed = (additive(options, W.shape) > -np.inf).any(-1)
    np.testing.assert_allclose(W.data.sum(-1), allowed, atol=1e-14)
    assert (W.data >= 0).all()


@given(problems(masks=("none", "rows")), seeds)
def test_the_order_of_keys_does_not_matter(drawn, seed):
    (q, k, v), options = drawn
    order = np.random.default_rng(seed).permutation(k.shape[-2])
    assert_near(scaled_dot_product_attention(q, k[..., order, :], v[..., order, :], **options).data,
                scaled_dot_product_attention(q, k, v, **options).data)


@given(problems(masks=("causal", "causal and bool")), st.data())
def test_a_causal_layer_does_not_see_the_future(drawn, data):
    arrays, options = drawn
    q, k, v = tensors(arrays)
    i = data.draw(st.integers(0, q.shape[-2] - 1))
    y = scaled_dot_product_attention(q, k, v, **options)
    dk, dv = grad(y[..., i, :].sum(), (k, v))
    assert not dk.data[..., i + 1:, :].any() and not dv.data[..., i + 1:, :].any()
    later = [a.copy() for a in arrays]
    later[1][..., i + 1:, :] = 1e3
    later[2][..., i + 1:, :] = -7
    again = scaled_dot_product_attention(*later, **options)
    assert_near(again.data[..., i, :], y.data[..., i, :])


@given(problems(lead=[3]))
def test_a_batch_is_its_members_one_by_one(drawn):
    (q, k, v), options = drawn
    y = scaled_dot_product_attention(q, k, v, **options).data
    mask = options.pop("attn_mask", None)
    for n in range(3):
        own = mask if mask is None or mask.ndim < 3 else mask[n]
        assert_near(scaled_dot_product_attention(q[n], k[n], v[n], own, **options).data, y[n])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=seeds)
def test_a_forbidden_key_never_matters(dtype, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in ((2, 3, 4), (2, 5, 4), (2, 5, 2))]
    seen = rng.random((2, 1, 5)) < 0.6
    huge = [a.copy() for a in arrays]
    for a in huge[1:]:
        a[~seen[:, 0]] = np.finfo(dtype).max             # its products overflow
    results = []
    for given_arrays in (arrays, huge):
        q, k, v = tensors(given_arrays)
        y = scaled_dot_product_attention(q, k, v, seen)
        results.append([y.data, *(g.data for g in grad((y * y).sum(), (q, k, v)))])
    for got, expected in zip(*results):
        assert np.isfinite(got).all()
        assert_near(got, expected, terms=4)
    assert not results[0][2][~seen[:, 0]].any() and not results[0][3][~seen[:, 0]].any()


def test_a_query_that_may_see_nothing_reads_nothing():
    q, k, v = tensors(np.random.default_rng(0).normal(size=(3, 4, 2)))
    mask = np.array([[True], [False], [True], [False]])
    y, W = scaled_dot_product_attention(q, k, v, mask, need_weights=True)
    assert not y.data[[1, 3]].any() and not W.data[[1, 3]].any() and y.data[[0, 2]].all()
    (y * y).sum().backward()
    assert all(np.isfinite(t.grad.data).all() for t in (q, k, v)) and not q.grad.data[[1, 3]].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad, allowed", [(np.nan, None), (np.nan, [True, False, True]), (-np.inf, None),
                                          (-np.inf, [False, True, True])])
def test_scores_without_a_softmax_are_no_zeros(bad, allowed, dtype):
    q, k, v = (np.ones(shape, dtype) for shape in ((2, 2), (3, 2), (3, 1)))
    q[0] = bad
    t = tensors((q, k, v))
    y, W = scaled_dot_product_attention(*t, allowed, need_weights=True)
    assert np.isnan(y.data[0]).all() and np.isnan(W.data[0]).all() and (y.data[1] == 1).all()
    y.sum().backward()
    assert np.isnan(t[0].grad.data[0]).all() and np.isfinite(t[0].grad.data[1]).all()
    y = scaled_dot_product_attention(q, k, v, is_causal=True)
    assert np.isnan(y.data[0]).all() and (y.data[1] == 1).all()
    k[1] = bad                                           # one of several scores: the row has no softmax either
    assert np.isnan(scaled_dot_product_attention(q, k, v).data[1]).all() or bad == -np.inf
    assert not scaled_dot_product_attention(q, k, v, [[False], [False]]).data.any()


def test_gradcheck_of_a_learned_mask_without_a_batch():
    rng = np.random.default_rng(6)
    for shape in ((3, 4), (1, 4), (3, 1), (4,), ()):
        q, k, v, M = tensors(rng.normal(size=s) for s in ((3, 2), (4, 2), (4, 3), shape))
        assert gradcheck(lambda q, k, v, M: scaled_dot_product_attention(q, k, v, M), (q, k, v, M))


def test_large_scores_do_not_overflow():
    q = np.array([[1e150, 0.0]])
    y = scaled_dot_product_attention(q, np.array([[1e150, 0.0], [-1e150, 0.0]]), np.array([[2.0], [5.0]]))
    assert y.data == 2.0


@pytest.mark.parametrize("L, S", [(0, 3), (2, 0), (0, 0)])
def test_nothing_to_ask_or_to_read(L, S):
    q, k, v = tensors((np.ones((2, L, 3)), np.ones((2, S, 3)), np.ones((2, S, 4))))
    y, W = scaled_dot_product_attention(q, k, v, need_weights=True)
    assert y.shape == (2, L, 4) and W.shape == (2, L, S) and not y.data.any()
    y.sum().backward()
    assert q.grad.shape == q.shape and not q.grad.data.any()
    assert scaled_dot_product_attention(np.ones((0, 2, 3)), np.ones((0, 4, 3)), np.ones((0, 4, 5))).shape == (0, 2, 5)


@pytest.mark.parametrize("shape", [(5, 2, 3, 4), (5, 1, 3, 4), (1, 2, 1, 4), (3, 1)])
def test_a_learned_mask_adds_up_over_blocks(shape, monkeypatch):
    rng = np.random.default_rng(8)
    arrays = [rng.normal(size=size) for size in ((5, 2, 3, 2), (5, 2, 4, 2), (5, 2, 4, 3), shape)]
    results = []
    for block in (2**20, 2 * 2 * 3 * 4):
        monkeypatch.setattr(attention, "BLOCK", block)
        t = tensors(arrays)
        y, W = scaled_dot_product_attention(*t, scale=0.7, need_weights=True)
        results.append([y.data, W.data, *(g.data for g in grad((y * y).sum() + (W ** 3).sum(), t))])
    for one, other in zip(*results):
        assert_near(one, other)


# --- blocks, threads, layouts, memory

@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"dropout_p": 0.4, "random_state": 2},
                                     {"attn_mask": np.arange(5 * 3).reshape(5, 1, 3, 1) % 4 > 0}])
def test_blocks_and_chunks_change_nothing(options, monkeypatch):
    rng = np.random.default_rng(7)
    arrays = [rng.normal(size=shape) for shape in ((5, 2, 3, 2), (5, 2, 4, 2), (5, 2, 4, 3))]
    results = []
    for block, threads in ((2**20, "1"), (2 * 2 * 3 * 4, "2"), (1, "1")):
        monkeypatch.setattr(attention, "BLOCK", block)
        monkeypatch.setattr(attention, "CHUNK", block // 4)
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        t = tensors(arrays)
        y = scaled_dot_product_attention(*t, **options)
        results.append([y.data, *(g.data for g in grad((y * y).sum(), t))])
        with no_grad():                                  # where only a block of weights is held
            assert (scaled_dot_product_attention(*arrays, **options).data == y.data).all()
    for other in results[1:]:
        assert all((a == b).all() for a, b in zip(results[0], other))


@given(problems(dtype=np.float32))
def test_single_precision_stays_single(drawn):
    arrays, options = drawn
    t, wide = tensors(arrays), tensors(a.astype(float) for a in arrays)
    y = scaled_dot_product_attention(*t, **options)
    assert y.dtype == np.float32
    expected = scaled_dot_product_attention(*wide, **options)
    for got, exact in zip([y, *grad((y * y).sum(), t)], [expected, *grad((expected * expected).sum(), wide)]):
        assert got.dtype == np.float32
        assert_near(got.data, exact.data.astype(np.float32), terms=4)


def test_read_only_operands_are_taken_and_left_alone():
    arrays = [np.random.default_rng(1).normal(size=(3, 4)) for _ in range(3)]
    before = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    scaled_dot_product_attention(*tensors(arrays), is_causal=True).sum().backward()
    assert all((a == b).all() for a, b in zip(arrays, before))


def kept_bytes(saved):
    return sum(a.nbytes for a in saved if isinstance(a, np.ndarray))


def test_what_is_kept_for_the_sweep(monkeypatch):
    """The operands and one array of weights; with dropout a byte a weight more."""
    saved = []
    monkeypatch.setattr(attention._ATTENTION, "backward", lambda kept, *g: saved.append(kept) or (None,) * 3)
    t = tensors(np.random.default_rng(2).normal(size=(3, 2, 5, 3)))
    operands = sum(x.data.nbytes for x in t)
    for options, extra in (({}, 0), ({"is_causal": True}, 0), ({"dropout_p": 0.5}, 2 * 5 * 5),
                           ({"need_weights": True}, 0)):
        y = scaled_dot_product_attention(*t, **options)
        (y[0] if isinstance(y, tuple) else y).sum().backward()
        assert kept_bytes(saved[-1]) == operands + 8 * 2 * 5 * 5 + extra
    scaled_dot_product_attention(*(x.detach() for x in t))
    assert attention.attend(*(x.data for x in t), t[0].data.copy(), attention.Mask(None, (2,), 5, 5, t[0].dtype), 1.0,
                            0.0, None, False) == (None, None, None)


# --- refused

X = np.ones((2, 3, 4))


@pytest.mark.parametrize("arguments, message", [
    ((X[0, 0], X, X), r"query: expected at least 2 dimensions, \(..., L, D\), got shape \(4,\)"),
    ((X, X[:1], X), r"key: expected shape .* of query \(2, 3, 4\), got \(1, 3, 4\)"),
    ((X, X[..., :2], X), r"key: expected shape .* got \(2, 3, 2\)"),
    ((X, X, X[:, :2]), r"value: expected shape .* of key \(2, 3, 4\), got \(2, 2, 4\)"),
    ((X[..., :0], X[..., :0], X), r"key: expected shape .* D >= 1"),
    ((X, X.astype(np.float32), X), "key: expected the dtype of query, float64, got float32"),
    ((X, X, X, np.ones((2, 3), bool)), r"attn_mask: expected a shape that broadcasts to \(2, 3, 3\), got \(2, 3\)"),
    ((X, X, X, np.ones((1, 2, 3, 3), bool)), r"attn_mask: expected a shape .* got \(1, 2, 3, 3\)"),
    ((X, X, X, np.ones((3, 3), int)), "attn_mask: expected an array of bool or of floats, got dtype int64"),
    ((X, X, X, np.full((3, 3), np.nan)), "attn_mask: contains NaN or .inf"),
    ((X, X, X, np.full((3, 3), np.inf)), "attn_mask: contains NaN or .inf"),
    ((X.astype("f"), X.astype("f"), X.astype("f"), np.full((3, 3), 1e300)), "attn_mask: contains NaN or .inf"),
    ((X, X, X, None, 1.5), "dropout_p=1.5: expected a number from 0 to 1"),
    ((X, X, X, None, np.nan), "dropout_p=nan: expected a number from 0 to 1"),
    ((X, X, X, None, 0.0, False, np.inf), "scale=inf: expected a finite number"),
    ((X, X, X, None, 0.0, False, "1"), "scale='1': expected a finite number"),
])
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(*arguments)
