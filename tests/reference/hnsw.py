"""HNSW as the paper's pseudocode has it: sets, loops, and a graph that is a dict.

G = {"points": list of vectors, "inner": bool, "layers": [{node: list}], "parents": list, "entry": node}
"""
from math import floor, log


def distances_from(q, X, inner):
    """(1)"""
    if inner:
        return [1 - sum(a * b for a, b in zip(q, x)) for x in X]
    return [sum((a - b) ** 2 for a, b in zip(q, x)) for x in X]


def distance(q, G, n):
    return distances_from(q, [G["points"][n]], G["inner"])[0]


def key(q, G):
    return lambda n: (distance(q, G, n), n)


def levels(U, M):
    """(2)"""
    return [floor(-log(u) / log(M)) for u in U]


def search_layer(q, G, W, ef, l):
    """(3)  Algorithm 2."""
    near = key(q, G)
    visited, candidates, found = set(W), set(W), set(W)
    while candidates:
        c = min(candidates, key=near)
        candidates.remove(c)
        if near(c) > near(max(found, key=near)):
            break
        for e in G["layers"][l][c]:
            if e in visited:
                continue
            visited.add(e)
            if near(e) < near(max(found, key=near)) or len(found) < ef:
                candidates.add(e)
                found.add(e)
                if len(found) > ef:
                    found.remove(max(found, key=near))
    return sorted(found, key=near)


def nearest_few(q, G, C, m):
    """(4)  Algorithm 3."""
    return sorted(C, key=key(q, G))[:m]


def diverse_few(q, G, C, m, always=()):
    """(5)  Algorithm 4, without what was discarded; room is left for what is always kept."""
    kept = []
    waiting = sorted(C, key=key(q, G))
    while waiting:
        e = waiting.pop(0)
        room = m - len(kept) - sum(w in always for w in waiting)
        nearer_to_q = all(distance(G["points"][e], G, r) > distance(q, G, e) for r in kept)
        if e in always or room > 0 and nearer_to_q:
            kept.append(e)
    return kept


def down(q, G, top, l):
    ep = [G["entry"]]
    for layer in range(top, l, -1):
        ep = search_layer(q, G, ep, 1, layer)
    return ep


def insert(x, l, G, M, ef):
    """(6)  Algorithm 1, and a parent for the new node."""
    n, top = len(G["points"]), len(G["layers"]) - 1
    G["points"].append(x)
    G["parents"].append(-1)
    while len(G["layers"]) <= l:
        G["layers"].append({})
    for layer in range(l + 1):
        G["layers"][layer][n] = []
    if n == 0:
        G["entry"] = 0
        return 0
    ep = down(x, G, top, l)
    for layer in reversed(range(min(top, l) + 1)):
        if layer == 0:
            ep = nearest_few(x, G, set(ep) | {0}, ef)
        ep = search_layer(x, G, ep, ef, layer)
        neighbors = diverse_few(x, G, ep, M)
        G["layers"][layer][n] = neighbors
        if layer == 0 and has_place(ep[0], G, M):
            G["parents"][n] = ep[0]
        for e in neighbors:
            connect(e, n, layer, G, M)
    if l > top:
        G["entry"] = n
    while G["parents"][n] < 0:
        found = search_layer(x, G, nearest_few(x, G, set(down(x, G, len(G["layers"]) - 1, 0)) | {0}, ef), ef, 0)
        for e in found:
            if e < n and has_place(e, G, M):
                G["parents"][n] = e
                connect(e, n, 0, G, M)
                break
        ef = 2 * ef
    return n


def has_place(e, G, M):
    return sum(G["parents"][c] == e for c in G["layers"][0][e]) < M


def connect(e, n, layer, G, M):
    links = G["layers"][layer][e]
    if n not in links:
        links.append(n)
    limit = 2 * M if layer == 0 else M
    if len(links) > limit:
        children = [c for c in links if layer == 0 and G["parents"][c] == e]
        G["layers"][layer][e] = diverse_few(G["points"][e], G, links, limit, children)


def answer(q, G, k, ef):
    """(7)  Algorithm 5."""
    ep = down(q, G, len(G["layers"]) - 1, 0)
    return search_layer(q, G, nearest_few(q, G, set(ep) | {0}, ef), ef, 0)[:k]
