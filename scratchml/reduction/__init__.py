"""Dimension reduction: how much of the data can be seen in a few directions?"""
from scratchml.reduction.autoencoder_training import Autoencoder
from scratchml.reduction.incremental_pca import IncrementalPCA
from scratchml.reduction.linear_projection import PCA
from scratchml.reduction.tsne import TSNE
from scratchml.reduction.variational_training import VariationalAutoencoder

CHAPTERS = ("pca", "dimensionality", "linear_projection", "incremental_pca", "affinities", "sne", "placement", "tsne",
            "network_codes", "autoencoder", "autoencoder_training", "variational", "variational_training")

__all__ = ["Autoencoder", "PCA", "IncrementalPCA", "TSNE", "VariationalAutoencoder"]
