"""Layers and losses equal PyTorch's: results and every gradient, in configurations that are drawn.

Weights are moved by name.  Equal is what is within 1e-5 of the largest entry in float32, 1e-10 in float64, array by
array; where terms cancel, within eight of their roundings.
"""
import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from scratchml import nn
from scratchml.autograd import Tensor
from scratchml.optim import SGD, Adam
from tests.strategies import bags

torch = pytest.importorskip("torch")
F = torch.nn.functional

CLOSE = {np.float32: 1e-5, np.float64: 1e-10}
each_dtype = pytest.mark.parametrize("dtype", CLOSE)
counts = st.integers(4, 7)
seeds = st.integers(0, 2**32 - 1)


def assert_close(ours, theirs, dtype, largest=1.0):
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype
    rounding = 8 * np.finfo(dtype).eps * largest
    assert abs(ours - theirs).max(initial=0) <= CLOSE[dtype] * abs(theirs).max(initial=0) + rounding


def of_torch(array, grad=True):
    return torch.tensor(array).requires_grad_(grad and array.dtype.kind == "f")


def assert_same(ours, theirs, inputs, dtype, rng):
    """Two layers, or functions, given the same arrays: results, gradients of inputs, gradients of weights."""
    xs = [Tensor(x, requires_grad=True) if x.dtype.kind == "f" else x for x in inputs]
    their_xs = [of_torch(x) for x in inputs]
    y, their_y = ours(*xs), theirs(*their_xs)
    assert_close(y.data, their_y, dtype)
    g = rng.uniform(0.5, 1.5, y.shape).astype(dtype)
    y.backward(g)
    their_y.backward(torch.from_numpy(np.asarray(g)))
    pairs = [(x, their_x) for x, their_x in zip(xs, their_xs) if type(x) is Tensor]
    if isinstance(ours, nn.Module):
        named = dict(ours.named_parameters())
        assert list(named) == [name for name, _ in theirs.named_parameters()]
        pairs += [(named[name], p) for name, p in theirs.named_parameters()]
    for x, their_x in pairs:
        assert_close(x.grad.data, their_x.grad, dtype, largest=4.0)


def moved(ours, theirs, rng):
    """Random weights for theirs, and the same for ours, by name; then one state is the other."""
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.from_numpy(rng.normal(size=tuple(p.shape))))
    ours.load_state_dict(theirs.state_dict())
    back = {name: torch.from_numpy(array) for name, array in ours.state_dict().items()}
    assert list(back) == list(theirs.state_dict())
    theirs.load_state_dict(back)
    return ours, theirs


def both(name, *arguments, dtype, rng, **options):
    ours = getattr(nn, name)(*arguments, **options, dtype=np.dtype(dtype).name)
    theirs = getattr(torch.nn, name)(*arguments, **options, dtype=getattr(torch, np.dtype(dtype).name))
    return moved(ours, theirs, rng)


# --- layers

@each_dtype
@given(st.data())
def test_linear(dtype, data):
    D, H, bias = data.draw(counts), data.draw(counts), data.draw(st.booleans())
    shape = data.draw(st.lists(st.integers(1, 4), max_size=3))
    rng = np.random.default_rng(data.draw(seeds))
    ours, theirs = both("Linear", D, H, bias, dtype=dtype, rng=rng)
    assert_same(ours, theirs, [rng.normal(size=(*shape, D)).astype(dtype)], dtype, rng)


@each_dtype
@given(st.data())
def test_embedding(dtype, data):
    V, D, shape = data.draw(counts), data.draw(counts), data.draw(st.lists(st.integers(1, 4), max_size=2))
    padding = data.draw(st.none() | st.integers(-V, V - 1))
    rng = np.random.default_rng(data.draw(seeds))
    ours, theirs = both("Embedding", V, D, padding, dtype=dtype, rng=rng)
    assert ours.padding_idx == theirs.padding_idx
    assert_same(ours, theirs, [rng.integers(V, size=shape)], dtype, rng)


