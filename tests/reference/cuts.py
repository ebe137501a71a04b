"""Gains by definition, and the best cut by trying all."""


def T(G, α):
    return (1 if G > 0 else -1) * max(abs(G) - α, 0.0)


def leaf_value(G, H, α, λ):
    """(1)"""
    return -T(G, α) / (H + λ)


def split_gain(G_L, H_L, G_R, H_R, α, λ):
    """(2)"""
    G, H = G_L + G_R, H_L + H_R
    return T(G_L, α) ** 2 / (H_L + λ) + T(G_R, α) ** 2 / (H_R + λ) - T(G, α) ** 2 / (H + λ)


def best_cut(S, n_bins, c, limits):
    """(3)"""
    least_rows, least_H, least_gain, α, λ = limits
    best = -1, 0, False, 0.0
    for f, bins in enumerate(S):
        for m in (False, True):
            for b in range(n_bins[f]):
                left = [k for k in range(256) if k <= b and k < 255 or m and k == 255]
                right = [k for k in range(256) if k not in left]
                sides = []
                for side in (left, right):
                    w = sum(int(bins[k][1]) for k in side)
                    G = sum(int(bins[k][0]) for k in side) * 0.5 ** (61 - c)
                    sides.append((G, (w >> c) * 0.5 ** (62 - 2 * c), w % 2**c))
                (G_L, H_L, n_L), (G_R, H_R, n_R) = sides
                if min(n_L, n_R) < max(1, least_rows) or min(H_L, H_R) < least_H or min(H_L, H_R) + λ <= 0:
                    continue
                apart = T(G_L, α) ** 2 / (H_L + λ) + T(G_R, α) ** 2 / (H_R + λ)
                gain = split_gain(G_L, H_L, G_R, H_R, α, λ)
                if gain > max(least_gain, 16 * 2.0**-52 * apart, best[3]):
                    best = f, b, m, gain
    return best
