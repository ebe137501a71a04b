"""What hypothesis draws: layers of every configuration, inputs in every form, and masks of every kind."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts

SIZES = dict(B=2, H=3, A=4, L=5, S=6, T=7)
seeds = st.integers(0, 2**32 - 1)


def layer_options(draw):
    """(E, H) and the options of a MultiheadAttention without dropout."""
    H = draw(st.integers(1, 3))
    E = H * draw(st.integers(1, 3))
    widths = draw(st.sampled_from([{}, {"kdim": 5}, {"vdim": 4}, {"kdim": 2, "vdim": 3}]))
    return (E, H), dict(bias=draw(st.booleans()), batch_first=draw(st.booleans()), **widths)


@st.composite
def problems(draw, dtype=np.float64, batched=None, forms=("self", "memory", "three"), seen_always=True):
    """(E, H), the options of a layer; its inputs, of which some may be one object; and the options of a call.

    With `seen_always` every query may see the first key, which PyTorch needs.
    """
    rng = np.random.default_rng(draw(seeds))
    (E, H), options = layer_options(draw)
    kdim, vdim = options.get("kdim", E), options.get("vdim", E)
    B, L, S = (draw(st.integers(1, 4)) for _ in range(3))
    batched = draw(st.booleans()) if batched is None else batched
    B = B if batched else 1
    fitting = [form for form in forms if form == "three" or kdim == vdim == E or form == "memory" and kdim == vdim]
    form = draw(st.sampled_from(fitting or ["three"]))
    S = L if form == "self" else S

    def array(places, width):
        shape = ((B, places) if options["batch_first"] else (places, B)) if batched else (places,)
        return laid_out(rng.normal(size=(*shape, width)).astype(dtype), draw(layouts))
    q = array(L, E)
    k = q if form == "self" else array(S, kdim)
    v = k if form != "three" else array(S, vdim)
    return (E, H), options, (q, k, v), call_options(draw, rng, (B, H, L, S), batched, dtype, seen_always)


def call_options(draw, rng, sizes, batched, dtype, seen_always):
    B, H, L, S = sizes
    options = {"need_weights": draw(st.booleans()), "average_attn_weights": draw(st.booleans())}
    if draw(st.booleans()):
        G = rng.random((B, S) if batched else S) < 0.3
        G[..., 0] &= not seen_always
        options["key_padding_mask"] = G if draw(st.booleans()) else np.where(G, -np.inf, 0.5).astype(dtype)
    kind = draw(st.sampled_from(["none", "bool", "numbers", "by head", "causal"]))
    F = rng.random((B * H, L, S) if kind == "by head" else (L, S)) < 0.3
    F[..., 0] &= not seen_always
    if kind in ("bool", "by head"):
        options["attn_mask"] = F
    elif kind == "numbers":
        options["attn_mask"] = np.where(F, -np.inf, rng.normal(size=F.shape)).astype(dtype)
    elif kind == "causal":
        options["is_causal"] = True
    return options


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    B, H, A, L, S, T = SIZES.values()
    shapes = {"u": (B, T, H * A), "h": (B, H, T, A), "q": (B, L, H * A), "k": (B, S, H * A), "v": (B, S, H * A),
              "F": (L, S), "G": (B, S), "M": (B, H, L, S), "W": (B, H, L, S)}
    if symbol == "H":
        return H
    return rng.random(shapes[symbol]) < 0.3 if symbol in "FG" else rng.normal(size=shapes[symbol])
