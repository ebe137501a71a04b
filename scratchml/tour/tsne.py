"""A map on which neighbours stay neighbours: ten kinds of handwritten digits fall apart by themselves, without a label.

PCA shows the plane in which the images vary most, and there half of the digits lie on top of each other.  t-SNE gives
up distances to keep neighbourhoods; its two ancestors, SNE and symmetric SNE, keep the crowd in the middle.

KL is the cost that t-SNE descends, the lower the better.  Trustworthiness is 1 where all neighbours on the map are
neighbours in the data.
"""
import numpy as np

from scratchml.core.distances import squared_euclidean
from scratchml.datasets import load_digits
from scratchml.metrics import trustworthiness
from scratchml.reduction import PCA, TSNE
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.reduction.tsne"
DATA = "digits"
PEER = "scikit-learn 1.9.1, exact"
MOMENTS = (0, 50, 250, 300, 500, 1000)                   # iterations that are drawn


def run(seed, pictures, full):
    """Rows of the table: how good the map is, beside scikit-learn's exact t-SNE and beside the plane of PCA."""
    digits = load_digits()
    maps = {0: start(digits.data)}

    def keep(progress):
        maps[progress.iteration] = progress.estimator.embedding_

    model = TSNE(random_state=seed, callback=keep)
    Y, seconds = timed(model.fit_transform, digits.data)
    yield Row("digits: KL after 1,000 iterations", f"{model.kl_divergence_:.3f}", "0.680", PEER, seconds)
    share, seconds = timed(trustworthiness, digits.data, Y)
    yield Row("digits: trustworthiness of the map", f"{share:.3f}", "0.995", PEER, seconds)
    share, seconds = timed(nearest_alike, Y, digits.target)
    yield Row("digits: nearest neighbour is of the same class", f"{share:.3f}", "0.988", PEER, seconds)
    plane = PCA(2).fit_transform(digits.data)
    share, seconds = timed(trustworthiness, digits.data, plane)
    yield Row("digits: trustworthiness of PCA's plane", f"{share:.3f}", "0.830", "scikit-learn 1.9.1", seconds)
    share, seconds = timed(nearest_alike, plane, digits.target)
    yield Row("digits: the same class in PCA's plane", f"{share:.3f}", "0.587", "scikit-learn 1.9.1", seconds)
    if full:
        share, seconds = timed(beside_their_class, digits, seed)
        yield Row("digits: 400 new ones, placed next to their class", f"{share:.3f}", "0.993", "openTSNE 1.0.4",
                  seconds)
    if pictures:
        draw_beside_pca(pictures, plane, Y, digits)
        draw_unfolding(pictures, maps, digits)


def start(X):
    """The map that t-SNE starts from."""
    Z = PCA(2).fit_transform(X)
    return Z * (1e-4 / Z[:, 0].std())


def nearest_alike(Y, target):
    """The share of points whose nearest neighbour on the map is of their own class."""
    d = squared_euclidean(Y, Y)
    np.fill_diagonal(d, np.inf)
    return float((target[d.argmin(axis=1)] == target).mean())


def beside_their_class(digits, seed):
    """Of 400 digits, placed on a map of the others, the share whose nearest point there is of their class."""
    order = np.random.default_rng(seed).permutation(len(digits.data))
    new, old = order[:400], order[400:]
    model = TSNE(random_state=seed).fit(digits.data[old])
    nearest = squared_euclidean(model.transform(digits.data[new]), model.embedding_).argmin(axis=1)
    return float((digits.target[old][nearest] == digits.target[new]).mean())


def draw_beside_pca(pictures, plane, Y, digits):
    """The lecture's comparison: the same images in the plane of PCA and on the map."""
    from scratchml.tour.drawing import bare, scatter_classes
    figure = pictures.figure(11, 5)
    left, right = figure.subplots(1, 2)
    scatter_classes(bare(left), plane, digits.target, digits.target_names)
    left.get_legend().remove()
    left.set_title("PCA: the plane in which they vary most")
    scatter_classes(bare(right), Y, digits.target, digits.target_names)
    right.set_title("t-SNE: a map that keeps neighbours together")
    figure.suptitle("1,797 images of digits, 64 pixels each, coloured by what they show")
    pictures.save(figure, "tsne-digits")


def draw_unfolding(pictures, maps, digits):
    """The map at a few iterations, each to its own scale."""
    from scratchml.tour.drawing import bare, scatter_classes
    figure = pictures.figure(10, 7)
    for axes, iteration in zip(figure.subplots(2, 3).flat, MOMENTS):
        Y = maps[iteration]
        scatter_classes(bare(axes), Y, digits.target, digits.target_names)
        axes.get_legend().remove()
        axes.set_title(f"{iteration:,} iterations: {np.ptp(Y[:, 0]):.3g} wide", fontsize=10)
    figure.suptitle("How the map unfolds: attraction is exaggerated twelvefold up to iteration 250")
    pictures.save(figure, "tsne-unfolding")
