"""Digits from anywhere in a plane: a variational autoencoder gives every code a digit, and every digit a bound.

Every fifth digit is held out; the bounds are of these, in nats, with the sign turned: less is better.  Pixels are grey,
and their own entropy is the least that this loss can be, so it stands beside.  With --full the network sees the digits
300 times, with three seeds.

A linear network with Gaussian noise is probabilistic PCA: its best bound, by L-BFGS, is that likelihood.  And two
experiments: how much more the slope varies that is had by the score function, and what is left of the code where the
surprise is a mean over the 64 pixels and not their sum.
"""
import numpy as np

from scratchml.autograd import Tensor
from scratchml.optim.lbfgs import lbfgs
from scratchml.reduction import PCA, VariationalAutoencoder
from scratchml.reduction.variational import linear_elbo, linear_optimum
from scratchml.tour.autoencoder import digits, neighbours
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.reduction.variational"
DATA = "digits, every fifth held out"
FEW, EPOCHS, SEEDS, DRAWS = 30, 300, (0, 1, 2), 500
RECORDED = "2026-11-30", (
    ("64-128-2: -ELBO, held out, 3 seeds", "24.61 24.53 24.66", "13.82", "entropy of the pixels"),
    ("64-128-2: by 500 draws, 3 seeds", "24.31 24.30 24.33", "13.82", "entropy of the pixels"),
    ("64-128-2: neighbours, 3 seeds", "0.747 0.739 0.797"),
    ("64-128-10: -ELBO, held out, 3 seeds", "24.18 24.23 24.26", "13.82", "entropy of the pixels"),
    ("64-128-10: by 500 draws, 3 seeds", "24.00 24.06 24.07", "13.82", "entropy of the pixels"),
    ("64-128-10: neighbours, 3 seeds", "0.944 0.953 0.964"),
    ("64-128-10: the divergence, a mean over pixels in place of their sum", "0.0000", "3.60", "their sum"),
    ("linear network, 2 numbers: the best ELBO", "-5.435892", "-5.435892", "probabilistic PCA"),
)


def run(seed, pictures, full):
    """Rows of the table: bounds of held-out digits, slopes by either way, what a linear network reaches."""
    data = digits()
    floor = f"{entropy(data.X_test):.2f}", "entropy of the pixels"
    model, seconds = timed(vae(2, seed, FEW).fit, data.X)
    bounds = of_bounds(model, data)
    yield Row(f"64-128-2, {FEW} epochs: -ELBO, held out", f"{bounds[0]:.2f}", *floor, seconds)
    yield Row(f"64-128-2, {FEW} epochs: by {DRAWS} draws", f"{bounds[1]:.2f}", *floor)
    yield Row("of it the divergence from the prior, in training", f"{model.kl_:.2f}")
    ratio = f"{variances(model, data, seed):,.0f}"
    yield Row("variance of the slope by the score, of that by the path", ratio, "1", "path")
    if full:
        yield from thorough(data, seed, floor)
    else:
        yield from (Row(*figures, recorded=RECORDED[0]) for figures in RECORDED[1])
    if pictures:
        draw_plane(pictures, vae(2, seed, EPOCHS if full else 2 * FEW).fit(data.X))


def thorough(data, seed, floor):
    """Rows of what takes a minute."""
    for F in (2, 10):
        models, seconds = timed(lambda: [vae(F, seed + k, EPOCHS).fit(data.X) for k in SEEDS])
        figures = np.array([of_bounds(model, data) for model in models])
        for name, values in zip(("-ELBO, held out", f"by {DRAWS} draws"), figures.T):
            yield Row(f"64-128-{F}: {name}, 3 seeds", " ".join(f"{value:.2f}" for value in values), *floor, seconds)
            seconds = None
        near = [neighbours(model.transform(data.X), model.transform(data.X_test), data) for model in models]
        yield Row(f"64-128-{F}: neighbours, 3 seeds", " ".join(f"{value:.3f}" for value in near))
    averaged, seconds = timed(vae(F, seed, EPOCHS, beta=64.0).fit, data.X)
    yield Row(f"64-128-{F}: the divergence, a mean over pixels in place of their sum", f"{averaged.kl_:.4f}",
              f"{models[0].kl_:.2f}", "their sum", seconds)
    (ours, theirs), seconds = timed(linear_bound, data.X, 2)
    yield Row("linear network, 2 numbers: the best ELBO", f"{ours:.6f}", f"{theirs:.6f}", "probabilistic PCA", seconds)


