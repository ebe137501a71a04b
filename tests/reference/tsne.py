"""The descent by definition: coordinate by coordinate."""
import numpy as np


def gains(G, V, D):
    """(1)  The last step went down the gradient of its time: the signs differ if that way is still down."""
    result = np.array(G, dtype=float)
    for place in np.ndindex(*result.shape):
        if np.sign(V[place]) * np.sign(D[place]) == -1:
            result[place] = G[place] + 0.2
        else:
            result[place] = max(0.8 * G[place], 0.01)
    return result


def step(V, G, D, η, α):
    """(2)"""
    return np.array([[α * v - η * g * d for v, g, d in zip(*rows)] for rows in zip(V, G, D)])


def move(Y, V):
    """(3)"""
    moved = [y + v for y, v in zip(Y, V)]
    return np.array([place - sum(moved) / len(moved) for place in moved])


def descend(P, Y, η, exaggeration, n_iter):
    """The map after `n_iter` iterations of t-SNE."""
    V, G = np.zeros(Y.shape), np.ones(Y.shape)
    for iteration in range(n_iter):
        early = iteration < 250
        if iteration == 250:                             # the second phase begins at rest
            V, G = np.zeros(Y.shape), np.ones(Y.shape)
        D = gradient(P * exaggeration if early else P, Y)
        G = gains(G, V, D)
        V = step(V, G, D, η, 0.5 if early else 0.8)
        Y = move(Y, V)
    return Y


def gradient(P, Y):
    """(9) of the chapter sne, in whole arrays: the test of that chapter compares the two."""
    d = Y[:, None] - Y[None]
    w = 1 / (1 + (d ** 2).sum(axis=2))
    np.fill_diagonal(w, 0)
    return 4 * (((P - w / w.sum()) * w)[:, :, None] * d).sum(axis=1)


