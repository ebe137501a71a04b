"""Functions, cells, pools and transformers equal PyTorch's, as the layers of test_layers do."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import scratchml.nn.functional as ours_F
import scratchml.torch as face
from scratchml import nn
from scratchml.autograd import Tensor, ops
from tests.peers.test_layers import assert_close, assert_same, counts, each_dtype, moved, seeds
from tests.strategies.lstm import lengths

torch = pytest.importorskip("torch")
F = torch.nn.functional

REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


def normal(rng, *shape, dtype=np.float64):
    return rng.normal(size=shape).astype(dtype)


def both(name, *arguments, dtype, rng, **options):
    """Ours and theirs, with the same random weights; none of their sizes draws."""
    ours = getattr(nn, name)(*arguments, **options).to(dtype=dtype)
    return moved(ours, getattr(torch.nn, name)(*arguments, **options).to(getattr(torch, np.dtype(dtype).name)), rng)


# --- functions

FUNCTIONS = {
    "gelu": lambda F, x: F.gelu(x), "gelu, tanh": lambda F, x: F.gelu(x, approximate="tanh"),
    "silu": lambda F, x: F.silu(x), "elu": lambda F, x: F.elu(x), "elu, 0.3": lambda F, x: F.elu(x, 0.3),
    "softplus": lambda F, x: F.softplus(x), "softplus, bent": lambda F, x: F.softplus(x, 2.0, 1.5),
    "relu": lambda F, x: F.relu(x), "leaky_relu": lambda F, x: F.leaky_relu(x, 0.2), "tanh": lambda F, x: F.tanh(x),
    "sigmoid": lambda F, x: F.sigmoid(x), "logsigmoid": lambda F, x: F.logsigmoid(x), "glu": lambda F, x: F.glu(x, 1),
    "softmax": lambda F, x: F.softmax(x, 1), "log_softmax": lambda F, x: F.log_softmax(x, -1),
    "pad": lambda F, x: F.pad(x, (1, 2)), "pad, cut": lambda F, x: F.pad(x, (-1, 2, 0, 1), value=0.5),
    "layer_norm": lambda F, x: F.layer_norm(x, x.shape[-1:]),
    "normalize": lambda F, x: F.normalize(x), "normalize, 1": lambda F, x: F.normalize(x, 1, -1),
    "normalize, 3": lambda F, x: F.normalize(x, 3.0, 0), "normalize, inf": lambda F, x: F.normalize(x, float("inf")),
    "dropout": lambda F, x: F.dropout(x, 0.5, training=False),
    "max_pool1d": lambda F, x: F.max_pool1d(x, 2), "avg_pool1d": lambda F, x: F.avg_pool1d(x, 3, 1, 1),
    "adaptive_avg_pool1d": lambda F, x: F.adaptive_avg_pool1d(x, 3),
    "adaptive_max_pool1d": lambda F, x: F.adaptive_max_pool1d(x, 4),
    "one largest": lambda F, x: F.adaptive_max_pool1d(x, 1),
    "rms_norm": lambda F, x: F.rms_norm(x, x.shape[-2:]), "rms_norm, 0.1": lambda F, x: F.rms_norm(x, (6,), eps=0.1),
}


@each_dtype
@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=10)
@given(seeds)
def test_functions_of_one_tensor(name, dtype, seed):
    rng = np.random.default_rng(seed)
    x = 3 * normal(rng, 3, 4, 6, dtype=dtype)
    assert_same(lambda x: FUNCTIONS[name](ours_F, x), lambda x: FUNCTIONS[name](F, x), [x], dtype, rng)


@each_dtype
@given(seeds, st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, float("inf")]), st.booleans())
def test_functions_of_two(dtype, seed, p, keepdim):
    rng = np.random.default_rng(seed)
    x, y, W, b = (normal(rng, *shape, dtype=dtype) for shape in ((5, 4), (5, 4), (3, 4), (3,)))
    for call, arrays in [
        (lambda F, x, y: F.pairwise_distance(x, y, p, keepdim=keepdim), (x, y)),
        (lambda F, x, y: F.cosine_similarity(x, y), (x, y)),
        (lambda F, x, y: F.cosine_similarity(x[:, None], y[None], dim=2), (x, y)),
        (lambda F, x, W, b: F.linear(x, W, b), (x, W, b)), (lambda F, x, W: F.linear(x, W), (x, W)),
        (lambda F, q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), (x, y, x)),
    ]:
        assert_same(lambda *a: call(ours_F, *a), lambda *a: call(F, *a), arrays, dtype, rng)


@given(seeds, st.integers(4, 6) | st.just(-1))
def test_one_hot_and_embedding(seed, classes):
    rng = np.random.default_rng(seed)
    t, E = rng.integers(4, size=(3, 2)), normal(rng, 4, 3)
    np.testing.assert_array_equal(ours_F.one_hot(t, classes), F.one_hot(torch.tensor(t), classes).numpy())
    assert_same(lambda E: ours_F.embedding(t, E, 1), lambda E: F.embedding(torch.tensor(t), E, 1), [E], np.float64, rng)


@each_dtype
@settings(max_examples=15)
@given(seeds, REDUCTIONS, st.sampled_from([1.0, 1.5, 2.0, 3.0]))
def test_losses(dtype, seed, reduction, p):
    rng = np.random.default_rng(seed)
    x, y, z = (normal(rng, 5, 4, dtype=dtype) for _ in range(3))
    q, r = (rng.uniform(0.02, 0.98, (5, 4)).astype(dtype) for _ in range(2))
    w, cube, t = rng.uniform(0.5, 2, 4).astype(dtype), normal(rng, 5, 4, 3, dtype=dtype), rng.integers(4, size=(5, 3))
    t[0, 0] = -100
    for name, arrays, fixed in [
        ("smooth_l1_loss", (x, y), {}), ("smooth_l1_loss", (x, y), dict(beta=0.3)),
        ("binary_cross_entropy", (q, r), {}), ("binary_cross_entropy", (q, r), dict(weight=w)),
        ("nll_loss", (cube,), dict(target=t, weight=w)), ("cross_entropy", (cube,), dict(target=t, weight=w)),
        ("triplet_margin_loss", (x, y, z), dict(p=p)), ("triplet_margin_loss", (x, y, z), dict(p=p, swap=True)),
    ]:
        theirs = {key: torch.tensor(value) if isinstance(value, np.ndarray) else value for key, value in fixed.items()}
        assert_same(lambda *a: getattr(ours_F, name)(*a, **fixed, reduction=reduction),
                    lambda *a: getattr(F, name)(*a, **theirs, reduction=reduction), arrays, dtype, rng)


@each_dtype
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")
@settings(max_examples=15)
@given(seeds, REDUCTIONS)
def test_loss_classes(dtype, seed, reduction):
    rng = np.random.default_rng(seed)
    x, y, z = (normal(rng, 5, 4, dtype=dtype) for _ in range(3))
    q, w, s, t = (rng.uniform(0.05, 0.95, (5, 4)).astype(dtype), rng.uniform(0.5, 2, 4).astype(dtype),
                  rng.choice([-1, 1], 5), rng.integers(4, size=5))
    for name, arrays, target, options in [
        ("BCELoss", (q,), q[::-1].copy(), {}), ("BCEWithLogitsLoss", (x,), q, dict(pos_weight=w)),
        ("CosineEmbeddingLoss", (x, y), s, dict(margin=0.1)), ("HingeEmbeddingLoss", (x[:, 0],), s, dict(margin=0.4)),
        ("CrossEntropyLoss", (x,), t, dict(weight=w, label_smoothing=0.1)), ("HuberLoss", (x,), y, dict(delta=0.5)),
        ("KLDivLoss", (x,), q, {}), ("L1Loss", (x,), y, {}), ("MSELoss", (x,), y, {}),
        ("NLLLoss", (x,), t, dict(weight=w)),
        ("MarginRankingLoss", (x[:, 0], y[:, 0]), s, dict(margin=0.3)), ("SmoothL1Loss", (x,), y, dict(beta=0.5)),
        ("TripletMarginLoss", (x, y, z), None, dict(p=3.0, margin=0.5)),
    ]:
        theirs = {key: torch.tensor(value) if isinstance(value, np.ndarray) else value
                  for key, value in options.items()}
        one, other = (getattr(nn, name)(**options, reduction=reduction),
                      getattr(torch.nn, name)(**theirs, reduction=reduction))
        assert list(one.state_dict()) == list(other.state_dict())
        given = () if target is None else (target,)
        assert_same(lambda *a: one(*a, *given), lambda *a: other(*a, *map(torch.tensor, given)), arrays, dtype, rng)


@each_dtype
@pytest.mark.parametrize("name, options",
                         [("CosineSimilarity", dict(dim=0)), ("PairwiseDistance", dict(p=3.0, keepdim=True))])
def test_classes_of_similarity(name, options, dtype):
    rng = np.random.default_rng(0)
    assert_same(getattr(nn, name)(**options), getattr(torch.nn, name)(**options),
                [normal(rng, 5, 4, dtype=dtype), normal(rng, 5, 4, dtype=dtype)], dtype, rng)


def test_where_margins_are_just_kept():
    zeros, s = np.zeros(4), np.array([1, -1, 1, -1])
    rng = np.random.default_rng(0)
    assert_same(lambda a, b: nn.margin_ranking_loss(a, b, s), lambda a, b: F.margin_ranking_loss(a, b, torch.tensor(s)),
                [zeros, zeros], np.float64, rng)
    assert_same(lambda a: nn.hinge_embedding_loss(a, s, 0.0),
                lambda a: F.hinge_embedding_loss(a, torch.tensor(s), 0.0), [zeros], np.float64, rng)


def test_losses_of_probabilities_that_are_certain():
    q, y = np.array([0.0, 1.0, 0.0, 1.0, 1e-60]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    ours, theirs = Tensor(q, requires_grad=True), torch.tensor(q, requires_grad=True)
    loss, other = nn.binary_cross_entropy(ours, y), F.binary_cross_entropy(theirs, torch.tensor(y))
    loss.backward()
    other.backward()
    np.testing.assert_allclose(loss.data, other.item(), rtol=1e-14)
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), rtol=1e-8)           # its 1e-12 is a float32


# --- recurrent layers

@each_dtype
@pytest.mark.parametrize("name, options", [("LSTMCell", {}), ("GRUCell", {}), ("RNNCell", {}),
                                           ("RNNCell", dict(nonlinearity="relu"))])
@given(st.data())
def test_cells(name, options, dtype, data):
    B, D, H, bias = data.draw(counts), data.draw(counts), data.draw(counts), data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(seeds))
    ours, theirs = both(name, D, H, bias, **options, dtype=dtype, rng=rng)
    shape = (B, H) if data.draw(st.booleans()) else (H,)
    given = [normal(rng, *shape[:-1], D, dtype=dtype), *(normal(rng, *shape, dtype=dtype) for _ in ours.states)]

    def joined(cell, join):
        def forward(x, *states):
            after = cell(x, tuple(states) if len(states) > 1 else states[0])
            return join(after) if isinstance(after, tuple) else after
        return forward
    assert_same(joined(ours, ops.stack), joined(theirs, torch.stack), given, dtype, rng)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(p.grad.data, q.grad, dtype, largest=4.0)


@each_dtype
@given(st.data())
def test_recurrent_layers_and_packed_sequences(dtype, data):
    draw = data.draw
    T, B, D, H = (draw(st.integers(1, most)) for most in (5, 4, 4, 4))
    rng, first = np.random.default_rng(draw(seeds)), draw(st.booleans())
    name, options = draw(st.sampled_from([("RNN", {}), ("RNN", dict(nonlinearity="relu")), ("LSTM", {}), ("GRU", {})]))
    options = dict(options, num_layers=draw(st.integers(1, 2)), bias=draw(st.booleans()), batch_first=first,
                   bidirectional=draw(st.booleans()))
    steps, value = draw(lengths(T, B)), draw(st.sampled_from([0.0, -3.0]))
    more = draw(st.none() | st.integers(max(steps), 6))
    ours, theirs = both(name, D, H, **options, dtype=dtype, rng=rng)

    def through(layer, rnn):
        def forward(x):
            packed = rnn.pack_padded_sequence(x, steps, first, enforce_sorted=False)
            y, n = rnn.pad_packed_sequence(layer(packed)[0], first, value, more)
            assert n.tolist() == steps
            return y
        return forward
    x = normal(rng, *((B, T) if first else (T, B)), D, dtype=dtype)
    assert_same(through(ours, nn.utils.rnn), through(theirs, torch.nn.utils.rnn), [x], dtype, rng)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(p.grad.data, q.grad, dtype, largest=16.0)


@given(seeds, st.lists(st.integers(1, 5), min_size=1, max_size=4), st.booleans(), st.sampled_from(["right", "left"]))
def test_pad_sequence(seed, steps, first, side):
    rng = np.random.default_rng(seed)
    parts = [normal(rng, n, 2) for n in steps]
    assert_same(lambda *p: nn.utils.rnn.pad_sequence(p, first, -1.0, side),
                lambda *p: torch.nn.utils.rnn.pad_sequence(p, first, -1.0, side), parts, np.float64, rng)


# --- pools

@each_dtype
@given(st.data())
def test_pools(dtype, data):
    draw = data.draw
    K, s, d = (draw(st.integers(1, 4)) for _ in range(3))
    p, ceil = draw(st.integers(0, K // 2)), draw(st.booleans())
    T = draw(st.integers(d * (K - 1) + 1, d * (K - 1) + 9))
    rng = np.random.default_rng(draw(seeds))
    x = normal(rng, *((2,) if draw(st.booleans()) else ()), 3, T, dtype=dtype)
    options = dict(kernel_size=K, stride=draw(st.just(s) | st.none()), padding=p, ceil_mode=ceil)
    include, size = draw(st.booleans()), draw(st.integers(1, 6))
    for name, more in [("MaxPool1d", dict(options, dilation=d)), ("AdaptiveAvgPool1d", dict(output_size=size)),
                       ("AdaptiveMaxPool1d", dict(output_size=size)),
                       ("AvgPool1d", dict(options, count_include_pad=include))]:
        assert_same(getattr(nn, name)(**more), getattr(torch.nn, name)(**more), [x], dtype, rng)
    _, i = nn.MaxPool1d(**options, return_indices=True)(x)
    np.testing.assert_array_equal(i, torch.nn.MaxPool1d(**options, return_indices=True)(torch.tensor(x))[1].numpy())
    _, i = nn.AdaptiveMaxPool1d(size, True)(x)
    np.testing.assert_array_equal(i, torch.nn.AdaptiveMaxPool1d(size, True)(torch.tensor(x))[1].numpy())


# --- others

@each_dtype
@given(st.data())
def test_over_the_root_mean_square(dtype, data):
    shape, last = (data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=2)) for n in (0, 1))
    affine, eps = data.draw(st.booleans()), data.draw(st.sampled_from([None, 1e-5, 0.1]))
    rng = np.random.default_rng(data.draw(seeds))
    ours, theirs = both("RMSNorm", last, eps, affine, dtype=dtype, rng=rng)
    x = (rng.normal(size=(*shape, *last)) * 10.0 ** data.draw(st.integers(-3, 3))).astype(dtype)
    assert_same(ours, theirs, [x], dtype, rng)


@each_dtype
@given(seeds)
def test_products_and_sums_of_powers(dtype, seed):
    rng = np.random.default_rng(seed)
    x, y = np.round(2 * normal(rng, 3, 5, dtype=dtype)), normal(rng, 5, dtype=dtype)            # some are 0
    for call, arrays in [(lambda t, x: t.cumprod(x, 1), [x]), (lambda t, x: x.cumprod(dim=0), [x]),
                         (lambda t, x, y: t.logaddexp(x, y), [x, 50 * y]), (lambda t, x: x.logaddexp(x), [x])]:
        assert_same(lambda *a: call(face, *a), lambda *a: call(torch, *a), arrays, dtype, rng)
    log = nn.LogSigmoid(), torch.nn.LogSigmoid()
    assert_same(*log, [30 * y], dtype, rng)


# --- transformers

@each_dtype
@pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")
@settings(max_examples=30)
@given(st.data())
def test_transformers(dtype, data):
    draw = data.draw
    B, T, S = (draw(st.integers(1, 4)) for _ in range(3))
    rng, first = np.random.default_rng(draw(seeds)), draw(st.booleans())
    options = dict(dropout=0.0, activation=draw(st.sampled_from(["relu", "gelu"])), batch_first=first,
                   norm_first=draw(st.booleans()), bias=draw(st.booleans()))
    masks, float_masks = draw(st.booleans()), draw(st.booleans())
    made = []
    for lib in (nn, torch.nn):
        encoder = lib.TransformerEncoder(lib.TransformerEncoderLayer(8, 2, 12, **options), 2, lib.LayerNorm(8))
        decoder = lib.TransformerDecoder(lib.TransformerDecoderLayer(8, 2, 12, **options), 2)
        made.append(lib.ModuleDict({"encoder": encoder, "decoder": decoder}))
    ours, theirs = moved(made[0].to(dtype=dtype), made[1].to(getattr(torch, np.dtype(dtype).name)), rng)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):        # smaller ones: sums stay moderate
        p.data = p.data / 4
        q.data /= 4
    padding = np.arange(S) >= rng.integers(1, S + 1, (B, 1)) if masks else None
    causal = np.triu(np.ones((T, T), bool), 1)
    if float_masks:
        causal = np.where(causal, -np.inf, 0).astype(dtype)
        padding = None if padding is None else np.where(padding, -np.inf, 0).astype(dtype)

    def through(net, turned):
        def forward(src, tgt):
            memory = net["encoder"](src, src_key_padding_mask=turned(padding))
            return net["decoder"](tgt, memory, tgt_mask=turned(causal), memory_key_padding_mask=turned(padding))
        return forward
    src, tgt = (normal(rng, *((B, n) if first else (n, B)), 8, dtype=dtype) for n in (S, T))
    assert_same(through(ours, lambda m: m), through(theirs, lambda m: None if m is None else torch.tensor(m)),
                [src, tgt], dtype, rng)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(p.grad.data, q.grad, dtype, largest=16.0)


def test_a_transformer_of_both():
    rng, options = np.random.default_rng(0), dict(dropout=0.0, batch_first=True)
    ours, theirs = nn.Transformer(8, 2, 1, 2, 12, **options), torch.nn.Transformer(8, 2, 1, 2, 12, **options)
    ours, theirs = moved(ours.double(), theirs.double(), rng)
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    np.testing.assert_array_equal(mask.data, torch.nn.Transformer.generate_square_subsequent_mask(3).numpy())
    assert_same(lambda s, t: ours(s, t, tgt_mask=mask), lambda s, t: theirs(s, t, tgt_mask=torch.tensor(mask.data)),
                [normal(rng, 2, 4, 8), normal(rng, 2, 3, 8)], np.float64, rng)


# --- state

def test_frozen_weights_and_buffers_move_by_name():
    def made(lib, ones, zeros):
        class Net(lib.Module):
            def __init__(self):
                super().__init__()
                self.position = lib.Parameter(ones, requires_grad=False)
                self.register_buffer("table", zeros)
                self.register_buffer("scratch", zeros, persistent=False)
                self.register_parameter("absent", None)
                self.heads = lib.ModuleDict({"a": lib.Linear(2, 1), "b": lib.Linear(2, 3)})
                self.scales = lib.ParameterList([lib.Parameter(ones), lib.Parameter(ones)])
        return Net()
    ours = made(nn, np.ones(2, np.float32), Tensor(np.zeros(3, np.float32)))
    theirs = made(torch.nn, torch.ones(2), torch.zeros(3))
    moved(ours, theirs, np.random.default_rng(0))
    assert [p.requires_grad for p in ours.parameters()] == [p.requires_grad for p in theirs.parameters()]
    E = torch.randn(4, 3)
    layer, other = nn.Embedding.from_pretrained(E.numpy(), padding_idx=0), torch.nn.Embedding.from_pretrained(E)
    assert list(layer.state_dict()) == list(other.state_dict()) and not layer.weight.requires_grad


def test_truncated_first_weights_have_the_same_moments():
    ours = nn.init.trunc_normal_(np.zeros((300, 300)), 0.5, 2.0, -1.0, 3.0, random_state=0)
    theirs = torch.nn.init.trunc_normal_(torch.zeros(300, 300), 0.5, 2.0, -1.0, 3.0).numpy()
    np.testing.assert_allclose(ours.mean(), theirs.mean(), atol=0.03)
    np.testing.assert_allclose(ours.std(), theirs.std(), rtol=0.02)


# --- sequences at other places

@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("options", [{"mode": "nearest"}, {"mode": "linear", "align_corners": False},
                                     {"mode": "linear", "align_corners": True}],
                         ids=lambda options: "-".join(map(str, options.values())))
def test_interpolated_sequences(options, dtype):
    rng = np.random.default_rng(0)
    sizes = [{"size": S} for S in (1, 2, 3, 4, 5, 7, 8, 12, 13)] + [{"scale_factor": s} for s in (0.5, 1.5, 2, 2.6)]
    for T, how in [(T, how) for T in (1, 2, 3, 5, 8) for how in sizes if int(T * how.get("scale_factor", 9))]:
        x = rng.normal(size=(2, 3, T)).astype(dtype)
        ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, z = (lib.functional.interpolate(x, **how, **options) for lib, x in ((nn, ours), (torch.nn, theirs)))
        g = rng.normal(size=z.shape).astype(dtype)
        (y * Tensor(g)).sum().backward()
        (z * torch.tensor(g)).sum().backward()
        close = dict(rtol=1e-5, atol=2e-6) if dtype == "float32" else dict(rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(y.data, z.detach().numpy(), **close)
        np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), **close)


@pytest.mark.parametrize("name", ["hardtanh", "relu6", "selu", "mish", "softsign"])
def test_bounded_activations(name):
    u = np.concatenate([np.linspace(-9, 9, 37), [-1.0, 6.0, 40.0, -40.0]])
    ours, theirs = Tensor(u, requires_grad=True), torch.tensor(u, requires_grad=True)
    y, z = getattr(nn.functional, name)(ours), getattr(torch.nn.functional, name)(theirs)
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("dim", [0, 1, None])
def test_lengths_and_directions(dim):
    ours, theirs = nn.Conv1d(3, 4, 2, dtype="float64"), torch.nn.Conv1d(3, 4, 2).double()
    nn.utils.weight_norm(ours, dim=dim)
    torch.nn.utils.weight_norm(theirs, dim=dim)
    moved(ours, theirs, np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(2, 3, 6))
    y, z = ours(x), theirs(torch.tensor(x))
    (y * y).sum().backward()
    (z * z).sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12)
    for (name, p), (other, q) in zip(ours.named_parameters(), theirs.named_parameters()):
        assert name == other
        np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=1e-10, atol=1e-12)
