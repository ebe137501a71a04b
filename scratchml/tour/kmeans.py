"""K centres such that every point is near one: assign, recentre, repeat; and where to start.

Iris flowers, wines in standard units, and images of digits, each without a look at the labels; the labels then say how
well the clusters found what we call species, cultivars and digits.  Of two inertias the lower is the better; the scores
that compare with the labels are 1 where all agree, and about 0 where only chance does.
"""
import numpy as np

from scratchml.cluster import KMeans
from scratchml.datasets import load_digits, load_iris, load_wine
from scratchml.metrics.clustering import adjusted_rand_score, v_measure_score
from scratchml.preprocessing import StandardScaler
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.cluster.kmeans"
DATA = "iris, wine, digits"
PEER = "scikit-learn 1.9.1"


def run(seed, pictures, full):
    """Rows of the table: inertia and agreement with the labels, on three data sets."""
    iris, wine, digits = load_iris(), load_wine(), load_digits()
    model, seconds = timed(KMeans(3, n_init=10, random_state=seed).fit, iris.data)
    yield Row("iris, K = 3: inertia", f"{model.inertia_:.6f}", "78.851441", PEER, seconds)
    score, seconds = timed(adjusted_rand_score, iris.target, model.labels_)
    yield Row("iris: adjusted Rand index", f"{score:.4f}", "0.7302", PEER, seconds)

    standard = StandardScaler().fit_transform(wine.data)
    model, seconds = timed(KMeans(3, n_init=10, random_state=seed).fit, standard)
    yield Row("wine, standardised, K = 3: inertia", f"{model.inertia_:.5f}", "1277.92849", PEER, seconds)
    score, seconds = timed(adjusted_rand_score, wine.target, model.labels_)
    yield Row("wine: adjusted Rand index", f"{score:.4f}", "0.8975", PEER, seconds)

    model, seconds = timed(KMeans(10, n_init=10, random_state=seed).fit, digits.data)
    yield Row("digits, K = 10, best of 10 starts: inertia", f"{model.inertia_:.1f}", "1165188.9", PEER, seconds)
    score, seconds = timed(adjusted_rand_score, digits.target, model.labels_)
    yield Row("digits: adjusted Rand index", f"{score:.3f}", "0.664 to 0.673", PEER, seconds)
    score, seconds = timed(v_measure_score, digits.target, model.labels_)
    yield Row("digits: V-measure", f"{score:.2f}", "0.74", PEER, seconds)
    if pictures:
        draw_centres(pictures, model, digits.target)


def draw_centres(pictures, model, target):
    """The ten centres as images, each with the digits that its cluster holds most of."""
    from scratchml.tour.drawing import bare
    figure = pictures.figure(7, 3.4)
    for k, axes in enumerate(figure.subplots(2, 5).flat):
        members = target[model.labels_ == k]
        digit = np.bincount(members).argmax()
        image = model.cluster_centers_[k].reshape(8, 8)
        bare(axes).imshow(image, cmap="gray_r", vmin=0, vmax=16, interpolation="nearest")
        axes.set_title(f"{members.size} images,\n{100 * (members == digit).mean():.0f} % of them a {digit}", fontsize=8)
    figure.suptitle("Centres that k-means found in images of digits", fontsize=11)
    pictures.save(figure, "kmeans-centres")
