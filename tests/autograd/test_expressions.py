"""Random expressions, with fan-out and mixed shapes, against finite differences, once and twice."""
import os

import numpy as np
from hypothesis import given, settings, strategies as st

from scratchml.autograd import Tensor, gradcheck, gradgradcheck, ops

EXAMPLES = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 300
SHAPES = [(), (2,), (3, 1), (1, 2), (3, 2)]

# Every operation maps (-1.2, 1.2) into itself or nearly so, and has no kink: values stay where differences are good.
ONE = [
    lambda x: x.tanh(), lambda x: x.sigmoid(), lambda x: x.softplus() - 1, lambda x: x.exp() / 3,
    lambda x: (x * x + 1).log(),
    lambda x: (x * x + 0.5).sqrt() - 1, lambda x: 1 / (2 + x * x), lambda x: -x, lambda x: x ** 3 / 2,
    lambda x: x.mean(),
    lambda x: (x * x).sum() / (x.numel() + 1), lambda x: x.logsumexp() - np.log(x.numel() + 1),
    lambda x: x.reshape(-1)[0] * x,
    lambda x: x.T.reshape(*x.shape), lambda x: x - x.mean(0, True) if x.ndim else x,
    lambda x: x.softmax(-1) if x.ndim else x,
    lambda x: x.log_softmax(0) / 3 if x.ndim else x, lambda x: x.cumsum(0) / 3 if x.ndim else x,
    lambda x: x.unsqueeze(0).expand(3, *x.shape).mean(0), lambda x: (x * x + 0.1).log1p() ** 1.5,
    lambda x: x.flip(0) * x if x.ndim else x,
    lambda x: x[[-1, 0] * (len(x) // 2) + [0] * (len(x) % 2)] if x.ndim else x,
]
TWO = [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (2 + b * b), lambda a,
    b: (1 + a * a) ** b / 3,
    lambda a, b: ops.concatenate([a.reshape(-1), b.reshape(-1)]).var(), lambda a,
    b: ops.where(np.array(True), a, b) * b,
    lambda a, b: ops.einsum("i,j->", a.reshape(-1), b.reshape(-1)) / 9,
    lambda a, b: a.reshape(-1, 1) @ b.reshape(1, -1) if a.ndim == b.ndim == 1 else a * b,
    lambda a, b: ops.stack([a, b]).sum(0) if a.shape == b.shape else a - b,
    lambda a, b: (lambda p, q: p * q)(*ops.split(ops.stack([a, b]), 1)).squeeze(0) if a.shape == b.shape else a * b,
]


def expression(seed):
    """A function of three Tensors, made of operations on what has been made before; and shapes for the three."""
    rng = np.random.default_rng(seed)
    shapes = [SHAPES[k] for k in rng.integers(len(SHAPES), size=3)]
    steps = [(rng.random() < 0.5, *rng.integers(2**31, size=3)) for _ in range(rng.integers(2, 9))]

    def f(*inputs):
        made = list(inputs)
        for unary, which, i, j in steps:
            a, b = made[i % len(made)], made[j % len(made)]
            if not unary and not fits(a.shape, b.shape):
                b = b.mean()
            made.append(ONE[which % len(ONE)](a) if unary else TWO[which % len(TWO)](a, b).tanh())
        total = made[-1].sum()
        for part in made[3:]:                            # all of them count, most of them several times
            total = total + (part * part).mean()
        return total
    return f, [Tensor(rng.uniform(-1.2, 1.2, shape), requires_grad=True) for shape in shapes]


def fits(a, b):
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1]))


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**63))
def test_random_expressions(seed):
    f, inputs = expression(seed)
    assert gradcheck(f, inputs, rtol=1e-6, directions=1)
    assert gradgradcheck(f, inputs, rtol=1e-6, directions=1, fast_mode=True)
