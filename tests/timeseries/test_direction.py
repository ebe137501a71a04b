"""Windows and labels against their definitions, blocks that share nothing, the ladder, two inputs, two answers."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import ActivityL2, BatchNorm1d, Linear, Sequential, Tanh, cross_entropy, fit, penalty, predict
from scratchml.optim import Adam
from scratchml.timeseries import (TwoBranches, TwoHeads, direction_windows, ladder, lag_windows, purged_split,
                                  value_and_direction)
from scratchml.timeseries.direction import LADDER, changes, own_scale, rescaled, scaled, ups
from tests.reference import direction as reference
from tests.strategies.direction import windowed
from tests.strategies.distances import seeds

EPS = np.finfo(float).eps


# --- windows and labels

@given(windowed())
def test_windows_scaled_by_themselves(drawn):
    y, w = drawn
    F, _ = lag_windows(y, w)
    μ, σ = own_scale(F)
    unit = np.abs(y).max() or 1.0
    level = F.max(axis=1) == F.min(axis=1)
    expected = reference.own_scale((F / unit).tolist())
    np.testing.assert_allclose(μ / unit, expected[0], rtol=0, atol=w * EPS)
    np.testing.assert_allclose(σ[~level] / unit, np.array(expected[1])[~level], rtol=1e-12, atol=2 * w * EPS)
    assert (σ[level] == 1).all() and (μ[level] == F[level, 0]).all()
    np.testing.assert_allclose(scaled(F, μ, σ), reference.scaled(F.tolist(), μ.tolist(), σ.tolist()), rtol=4 * EPS)
    np.testing.assert_allclose(changes(y, σ), reference.changes(y.tolist(), σ.tolist()), rtol=4 * EPS)
    np.testing.assert_array_equal(ups(y, w), reference.ups(y.tolist(), w))


@given(windowed())
def test_inputs_and_targets(drawn):
    y, w = drawn
    found = direction_windows(y, w)
    X, up, change = found
    F, next_ones = lag_windows(y, w)
    far = np.abs(F).max(axis=1) / own_scale(F)[1]                         # how many digits the deviation has lost
    assert X.shape == (len(y) - w, w) and len(up) == len(change) == len(X)
    level = F.max(axis=1) == F.min(axis=1)
    assert (X[level] == 0).all()
    assert (np.abs(X[~level].mean(axis=1)) <= 4 * w * EPS * (1 + far[~level])).all()
    assert (np.abs(X[~level].std(axis=1) - 1) <= 4 * w * EPS * (1 + far[~level])).all()
    np.testing.assert_array_equal(np.sign(change), np.sign(next_ones[:, 0] - F[:, -1]))
    np.testing.assert_array_equal(up, change > 0)
    assert found.equal == sum(next_ones[:, 0] == F[:, -1])


@pytest.mark.parametrize("value", [0.1, 0.0, -3.7e150, 1e9 + 0.1])
def test_a_level_window_is_zero_and_its_change_in_the_units_of_the_series(value):
    step = 0.5 + abs(value)
    found = direction_windows([value] * 7 + [value + step], 3)
    assert not found.X.any() and found.up.tolist() == [0, 0, 0, 0, 1] and found.equal == 4
    assert found.change[-1] == (value + step) - value


@given(windowed(), st.sampled_from([2.0**-30, 0.5, 2.0**40]))
def test_the_unit_of_a_series_does_not_matter(drawn, unit):
    y, w = drawn
    F, _ = lag_windows(y, w)
    moved = F.max(axis=1) > F.min(axis=1)
    for found, expected in zip(direction_windows(unit * y, w), direction_windows(y, w)):
        np.testing.assert_array_equal(found[moved], expected[moved])


def test_a_window_knows_nothing_of_what_comes_later():
    y = np.random.default_rng(0).normal(size=40)
    changed = np.concatenate([y[:30], 1e6 + y[30:]])
    for before, after in zip(direction_windows(y, 5), direction_windows(changed, 5)):
        np.testing.assert_array_equal(before[:25], after[:25])


def test_a_series_with_an_index_is_one_of_numbers():
    pandas = pytest.importorskip("pandas")
    y = np.arange(12.0) ** 2 % 7
    series = pandas.Series(y, pandas.date_range("2024-01-31", periods=12, tz="Europe/Rome"))
    for found, expected in zip(direction_windows(series, 3), direction_windows(y, 3)):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="regular_grid"):
        direction_windows(series.drop(series.index[5]), 3)


@pytest.mark.parametrize("y, window, message", [
    ([1.0, 2, 3], 1, "window=1: expected a whole number of at least 2"), ([1.0, 2, 3], 3, "expected at least 4 values"),
    ([1.0, np.nan, 3, 4], 2, "NaN"), ([1.0, 2, 3, 4], 2.0, "window=2.0"), ([1.0, 2, 3, 4], True, "window=True"),
    ([[1.0, 2], [3, 4]], 2, "y: "), ([1e-300, 2e-300, 1e300], 2, "y: the change after a window"),
    ([-1.7e308, -1.6e308, 1.7e308], 2, "y: the change after a window"),
])
def test_bad_series_are_named(y, window, message):
    with pytest.raises(ValueError, match=message):
        direction_windows(y, window)


# --- blocks in order of time

@given(st.integers(1, 12), st.integers(1, 120), st.sampled_from([(1.0,), (0.8, 0.2), (0.64, 0.16, 0.2), (0.25,) * 4]))
def test_blocks_share_no_value(w, n, s):
    expected = reference.purged_split(n, w, s)
    if not all(expected):
        with pytest.raises(ValueError, match="lower the window"):
            purged_split(n, w, s)
        return
    assert [list(range(n))[block] for block in purged_split(n, w, s)] == expected


def test_windows_on_two_sides_of_a_border_have_no_value_in_common():
    y = np.arange(60.0)
    X, Y = lag_windows(y, 7)
    learn, test = purged_split(len(X), 7, [0.7, 0.3])
    assert Y[learn].max() == X[test].min() - 1                            # and not one sample more is dropped
    assert test.stop == len(X)


@pytest.mark.parametrize("n, window, shares, message", [
    (100, 5, (0.5, 0.4), "sum to 1, got 0.9"), (100, 5, 0.5, "shares=0.5"), (100, 5, (1.2, -0.2), r"shares\[1\]"),
    (100, 60, (0.5, 0.5), r"shares\[0\]: of 100 windows 50 are in this block, and 60"), (0, 5, (1.0,), "n=0"),
    (100, 5, (), "shares"), (100, 0, (0.5, 0.5), "window=0"), (100, 5, "11", "shares='11'"),
    (100, 5, (0.5, True), r"shares\[1\]=True"), (100, 5, (np.nan, 0.5), r"shares\[0\]=nan"),
])
def test_bad_blocks_are_named(n, window, shares, message):
    with pytest.raises(ValueError, match=message):
        purged_split(n, window, shares)


# --- the ladder

def test_each_rung_is_the_last_and_one_change():
    kinds = [[type(layer).__name__ for layer in ladder(step, 30)] for step in (1, 2, 3, 4)]
    layer = ["Linear", "BatchNorm1d", "LeakyReLU"]
    assert kinds[:2] == [[*layer, "Linear"], [*layer, *layer, "Linear"]]
    assert [kind for kind in kinds[2] if kind != "ActivityL2"] == kinds[1] and kinds[2].count("ActivityL2") == 2
    assert [kind for kind in kinds[3] if kind != "Dropout"] == kinds[2] and kinds[3].count("Dropout") == 2
    assert all(kinds[2][k + 1] == "BatchNorm1d" for k, kind in enumerate(kinds[2]) if kind == "ActivityL2")


@pytest.mark.parametrize("step", range(1, len(LADDER) + 1))
def test_a_rung_learns_and_its_seed_is_all_that_it_draws(step):
    X, up, _ = direction_windows(np.sin(np.arange(140) * 0.7), 10)
    scores = []
    for _ in range(2):
        net = ladder(step, 10, random_state=3)
        fit(net, Adam(net.parameters(), lr=0.01), cross_entropy, X, up, epochs=8, random_state=0)
        scores.append(predict(net, X))
    np.testing.assert_array_equal(*scores)
    assert scores[0].shape == (130, 2) and (scores[0].argmax(axis=1) == up).mean() > 0.9
    assert (predict(ladder(step, 10, random_state=4), X) != predict(ladder(step, 10, random_state=3), X)).any()


@pytest.mark.parametrize("step", [0, 5, 1.0, "2", True])
def test_there_are_four_rungs(step):
    with pytest.raises(ValueError, match="step="):
        ladder(step, 30)


@given(seeds, st.sampled_from([1e-3, 0.1, 7.0]))
def test_normalisation_undoes_a_factor(seed, a):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(6, 3)) * [1.0, 20, 0.1] + rng.normal(size=3)
    expected = reference.rescaled(z.tolist(), a, 1e-5)
    np.testing.assert_allclose(rescaled(z, a, 1e-5), expected, rtol=0, atol=1e-12)
    layer = BatchNorm1d(3, eps=1e-5, affine=False, dtype="float64")
    np.testing.assert_allclose(layer(a * z).data, expected, rtol=0, atol=1e-12)


def test_a_price_on_activity_before_normalisation_is_paid_by_a_factor():
    """A hundredth of the weights pays a ten-thousandth of the price and says the same: the price forbids nothing."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 30))
    net, smaller = ladder(3, 30, random_state=0), ladder(3, 30, random_state=0)
    for part in (0, 4):                                                   # the layers before normalisation
        for name in ("weight", "bias"):
            getattr(smaller[part], name).data[...] *= 0.01
        for one in (net, smaller):
            one[part + 2].eps = 1e-12
    said = [one(X).detach().numpy() for one in (net, smaller)]
    prices = [penalty(one).item() for one in (net, smaller)]
    np.testing.assert_allclose(said[1], said[0], rtol=0, atol=1e-4)
    assert prices[1] == pytest.approx(1e-4 * prices[0], rel=1e-3) and prices[0] > 0.1


