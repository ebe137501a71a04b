"""What hypothesis draws: queries, keys and values of every shape and layout, and masks of every kind."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import layouts, laid_out

SIZES = dict(N=2, L=3, S=4, D=5, C=6)
MASKS = ("none", "bool", "additive", "keys", "rows", "causal", "causal and bool")
seeds = st.integers(0, 2**32 - 1)


@st.composite
def problems(draw, dtype=np.float64, masks=MASKS, max_size=4, lead=None):
    """(q, k, v), options: `attn_mask` and `is_causal` as scaled_dot_product_attention takes them, and a `scale`.

    Whole rows may be forbidden.
    """
    rng = np.random.default_rng(draw(seeds))
    sizes = st.integers(1, max_size)
    lead = draw(st.lists(st.integers(1, 3), max_size=2)) if lead is None else lead
    L, S, D, C = (draw(sizes) for _ in range(4))
    arrays = [laid_out(rng.normal(size=(*lead, *shape)).astype(dtype), draw(layouts))
              for shape in ((L, D), (S, D), (S, C))]
    options = mask_options(draw(st.sampled_from(masks)), rng, (*lead, L, S), dtype)
    if draw(st.booleans()):
        options["scale"] = draw(st.sampled_from([1.0, 0.25, -0.5]))
    return arrays, options


def mask_options(kind, rng, shape, dtype=np.float64):
    """A mask of the kind for scores of `shape`: bool for all, sums for all, bool for the keys, sums for the rows."""
    options = {"is_causal": True} if "causal" in kind else {}
    if "bool" in kind:
        options["attn_mask"] = rng.random(shape) < 0.7
    elif kind == "additive":
        options["attn_mask"] = np.where(rng.random(shape) < 0.7, rng.normal(size=shape), -np.inf).astype(dtype)
    elif kind == "keys":
        options["attn_mask"] = rng.random((*shape[:-2], 1, shape[-1])) < 0.7
    elif kind == "rows":
        options["attn_mask"] = rng.normal(size=(shape[-2], 1)).astype(dtype)
    return options


def additive(options, shape):
    """The options' masks as numbers to add, of the full shape, by definition."""
    mask = np.asarray(options.get("attn_mask", True))
    mask = np.broadcast_to(np.where(mask, 0.0, -np.inf) if mask.dtype == bool else mask, shape).copy()
    if options.get("is_causal"):
        i, j = np.indices(shape[-2:])
        mask[..., j > i] = -np.inf
    return mask


def scale(options, D):
    return options.get("scale", D**-0.5)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    N, L, S, D, C = SIZES.values()
    q, k, v, dy = (rng.normal(size=shape) for shape in ((N, L, D), (N, S, D), (N, S, C), (N, L, C)))
    Z, dP, P = rng.normal(size=(N, L, S)), rng.normal(size=(N, L, S)), rng.random((N, L, S))
    P /= P.sum(-1, keepdims=True)
    X = rng.random((N, L, S)) < 0.5
    return {"q": q, "k": k, "v": v, "dy": dy, "Z": Z, "dP": dP, "P": P, "X": X, "W": P, "dZ": Z, "s": 0.5, "p": 0.5,
            "M": np.where(X, 0.5, -np.inf)}[symbol]
