"""Programs that know their gradients: operations leave a graph, a sweep back through it gives every derivative.

A logistic regression and a perceptron with one hidden layer learn to read digits, written in nothing but operations on
Tensors and an optimiser.  Every fifth image is held out.
"""
import numpy as np

from scratchml.autograd import Tensor, gradcheck, no_grad
from scratchml.datasets import load_digits
from scratchml.optim import AdamW, CosineAnnealingLR
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.autograd.tensor"
DATA = "digits, every fifth image held out"
PEER = "scikit-learn 1.9.1"
EPOCHS, BATCH = 40, 64


def run(seed, pictures, full):
    """Rows of the table: the share of held-out digits that are read correctly, by two models."""
    digits = load_digits()
    X, y = (digits.data / 16).astype(np.float32), digits.target
    held_out = np.arange(len(y)) % 5 == 0
    data = X[~held_out], y[~held_out], X[held_out], y[held_out]

    small = [Tensor(p.data[:4, :3] if p.data.ndim == 2 else p.data[:3], requires_grad=True)
             for p in parameters((64, 10), np.random.default_rng(seed), np.float64)]
    agreed, seconds = timed(gradcheck, lambda *p: loss(p, X[:5, 20:24].astype(np.float64), y[:5] % 3), tuple(small))
    yield Row("gradients, against central differences", "agree" if agreed else "differ", "", "",
              seconds)
    curves = {}
    for name, sizes, lr, reference in [("logistic regression", (64, 10), 0.03, "96.4 %"),
                                       ("perceptron, 128 hidden units", (64, 128, 10), 0.003, "97.5 to 97.8 %")]:
        curves[name], seconds = timed(train, sizes, lr, data, np.random.default_rng(seed))
        yield Row(f"{name}: digits read", f"{100 * curves[name][-1][1]:.1f} %", reference, PEER, seconds)
    if pictures:
        draw_curves(pictures, curves)


def parameters(sizes, rng, dtype=np.float32):
    """Weights (D, H) and biases (H,) of every layer, one after the other."""
    made = []
    for D, H in zip(sizes, sizes[1:]):
        made += [rng.normal(size=(D, H)) * np.sqrt(2 / D), np.zeros(H)]
    return [Tensor(array.astype(dtype), requires_grad=True) for array in made]


def scores(p, X):
    """Logits (N, K): layers with relu in between."""
    h = Tensor(X)
    for k in range(0, len(p), 2):
        h = (h.relu() if k else h) @ p[k] + p[k + 1]
    return h


def loss(p, X, y):
    """The mean of minus the log-probability of the right labels."""
    return -scores(p, X).log_softmax(1)[np.arange(len(y)), y].mean()


def train(sizes, lr, data, rng):
    """Minimise the loss; (loss, share of held-out digits read correctly) after each epoch."""
    X, y, X_held_out, y_held_out = data
    p = parameters(sizes, rng)
    optimizer = AdamW(p, lr=lr)
    schedule, curve = CosineAnnealingLR(optimizer, EPOCHS * (len(y) // BATCH)), []
    for _ in range(EPOCHS):
        losses = []
        for batch in rng.permutation(len(y))[:len(y) // BATCH * BATCH].reshape(-1, BATCH):
            value = loss(p, X[batch], y[batch])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            losses.append(value.item())
        with no_grad():
            right = scores(p, X_held_out).argmax(1) == y_held_out
        curve.append((np.mean(losses), right.mean()))
    return curve


def draw_curves(pictures, curves):
    """Loss and held-out error against the number of epochs, for both models."""
    figure = pictures.figure(7, 3.5)
    left, right = figure.subplots(1, 2)
    epochs = np.arange(1, EPOCHS + 1)
    for k, (name, curve) in enumerate(curves.items()):
        losses, shares = np.array(curve).T
        left.semilogy(epochs, losses, color=f"C{k}", label=name)
        right.plot(epochs, 100 * (1 - shares), color=f"C{k}")
        error = 100 * (1 - shares[-1])
        right.text(EPOCHS + 1, error, f"{error:.1f} %", va="center", color=f"C{k}")
    left.set(title="loss on the training digits", xlabel="epoch", ylabel="mean of -log p(right label)")
    right.set(title="held-out digits misread", xlabel="epoch", ylabel="%", ylim=(0, 12))
    left.legend(frameon=False, loc="upper right")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Learning to read digits, in operations on Tensors", fontsize=11)
    pictures.save(figure, "autograd-learning")
