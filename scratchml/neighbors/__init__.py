"""Nearest neighbours: which of many points are near to this one, exactly or nearly so?"""
from scratchml.neighbors.hnsw_index import HNSW
from scratchml.neighbors.hyperplanes import Hyperplanes
from scratchml.neighbors.ivf import IVF
from scratchml.neighbors.nearest_neighbors import NearestNeighbors

CHAPTERS = ("exhaustive", "nearest_neighbors", "hnsw", "hnsw_graph", "hnsw_build", "hnsw_items", "hnsw_index",
            "inverted_lists", "product_quantisation", "ivf_search", "ivf", "hyperplanes")

__all__ = ["HNSW", "Hyperplanes", "IVF", "NearestNeighbors"]
