"""Dimension reduction: how much of the data can be seen in a few directions?"""
from scratchml.reduction.incremental_pca import IncrementalPCA
from scratchml.reduction.pca import PCA
from scratchml.reduction.tsne import TSNE

CHAPTERS = ("pca", "incremental_pca", "affinities", "sne", "tsne")

__all__ = ["PCA", "IncrementalPCA", "TSNE"]
