"""Principal components, all of them: the formula in NumPy, ours, and scikit-learn's."""
import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender
from scratchml.reduction import PCA


def cloud(N, D):
    """Points whose variances along hidden axes fall by a constant factor, so that every axis is well determined."""
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(D, D)))[0]
    return (rng.normal(size=(N, D)) * 0.99 ** np.arange(D) @ rotation + 5,)


def formula(X):
    variances, axes = np.linalg.eigh(np.cov(X.T))
    axes = axes.T[::-1]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    return variances[::-1], axes * signs[:, None]


def ours(X):
    fitted = PCA().fit(X)
    return fitted.explained_variance_, fitted.components_


@peer("sklearn.decomposition")
def scikit_learn(X):
    from sklearn.decomposition import PCA
    fitted = PCA().fit(X)
    return fitted.explained_variance_, fitted.components_


agree = close(rtol=1e-6, atol=1e-8)
CASES = [
    Case("20,000 x 256", lambda: cloud(20_000, 256),
         {"formula": formula, "scratchml": ours, "scikit-learn": scikit_learn}, agree),
    Growth("time against N, D = 64", lambda N: cloud(N, 64), {"scratchml": ours, "scikit-learn": scikit_learn},
           (10_000, 20_000, 40_000, 80_000, 160_000), stated=1, agree=agree),
]
