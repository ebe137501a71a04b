"""Ridge regression against its definition, on tables and on windows, in any unit, with any rank."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries import Ridge, lag_windows, ridge
from scratchml.timeseries.ridge import intercepts, products, ridge_weights, weighted_sums
from scratchml.timeseries.strategies import with_shift
from tests.reference import ridge as reference
from tests.strategies.ridge import tables
from tests.strategies.windows import framed, series_of

EPS = np.finfo(float).eps


def rounded(X, Y):
    """What rounding C by eps moves weights by, but for eps and the condition: |C| / |S|, at most |Y| / |X|."""
    return np.abs(Y).max() / (np.abs(X).max() or 1.0)


# --- the equations

@given(tables())
def test_products_and_sums(drawn):
    X, Y, _ = drawn
    μ, ν = X.mean(axis=0), Y.mean(axis=0)
    for found, expected in zip(products(X, Y, μ, ν),
                               reference.products(X.tolist(), Y.tolist(), μ.tolist(), ν.tolist())):
        np.testing.assert_allclose(found, expected, rtol=0, atol=4 * len(X)**2 * EPS * (np.abs(X - μ).max() + 4)**2)
    B = X[:1].T * Y[:1]
    b = intercepts(B, μ, ν)
    atol = 4 * (X.shape[1] + 2) ** 2 * EPS * (np.abs(B).max() * np.abs(X).max() + np.abs(ν).max())
    np.testing.assert_allclose(b, reference.intercepts(B.tolist(), μ.tolist(), ν.tolist()), rtol=0, atol=atol)
    np.testing.assert_allclose(weighted_sums(X, B, b), reference.weighted_sums(X.tolist(), B.tolist(), b.tolist()),
                               rtol=0, atol=2 * atol)


@given(tables())
def test_weights(drawn):
    X, Y, λ = drawn
    S, C = products(X, Y, X.mean(axis=0), Y.mean(axis=0))
    B = ridge_weights(S, C, λ)
    cond = np.linalg.cond(S + λ * np.eye(len(S)))
    atol = 40 * EPS * cond * (np.abs(B).max() + rounded(X - X.mean(axis=0), Y - Y.mean(axis=0)))
    np.testing.assert_allclose(B, reference.ridge_weights(S, C, λ), rtol=0, atol=atol)
    loss = lambda W: np.square(Y - Y.mean(axis=0) - (X - X.mean(axis=0)) @ W).sum() + λ * np.square(W).sum()
    for step in np.random.default_rng(0).normal(size=(5, *B.shape)):
        assert loss(B) <= loss(B + 1e-3 * step)


# --- the estimator

@given(tables(), st.booleans())
def test_the_estimator_finds_the_minimum(drawn, fit_intercept):
    X, Y, λ = drawn
    model = Ridge(λ, fit_intercept).fit(X, Y)
    μ, ν = (X.mean(axis=0), Y.mean(axis=0)) if fit_intercept else (0.0, 0.0)
    B = reference.minimum(X - μ, Y - ν, λ)
    cond = 1 + np.square(X - μ).sum() / λ
    atol = 50 * EPS * cond * (np.abs(B).max() + rounded(X - μ, Y - ν))
    np.testing.assert_allclose(model.coef_.T, B, rtol=0, atol=atol)
    single = Ridge(λ, fit_intercept).fit(X, Y[:, 0])
    np.testing.assert_allclose(single.coef_, model.coef_[0], rtol=0, atol=atol)
    assert np.shape(single.intercept_) == ()
    assert single.predict(X).shape == (len(X),) != model.predict(X).shape == Y.shape


@given(framed(), st.sampled_from([0.0, 1e-3, 1.0]), st.booleans())
def test_windows_give_what_their_table_gives(drawn, λ, fit_intercept):
    y, l, H = drawn
    X, Y = lag_windows(y, l, H)
    ours, table = Ridge(λ, fit_intercept).fit_windows(y, l, H), Ridge(λ, fit_intercept).fit(X, Y)
    scale = np.abs(Y).max()
    centre = X.mean(axis=0) if fit_intercept else 0.0
    cond = np.square(X - centre).sum() / λ if λ else 0.0
    spread = np.abs(X - centre).max() + np.abs(Y - (Y.mean(axis=0) if fit_intercept else 0.0)).max()
    if λ == 0 or cond > 1e9:                             # many weights are as good: what they do on the rows is one
        error = 1e-6 * spread
    else:
        error = 200 * EPS * (cond + 10) * spread
    np.testing.assert_allclose(ours.predict(X), table.predict(X), rtol=0, atol=error + 100 * EPS * scale)


@given(framed(), st.sampled_from([0.1, 1.0, 30.0]))
def test_windows_with_shifts_give_what_their_table_gives(drawn, λ):
    y, l, H = drawn
    X, Y = lag_windows(y, l, H)
    rows = with_shift(X, np.zeros((*Y.shape, 0)))
    ours, table = Ridge(λ).fit_shifted_windows(y, l, H), Ridge(λ).fit(rows, Y.ravel())
    assert ours.coef_.shape == table.coef_.shape and ours.n_features_in_ == len(l) + H
    spread = np.abs(X - X.mean(axis=0)).max() + np.abs(Y - Y.mean()).max()
    error = 1e-6 * spread if np.square(X - X.mean(axis=0)).sum() / λ > 1e9 else 1e-8 * (spread + np.abs(Y).max() * 1e-6)
    np.testing.assert_allclose(ours.predict(rows), table.predict(rows), rtol=0,
                               atol=error + 100 * EPS * np.abs(Y).max())


def test_fibonacci():
    """From five numbers, without a price or a mean, the next one to the last bit."""
    model = Ridge(alpha=0, fit_intercept=False).fit_windows([1, 1, 2, 3, 5], 2)
    assert model.predict([[3, 5]]).item() == 8.0
    np.testing.assert_allclose(model.coef_, [[1, 1]], rtol=1e-14)


def test_a_repeated_column_shares_its_weight():
    x = np.array([1.0, 2, 4, 9])
    model = Ridge(alpha=0).fit(np.c_[x, x], 6 * x + 1)
    np.testing.assert_allclose([*model.coef_, model.intercept_], [3, 3, 1], rtol=1e-12)
    heavy = Ridge(alpha=1e9).fit(np.c_[x, x], 6 * x + 1)
    assert np.abs(heavy.coef_).max() < 1e-6 and heavy.intercept_ == pytest.approx(25, rel=1e-6)


def test_one_factorisation_by_hand():
    model = Ridge(alpha=1.0, fit_intercept=False).fit([[1.0], [2.0]], [[3.0, 1.0], [3.0, -1.0]])
    np.testing.assert_allclose(model.coef_, [[9 / 6], [-1 / 6]], rtol=1e-14)


# --- units

@pytest.mark.parametrize("unit", [2.0**400, 2.0**-400, 2.0**40])
def test_units_of_the_inputs(unit):
    """λ is in the unit of X squared: with both changed, or none at all, only the weights' unit changes."""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(30, 3)) * [1, 1e-3, 1e4] + [5, 0, 1e6], rng.normal(size=30)
    plain, scaled = Ridge(alpha=0).fit(X, y), Ridge(alpha=0).fit(unit * X, y)
    np.testing.assert_allclose(scaled.predict(unit * X), plain.predict(X), rtol=0, atol=1e-9)
    huge = Ridge().fit_windows(unit * y, 3)
    assert np.isfinite(huge.predict(unit * y[None, -3:])).all()