@each_dtype
@given(st.integers(0, 5), counts, counts, seeds)
def test_embedding_bag(dtype, N, V, D, seed):
    rng = np.random.default_rng(seed)
    rows = bags.rows(rng, N, V)
    ours = nn.EmbeddingBag(V, D, dtype=dtype, random_state=rng)
    theirs = torch.nn.EmbeddingBag(V, D, mode="sum", include_last_offset=True,
                                   dtype=getattr(torch, np.dtype(dtype).name))
    moved(ours, theirs, rng)
    ids, starts, values = map(torch.from_numpy, (rows.indices.astype(np.int64), rows.indptr, rows.data.astype(dtype)))
    y, their_y = ours(rows), theirs(ids, starts, values)
    assert_close(y.data, their_y, dtype, 50)
    g = rng.normal(size=y.shape).astype(dtype)
    y.backward(g)
    their_y.backward(torch.from_numpy(g))
    assert_close(ours.weight.grad.data, theirs.weight.grad, dtype, 50)


@each_dtype
@settings(max_examples=40)
@given(st.data())
def test_batch_norm(dtype, data):
    """Through a few batches in training, then one in use."""
    N, C, L = data.draw(counts), data.draw(counts), data.draw(st.none() | st.integers(1, 4))
    options = dict(eps=data.draw(st.sampled_from([1e-5, 1e-2])), momentum=data.draw(st.sampled_from([0.1, 0.7, None])),
                   affine=data.draw(st.booleans()), track_running_stats=data.draw(st.booleans()))
    rng = np.random.default_rng(data.draw(seeds))
    ours, theirs = both("BatchNorm1d", C, **options, dtype=dtype, rng=rng)
    for step in range(4):
        if step == 3:
            ours.eval()
            theirs.eval()
        ours.zero_grad()
        theirs.zero_grad()
        x = rng.normal(size=(N, C) if L is None else (N, C, L)) * 3 + 1
        assert_same(ours, theirs, [x.astype(dtype)], dtype, rng)
    for name, array in ours.state_dict().items():
        if name == "num_batches_tracked":
            assert array == theirs.state_dict()[name]
        else:
            assert_close(array, theirs.state_dict()[name], dtype)


@each_dtype
@given(st.data())
def test_layer_norm(dtype, data):
    shape = data.draw(st.lists(st.integers(1, 3), max_size=2))
    last = data.draw(st.lists(counts, min_size=1, max_size=2))
    affine, bias = data.draw(st.booleans()), data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(seeds))
    ours, theirs = both("LayerNorm", last, 1e-5, affine, bias, dtype=dtype, rng=rng)
    assert_same(ours, theirs, [(rng.normal(size=(*shape, *last)) * 3 + 1).astype(dtype)], dtype, rng)


@each_dtype
@pytest.mark.filterwarnings("ignore:Using padding:UserWarning")
@settings(max_examples=40)
@given(st.data())
def test_convolution(dtype, data):
    groups, C, H = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    K, stride, dilation = (data.draw(st.integers(1, 3)) for _ in range(3))
    padding = data.draw(st.integers(0, 3) | st.sampled_from(["valid", "same"] if stride == 1 else ["valid"]))
    T, bias = dilation * (K - 1) + data.draw(st.integers(1, 6)), data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(seeds))
    ours, theirs = both("Conv1d", C * groups, H * groups, K, stride, padding, dilation, groups, bias, dtype=dtype,
                        rng=rng)
    shape = (C * groups, T) if data.draw(st.booleans()) else (data.draw(st.integers(1, 3)), C * groups, T)
    assert_same(ours, theirs, [rng.normal(size=shape).astype(dtype)], dtype, rng)


class TheirGatedConvolution(torch.nn.Conv1d):
    """(N, T, C): zeros around, a Conv1d to twice the channels, GLU, and the input."""

    def forward(self, x):
        reach = self.dilation[0] * (self.kernel_size[0] - 1)
        ahead = 0 if self.causal else reach - reach // 2
        y = F.glu(super().forward(F.pad(x.transpose(1, 2), (reach - ahead, ahead))), 1).transpose(1, 2)
        return 0.5**0.5 * (x + y) if self.adds else y