def test_a_price_on_activity_after_normalisation_is_not():
    X = np.random.default_rng(0).normal(size=(500, 30))
    first = Linear(30, 8, random_state=0)
    net = Sequential(first, BatchNorm1d(8), ActivityL2(0.01))
    net(X)
    before = penalty(net).item()
    first.weight.data[...] *= 0.1
    net(X)
    assert penalty(net).item() == pytest.approx(before, rel=0.01) == pytest.approx(0.08, rel=0.01)


# --- two inputs, two answers

def branches(dtype="float64"):
    make = lambda D, H, seed: Sequential(Linear(D, H, dtype=dtype, random_state=seed), Tanh())
    return TwoBranches(make(3, 4, 0), make(2, 5, 1), Linear(9, 1, dtype=dtype, random_state=2))


def heads(dtype="float64"):
    return TwoHeads(Sequential(Linear(3, 4, dtype=dtype, random_state=0), Tanh()),
                    Linear(4, 1, dtype=dtype, random_state=1), Linear(4, 1, dtype=dtype, random_state=2))


def test_two_branches_are_what_they_say():
    net, rng = branches(), np.random.default_rng(0)
    x1, x2 = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    W, b = ([net.state_dict()[f"{part}.{name}"] for part in ("first.0", "second.0", "head")]
            for name in ("weight", "bias"))
    h = np.concatenate([np.tanh(x1 @ W[0].T + b[0]), np.tanh(x2 @ W[1].T + b[1])], axis=1)
    np.testing.assert_allclose(net(x1, x2).data, h @ W[2].T + b[2], rtol=1e-12)


