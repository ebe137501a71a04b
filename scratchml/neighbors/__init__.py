"""Nearest neighbours: which of many points are near to this one, exactly or nearly so?"""
from scratchml.neighbors.hnsw_index import HNSW
from scratchml.neighbors.nearest_neighbors import NearestNeighbors

CHAPTERS = ("exhaustive", "nearest_neighbors", "hnsw", "hnsw_graph", "hnsw_build", "hnsw_items", "hnsw_index")

__all__ = ["HNSW", "NearestNeighbors"]