@pytest.mark.parametrize("alpha", [0, 1.0])
@pytest.mark.parametrize("kind", ["offset", "constant", "jump", "index", "trend"])
def test_windows_far_from_zero_and_without_rank(alpha, kind):
    y = series_of(60, kind, 3)
    f, table = Ridge(alpha).fit_windows(y, 6, 2), Ridge(alpha).fit(*lag_windows(y, 6, 2))
    np.testing.assert_allclose(f.predict([y[-6:]]), table.predict([y[-6:]]), rtol=1e-7)
    if kind in ("constant", "index") and alpha == 0:
        np.testing.assert_allclose(f.predict([y[-6:]])[0], [2 * y[-1] - y[-2], 3 * y[-1] - 2 * y[-2]], rtol=1e-12)


def test_many_windows_of_few_far_lags():
    y = series_of(400, "trend", 0)
    ours, table = Ridge().fit_windows(y, [1, 200], 2), Ridge().fit(*lag_windows(y, [1, 200], 2))
    np.testing.assert_allclose(ours.coef_, table.coef_, rtol=0, atol=1e-12)


@pytest.mark.parametrize("alpha", [0, 1e-12, 1.0])
def test_rows_in_blocks(alpha, monkeypatch):
    """Few rows at a time give what all give, where the table is made: without a price, and for lags with gaps."""
    y = series_of(300, "trend", 0)
    whole = [Ridge(alpha).fit_windows(y, l, 2) for l in (5, [1, 90])]
    monkeypatch.setattr(ridge, "BLOCK", 40)
    for model, l in zip(whole, (5, [1, 90])):
        np.testing.assert_allclose(Ridge(alpha).fit_windows(y, l, 2).coef_, model.coef_, rtol=0, atol=1e-11)


