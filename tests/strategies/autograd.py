"""What hypothesis draws: an operation, with arguments of shapes that fit it, in every layout, off its kinks.

A case is (f, arrays): f(lib, *tensors) applies the operation from `lib`, be it ours or another with the same names.
"""
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

SMALL = dict(min_dims=1, max_dims=3, min_side=1, max_side=3)


# --- numbers

def real(rng, shape):
    return rng.normal(size=shape)


def wide(rng, shape):
    return 4 * rng.normal(size=shape)


def positive(rng, shape):
    return 0.3 + rng.random(shape) * 2


def off_zero(rng, shape):
    return (0.1 + rng.random(shape)) * rng.choice([-1.0, 1.0], shape)


def apart(rng, shape):
    """No two entries are nearer than 0.1."""
    return rng.permutation(np.arange(np.prod(shape, dtype=int)) * 0.3 - 1.1).reshape(shape) + rng.random(shape) * 0.2


def between_integers(low):
    return lambda rng, shape: rng.integers(-3, 4, shape) + low + 0.3 * rng.random(shape)


def laid_out(array, layout):
    """The same numbers, otherwise in memory."""
    if layout == "strided" and array.ndim:
        wide = np.full([2 * n for n in array.shape], 99, array.dtype)
        wide[(slice(None, None, 2),) * array.ndim] = array
        return wide[(slice(None, None, 2),) * array.ndim]
    if layout == "backwards" and array.ndim:
        return array[::-1].copy()[::-1]
    return np.array(array, order="F" if layout == "columns" else "C")


layouts = st.sampled_from(["rows", "columns", "strided", "backwards"])
seeds = st.integers(0, 2**32 - 1)


@st.composite
def arrays(draw, *shapes, numbers=real, dtype=np.float64):
    rng = np.random.default_rng(draw(seeds))
    return [laid_out(np.asarray(numbers(rng, shape), dtype), draw(layouts)) for shape in shapes]


# --- operations, by what they take