def test_two_heads_are_what_they_say():
    net, x = heads(), np.random.default_rng(0).normal(size=(6, 3))
    state = net.state_dict()
    h = np.tanh(x @ state["body.0.weight"].T + state["body.0.bias"])
    answers = [h @ state[f"{part}.weight"].T + state[f"{part}.bias"] for part in ("first", "second")]
    np.testing.assert_allclose(net(x).data, np.concatenate(answers, axis=1), rtol=1e-12)


def test_gradients_reach_both_branches_and_both_heads():
    rng = np.random.default_rng(0)
    x1, x2 = (Tensor(rng.normal(size=(4, D)), requires_grad=True) for D in (3, 2))
    t = np.c_[rng.normal(size=4), [1, 0, 0, 1]]
    assert gradcheck(lambda x1, x2: (branches()(x1, x2)**2).sum(), (x1, x2))
    assert gradcheck(lambda x: value_and_direction(heads()(x), t, 0.3), (x1,))
    for net, arguments in ((branches(), (x1, x2)), (heads(), (x1,))):
        net(*arguments).sum().backward()
        assert all(p.grad is not None and p.grad.data.any() for p in net.parameters())


@given(seeds, st.sampled_from([0.0, 0.1, 2.0]))
def test_the_loss_of_a_value_and_a_direction(seed, λ):
    rng = np.random.default_rng(seed)
    o, t = rng.normal(size=(5, 2)), np.c_[rng.normal(size=5), rng.integers(2, size=5)]
    expected = reference.value_and_direction(o.tolist(), t.tolist(), λ)
    assert value_and_direction(o, t, λ).item() == pytest.approx(expected, rel=1e-12)
    assert value_and_direction(Tensor(o.astype(np.float32)), t, λ).item() == pytest.approx(expected, rel=1e-5)


