"""Bags of vectors by definition: over all rows of the table, also those whose value is 0."""
import numpy as np


def bag(G, E):
    """(1)  G (N, V) is a plain matrix."""
    return np.array([[sum(G[n, v] * E[v, d] for v in range(len(E))) for d in range(E.shape[1])]
                     for n in range(len(G))]).reshape(len(G), E.shape[1])


def bag_by_table(G, g):
    """(2)  y_nd contains E_vd with the factor G_nv."""
    return np.array([[sum(G[n, v] * g[n, d] for n in range(len(g))) for d in range(g.shape[1])]
                     for v in range(G.shape[1])], float).reshape(G.shape[1], g.shape[1])
