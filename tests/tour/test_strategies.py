"""What the demonstration of strategies makes itself: windows of one unit, two rules for a direction, a network."""
import numpy as np

from scratchml.timeseries import ForecasterDirect, ForecasterRecursive
from scratchml.tour import strategies


def test_windows_know_nothing_of_the_value_that_is_asked_for():
    y = np.random.default_rng(0).normal(size=40).cumsum()
    X, t = strategies.normalised(y, 6)
    np.testing.assert_allclose(X.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(X.std(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose((t[3] - X[3, -1]) * y[3:9].std(), y[9] - y[8], rtol=1e-9)
    y[-1] += 100
    again, u = strategies.normalised(y, 6)
    assert again.tobytes() == X.tobytes() and (u[:-1] == t[:-1]).all() and u[-1] > t[-1]


def test_both_rules_find_a_rhythm_and_neither_finds_one_in_noise():
    rng = np.random.default_rng(0)
    rhythm = np.sin(np.arange(600) * 2 * np.pi / 7) + 0.05 * rng.normal(size=600)
    ours, theirs, (gap, error) = strategies.directions(rhythm, 10)
    assert min(ours.accuracy, theirs.accuracy) > 0.95 and abs(gap - (ours.accuracy - theirs.accuracy)) < 1e-12
    ours, theirs, (gap, error) = strategies.directions(rng.normal(size=1500).cumsum(), 10)
    assert max(abs(ours.accuracy - 0.5), abs(theirs.accuracy - 0.5)) < 5 * ours.standard_error and error < 0.05


def test_the_last_fifth_is_not_learned_from(monkeypatch):
    seen = []

    def spy(X, t, last, learn, ask, λ):
        seen.append((learn, ask.start))
        return np.ones(len(X[ask]))

    monkeypatch.setattr(strategies, "by_ridge", spy)
    monkeypatch.setattr(strategies, "by_logistic", spy)
    strategies.directions(np.random.default_rng(0).normal(size=210).cumsum(), 10)
    assert {(learn.start, learn.stop, ask) for learn, ask in seen} == {(0, 118, 128), (0, 150, 160)}
    assert all(learn.stop + 10 <= ask for learn, ask in seen), "a target would lie in a window that is asked"


def test_a_network_is_an_estimator_like_others(monkeypatch):
    monkeypatch.setattr(strategies, "BATCHES", 60)
    y = np.sin(np.arange(400) * 2 * np.pi / 8)
    for forecaster in (ForecasterRecursive(strategies.Network(0), 8), ForecasterDirect(strategies.Network(0), 3, 8),
                       strategies.OneForAll(strategies.Network(0), 3, 8)):
        found = forecaster.fit(y).predict(3)
        assert found.shape == (3,) and np.abs(found - np.sin(np.arange(400, 403) * 2 * np.pi / 8)).max() < 0.6
        assert not hasattr(forecaster.estimator, "model")


def test_who_wins_is_read_off_the_errors():
    errors = {"CO2": {"a season ago": np.full(12, 4.0), "direct": np.full(12, 2.0), "recursive": np.full(12, 1.5)}}
    lines = strategies.winners(errors)
    assert lines[0] == "CO2: recursive, 25.0% below direct, and 62.5% below a season ago."
    verdict = strategies.compared([("a", 0.03, 0.01), ("b", -0.01, 0.01)])
    assert "regression is right more often, by 0.030" in verdict[0] and "that is more than chance" in verdict[0]
    assert "classification is right more often, by 0.010" in verdict[1] and "that may be chance" in verdict[1]