def test_both_train_with_the_loop_of_all_networks():
    rng = np.random.default_rng(0)
    x1, x2 = rng.normal(size=(200, 3)), rng.normal(size=(200, 2))
    y = x1[:, :1] + x2[:, 1:]
    net = branches("float32")
    fit(net, Adam(net.parameters(), lr=0.02), lambda o, t: ((o - t)**2).mean(), (x1, x2), y, epochs=40, random_state=0)
    assert np.square(predict(net, (x1, x2)) - y).mean() < 0.1 * y.var()
    t = np.c_[x1[:, 0], x1[:, 1] > 0]
    net = heads("float32")
    fit(net, Adam(net.parameters(), lr=0.02), value_and_direction, x1, t, epochs=40, random_state=0)
    o = predict(net, x1)
    assert np.square(o[:, 0] - t[:, 0]).mean() < 0.1 * t[:, 0].var() and ((o[:, 1] > 0) == t[:, 1]).mean() > 0.9


@pytest.mark.parametrize("o, t, λ, message", [
    (np.zeros((3, 1)), np.zeros((3, 1)), 1.0, r"expected shape \(N, 2\) of both, got \(3, 1\)"),
    (np.zeros((3, 2)), np.zeros((2, 2)), 1.0, r"got \(3, 2\) and \(2, 2\)"),
    (np.zeros((3, 2)), np.zeros((3, 2)), -1.0, "weight=-1.0"),
])
def test_a_loss_of_something_else_is_refused(o, t, λ, message):
    with pytest.raises(ValueError, match=message):
        value_and_direction(o, t, λ)


def test_answers_that_are_no_rows_are_refused():
    class Flat(Tanh):
        def forward(self, x):
            return super().forward(x).sum(1)
    with pytest.raises(ValueError, match=r"first, second: expected answers .* \(N, H1\) and \(N, H2\), got \(4,\)"):
        TwoBranches(Flat(), Tanh(), Tanh())(np.zeros((4, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"got \(4, 2\) and \(4,\)"):
        TwoHeads(Tanh(), Tanh(), Flat())(np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"got \(4, 2\) and \(3, 2\)"):
        TwoBranches(Tanh(), Tanh(), Tanh())(np.zeros((4, 2)), np.zeros((3, 2)))
