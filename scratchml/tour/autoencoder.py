"""Digits said again through two numbers: a network that codes them, beside the plane of PCA; and noise taken out.

Every fifth digit is held out.  An error is the mean square by which a pixel, from 0 to 1, is missed; neighbours are the
share of held-out digits whose five nearest codes among the others vote for the right class.  t-SNE, which cannot map a
new point, is given all digits at once.  Networks of two numbers have layers of 128 and 32; with --full they see the
digits 300 times, with three seeds.

A linear network by L-BFGS is PCA: the same loss, the same plane, and with a small price on weights the components
themselves.  Denoising takes out a noise of 0.3 that it has learned to undo, beside PCA with the best number of
components for that.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.distances import squared_euclidean
from scratchml.datasets import load_digits
from scratchml.reduction import PCA, TSNE, Autoencoder, VariationalAutoencoder
from scratchml.reduction.autoencoder import linear_minimum
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.reduction.autoencoder"
DATA = "digits, every fifth held out"
FEW, EPOCHS, SEEDS, NOISE = 30, 300, (0, 1, 2), 0.3
DRAWN = 60                                               # epochs of the networks in pictures
RECORDED = "2026-11-30", (
    ("linear network by L-BFGS: loss above that of PCA, relative", "2e-09", "0", "PCA"),
    ("linear network by L-BFGS: angle between its plane and that of PCA", "2e-05", "0", "PCA"),
    ("64-128-32-2: error held out, 3 seeds", "0.0307 0.0309 0.0325", "0.0513", "PCA"),
    ("64-128-32-2: neighbours, 3 seeds", "0.894 0.889 0.833", "0.611", "PCA"),
    ("the same, a tenth of the pixels masked: error held out, 3 seeds", "0.0278 0.0268 0.0267", "0.0513", "PCA"),
    ("the same, a tenth of the pixels masked: neighbours, 3 seeds", "0.908 0.900 0.892", "0.611", "PCA"),
    ("t-SNE of all digits at once: neighbours", "0.981"),
    ("noise of 0.3 taken out, 300 epochs: error", "0.0153", "0.0332", "PCA, 12 components"),
    ("100 sparse units: the mean activity of a unit", "0.060", "0.050", "asked for"),
    ("100 sparse units: error held out", "0.0053"),
)


class Digits(NamedTuple):
    """Pixels from 0 to 1 (N, 64), and what they show: to learn from, and held out."""
    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def digits():
    """The digits, parted, in float32."""
    loaded = load_digits()
    X, out = (loaded.data / 16).astype(np.float32), np.arange(len(loaded.data)) % 5 == 0
    return Digits(X[~out], loaded.target[~out], X[out], loaded.target[out])


def run(seed, pictures, full):
    """Rows of the table: what linear networks find, errors and neighbours in the plane, noise taken out."""
    data = digits()
    plane, seconds = timed(PCA(2).fit, data.X)
    error, alike = of_plane(plane, data)
    yield Row("PCA, 2 components: error held out", f"{error:.4f}", seconds=seconds)
    yield Row("PCA, 2 components: neighbours", f"{alike:.3f}")
    priced, seconds = timed(linear, data.X, 0.01)
    yield Row("linear network, weights have a price: |cosine| with either component", priced.cosines, "1", "PCA",
              seconds)
    model, seconds = timed(Autoencoder(2, epochs=FEW, random_state=seed).fit, data.X)
    ours = of_plane(model, data)
    yield Row(f"64-128-32-2, {FEW} epochs: error held out", f"{ours[0]:.4f}", f"{error:.4f}", "PCA", seconds)
    yield Row(f"64-128-32-2, {FEW} epochs: neighbours", f"{ours[1]:.3f}", f"{alike:.3f}", "PCA")
    (ours, noisy), seconds = timed(cleaned, data, seed, FEW)
    theirs, k = best_pca(data, noisy)
    yield Row(f"noise of {NOISE} taken out, {FEW} epochs: error", f"{miss(ours, data):.4f}", f"{theirs:.4f}",
              f"PCA, {k} components", seconds)
    if full:
        yield from thorough(data, seed)
    else:
        yield from (Row(*figures, recorded=RECORDED[0]) for figures in RECORDED[1])
    if pictures:
        draw_maps(pictures, data, seed)
        draw_cleaned(pictures, data, ours, noisy, k)


def thorough(data, seed):
    """Rows of what takes a minute."""
    found, seconds = timed(linear, data.X, 0.0)
    yield Row("linear network by L-BFGS: loss above that of PCA, relative", f"{found.excess:.0e}", "0", "PCA", seconds)
    yield Row("linear network by L-BFGS: angle between its plane and that of PCA", f"{found.angle:.0e}", "0", "PCA")
    error, alike = of_plane(PCA(2).fit(data.X), data)
    for name, noise in (("64-128-32-2", 0.0), ("the same, a tenth of the pixels masked", 0.1)):
        makers = [Autoencoder(2, noise=noise, epochs=EPOCHS, random_state=seed + k) for k in SEEDS]
        models, seconds = timed(lambda: [model.fit(data.X) for model in makers])
        figures = np.array([of_plane(model, data) for model in models])
        errors, near = (" ".join(f"{value:.{n}f}" for value in column) for column, n in zip(figures.T, (4, 3)))
        yield Row(f"{name}: error held out, 3 seeds", errors, f"{error:.4f}", "PCA", seconds)
        yield Row(f"{name}: neighbours, 3 seeds", near, f"{alike:.3f}", "PCA")
    Y, seconds = timed(TSNE(random_state=seed).fit_transform, np.vstack([data.X, data.X_test]))
    yield Row("t-SNE of all digits at once: neighbours", f"{neighbours(Y[:len(data.X)], Y[len(data.X):], data):.3f}",
              seconds=seconds)
    (ours, noisy), seconds = timed(cleaned, data, seed, EPOCHS)
    theirs, k = best_pca(data, noisy)
    yield Row(f"noise of {NOISE} taken out, {EPOCHS} epochs: error", f"{miss(ours, data):.4f}", f"{theirs:.4f}",
              f"PCA, {k} components", seconds)
    model, seconds = timed(Autoencoder(100, hidden=(), sparsity=0.05, epochs=EPOCHS, random_state=seed).fit, data.X)
    Z = model.transform(data.X_test)
    yield Row("100 sparse units: the mean activity of a unit", f"{Z.mean():.3f}", "0.050", "asked for", seconds)
    yield Row("100 sparse units: error held out", f"{-model.score(data.X_test):.4f}")


# --- linear networks -----------------------------------------------------------------------------


class Linear(NamedTuple):
    """How far a linear network is from PCA."""
    excess: float                                        # of its loss, relative
    angle: float                                         # between the planes
    cosines: str                                         # of its directions with the components


def linear(X, λ):
    """A linear network with two numbers, by L-BFGS, beside PCA."""
    X = X.astype(np.float64)
    model = Autoencoder(2, hidden=(), solver="lbfgs", weight_decay=λ, epochs=5000, tol=1e-10, random_state=0).fit(X)
    pca = PCA().fit(X)
    U, V = model.components_, pca.components_[:2]
    least = linear_minimum(pca.explained_variance_ * (len(X) - 1) / len(X), 2, λ)
    sine = np.linalg.norm(U - U @ V.T @ V, 2)
    cosines = " ".join(f"{value:.4f}" for value in np.abs((U * V).sum(axis=1)))
    return Linear(abs(model.loss_history_[-1] / least - 1), np.arcsin(sine), cosines)


# --- how good a map is, and noise ----------------------------------------------------------------


def of_plane(model, data):
    """The error on held-out digits, and the share whose neighbours are right."""
    Z = model.transform(data.X_test)
    return miss(model.inverse_transform(Z), data), neighbours(model.transform(data.X), Z, data)


def miss(rebuilt, data):
    """The mean square by which a pixel of held-out digits is missed."""
    return float(np.square(rebuilt - data.X_test).mean(dtype=np.float64))


def neighbours(Z, Z_test, data, k=5):
    """The share of held-out digits whose k nearest codes vote for the right class; of several, the lowest is taken."""
    distances = squared_euclidean(Z_test.astype(np.float64), Z.astype(np.float64))
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :k]
    votes = (data.y[nearest][:, :, None] == np.arange(10)).sum(axis=1)
    return float((votes.argmax(axis=1) == data.y_test).mean())


def cleaned(data, seed, epochs):
    """Held-out digits with noise, before and after a denoising autoencoder: (after, before)."""
    noisy = data.X_test + NOISE * np.random.default_rng(seed).standard_normal(data.X_test.shape, np.float32)
    model = Autoencoder(128, hidden=(256,), noise=NOISE, noise_kind="gaussian", epochs=epochs, random_state=seed)
    return model.fit(data.X).inverse_transform(model.transform(noisy)), noisy


def best_pca(data, noisy):
    """The least error that PCA leaves of noise, and with how many components, chosen on the held-out digits."""
    pca = PCA().fit(data.X)
    Z, errors = pca.transform(noisy), []
    for k in range(1, 41):
        errors.append(miss(Z[:, :k] @ pca.components_[:k] + pca.mean_, data))
    return min(errors), int(np.argmin(errors)) + 1


# --- pictures ------------------------------------------------------------------------------------


def draw_maps(pictures, data, seed):
    """Five maps of the same digits, those held out among them."""
    from scratchml.tour.drawing import bare, scatter_classes
    both, options = np.vstack([data.X, data.X_test]), dict(epochs=DRAWN, random_state=seed)
    models = {"PCA": PCA(2), "autoencoder": Autoencoder(2, **options),
              "denoising autoencoder": Autoencoder(2, noise=0.1, **options),
              "variational autoencoder": VariationalAutoencoder(2, likelihood="bernoulli", **options)}
    figure = pictures.figure(13, 8)
    *panels, last = figure.subplots(2, 3).flat
    for axes, (name, model) in zip(panels, models.items()):
        error, alike = of_plane(model.fit(data.X), data)
        scatter_classes(bare(axes), model.transform(both), np.r_[data.y, data.y_test], range(10))
        axes.set_title(f"{name}: error {error:.3f}, neighbours {alike:.2f}", fontsize=10)
        axes.get_legend().remove()
    Y = TSNE(random_state=seed).fit_transform(both)
    scatter_classes(bare(panels[4]), Y, np.r_[data.y, data.y_test], range(10))
    alike = neighbours(Y[:len(data.X)], Y[len(data.X):], data)
    panels[4].set_title(f"t-SNE, of all at once: neighbours {alike:.2f}", fontsize=10)
    bare(last)
    pictures.save(figure, "autoencoder-maps")


def draw_cleaned(pictures, data, ours, noisy, k):
    """Digits that were held out, with noise, cleaned by PCA, and by the network."""
    from scratchml.tour.drawing import bare
    pca = PCA(k).fit(data.X)
    rows = {"held out": data.X_test, f"noise {NOISE}": noisy, f"PCA, {k}": pca.inverse_transform(pca.transform(noisy)),
            "network": ours}
    shown = [int(np.flatnonzero(data.y_test == digit)[0]) for digit in range(10)]
    figure = pictures.figure(10, 4.4)
    for line, (name, images) in zip(figure.subplots(4, 10), rows.items()):
        for axes, n in zip(line, shown):
            bare(axes).imshow(images[n].reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
        line[0].set_ylabel(name, fontsize=9)
    pictures.save(figure, "autoencoder-noise")
