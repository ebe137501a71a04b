"""Dimension reduction: how much of the data can be seen in a few directions?"""
from scratchml.reduction.incremental_pca import IncrementalPCA
from scratchml.reduction.pca import PCA

CHAPTERS = ("pca", "incremental_pca")

__all__ = ["PCA", "IncrementalPCA"]
