"""What the demonstrations of autoencoders measure themselves: neighbours, entropies, how far a network is from PCA."""
import re

import numpy as np
import pytest

from scratchml.tour import autoencoder, variational
from scratchml.tour.autoencoder import Digits
from tests.strategies.autoencoder import spread


def test_neighbours_vote_for_the_class_of_most():
    Z = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [1.2], [9.0]])
    y = np.array([3, 3, 7, 7, 7, 7, 3])
    data = Digits(Z, y, np.zeros((2, 1)), np.array([3, 7]))
    assert autoencoder.neighbours(Z, np.array([[0.0], [0.0]]), data, k=3) == 0.5
    assert autoencoder.neighbours(Z, np.array([[0.0], [0.05]]), data, k=5) == 0.5, "7 has three of five"
    assert autoencoder.neighbours(Z, np.array([[9.0], [1.1]]), data, k=1) == 1.0


def test_held_out_digits_are_every_fifth():
    data = autoencoder.digits()
    assert data.X.shape == (1437, 64) and data.X_test.shape == (360, 64) and data.X.dtype == np.float32
    assert 0 == data.X.min() < data.X.max() == 1 and len(data.y) == 1437 and len(data.y_test) == 360
    assert f"{variational.entropy(data.X_test):.2f}" == "13.82"


def test_the_entropy_is_that_of_coins():
    assert variational.entropy(np.array([[0.0, 1.0, 0.5]])) == np.log(2)
    np.testing.assert_allclose(variational.entropy(np.array([[0.25], [0.0]])),
                               (0.25 * np.log(4) - 0.75 * np.log(0.75)) / 2)


def test_a_linear_network_beside_pca():
    X = spread(60, 5)
    plain, priced = autoencoder.linear(X, 0.0), autoencoder.linear(X, 0.01)
    assert plain.excess < 1e-6 and plain.angle < 1e-4 and priced.angle < 1e-4 and priced.cosines == "1.0000 1.0000"
    ours, theirs = variational.linear_bound(X, 2)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)


def test_pca_that_takes_out_noise_is_the_best_of_its_kind():
    X = np.repeat(spread(200, 6), 12, axis=1).astype(np.float32)[:, :64]
    data = Digits(X[:150], np.zeros(150, int), X[150:], np.zeros(50, int))
    noisy = data.X_test + 0.05 * np.random.default_rng(0).standard_normal(data.X_test.shape, np.float32)
    error, k = autoencoder.best_pca(data, noisy)
    assert 2 <= k <= 6 and error < 0.3 * autoencoder.miss(noisy, data)


BARS = {
    (autoencoder, "64-128-32-2: error held out"): lambda found: max(found) <= 0.034,
    (autoencoder, "64-128-32-2: neighbours"): lambda found: min(found) >= 0.78,
    (autoencoder, "noise of 0.3 taken out, 300"): lambda found: found[0] <= 0.6 * 0.0332,
    (autoencoder, "linear network by L-BFGS: loss"): lambda found: found[0] <= 1e-6,
    (autoencoder, "linear network by L-BFGS: angle"): lambda found: found[0] <= 1e-4,
    (variational, "64-128-2: -ELBO"): lambda found: max(found) <= 24.9,
}


@pytest.mark.parametrize("module, begins", BARS, ids=lambda part: part if isinstance(part, str) else "")
def test_what_is_recorded_keeps_what_was_promised(module, begins):
    (row,) = [row for row in module.RECORDED[1] if row[0].startswith(begins)]
    assert BARS[module, begins]([float(word) for word in row[1].split()])


def test_what_is_recorded_is_in_order():
    plain, masked = ([float(word) for word in row[1].split()] for row in autoencoder.RECORDED[1]
                     if re.search("error held out, 3 seeds", row[0]))
    assert all(b < a for a, b in zip(plain, masked))
    elbo, bound = ([float(word) for word in row[1].split()] for row in variational.RECORDED[1][:2])
    assert all(b < a for a, b in zip(elbo, bound))
