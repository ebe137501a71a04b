"""Attention equals PyTorch's, values and every gradient, over the shapes, masks and layouts that are drawn."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.autograd import Tensor
from scratchml.nn import AdditiveAttention, AttentiveLSTM, MultiheadAttention
from scratchml.nn.attention import scaled_dot_product_attention
from tests.strategies import additive as additive_strategies, multihead
from tests.strategies.attention import additive, problems, seeds

torch = pytest.importorskip("torch")

CLOSE = {np.float32: 1e-5, np.float64: 1e-10}
each_dtype = pytest.mark.parametrize("dtype", CLOSE)


def assert_close(ours, theirs, dtype, largest=0.0):
    """To the stated digits of the largest entry; where terms as large as `largest` cancel, to 8 of their roundings."""
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype
    rounding = 8 * np.finfo(dtype).eps * float(largest)
    assert abs(ours - theirs).max(initial=0) <= CLOSE[dtype] * abs(theirs).max(initial=0) + rounding


def as_torch(array):
    array = array if all(stride >= 0 for stride in array.strides) else array.copy()
    return torch.from_numpy(array).requires_grad_()


# --- the operation

@each_dtype
@settings(max_examples=60)
@given(st.data())
def test_values_and_gradients_of_the_operation(dtype, data):
    arrays, options = data.draw(problems(dtype=dtype, max_size=6))
    shape = (*arrays[0].shape[:-1], arrays[1].shape[-2])
    mask = torch.from_numpy(additive(options, shape).astype(dtype)) if \
        options.keys() & {"attn_mask", "is_causal"} else None
    ours, theirs = [Tensor(a, requires_grad=True) for a in arrays], [as_torch(a) for a in arrays]
    y = scaled_dot_product_attention(*ours, **options)
    their_y = torch.nn.functional.scaled_dot_product_attention(*theirs, mask, scale=options.get("scale"))
    g = np.random.default_rng(data.draw(seeds)).normal(size=y.shape).astype(dtype)
    y.backward(g)
    their_y.backward(torch.from_numpy(g))
    largest = max(1.0, *(abs(a).max() for a in arrays)) ** 3       # a product of three, some of which cancel
    assert_close(y.data, their_y, dtype, largest)
    for a, b in zip(ours, theirs):
        assert_close(a.grad.data, b.grad, dtype, largest)


@each_dtype
def test_causal_and_bool_masks_mean_the_same(dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 3, n, 4)).astype(dtype) for n in (5, 7, 7)]
    mask = rng.random((2, 1, 5, 7)) < 0.6
    theirs = torch.nn.functional.scaled_dot_product_attention
    tensors = [torch.from_numpy(a) for a in arrays]
    assert_close(scaled_dot_product_attention(*arrays, is_causal=True).data, theirs(*tensors, is_causal=True), dtype)
    assert_close(scaled_dot_product_attention(*arrays, mask).data, theirs(*tensors, torch.from_numpy(mask)), dtype)


@each_dtype
def test_a_learned_mask_has_the_same_gradient(dtype):
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 2), (3, 5, 7))]
    ours, theirs = [Tensor(a, requires_grad=True) for a in arrays], [as_torch(a) for a in arrays]
    (scaled_dot_product_attention(*ours) ** 2).sum().backward()
    (torch.nn.functional.scaled_dot_product_attention(*theirs) ** 2).sum().backward()
    for a, b in zip(ours, theirs):
        assert_close(a.grad.data, b.grad, dtype)


# --- the layer

def layers(sizes, options, dtype, seed):
    """Ours and theirs, with the same weights, none of which is 0."""
    ours = MultiheadAttention(*sizes, **options, dtype=dtype)
    theirs = torch.nn.MultiheadAttention(*sizes, **options, dtype=getattr(torch, np.dtype(dtype).name))
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_(0, 0.5)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def their_options(options, L, S):
    """PyTorch wants a mask beside `is_causal`, and both masks of one kind."""
    options = {name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
               for name, value in options.items()}
    if options.get("is_causal"):
        options["attn_mask"] = torch.ones(L, S, dtype=torch.bool).triu(1)
    masks = [name for name in ("attn_mask", "key_padding_mask") if name in options]
    kinds = {options[name].dtype for name in masks}
    if len(kinds) > 1:
        number = next(kind for kind in kinds if kind != torch.bool)
        for name in masks:
            if options[name].dtype == torch.bool:
                options[name] = torch.zeros(options[name].shape, dtype=number).masked_fill(options[name], -np.inf)
    return options


@each_dtype
@settings(max_examples=60)
@given(st.data())
def test_values_and_gradients_of_the_layer(dtype, data):
    sizes, layer_options, inputs, options = data.draw(multihead.problems(dtype=dtype))
    seed = data.draw(seeds)
    layer, peer = layers(sizes, layer_options, dtype, seed)
    made = {id(a): (Tensor(a, requires_grad=True), as_torch(a)) for a in inputs}         # one object stays one
    ours, theirs = zip(*(made[id(a)] for a in inputs))
    places = 1 if layer_options["batch_first"] and inputs[0].ndim == 3 else 0
    y, R = layer(*ours, **options)
    their_y, their_R = peer(*theirs, **their_options(options, *(a.shape[places] for a in inputs[:2])))
    rng = np.random.default_rng(seed)
    g = rng.normal(size=y.shape).astype(dtype)
    loss, their_loss = (y * g).sum(), (their_y * torch.from_numpy(g)).sum()
    if R is not None:
        h = rng.normal(size=R.shape).astype(dtype)
        loss, their_loss = loss + (R * h).sum(), their_loss + (their_R * torch.from_numpy(h)).sum()
        assert_close(R.data, their_R, dtype)
    loss.backward()
    their_loss.backward()
    assert (R is None) == (their_R is None)
    assert_close(y.data, their_y, dtype, 4)
    for a, b in zip([*ours, *layer.parameters()], [*theirs, *peer.parameters()], strict=True):
        assert_close(a.grad.data, b.grad, dtype, 16)     # with one key to see, those of q and k are 0 but for rounding
    assert layer.state_dict().keys() == peer.state_dict().keys()


def test_a_layer_as_large_as_one_in_use():
    layer, peer = layers((64, 4), {"batch_first": True, "bias": True}, np.float32, 0)
    x = np.random.default_rng(0).normal(size=(8, 40, 64)).astype(np.float32)
    G = np.arange(40) >= np.arange(40, 0, -5)[:, None]
    ours, theirs = Tensor(x, requires_grad=True), as_torch(x)
    (layer(ours, ours, ours, G, is_causal=True)[0] ** 2).sum().backward()
    mask = torch.ones(40, 40, dtype=torch.bool).triu(1)
    (peer(theirs, theirs, theirs, torch.from_numpy(G), attn_mask=mask)[0] ** 2).sum().backward()
    for a, b in zip([ours, *layer.parameters()], [theirs, *peer.parameters()], strict=True):
        assert_close(a.grad.data, b.grad, np.float32)


def test_our_weights_go_there():
    layer, peer = MultiheadAttention(6, 2, kdim=4, random_state=0), torch.nn.MultiheadAttention(6, 2, kdim=4)
    peer.load_state_dict({name: torch.from_numpy(array) for name, array in layer.state_dict().items()})
    rng = np.random.default_rng(1)
    inputs = [rng.normal(size=(3, 2, width)).astype(np.float32) for width in (6, 4, 6)]
    assert_close(layer(*inputs)[0].data, peer(*map(torch.from_numpy, inputs))[0], np.float32)


# --- additive attention, which PyTorch has no class for

class Additive(torch.nn.Module):
    def __init__(self, query_dim, hidden_dim, key_dim, **options):
        super().__init__()
        self.query_proj = torch.nn.Linear(query_dim, hidden_dim, bias=False, **options)
        self.key_proj = torch.nn.Linear(key_dim, hidden_dim, **options)
        self.score = torch.nn.Linear(hidden_dim, 1, bias=False, **options)

    def forward(self, query, keys, values, mask):
        single = query.ndim == 2
        a = self.query_proj(query.unsqueeze(1) if single else query)
        Z = self.score(torch.tanh(a.unsqueeze(2) + self.key_proj(keys).unsqueeze(1))).squeeze(-1)
        if mask is not None:
            mask = torch.from_numpy(mask)[:, None]
            Z = Z.masked_fill(mask, -np.inf) if mask.dtype == torch.bool else Z + mask
        P = Z.softmax(-1)
        y = P @ values
        return (y.squeeze(1), P.squeeze(1)) if single else (y, P)


@each_dtype
@settings(max_examples=60)
@given(st.data())
def test_values_and_gradients_of_the_additive_layer(dtype, data):
    sizes, inputs, mask = data.draw(additive_strategies.problems(dtype=dtype))
    layer, peer = AdditiveAttention(*sizes, dtype=dtype), Additive(*sizes, dtype=getattr(torch, np.dtype(dtype).name))
    layer.load_state_dict(peer.state_dict())
    ours, theirs = [Tensor(a, requires_grad=True) for a in inputs], [as_torch(a) for a in inputs]
    (y, P), (their_y, their_P) = layer(*ours, mask), peer(*theirs, mask)
    assert_close(y.data, their_y, dtype, 1)
    assert_close(P.data, their_P, dtype)
    ((y * y).sum() + P[..., 0].sum()).backward()
    ((their_y ** 2).sum() + their_P[..., 0].sum()).backward()
    for a, b in zip([*ours, *layer.parameters()], [*theirs, *peer.parameters()], strict=True):
        assert_close(a.grad.data, b.grad, dtype, 16)


# --- attention inside a recurrent layer, which PyTorch has no class for

@each_dtype
@pytest.mark.parametrize("attention", ["bahdanau", "luong"])
def test_values_and_gradients_of_the_attentive_layer(dtype, attention):
    """An LSTMCell, whose weights move by name, and what it looks at, step by step."""
    rng, (B, T, S, D, H, C, A) = np.random.default_rng(0), (3, 4, 5, 3, 4, 6, 7)
    layer = AttentiveLSTM(D, H, C, A, attention=attention, dtype=dtype, random_state=0)
    inside = attention == "bahdanau"
    cell = torch.nn.LSTMCell(D + C if inside else D, H, dtype=as_torch(np.zeros(1, dtype)).dtype)
    cell.load_state_dict({name: torch.from_numpy(array) for name, array in layer.state_dict().items()
                          if "." not in name})
    arrays = [rng.normal(size=shape).astype(dtype) for shape in ((B, T, D), (B, S, C), (B, H), (B, H))]
    ours, theirs = [Tensor(array, requires_grad=True) for array in arrays], [as_torch(array) for array in arrays]
    Q, W, b, w = (as_torch(p.data) for p in layer.attention.parameters())
    x, keys, h, c = theirs

    def looked(h):
        return torch.softmax(torch.tanh((h @ Q.T)[:, None] + keys @ W.T + b) @ w[0], 1)
    states, read, looks = [], [], []
    for t in range(T):
        if inside:
            P = looked(h)
            k = (P[:, :, None] * keys).sum(1)
        h, c = cell(torch.cat([x[:, t], k], 1) if inside else x[:, t], (h, c))
        if not inside:
            P = looked(h)
            k = (P[:, :, None] * keys).sum(1)
        for part, one in zip((states, read, looks), (h, k, P)):
            part.append(one)
    made, last = layer(ours[0], ours[1], (ours[2], ours[3]))
    expected = [torch.stack(part, 1) for part in (states, read, looks)] + [h, c]
    for one, other in zip((*made, *last), expected):
        assert_close(one.data, other, dtype)
    sum((part ** 3).sum() for part in (*made, *last)).backward()
    sum((part ** 3).sum() for part in expected).backward()
    for one, other in zip(ours, theirs):
        assert_close(one.grad.data, other.grad, dtype, 1)
    for name, parameter in cell.named_parameters():
        assert_close(getattr(layer, name).grad.data, parameter.grad, dtype, 1)
    for one, other in zip(layer.attention.parameters(), (Q, W, b, w)):
        assert_close(one.grad.data, other.grad, dtype, 1)
