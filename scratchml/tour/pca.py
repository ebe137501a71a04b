"""The few directions in which the data vary most, and how much of the data they hold.

Iris has four measurements and really one dimension; images of digits have 64 pixels and about 29.  The table has the
shares of the variance that the first components explain, by every way to find them.
"""
import numpy as np

from scratchml.datasets import load_digits, load_iris
from scratchml.reduction import PCA, IncrementalPCA
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.reduction.pca"
DATA = "iris, digits"
PEER = "scikit-learn 1.9.1"


def run(seed, pictures, full):
    """Rows of the table: explained variance, by every solver."""
    iris, digits = load_iris(), load_digits()
    for solver in ("covariance_eigh", "jacobi"):
        pca, seconds = timed(PCA(svd_solver=solver).fit, iris.data)
        yield Row(f"iris, {solver}: first two", numbers(pca.explained_variance_ratio_[:2], 5), ".92462 .05307",
                  PEER, seconds)
    pca, seconds = timed(PCA().fit, digits.data)
    stated = ".1489 .1362 .1179"
    yield Row("digits: first three", numbers(pca.explained_variance_ratio_[:3], 4), stated, PEER, seconds)
    few, seconds = timed(PCA(0.95).fit, digits.data)
    yield Row("digits: components that hold 95 %", str(few.n_components_), "29", PEER, seconds)
    evident, seconds = timed(PCA("mle").fit, iris.data)
    yield Row("iris: components of the largest evidence", str(evident.n_components_), "3", PEER, seconds)
    quick, seconds = timed(PCA(3, svd_solver="randomized", random_state=seed).fit, digits.data)
    yield Row("digits, randomized: first three", numbers(quick.explained_variance_ratio_, 4), stated, PEER, seconds)
    parts, seconds = timed(IncrementalPCA(batch_size=200).fit, digits.data)
    yield Row("digits, in batches: first three", numbers(parts.explained_variance_ratio_[:3], 4), stated, PEER, seconds)
    if pictures:
        draw_plane(pictures, pca, digits)
        draw_scree(pictures, pca, few.n_components_)


def numbers(values, digits):
    """.92462 .05307"""
    return " ".join(f"{value:.{digits}f}".removeprefix("0") for value in values)


def draw_plane(pictures, pca, digits):
    """The digits in the plane of the first two components, coloured by class."""
    from scratchml.tour.drawing import scatter_classes
    figure = pictures.figure(7, 5.5)
    axes = figure.subplots()
    scatter_classes(axes, pca.transform(digits.data)[:, :2], digits.target, digits.target_names)
    share = 100 * pca.explained_variance_ratio_
    axes.set(title="Images of digits, 64 pixels each, in the plane in which they vary most",
             xlabel=f"first component, {share[0]:.1f} % of the variance",
             ylabel=f"second component, {share[1]:.1f} %")
    pictures.save(figure, "pca-digits")


def draw_scree(pictures, pca, enough):
    """The scree plot: the variance along each component, and what the first ones hold together."""
    figure = pictures.figure(7, 4)
    axes = figure.subplots()
    ratio = pca.explained_variance_ratio_
    order = np.arange(1, len(ratio) + 1)
    axes.bar(order, 100 * ratio, color="C0", label="each component")
    axes.plot(order, 100 * ratio.cumsum(), color="C1", label="all up to it")
    axes.axhline(95, color="0.7", linewidth=1, zorder=0)
    axes.annotate(f"{enough} components hold 95 %", (enough, 95), (enough + 4, 70), arrowprops={"arrowstyle": "->"})
    axes.set(title="Images of digits: how much of the variance a component explains", xlabel="component",
             ylabel="% of the variance", ylim=(0, 102))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center right")
    pictures.save(figure, "pca-scree")
