"""Clustering: which points belong together, when nobody says so?"""
from scratchml.cluster.gmm import GaussianMixture
from scratchml.cluster.kmeans import KMeans, kmeans_plusplus

CHAPTERS = ("kmeans_bounds", "kmeans", "gmm")

__all__ = ["GaussianMixture", "KMeans", "kmeans_plusplus"]