@each_dtype
@settings(max_examples=20)
@given(st.data())
def test_gated_convolution(dtype, data):
    """Each sequence by itself in theirs, all at once in ours."""
    C, K, d, S = (data.draw(st.integers(1, most)) for most in (3, 4, 3, 3))
    causal, adds, rng = data.draw(st.booleans()), data.draw(st.booleans()), np.random.default_rng(data.draw(seeds))
    theirs = TheirGatedConvolution(C, 2 * C, K, dilation=d).to(of_torch(np.zeros(1, dtype)).dtype)
    theirs.causal, theirs.adds = causal, adds
    ours = nn.GatedConv1d(C, K, d, causal, adds, dtype=np.dtype(dtype).name)
    moved(ours, theirs, rng)
    lengths = np.array(data.draw(st.lists(st.integers(1, 6), min_size=S, max_size=S)))
    x = rng.normal(size=(S, lengths.max(), C)).astype(dtype)

    class Alone(torch.nn.Module):
        def forward(self, x):
            ys = [F.pad(theirs(row[None, :T]), (0, 0, 0, x.shape[1] - T)) for row, T in zip(x, lengths)]
            return torch.cat(ys)

        def named_parameters(self):
            return theirs.named_parameters()

    class Together(nn.Module):
        def forward(self, x):
            return ours(x, lengths)

        def named_parameters(self):
            return ours.named_parameters()
    assert_same(Together(), Alone(), [x], dtype, rng)


@each_dtype
@pytest.mark.parametrize("ours, theirs", [
    (nn.Unflatten(1, (2, -1)), torch.nn.Unflatten(1, (2, -1))),
    (nn.LeakyReLU(0.2), torch.nn.LeakyReLU(0.2)), (nn.LeakyReLU(-0.5), torch.nn.LeakyReLU(-0.5)),
    (nn.ReLU(), torch.nn.ReLU()), (nn.Tanh(), torch.nn.Tanh()), (nn.Sigmoid(), torch.nn.Sigmoid()),
    (nn.Softmax(1), torch.nn.Softmax(1)), (nn.GLU(), torch.nn.GLU()), (nn.GLU(0), torch.nn.GLU(0)),
], ids=lambda layer: repr(layer))
@given(seeds)
def test_activations(ours, theirs, dtype, seed):
    rng = np.random.default_rng(seed)
    assert_same(ours, theirs, [(3 * rng.normal(size=(4, 6))).astype(dtype)], dtype, rng)


@each_dtype
@pytest.mark.parametrize("n, shape", [(1, (4,)), (1, (2, 3, 4)), (3, (5, 3)), (3, (2, 3, 4))])
def test_a_slope_that_is_learned(n, shape, dtype):
    rng = np.random.default_rng(0)
    ours, theirs = nn.PReLU(n, 0.3, dtype=np.dtype(dtype).name), \
        torch.nn.PReLU(n, 0.3, dtype=of_torch(np.zeros(1, dtype)).dtype)
    assert_same(ours, theirs, [rng.normal(size=shape).astype(dtype)], dtype, rng)


# --- losses

@each_dtype
@settings(max_examples=50)
@given(st.data())
def test_cross_entropy(dtype, data):
    N, K, more = data.draw(counts), data.draw(counts), data.draw(st.lists(st.integers(1, 3), max_size=2))
    rng = np.random.default_rng(data.draw(seeds))
    reduction, α = data.draw(st.sampled_from(["mean", "sum", "none"])), data.draw(st.sampled_from([0.0, 0.1, 1.0]))
    w = data.draw(st.none() | st.just(rng.random(K).astype(dtype)))
    z, t = (rng.normal(size=(N, K, *more)) * 3).astype(dtype), rng.integers(K, size=(N, *more))
    if data.draw(st.booleans()):
        t[rng.random(t.shape) < 0.3] = -100
        assume((t >= 0).any())
    probabilities = data.draw(st.booleans())
    if probabilities:
        t = np.moveaxis(rng.dirichlet(np.ones(K), (N, *more)), -1, 1).astype(dtype)
    options = dict(reduction=reduction, label_smoothing=α)
    assert_same(lambda z: nn.cross_entropy(z, t, w, **options),
                lambda z: F.cross_entropy(z, torch.tensor(t), None if w is None else torch.tensor(w), **options), [z],
                dtype, rng)


