"""Which Gaussian did a point come from, when nobody knows the Gaussians: EM, and how many components the data want.

Iris flowers and wines in standard units; how many components, and of which shape, by the information criterion; and
long clusters that k-means cuts across, because to it every cluster is a ball.  The higher the log-likelihood, the
better the fit; the adjusted Rand index is 1 where the clusters are the known ones, and about 0 where only chance is.
"""
import numpy as np

from scratchml.cluster import GaussianMixture, KMeans
from scratchml.datasets import load_iris, load_wine
from scratchml.metrics.clustering import adjusted_rand_score
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.cluster.gmm"
DATA = "iris, wine, drawn points"
PEER = "scikit-learn 1.9.1"
SHAPES = ("spherical", "diag", "tied", "full")


def run(seed, pictures, full):
    """Rows of the table: log-likelihood and agreement with the species; shapes and numbers of components; k-means."""
    iris, wine = load_iris(), load_wine()
    model, seconds = timed(mixture(3, 20, seed).fit, iris.data)
    score = f"{model.score(iris.data):.5f}"
    yield Row("iris, 3 full components: mean log-likelihood", score, "-1.20124", PEER, seconds)
    score, seconds = timed(adjusted_rand_score, iris.target, model.predict(iris.data))
    yield Row("iris: adjusted Rand index", f"{score:.4f}", "0.9039", PEER, seconds)

    standard = (wine.data - wine.data.mean(axis=0)) / wine.data.std(axis=0)
    fitted, seconds = timed(mixture(3, 20, seed).fit, standard)
    yield Row("wine, standardised: mean log-likelihood", f"{fitted.score(standard):.4f}", "-11.6181", PEER, seconds)

    scores, seconds = timed(criteria, iris.data, seed)   # (4, 6)
    shape, number = np.unravel_index(scores.argmin(), scores.shape)
    yield Row("iris: components of the least BIC", f"{number + 1}, {SHAPES[shape]}", seconds=seconds)

    X, y = long_clusters(seed)
    means, seconds = timed(KMeans(3, n_init=10, random_state=seed).fit_predict, X)
    yield Row("long clusters, k-means: adjusted Rand index", f"{adjusted_rand_score(y, means):.3f}", seconds=seconds)
    em, seconds = timed(mixture(3, 10, seed).fit, X)
    yield Row("long clusters, EM: adjusted Rand index", f"{adjusted_rand_score(y, em.predict(X)):.3f}", seconds=seconds)
    if pictures:
        draw_iris(pictures, model, iris)
        draw_criteria(pictures, scores)
        draw_long_clusters(pictures, X, means, em)


def mixture(n_components, n_init, seed, *, tol=1e-8, **options):
    return GaussianMixture(n_components, n_init=n_init, tol=tol, max_iter=2000, random_state=seed, **options)


def criteria(X, seed):
    """BIC for each shape and 1 to 6 components."""
    return np.array([[mixture(K, 5, seed, tol=1e-5, covariance_type=shape).fit(X).bic(X) for K in range(1, 7)]
                     for shape in SHAPES])


def long_clusters(seed):
    """Three clusters, 12 times as long as wide, side by side, and which point is in which."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(600, 2)) * [6, 0.5] + np.repeat([[0, 0], [3, 4], [-2, 8]], 200, axis=0)
    return X @ np.array([[0.8, 0.6], [-0.6, 0.8]]), np.repeat([0, 1, 2], 200)


# --- pictures ------------------------------------------------------------------------------------


def ellipse(mean, covariance):
    """Points (100, 2) at two standard deviations from the mean."""
    angle = np.linspace(0, 2 * np.pi, 100)
    return mean + 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1) @ np.linalg.cholesky(covariance).T


def draw_iris(pictures, model, iris):
    """Petals, coloured by species, and the components' ellipses."""
    from scratchml.tour.drawing import scatter_classes
    figure = pictures.figure(7, 4.5)
    axes = figure.subplots()
    petals = [2, 3]
    scatter_classes(axes, iris.data[:, petals], iris.target, iris.target_names)
    for k in range(3):
        axes.plot(*ellipse(model.means_[k, petals], model.covariances_[k][np.ix_(petals, petals)]).T, color="0.3", lw=1)
    axes.set(xlabel=iris.feature_names[2], ylabel=iris.feature_names[3],
             title="Iris by species, and three Gaussians fitted without them (two standard deviations)")
    axes.title.set_fontsize(10)
    pictures.save(figure, "gmm-iris")


def draw_criteria(pictures, scores):
    """A line for each shape over the number of components."""
    figure = pictures.figure(6, 4)
    axes = figure.subplots()
    for shape, row in zip(SHAPES, scores):
        axes.plot(range(1, len(row) + 1), row, marker="o", label=shape)
    axes.set(xlabel="components", ylabel="BIC (lower is better)", title="How many Gaussians do the iris data want?")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    pictures.save(figure, "gmm-bic")


def draw_long_clusters(pictures, X, means, em):
    """What k-means makes of long clusters, and what EM makes of them."""
    figure = pictures.figure(9, 4)
    for axes, labels, title in zip(figure.subplots(1, 2), (means, em.predict(X)), ("k-means", "EM, full covariances")):
        axes.scatter(*X.T, c=[f"C{k}" for k in labels], s=5, alpha=0.7, linewidths=0)
        axes.set(title=title, aspect="equal", xticks=[], yticks=[])
    for mean, covariance in zip(em.means_, em.covariances_):
        axes.plot(*ellipse(mean, covariance).T, color="0.3", lw=1)
    pictures.save(figure, "gmm-long-clusters")
