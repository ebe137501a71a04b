"""Clustering: which points belong together, when nobody says so?"""
from scratchml.cluster.kmeans import KMeans, kmeans_plusplus

CHAPTERS = ("kmeans",)

__all__ = ["KMeans", "kmeans_plusplus"]