def test_a_row_gets_the_same_bits_alone_and_among_others():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(200, 37)), rng.normal(size=(200, 5))
    model = Ridge().fit(X, Y)
    among = model.predict(X)
    assert all(model.predict(X[i:i + 1]).tobytes() == among[i].tobytes() for i in range(0, 200, 23))


def test_float32_and_small_integers():
    X, y = np.arange(12).reshape(6, 2) ** 2, np.array([100, -100, 100, -100, 100, -100], np.int8)
    expected = Ridge().fit(X.astype(float), y.astype(float))
    assert Ridge().fit(X.astype(np.int16), y).coef_.tolist() == expected.coef_.tolist()
    assert Ridge().fit_windows(y, 2).coef_.tolist() == Ridge().fit_windows(y.astype(float), 2).coef_.tolist()
    single = Ridge().fit(X.astype(np.float32), y)
    assert single.coef_.dtype == single.predict(X.astype(np.float32)).dtype == np.float32


def test_score():
    X, y = np.array([[0.0], [1], [2]]), np.array([0.0, 1, 5])
    assert Ridge(alpha=0).fit(X, y).score(X, y) == pytest.approx(1 - 1.5 / 14)
    with pytest.raises(ValueError, match="y: is constant"):
        Ridge().fit(X, y).score(X, [1, 1, 1])


@pytest.mark.parametrize("call, message", [
    (lambda: Ridge(-1).fit([[1.0]], [1]), "alpha=-1: expected a number, at least 0"),
    (lambda: Ridge("much").fit([[1.0]], [1]), "alpha='much'"),
    (lambda: Ridge(np.nan).fit_windows([1, 2, 3], 1), "alpha=nan"),
    (lambda: Ridge().fit([[1.0], [2]], [1]), "y: expected 2 targets"),
    (lambda: Ridge().fit([[1.0]], None), "requires y"),
    (lambda: Ridge().fit([[1.0]], [np.nan]), "y: Input contains NaN"),
    (lambda: Ridge().fit([1, 2], [1, 2]), "Expected 2D"),
    (lambda: Ridge().fit_windows([1, 2, 3], 3),
     "y: expected at least 4 values, the farthest lag 3 and 1 to forecast; got 3"),
    (lambda: Ridge(0).fit([[1e-300], [2e-300]], [1e200, 3e200]), "X: its units are so small beside those of y"),
    (lambda: Ridge(0).fit([[1.0], [2]], [1e8, 2e8]).predict([[1e305]]), "X: the sum of weighted inputs: .*infinity"),
    (lambda: Ridge(fit_intercept=False).fit_shifted_windows([1, 2, 3], 1, 1), "fit_intercept=False: expected True"),
    (lambda: Ridge().predict([[1.0]]), "not fitted yet"),
    (lambda: Ridge().fit_windows([1, 2, 3], 2).predict([[1.0]]), "2 feat"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
