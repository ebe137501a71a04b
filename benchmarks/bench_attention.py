"""Attention against PyTorch: the bare operation and a whole layer, forward and back, and their peak of memory."""
import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.nn import MultiheadAttention, scaled_dot_product_attention

rng = np.random.default_rng(0)


def close(theirs, ours):
    """To 1e-5 of the largest entry of each array."""
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * abs(b).max())


# --- the operation, on (B, heads, T, width of a head)

def operands(B, H, T, A):
    return tuple(rng.normal(size=(B, H, T, A)).astype(np.float32) for _ in range(4))


def formula(q, k, v, g):
    s = q.shape[-1] ** -0.5
    P = q @ k.swapaxes(-1, -2) * s
    P = np.exp(P - P.max(-1, keepdims=True))
    P /= P.sum(-1, keepdims=True)
    dP = g @ v.swapaxes(-1, -2)
    dZ = s * P * (dP - (P * dP).sum(-1, keepdims=True))
    return P @ v, dZ @ k, dZ.swapaxes(-1, -2) @ q, P.swapaxes(-1, -2) @ g


def ours(q, k, v, g):
    tensors = [Tensor(a, requires_grad=True) for a in (q, k, v)]
    y = scaled_dot_product_attention(*tensors)
    y.backward(g)
    return y.data, *(t.grad.data for t in tensors)


def pytorch(threads):
    @peer("torch")
    def theirs(q, k, v, g):
        import torch
        torch.set_num_threads(threads)
        tensors = [torch.from_numpy(a).requires_grad_() for a in (q, k, v)]
        y = torch.nn.functional.scaled_dot_product_attention(*tensors)
        y.backward(torch.from_numpy(g))
        return y.detach().numpy(), *(t.grad.numpy() for t in tensors)
    return theirs


# --- the layer: self-attention of sequences (B, T, E)

def layer_data(B, T, E, H):
    layer = MultiheadAttention(E, H, batch_first=True, random_state=0)
    x, g = (rng.normal(size=(B, T, E)).astype(np.float32) for _ in range(2))
    return layer, {}, x, g


def our_layer(**options):
    def run(layer, peers, x, g):
        layer.zero_grad()
        x = Tensor(x, requires_grad=True)
        y, _ = layer(x, x, x, **options)
        y.backward(g)
        return y.data, x.grad.data, *(p.grad.data for p in layer.parameters())
    return run


def torch_layer(threads, **options):
    @peer("torch")
    def theirs(layer, peers, x, g):
        import torch
        torch.set_num_threads(threads)
        if not peers:                                    # made once, as ours is
            peers[0] = torch.nn.MultiheadAttention(layer.embed_dim, layer.num_heads, batch_first=True)
            peers[0].load_state_dict({name: torch.from_numpy(a) for name, a in layer.state_dict().items()})
        peers[0].zero_grad()
        x = torch.from_numpy(x).requires_grad_()
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if "is_causal" in options else None
        y, _ = peers[0](x, x, x, attn_mask=mask, **options)
        y.backward(torch.from_numpy(g))
        return y.detach().numpy(), x.grad.numpy(), *(p.grad.numpy() for p in peers[0].parameters())
    return theirs


def layer_case(words, sizes, **options):
    return Case(f"a layer, {words}", lambda: layer_data(*sizes),
                {"scratchml": our_layer(**options), "PyTorch, 2 threads": torch_layer(2, **options),
                 "PyTorch, 1 thread": torch_layer(1, **options)}, close)


CASES = [
    Case("scaled dot product, 32 x 8 heads x 128 places x 32, float32", lambda: operands(32, 8, 128, 32),
         {"formula": formula, "scratchml": ours, "PyTorch, 2 threads": pytorch(2), "PyTorch, 1 thread": pytorch(1)},
         close),
    layer_case("batch 32, 128 places, width 256, 8 heads", (32, 128, 256, 8), need_weights=False),
    layer_case("the same, with its weights", (32, 128, 256, 8), need_weights=True),
    layer_case("the same, causal", (32, 128, 256, 8), need_weights=False, is_causal=True),
    layer_case("batch 4, 512 places, width 256, 8 heads", (4, 512, 256, 8), need_weights=False),
    layer_case("batch 8, 12 places, width 32, 4 heads", (8, 12, 32, 4), need_weights=False),
]