@each_dtype
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")      # of kl_div, about its mean
@given(seeds, st.sampled_from(["mean", "sum", "none"]))
def test_losses(dtype, seed, reduction):
    rng = np.random.default_rng(seed)
    x, y, z = (rng.normal(size=(5, 4)).astype(dtype) for _ in range(3))
    p = rng.uniform(0.05, 0.95, (5, 4)).astype(dtype)
    s, t, w = rng.choice([-1, 1], 5), rng.integers(4, size=5), rng.uniform(0.5, 2, 4).astype(dtype)
    t[0] = -100
    for name, arrays, fixed in [
        ("mse_loss", (x, y), ()), ("l1_loss", (x, y), ()), ("huber_loss", (x, y), (("delta", 0.7),)),
        ("binary_cross_entropy_with_logits", (x, p), (("pos_weight", w), ("weight", w))),
        ("binary_cross_entropy_with_logits", (x, p), ()), ("kl_div", (x, p), ()),
        ("kl_div", (x, y), (("log_target", True),)), ("nll_loss", (x,), (("target", t), ("weight", w))),
        ("margin_ranking_loss", (x[:, 0], y[:, 0]), (("target", s), ("margin", 0.3))),
        ("hinge_embedding_loss", (x[:, 0],), (("target", s), ("margin", 0.5))),
        ("triplet_margin_loss", (x, y, z), (("margin", 0.5),)),
        ("triplet_margin_loss", (x, y, z), (("margin", 0.5), ("swap", True))),
        ("cosine_embedding_loss", (x, y), (("target", s), ("margin", -0.2))),
    ]:
        theirs = {name: torch.tensor(value) if isinstance(value, np.ndarray) else value for name, value in fixed}
        assert_same(lambda *a: getattr(nn, name)(*a, **dict(fixed), reduction=reduction),
                    lambda *a: getattr(F, name)(*a, **theirs, reduction=reduction), arrays, dtype, rng)
    theirs = F.kl_div(torch.tensor(x), torch.tensor(p), reduction="batchmean")
    assert_close(nn.kl_div(x, p, "batchmean").data, theirs, dtype)


# --- first weights, networks

def test_gains_and_bounds_of_first_weights():
    for name, param in [("linear", None), ("tanh", None), ("relu", None), ("leaky_relu", 0.2), ("leaky_relu", None)]:
        np.testing.assert_allclose(nn.init.calculate_gain(name, param), torch.nn.init.calculate_gain(name, param))
    for make in (lambda lib: lib.Linear(50, 400), lambda lib: lib.Conv1d(10, 400, 5),
                 lambda lib: lib.Embedding(400, 50)):
        for ours, theirs in zip(make(nn).parameters(), make(torch.nn).parameters()):
            assert ours.shape == tuple(theirs.shape)
            np.testing.assert_allclose(ours.data.std(), theirs.detach().std(), rtol=0.15)


@pytest.mark.parametrize("optimiser", ["SGD", "Adam"])
def test_a_network_learns_the_same(optimiser):
    """Ten steps in float64: the weights stay equal to nine digits of the largest."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(16, 8)), rng.integers(3, size=16)
    made = [(lib.Sequential(lib.Linear(8, 12, **options), lib.BatchNorm1d(12, **options), lib.LeakyReLU(0.1),
                            lib.LayerNorm(12, **options), lib.Linear(12, 3, **options)), steps)
            for lib, options, steps in ((nn, {"dtype": "float64"}, {"SGD": SGD, "Adam": Adam}),
                                        (torch.nn, {"dtype": torch.float64}, vars(torch.optim)))]
    (ours, our_steps), (theirs, their_steps) = made
    moved(ours, theirs, rng)
    first = our_steps[optimiser](ours.parameters(), lr=0.01)
    second = their_steps[optimiser](theirs.parameters(), lr=0.01)
    for _ in range(10):
        first.zero_grad()
        second.zero_grad()
        nn.cross_entropy(ours(X), y).backward()
        F.cross_entropy(theirs(torch.tensor(X)), torch.tensor(y)).backward()
        first.step()
        second.step()
    for name, array in ours.state_dict().items():
        expected = theirs.state_dict()[name].numpy()
        # The bias before a batch norm has gradient 0; Adam divides what rounding leaves of it by itself.
        tolerance = 0.2 if name == "0.bias" else 1e-9 * max(abs(expected).max(), 1)
        np.testing.assert_allclose(array, expected, rtol=0, atol=tolerance)
