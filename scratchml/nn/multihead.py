"""Multi-head attention: several small attentions side by side, each of which looks for something else.

A softmax has one peak, or a few: one attention reads one thing at a time.  So the queries, keys and values are first
mapped to as many subspaces, the heads, as things are to be read at once; each head attends by itself, and one more map
mixes what they have read.  With widths of E / H a head, H heads cost what one of width E would.

Symbols
    B, H            sequences of a batch, heads
    L, S            queries, and keys with their values
    T               places, either of the two
    A               width of a head; H A = E is `embed_dim`
    u     (B, T, H*A)       any sequence of vectors, the heads side by side
    h     (B, H, T, A)      the same by heads
    q     (B, L, H*A)       queries, after their map
    k     (B, S, H*A)       keys, after theirs
    v     (B, S, H*A)       values, after theirs
    F     (L, S)            True where a query may not see a key: `attn_mask`
    G     (B, S)            True where a key is padding: `key_padding_mask`
    M     (B, H, L, S)      mask, added to the scores
    c     (B, L, H*A)       what the heads have read, side by side
    W     (B, H, L, S)      weights of all heads

Equations
    (1)  h[b,n,t,a] = u[b,t,nA+a]                                                               split_heads
    (2)  u[b,t,nA+a] = h[b,n,t,a]                                                               merge_heads
    (3)  M[b,n,i,j] = -inf if F[i,j] or G[b,j], else 0                                          combined_mask
    (4)  c[b,i,nA+a] = Σ_j softmax_j(q[b,n,i]·k[b,n,j] / √A + M[b,n,i,j]) v[b,j,nA+a]           context
         where q[b,n] and k[b,n] are the heads (1)
    (5)  R[b,i,j] = 1/H Σ_n W[b,n,i,j]                                                          mean_weights

    MultiheadAttention is out_proj(c) of q, k, v = the three parts of in_proj(query), in_proj(key), in_proj(value).

Choices
    (1) and (2) are views: no number moves.  (4) writes its heads side by side at once, and the gradients of q, k and v
    go side by side into one array, which the map before them takes in one product.
    One product for all three maps where query, key and value are one object, two where key and value are.
    Masks mean what they mean in PyTorch's class: True forbids, which is the reverse of scaled_dot_product_attention;
    numbers are added.  Where both are given, both hold.  `is_causal` needs no mask beside it, as it does in PyTorch.
    A query that may see no key reads zeros, so its result is the bias of out_proj.  PyTorch gives NaN, in the weights
    of the network after one step as well, for a sequence that consists of padding.
    Weights that are returned are those that were used: after dropout, and by `average_attn_weights` those of (5).

Cost
    O(B T E (E + T)) time for T queries and keys.  For the sweep back: the inputs, q, k, v and c, and B H L S weights.

>>> layer = MultiheadAttention(4, 2, batch_first=True, dtype="float64", random_state=0)
>>> x = np.random.default_rng(0).normal(size=(1, 3, 4))
>>> y, R = layer(x, x, x, is_causal=True)
>>> y.shape, R.data.round(2).tolist()
((1, 3, 4), [[[1.0, 0.0, 0.0], [0.41, 0.59, 0.0], [0.39, 0.23, 0.38]]])

Source: A. Vaswani and others, "Attention is all you need", NIPS 2017, section 3.2.2; names, arguments and first weights
are those of torch.nn.MultiheadAttention.
"""
import numpy as np

from scratchml.autograd import Fused, Tensor
from scratchml.core.checks import whole_number
from scratchml.core.random import generator
from scratchml.nn import initialisation as init
from scratchml.nn.attention import as_probability, attend, attend_back
from scratchml.nn.layers import AFFINE, Linear
from scratchml.nn.masks import Mask, as_additive
from scratchml.nn.module import Module, Parameter, as_input, float_type

# --- heads ---------------------------------------------------------------------------------------


