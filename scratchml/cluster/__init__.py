"""Clustering: which points belong together, when nobody says so?"""
from scratchml.cluster.bisecting import BisectingKMeans
from scratchml.cluster.gaussian_mixture import GaussianMixture
from scratchml.cluster.kmeans import KMeans, kmeans_plusplus
from scratchml.cluster.minibatch import MiniBatchKMeans

CHAPTERS = ("kmeans_bounds", "kmeans", "minibatch", "bisecting", "gmm", "gaussian_mixture")

__all__ = ["BisectingKMeans", "GaussianMixture", "KMeans", "MiniBatchKMeans", "kmeans_plusplus"]