ENTRYWISE = {
    "neg": (lambda lib, x: -x, real),
    "exp": (lambda lib, x: x.exp(), real),
    "log": (lambda lib, x: x.log(), positive),
    "log1p": (lambda lib, x: x.log1p(), positive),
    "sqrt": (lambda lib, x: x.sqrt(), positive),
    "abs": (lambda lib, x: x.abs(), off_zero),
    "tanh": (lambda lib, x: x.tanh(), real),
    "sin": (lambda lib, x: x.sin(), wide),
    "cos": (lambda lib, x: lib.cos(x), wide),
    "erf": (lambda lib, x: lib.erf(x), wide),
    "log2": (lambda lib, x: x.log2() * lib.log2(x), positive),
    "bounds by name": (lambda lib, x: x.clamp_min(0.4) * x.clamp_max(0.4), between_integers(0)),
    "without a slope": (lambda lib, x: x * (x.round() + 2 * x.sign() + 3 * x.floor() + 5 * lib.ceil(x)), off_zero),
    "clone": (lambda lib, x: x.clone() * x, real),
    "squared by name": (lambda lib, x: x.square(), real),
    "1 / x by name": (lambda lib, x: x.reciprocal() + x.rsqrt(), positive),
    "add with a factor": (lambda lib, x: x.add(x * x, alpha=0.5).sub(x, alpha=2), real),
    "flatten all": (lambda lib, x: lib.flatten(x) ** 2, real),
    "product of all": (lambda lib, x: x.prod(), off_zero),
    "norm of all": (lambda lib, x: x.norm(), off_zero),
    "sigmoid": (lambda lib, x: x.sigmoid(), wide),
    "relu": (lambda lib, x: x.relu(), off_zero),
    "leaky_relu": (lambda lib, x: lib.leaky_relu(x, 0.2), off_zero),
    "softplus": (lambda lib, x: lib.softplus(x), wide),
    "clamp": (lambda lib, x: x.clamp(-0.55, 0.55), lambda rng, shape: off_zero(rng, shape).round(1)),
    "clamp from below": (lambda lib, x: x.clamp(min=0.0), off_zero),
    "clamp from above": (lambda lib, x: lib.clamp(x, max=0.0), off_zero),
    "square": (lambda lib, x: x ** 2, real),
    "cube": (lambda lib, x: x ** 3, real),
    "fractional power": (lambda lib, x: x ** -1.5, positive),
    "zeroth power": (lambda lib, x: x ** 0, off_zero),
    "number ** x": (lambda lib, x: 2.5 ** x, real),
    "number - x": (lambda lib, x: 2.5 - x, real),
    "number / x": (lambda lib, x: 2.5 / x, off_zero),
    "number * x": (lambda lib, x: 3 * x, real),
    "x + number": (lambda lib, x: x + 2.5, real),
    "x / number": (lambda lib, x: x / 3, real),
    "fan-out": (lambda lib, x: x.exp() * x.exp() + x.exp(), real),
}
PAIRS = {
    "add": (lambda lib, a, b: a + b, real, real),
    "sub": (lambda lib, a, b: a - b, real, real),
    "mul": (lambda lib, a, b: a * b, real, real),
    "div": (lambda lib, a, b: a / b, real, off_zero),
    "pow": (lambda lib, a, b: a ** b, positive, real),
    "remainder": (lambda lib, a, b: a % b + lib.remainder(a * a, b) + a.detach() // b.detach(), off_zero,
                  lambda rng, shape: 30 + off_zero(rng, shape)),
    "maximum": (lambda lib, a, b: lib.maximum(a, b), between_integers(0), between_integers(0.45)),
    "minimum": (lambda lib, a, b: lib.minimum(a, b), between_integers(0), between_integers(0.45)),
}
OVER_DIMENSIONS = {
    "sum": lambda x, d, k: x.sum(d, k),
    "mean": lambda x, d, k: x.mean(d, k),
    "var": lambda x, d, k: x.var(d, correction=0, keepdim=k),
    "logsumexp": lambda x, d, k: x.logsumexp(d, k),
    "std": lambda x, d, k: (x * 3).std(d, correction=0, keepdim=k) if x.numel() > 1 else x.sum(d, k),
    "norm": lambda x, d, k: x.norm(2, d, k),
    "norm 1": lambda x, d, k: x.norm(1, d, k),
    "norm 3": lambda x, d, k: x.norm(3.0, d, k),
}
ALONG_ONE = {
    "max": (lambda lib, x, d: lib.amax(x, d), apart),
    "min": (lambda lib, x, d: lib.amin(x, d, True), apart),
    "max of all": (lambda lib, x, d: x.max(), apart),
    "values of max": (lambda lib, x, d: x.max(d).values, apart),
    "values of min": (lambda lib, x, d: lib.min(x, d, True)[0] ** 2, apart),
    "norm inf": (lambda lib, x, d: x.norm(float("inf"), d), lambda rng, shape: 2 + apart(rng, shape)),
    "product": (lambda lib, x, d: x.prod(d), off_zero),
    "product, kept": (lambda lib, x, d: lib.prod(x, d, True), real),
    "sort": (lambda lib, x, d: x.sort(d, descending=True)[0] ** 2, apart),
    "sort upwards": (lambda lib, x, d: lib.sort(x, d).values ** 2, apart),
    "topk": (lambda lib, x, d: lib.topk(x, 1, d)[0] ** 2, apart),
    "least k": (lambda lib, x, d: x.topk(x.shape[d], d, largest=False).values ** 2, apart),
    "median": (lambda lib, x, d: lib.median(x, d)[0] ** 2 + x.median(d, True).values.squeeze(d), apart),
    "median of all": (lambda lib, x, d: lib.median(x) * x.median(), apart),
    "movedim": (lambda lib, x, d: lib.movedim(x, d, 0) * x.movedim(d, 0), real),
    "unflatten": (lambda lib, x, d: x.unflatten(d, (1, -1)) * lib.unflatten(x, d, (1, x.shape[d])), real),
    "side by side": (lambda lib, x, d: lib.hstack([x, x * x]), real),
    "one below another": (lambda lib, x, d: lib.vstack([x, x * x]), real),
    "first chunk": (lambda lib, x, d: x.chunk(2, d)[0] ** 2, real),
    "last chunk": (lambda lib, x, d: lib.chunk(lib.concatenate([x, x * x], d), 3, d)[-1] ** 2, real),
    "unbind": (lambda lib, x, d: x.unbind(d)[0] * lib.unbind(x, d)[-1], real),
    "repeat": (lambda lib, x, d: x.repeat(2, *[1 + (k == d) for k in range(x.ndim)]) ** 2, real),
    "flatten": (lambda lib, x, d: x.flatten(d) ** 2, real),
    "flatten to": (lambda lib, x, d: lib.flatten(x, 0, d) ** 2, real),
    "view": (lambda lib, x, d: x.contiguous().view(x.size(d), -1) ** 2, real),
    "lower triangle": (lambda lib, x, d: lib.tril(x.unsqueeze(0), d - 1) ** 2, real),
    "upper triangle": (lambda lib, x, d: x.unsqueeze(0).triu(d) ** 2, real),
    "roll": (lambda lib, x, d: lib.roll(x, 3, d) * x, real),
    "roll all": (lambda lib, x, d: x.roll(-1 - d) * x, real),
    "narrow": (lambda lib, x, d: x.narrow(d, 0, 1) * lib.narrow(x, d, x.shape[d] - 1, 1), real),
    "repeat_interleave": (lambda lib, x, d: lib.repeat_interleave(x, 3, d) ** 2, real),
    "repeat_interleave all": (lambda lib, x, d: x.repeat_interleave(2) ** 2, real),
    "assign": (lambda lib, x, d: assigned(lib, x, d), real),
    "softmax": (lambda lib, x, d: x.softmax(d), real),
    "log_softmax": (lambda lib, x, d: x.log_softmax(d), real),
    "cumsum": (lambda lib, x, d: x.cumsum(d), real),
    "flip": (lambda lib, x, d: lib.flip(x, (d,)), real),
    "unsqueeze": (lambda lib, x, d: x.unsqueeze(d) * 2, real),
    "squeeze": (lambda lib, x, d: x.squeeze(d) * 2, real),
    "unbiased var": (lambda lib, x, d: lib.concatenate([x, 2 * x], d).var(d), real),
    "stack": (lambda lib, x, d: lib.stack([x, x * x, -x], d), real),
    "concatenate": (lambda lib, x, d: lib.concatenate([x, 3 * x, x * x], d), real),
    "split": (lambda lib, x, d: lib.split(lib.concatenate([x, x * x], d), 2, d)[-1] ** 2, real),
    "both of a split": (
        lambda lib, x, d: product(*lib.split(lib.concatenate([x, x * x], d), [x.shape[d]] * 2, d)), real),
    "pad": (lambda lib, x, d: lib.pad(x, (1, 2), value=0.5) ** 2, real),
    "pad all": (lambda lib, x, d: lib.pad(x, (0, 1) * x.ndim) ** 2, real),
    "expand": (lambda lib, x, d: x.unsqueeze(0).expand(2, *x.shape) ** 2, real),
    "expand, -1": (lambda lib, x, d: x.unsqueeze(0).expand(3, *[-1] * x.ndim), real),
    "reshape": (lambda lib, x, d: x.reshape(-1, x.shape[d]) ** 2, real),
    "permute": (lambda lib, x, d: x.permute(*np.roll(np.arange(x.ndim), d).tolist()) * 2, real),
    "transpose": (lambda lib, x, d: x.transpose(d, -1) * 2, real),
}
PRODUCTS = {
    "vectors": ([(3,), (3,)], lambda lib, a, b: a @ b),
    "dot": ([(3,), (3,)], lambda lib, a, b: a.dot(b) * lib.dot(a, a)),
    "outer": ([(3,), (2,)], lambda lib, a, b: lib.outer(a, b) * a.outer(b)),
    "cdist": ([(2, 3), (4, 3)], lambda lib, a, b: lib.cdist(a, b) * lib.cdist(a, b, p=1)),
    "meshgrid": ([(2,), (3,)], lambda lib, a, b: product(*lib.meshgrid(a, b, indexing="ij"))),
    "matrix, vector": ([(2, 3), (3,)], lambda lib, a, b: a @ b),
    "vector, matrix": ([(3,), (3, 2)], lambda lib, a, b: a @ b),
    "matrices": ([(2, 3), (3, 4)], lambda lib, a, b: a @ b),
    "transposed": ([(3, 2), (4, 3)], lambda lib, a, b: a.T @ b.mT),
    "batches": ([(2, 2, 3), (2, 3, 4)], lambda lib, a, b: a @ b),
    "batch, matrix": ([(2, 2, 3), (3, 2)], lambda lib, a, b: a @ b),
    "broadcast batches": ([(2, 1, 2, 3), (3, 3, 2)], lambda lib, a, b: lib.matmul(a, b)),
    "batch, vector": ([(2, 2, 3), (3,)], lambda lib, a, b: a @ b),
    "vector, batch": ([(3,), (2, 3, 2)], lambda lib, a, b: a @ b),
    "einsum matrices": ([(2, 3), (3, 4)], lambda lib, a, b: lib.einsum("ij,jk->ki", a, b)),
    "einsum bilinear": ([(2,), (2, 3), (3,)], lambda lib, a, b, c: lib.einsum("i,ij,j->", a, b, c)),
    "einsum batches": ([(2, 2, 3), (2, 3)], lambda lib, a, b: lib.einsum("bij,bj->bi", a, b)),
    "einsum outer": ([(2,), (3,)], lambda lib, a, b: lib.einsum("i,j->ij", a, b)),
    "einsum sums alone": ([(2, 3), (4, 2)], lambda lib, a, b: lib.einsum("ij,ki->k", a, b)),
    "einsum diagonal": ([(3, 2, 3), (3,)], lambda lib, a, b: lib.einsum("iji,i->j", a, b)),
    "einsum trace": ([(3, 3)], lambda lib, a: lib.einsum("ii->", a)),
    "einsum transposed": ([(2, 3)], lambda lib, a: lib.einsum("ij->ji", a)),
    "einsum implicit": ([(2, 3), (3, 4)], lambda lib, a, b: lib.einsum("ij,jk", a, b)),
    "einsum ellipsis": ([(2, 1, 2, 3), (3, 3, 2)], lambda lib, a, b: lib.einsum("...ij,...jk->...ik", a, b)),
    "einsum ellipses": ([(2, 3), (2, 2, 3)], lambda lib, a, b: lib.einsum("...i,...i->...", a, b)),
}
PLACES = {
    "number": lambda lib, x: x[1] * 2,
    "negative number": lambda lib, x: x[-1, 2] * 2,
    "slice": lambda lib, x: x[1:, ::2] * 2,
    "new axis": lambda lib, x: x[:, None, 1:] * 2,
    "ellipsis": lambda lib, x: x[..., 1] * 2,
    "rows that repeat": lambda lib, x: x[lib.indices([0, 2, 2, -1, 2])] ** 2,
    "table of rows": lambda lib, x: x[lib.indices([[0, 1], [2, 2]])],
    "pairs that repeat": lambda lib, x: x[lib.indices([0, 1, 1]), lib.indices([3, 2, 2])] ** 2,
    "slice and numbers": lambda lib, x: x[1:, lib.indices([0, 0, 3])],
    "mask": lambda lib, x: x[lib.mask(np.eye(3, 4) < 1)] * 3,
    "mask of rows": lambda lib, x: x[lib.mask(np.array([True, False, True]))],
    "gather columns": lambda lib, x: lib.gather(x, 1, lib.indices([[0, 0, 3], [1, 2, 2]])) ** 2,
    "gather rows": lambda lib, x: lib.gather(x, 0, lib.indices([[2, 0, 0, 1]])),
    "index_select": lambda lib, x: lib.index_select(x, 1,
                                                    lib.indices([2, 0, 2, 1])) * x.index_select(0, lib.indices([1])),
    "masked_select": lambda lib, x: lib.masked_select(x, lib.mask(np.array([True, False, True, True]))) ** 2,
    "diagonal": lambda lib, x: lib.diag(x) * x.diag(1),
    "on a diagonal": lambda lib, x: lib.diag(x[0], -1) ** 2,
    "where by name": lambda lib, x: x.where(lib.mask(np.eye(3, 4) > 0), x * x),
    "where": lambda lib, x: lib.where(lib.mask(np.eye(3, 4) > 0), x * x, -x),
    "masked_fill": lambda lib, x: x.masked_fill(lib.mask(np.eye(3, 4) > 0), -2.0) ** 2,
}
NAMES = [*ENTRYWISE, *PAIRS, *OVER_DIMENSIONS, *ALONG_ONE, *PRODUCTS, *PLACES]