def split_heads(u, H):
    """(1)  h[b,n,t,a] = u[b,t,nA+a]

    A view.

    Shapes: u (B, T, H*A), H -> (B, H, T, A)
    """
    B, T, E = u.shape
    return u.reshape(B, T, H, E // H).swapaxes(1, 2)


def merge_heads(h):
    """(2)  u[b,t,nA+a] = h[b,n,t,a]

    Shapes: h (B, H, T, A) -> (B, T, H*A)
    """
    B, H, T, A = h.shape
    return h.swapaxes(1, 2).reshape(B, T, H * A)


def combined_mask(F, G):
    """(3)  M[b,n,i,j] = -inf if F[i,j] or G[b,j], else 0

    Numbers in the place of bools are added.  `F` may also be (B, H, L, S) and a Tensor; either may be None, both give
    None.  The dimensions along which nothing changes have length 1.

    Shapes: F (L, S), G (B, S) -> (B, 1, L, S)
    """
    F = F if F is None or isinstance(F, Tensor) or F.dtype != bool else np.where(F, -np.inf, 0.0)
    if G is None:
        return F
    G = (np.where(G, -np.inf, 0.0) if G.dtype == bool else G)[:, None, None, :]
    return G if F is None else F + G


def context(q, k, v, M, H):
    """(4)  c[b,i,nA+a] = Σ_j softmax_j(q[b,n,i]·k[b,n,j] / √A + M[b,n,i,j]) v[b,j,nA+a]

    Shapes: q (B, L, H*A), k (B, S, H*A), v (B, S, H*A), M (B, H, L, S), H -> (B, L, H*A)
    """
    mask = Mask(M, (len(q), H), q.shape[1], k.shape[1], q.dtype)
    c, _ = _heads(q, k, v, E=q.shape[-1], H=H, places=1, mask=mask)
    return c


def mean_weights(W):
    """(5)  R[b,i,j] = 1/H Σ_n W[b,n,i,j]

    Shapes: W (B, H, L, S) -> (B, L, S)
    """
    return W.mean(1)


# --- the operation on Tensors --------------------------------------------------------------------


def _by_heads(arrays, E, H, places):
    """Views (B, H, T, A) of the queries, keys and values in `arrays`, as many parts of width E as each has room for.

    `places` is the dimension of the places, 1, or 0 where that of the batch is 1.
    """
    parts = [a[..., i:i + E] for a in arrays for i in range(0, a.shape[-1], E)]
    return [split_heads(part if places == 1 else part.swapaxes(0, 1), H) for part in parts]


def _heads(*arrays, E, H, places, mask, p=0.0, weights=None, random_state=None, keep=False):
    """(4) of `arrays` as in `_by_heads`, behind them the mask if that is learned.

    With `weights` "each" also W, with "mean" R.
    """
    arrays = arrays[:-1] if mask.learned else arrays
    q, k, v = _by_heads(arrays, E, H, places)
    c = np.empty((*arrays[0].shape[:2], E), q.dtype)
    scale = q.shape[-1] ** -0.5
    P, X, W = attend(q, k, v, *_by_heads([c], E, H, places), mask, scale, p, random_state, keep or weights is not None)
    results = c if weights is None else (c, mean_weights(W) if weights == "mean" else W)
    return results, (*arrays, P, X, mask, scale, p, E, H, places)


def _heads_gradient(saved, dc, dW=None):
    *arrays, P, X, mask, scale, p, E, H, places = saved
    gradients = [np.empty(a.shape, a.dtype) for a in arrays]
    if dW is not None and dW.ndim < 4:                   # that of the mean
        dW = np.broadcast_to(dW[:, None] / H, P.shape)
    dc, = _by_heads([dc], E, H, places)
    dM = attend_back((*_by_heads(arrays, E, H, places), P, X, mask, scale, p), dc, dW,
                     *_by_heads(gradients, E, H, places))
    return (*gradients, dM) if mask.learned else tuple(gradients)


HEADS = Fused(_heads, _heads_gradient)


class MultiheadAttention(Module):
    """Multi-head attention of queries (L, B, embed_dim) to keys (S, B, kdim) with values (S, B, vdim).

    Inputs without B are taken, too.  First weights: `in_proj_weight` (3 embed_dim, embed_dim), the maps of queries,
    keys and values one below the other, or where their widths differ `q_proj_weight`, `k_proj_weight` and
    `v_proj_weight`, by Glorot; `out_proj` as that of a Linear; `in_proj_bias` (3 embed_dim,) and the bias of `out_proj`
    begin with zeros.
    Raises ValueError for an embed_dim that num_heads does not divide, other sizes below 1, and a dropout outside 0 to
    1.

    Parameters
    ----------
    embed_dim : int
        Length of a query, and of what it reads.
    num_heads : int
        H, how many heads share it.
    dropout : float, default=0.0
        Probability that a weight is dropped in training.
    bias : bool, default=True
        Whether there are biases.
    kdim, vdim : int or None, default=None
        Lengths of a key and of a value; None for embed_dim.
    batch_first : bool, default=False
        Whether B comes first, of all three and of the result.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    settings = ("embed_dim", "num_heads", "dropout", "kdim", "vdim", "batch_first")

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, *, kdim=None, vdim=None, batch_first=False,
                 dtype="float32", random_state=None):
        self.embed_dim = E = whole_number(embed_dim, "embed_dim")
        self.num_heads, self.dropout = whole_number(num_heads, "num_heads"), as_probability(dropout, "dropout")
        if E % self.num_heads:
            raise ValueError(f"embed_dim={E}: expected a multiple of num_heads={self.num_heads}, whose heads share it")
        self.kdim = E if kdim is None else whole_number(kdim, "kdim")
        self.vdim = E if vdim is None else whole_number(vdim, "vdim")
        self.batch_first = bool(batch_first)
        self.dtype, self.random_state = float_type(dtype), generator(random_state)
        self.in_proj_weight = self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None
        if self.kdim == self.vdim == E:
            self.in_proj_weight = self._first(3 * E, E)
        else:
            self.q_proj_weight = self._first(E, E)
            self.k_proj_weight, self.v_proj_weight = self._first(E, self.kdim), self._first(E, self.vdim)
        self.in_proj_bias = Parameter(np.zeros(3 * E, self.dtype)) if bias else None
        self.out_proj = Linear(E, E, bias, dtype=self.dtype, random_state=self.random_state)
        if bias:
            init.uniform_(self.out_proj.bias, 0.0, 0.0)

    def _words(self):
        return f"MultiheadAttention(embed_dim={self.embed_dim}, num_heads={self.num_heads})"

    def _first(self, outputs, inputs):
        return init.xavier_uniform_(Parameter(np.zeros((outputs, inputs), self.dtype)), random_state=self.random_state)

    def forward(self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
                average_attn_weights=True, is_causal=False):
        """(y, R): what each query reads, of the shape of `query`, and R (B, L, S), None unless `need_weights`.

        Without B in the inputs there is none in masks and results.  Raises ValueError for inputs and masks of other
        shapes or dtypes.

        Parameters
        ----------
        query : Tensor or array (L, B, embed_dim)
            What is asked.
        key : Tensor or array (S, B, kdim)
            What it is compared with.
        value : Tensor or array (S, B, vdim)
            What is read.
        key_padding_mask : array (B, S) or None, default=None
            True forbids a key, or numbers are added to the scores.
        need_weights : bool, default=True
            Whether to return R.
        attn_mask : array, Tensor or None, default=None
            (L, S) or (B num_heads, L, S): True forbids, or numbers are added to the scores; a Tensor gets a gradient.
        average_attn_weights : bool, default=True
            Whether R is a mean; else it has the weights of each head, (B, num_heads, L, S).
        is_causal : bool, default=False
            Whether query i sees the keys 0 to i alone.
        """
        inputs, batched = self._inputs(query, key, value)
        places = 1 if self.batch_first else 0
        L, S, B = inputs[0].shape[places], inputs[1].shape[places], inputs[0].shape[1 - places]
        M = self._mask(key_padding_mask, attn_mask, (B, L, S), batched)
        mask = Mask(M, (B, self.num_heads), L, S, self.dtype, is_causal)
        given = [*self._projected(*inputs), *([M] if mask.learned else [])]
        weights = ("mean" if average_attn_weights else "each") if need_weights else None
        made = HEADS(*given, E=self.embed_dim, H=self.num_heads, places=places, mask=mask,
                     p=self.dropout if self.training else 0.0, weights=weights, random_state=self.random_state,
                     keep=any(t.requires_grad for t in given))
        c, R = made if need_weights else (made, None)
        y = self.out_proj(c)
        if not batched:
            y, R = y.squeeze(1 - places), R if R is None else R.squeeze(0)
        return y, R

    def _inputs(self, query, key, value):
        """The three as Tensors with a batch, the same object for the same; and whether they had one."""
        q = as_input(query, self, self.dtype)
        k = q if key is query else as_input(key, self, self.dtype)
        v = q if value is query else k if value is key else as_input(value, self, self.dtype)
        batched = q.ndim == 3
        for name, t, width in (("query", q, self.embed_dim), ("key", k, self.kdim), ("value", v, self.vdim)):
            form = f"(B, places, {width})" if self.batch_first else f"(places, B, {width})"
            if t.ndim != q.ndim or t.ndim not in (2, 3) or t.shape[-1] != width:
                raise ValueError(f"{name}: {self._words()} expected shape {form}, or (places, {width}) for all three, "
                                 f"got {t.shape}")
        batch = 0 if self.batch_first else 1
        if batched and len({t.shape[batch] for t in (q, k, v)}) > 1 or k.shape[:-1] != v.shape[:-1]:
            raise ValueError(f"key, value: {self._words()} expected the same places in both, and the batch of query "
                             f"{q.shape}, got {k.shape} and {v.shape}")
        if batched:
            return (q, k, v), True
        q2 = q.unsqueeze(batch)
        k2 = q2 if k is q else k.unsqueeze(batch)
        return (q2, k2, q2 if v is q else k2 if v is k else v.unsqueeze(batch)), False

    def _projected(self, q, k, v):
        """Queries, keys and values after their maps, side by side where they come from one object."""
        E, W, b = self.embed_dim, self.in_proj_weight, self.in_proj_bias
        if W is None:
            maps = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
            return [_affine(x, w, None if b is None else b[i * E:(i + 1) * E])
                    for i, (x, w) in enumerate(zip((q, k, v), maps))]
        if k is v:
            parts = [(q, 0, 3)] if q is k else [(q, 0, 1), (k, 1, 3)]
        else:
            parts = [(q, 0, 1), (k, 1, 2), (v, 2, 3)]
        if len(parts) == 1:
            return [_affine(q, W, b)]
        return [_affine(x, W[i * E:j * E], None if b is None else b[i * E:j * E]) for x, i, j in parts]

    def _mask(self, G, F, sizes, batched):
        """(3) of masks in any of the forms that `forward` takes."""
        (B, L, S), H = sizes, self.num_heads
        if G is not None:
            G = np.asarray(G.detach().numpy() if isinstance(G, Tensor) else G)
            if G.shape != ((B, S) if batched else (S,)):
                raise ValueError(f"key_padding_mask: expected shape {(B, S) if batched else (S,)}, got {G.shape}")
            as_additive(G, self.dtype, "key_padding_mask")
            G = G.reshape(B, S)
        if F is not None:
            F = F if isinstance(F, Tensor) and F.requires_grad else \
                F.detach().numpy() if isinstance(F, Tensor) else np.asarray(F)
            if F.shape not in ((L, S), (B * H, L, S)):
                raise ValueError(f"attn_mask: expected shape {(L, S)} or (B num_heads, L, S) = {(B * H, L, S)}, "
                                 f"got {F.shape}")
            as_additive(F.detach().numpy() if isinstance(F, Tensor) else F, self.dtype, "attn_mask")
            F = F if F.ndim == 2 else F.reshape(B, H, L, S)
        return combined_mask(F, G)


def _affine(x, W, b):
    learned = x.requires_grad, W.requires_grad
    return AFFINE(x, W, learned=learned) if b is None else AFFINE(x, W, b, learned=learned)