def vae(F, seed, epochs, **options):
    return VariationalAutoencoder(F, likelihood="bernoulli", epochs=epochs, random_state=seed, **options)


def of_bounds(model, data):
    """-ELBO and the importance bound with its sign turned, means over held-out digits."""
    return [-float(bound(data.X_test, DRAWS).mean(dtype=np.float64)) for bound in (model.elbo, model.score_samples)]


def entropy(X):
    """Σ_d of the entropy of a coin that falls with x_d, the mean over samples (N, D)."""
    x = X.astype(np.float64)
    inside = np.where((x > 0) & (x < 1), x, 0.5)
    H = -inside * np.log(inside) - (1 - inside) * np.log(1 - inside)
    return float(np.where(inside == x, H, 0).sum(axis=1).mean())


def variances(model, data, seed, K=2000):
    """How much more a draw's slope of the surprise by μ varies by the score than by the path, a mean over digits."""
    rng, ratios = np.random.default_rng(seed), []
    for x in data.X_test[:10]:
        μ, l = (h.data for h in model.module_.posterior(model._units.apply(x[None], np.float32)))
        u = rng.standard_normal((K, 2), np.float32)
        z = Tensor(μ + np.exp(l / 2) * u, requires_grad=True)
        f = model.module_.surprises(np.tile(x, (K, 1)), model.module_.says(z))
        f.sum().backward()
        by_score = f.data[:, None] * u / np.exp(l / 2)
        ratios.append((by_score.var(axis=0) / z.grad.data.var(axis=0)).mean())
    model.module_.zero_grad()
    return float(np.mean(ratios))


def linear_bound(X, F):
    """The best bound of a linear network, by L-BFGS on (11), and the likelihood of probabilistic PCA.

    A little noise is added to the pixels, of which some never vary.
    """
    X = X + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    X = X - X.mean(axis=0)
    D = X.shape[1]
    shapes = [(F, D), (D, F), (F,), ()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def objective(w):
        parts = [Tensor(part.reshape(shape), requires_grad=True) for part, shape in zip(np.split(w, ends), shapes)]
        loss = linear_elbo(X, *parts[:3], parts[3].exp())
        loss.backward()
        return loss.item(), np.concatenate([part.grad.data.ravel() for part in parts])
    start = 0.1 * np.random.default_rng(0).normal(size=ends[-1] + 1)
    found = lbfgs(objective, start, memory=20, max_iterations=2000, epsilon=1e-7, delta=1e-12)
    c = PCA().fit(X).explained_variance_ * (len(X) - 1) / len(X)
    return -found.value, linear_optimum(c, F)


def draw_plane(pictures, model, side=15):
    """Digits of codes on a grid, each where its code lies."""
    from scratchml.tour.drawing import bare
    at = np.linspace(-2.6, 2.6, side)
    grid = np.array([(a, b) for b in at[::-1] for a in at])
    images = np.pad(model.inverse_transform(grid).reshape(side, side, 8, 8), ((0, 0), (0, 0), (2, 2), (2, 2)))
    figure = pictures.figure(8, 8)
    sheet = images.transpose(0, 2, 1, 3).reshape(12 * side, 12 * side)
    bare(figure.subplots()).imshow(sheet, cmap="Greys", vmin=0, vmax=1)
    figure.suptitle("Digits that the network makes of codes from -2.6 to 2.6, either way")
    pictures.save(figure, "variational-plane")