# --- infinities, kinks and ties

SPECIAL = np.array([-np.inf, -1e4, -745.0, -90.0, -1.0, -0.0, 0.0, 1e-30, 1.0, 1.0, 30.0, 90.0, 745.0, 1e4])
AT_THE_EDGE = {
    "exp": (lambda lib, x: x.exp(), SPECIAL[:-2]),
    "tanh": (lambda lib, x: x.tanh(), SPECIAL),
    "sigmoid": (lambda lib, x: x.sigmoid(), SPECIAL),
    "relu": (lambda lib, x: x.relu(), SPECIAL),
    "leaky_relu": (lambda lib, x: lib.leaky_relu(x, 0.1), SPECIAL),
    "abs": (lambda lib, x: x.abs(), SPECIAL),
    "softplus": (lambda lib, x: lib.softplus(x), SPECIAL[4:-4]),
    "softmax": (lambda lib, x: x.softmax(0), SPECIAL),
    "log_softmax": (lambda lib, x: x.log_softmax(0), SPECIAL[1:]),
    "logsumexp": (lambda lib, x: x.logsumexp(0), SPECIAL),
    "clamp at its bounds": (lambda lib, x: x.clamp(-1.0, 1.0), SPECIAL),
    "power 2": (lambda lib, x: x ** 2, SPECIAL[1:]),
    "power 0": (lambda lib, x: x ** 0, SPECIAL[1:]),
    "pow": (lambda lib, x: x[5:] ** lib.abs(x[5:]).clamp(0, 2), SPECIAL[:-2]),
    "ties of max": (lambda lib, x: lib.amax(x, 0), np.array([1.0, 3, 3, 2, 3])),
    "ties of min": (lambda lib, x: lib.amin(x, 0), np.array([1.0, 1, 3, 2, 3])),
    "ties of all": (lambda lib, x: x.max(), np.array([[1.0, 3], [3, 2]])),
    "ties of max along": (lambda lib, x: x.max(0).values, np.array([1.0, 3, 3, 2, 3])),
    "ties of min along": (lambda lib, x: lib.min(x, 0)[0], np.array([1.0, 1, 3, 2, 3])),
    "ties of topk": (lambda lib, x: x.topk(3)[0][0] * 2, np.array([1.0, 1, 3, 2, 4])),
    "product with a zero": (lambda lib, x: x.prod(), np.array([1.0, 0, 3, 2, 4])),
    "product with zeros": (lambda lib, x: lib.prod(x, 0), np.array([[1.0, 0], [0, 3], [0, 2]])),
    "norm of zeros": (lambda lib, x: x.norm(2, 0), np.array([[1.0, 0], [2.0, 0.0]])),
    "norm 3 of zeros": (lambda lib, x: x.norm(3, 0), np.array([[1.0, 0], [2.0, 0.0]])),
    "std of equal numbers": (lambda lib, x: x.std(0), np.array([[1.0, 3], [3, 3]])),
    "ties of two": (
        lambda lib, x: lib.maximum(x, lib.flip(x, (0,)) + 0) * lib.minimum(x, x * 1), np.array([1.0, 2, 1, 4])),
    "masked attention": (
        lambda lib, x: x.masked_fill(lib.mask(np.eye(3) > 0), -np.inf).softmax(1) @ x, np.arange(9.0).reshape(3, 3)),
    "nothing at all": (lambda lib, x: (x * 2).sum(0), np.zeros((0, 3))),
    "nothing in a row": (lambda lib, x: lib.concatenate([x, x + 1]).reshape(3, 0), np.zeros((0, 3))),
}


