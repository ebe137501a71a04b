"""Nearest neighbours: which of many points are near to this one, exactly or nearly so?"""
from scratchml.neighbors.nearest_neighbors import NearestNeighbors

CHAPTERS = ("exhaustive", "nearest_neighbors", "hnsw", "hnsw_graph", "hnsw_build")

__all__ = ["NearestNeighbors"]