def assigned(lib, x, d):
    """x, of which some entries are overwritten by functions of others, in a Tensor of zeros."""
    y = x.new_zeros(3, *x.shape)
    y[0] = x
    y[1:] = x * x
    y[2, ..., 0] = x[..., -1] * 3
    y[1, ..., -1] = -2.0
    return y ** 2


def product(a, b):
    return a * b * b


@st.composite
def cases(draw, name, dtype=np.float64):
    """An operation of the tables above and arrays that it takes."""
    if name in ENTRYWISE:
        f, numbers = ENTRYWISE[name]
        return f, draw(arrays(draw(hnp.array_shapes(**{**SMALL, "min_dims": 0})), numbers=numbers, dtype=dtype))
    if name in PAIRS:
        f, *numbers = PAIRS[name]
        shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)).input_shapes
        return f, [draw(arrays(shape, numbers=n, dtype=dtype))[0] for shape, n in zip(shapes, numbers)]
    if name in OVER_DIMENSIONS:
        x, = draw(arrays(draw(hnp.array_shapes(**SMALL)), dtype=dtype))
        d = tuple(draw(st.lists(st.integers(0, x.ndim - 1), min_size=1, unique=True)))
        d = d if len(d) > 1 or draw(st.booleans()) else d[0] - x.ndim * draw(st.booleans())
        k = draw(st.booleans())
        return (lambda lib, x: OVER_DIMENSIONS[name](x, d, k)), [x]
    if name in ALONG_ONE:
        f, numbers = ALONG_ONE[name]
        x, = draw(arrays(draw(hnp.array_shapes(**SMALL)), numbers=numbers, dtype=dtype))
        d = draw(st.integers(0, x.ndim - 1))
        return (lambda lib, x: f(lib, x, d)), [x]
    if name in PRODUCTS:
        shapes, f = PRODUCTS[name]
        return f, draw(arrays(*shapes, dtype=dtype))
    return PLACES[name], draw(arrays((3, 4), dtype=dtype))
