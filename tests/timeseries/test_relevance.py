"""Which features are relevant: the price against its definition, the share that it promises, the table's words."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.datasets import load_traffic
from scratchml.timeseries import RelevanceSelector, extract_features, regular_grid, relevance_table, select_features
from scratchml.timeseries.relevance import _with_reason, benjamini_hochberg, benjamini_yekutieli
from scratchml.timeseries.relevance_tests import fisher_exact, kendall_tau, kolmogorov_smirnov, mann_whitney
from tests.reference import relevance as reference
from tests.strategies.distances import seeds
from tests.strategies.relevance import features, tails

NAMES = ["follows", "noise", "against", "rounded", "constant", "two"]


def rows(X, y, **options):
    """{name: its row} of the table."""
    return {row.feature: row for row in relevance_table(X, y, names=NAMES, **options)}


# --- the price

@given(tails(), st.sampled_from([0.01, 0.05, 0.3]))
def test_the_price_of_asking_often_is_its_definition(p, q):
    for found, expected in ((benjamini_hochberg(p, q), reference.benjamini_hochberg(p, q)),
                            (benjamini_yekutieli(p, q), reference.benjamini_yekutieli(p, q))):
        assert found == pytest.approx(float(expected), rel=1e-12)


def test_an_example_of_benjamini_and_hochberg():
    """From their paper: of 15, four are rejected at 0.05; a level divided by 15 would reject three."""
    p = np.array([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
                  0.6528, 0.7590, 1.0])
    assert benjamini_hochberg(p, 0.05) == pytest.approx(4 * 0.05 / 15) and (p <= benjamini_hochberg(p, 0.05)).sum() == 4
    assert (p <= 0.05 / 15).sum() == 3 and (p <= benjamini_yekutieli(p, 0.05)).sum() == 3


@given(tails(), st.floats(0.01, 0.5))
def test_what_is_kept_are_the_smallest_and_never_fewer_at_a_higher_level(p, q):
    kept = p <= benjamini_hochberg(p, q)
    assert not kept.any() or p[kept].max() <= p[~kept].min(initial=2)
    assert (p <= benjamini_yekutieli(p, q)).sum() <= kept.sum() <= (p <= benjamini_hochberg(p, 1.5 * q)).sum()


def test_the_share_of_false_discoveries_is_what_was_asked_for():
    """20 columns that follow and 80 that do not: of those that are kept, at most q do not, on the average."""
    rng, shares = np.random.default_rng(0), []
    for _ in range(60):
        y = rng.random(80) < 0.5
        X = rng.normal(size=(80, 100))
        X[:, :20] += y[:, None]
        kept = RelevanceSelector(0.2, hypotheses_independent=True).fit(X, y).get_support(indices=True)
        shares.append((kept >= 20).mean())
        assert (kept < 20).sum() > 12
    assert 0.1 < np.mean(shares) < 0.2 * 0.8 + 3 * np.std(shares) / np.sqrt(60)


# --- the table

@given(st.integers(20, 60), seeds)
def test_each_p_is_that_of_its_test(N, seed):
    X, y = features(N, seed)
    y[:2] = True, False
    X[:2, 5] = 0, 1
    number = X[:, 0] + X[:, 1]
    table, smirnov, numbers = rows(X, y), rows(X, y, test_for_binary_target_real_feature="smir"), rows(X, number)
    for name, x in zip(NAMES, X.T):
        if name == "constant":
            assert table[name].type == "constant" and np.isnan(table[name].p_value)
            continue
        expected = mann_whitney(x[y], x[~y]), kolmogorov_smirnov(x[y], x[~y]), kendall_tau(x, number)
        if name == "two":
            high = x == 1
            counts = [int((a & b).sum()) for a in (high, ~high) for b in (y, ~y)]
            expected = fisher_exact(*counts), fisher_exact(*counts), kolmogorov_smirnov(number[high], number[~high])
        for found, (_, p) in zip((table, smirnov, numbers), expected):
            assert found[name].p_value == pytest.approx(p, rel=1e-10)
            assert found[name].type == ("binary" if name == "two" else "real")


def test_it_says_why():
    X, y = features(80, 1)
    X[3, 1] = X[7, 1] = np.nan
    table = rows(X, y)
    assert [row.p_value for row in list(table.values())[:4]] == sorted(row.p_value for row in list(table.values())[:4])
    assert table["noise"] == ("noise", "missing", table["noise"].p_value, False, "NaN in 2 of 80 samples")
    assert table["constant"].reason == "constant" and not table["constant"].relevant
    tested = [row for row in table.values() if row.p_value == row.p_value]
    t = benjamini_yekutieli(np.array([row.p_value for row in tested]), 0.05)
    assert len(tested) == 4, "what has NaN or is constant is not counted"
    for row in tested:
        assert row.relevant == (row.p_value <= t)
        assert row.reason == f"p = {row.p_value:.3g} is {'at most' if row.relevant else 'above'} {t:.3g}"
    assert table["follows"].relevant and table["two"].relevant and not table["rounded"].relevant


def test_of_several_classes_each_against_the_rest():
    rng = np.random.default_rng(3)
    y = rng.choice(["a", "b", "c"], 90)
    X = np.column_stack([rng.normal(size=90) + 3 * (y == "b"), rng.normal(size=90), rng.integers(0, 2, 90)])
    X[:, 2] = np.where(y == "c", 1, X[:, 2])
    table = {row.feature: row for row in relevance_table(X, y)}
    assert table["x0"].p_value == pytest.approx(mann_whitney(X[y == "b", 0], X[y != "b", 0])[1], rel=1e-10)
    assert "for b against the rest is at most" in table["x0"].reason and table["x0"].relevant
    assert "for c against the rest is at most" in table["x2"].reason and table["x2"].relevant
    assert not table["x1"].relevant and "against the rest is above" in table["x1"].reason
    p = [min(mann_whitney(X[y == k, 1], X[y != k, 1])[1] for k in "abc")]
    assert table["x1"].p_value == pytest.approx(min(p), rel=1e-10)


def test_kept_for_one_class_is_kept_even_if_its_p_for_another_is_smaller():
    """For a, where more was found, the largest p that is kept is larger."""
    row = _with_reason("f", "real", 0, 60, [0.03, 0.004], ["a", "b"], iter([np.array([0.02, 0.015])]))
    assert row == ("f", "real", 0.015, True, "p = 0.02 for a against the rest is at most 0.03")


@pytest.mark.parametrize("y, task", [
    ([0, 1] * 10, "classes"), ([False, True] * 10, "classes"), (["a", "b"] * 10, "classes"),
    ([0.5, 2.5] * 10, "classes"), (np.array(["a", "b"] * 10, object), "classes"), (np.arange(20) % 3, "classes"),
    (np.arange(20) % 3 * 1.0, "numbers"),
    (np.linspace(0, 1, 20).astype(np.float32), "numbers"),
])
def test_what_a_target_is(y, task):
    X = np.random.default_rng(0).normal(size=(20, 3))
    chosen = {row.feature: row.p_value for row in relevance_table(X, y)}
    classes = {row.feature: row.p_value for row in relevance_table(X, y, ml_task="classification")}
    assert (chosen == classes) == (task == "classes")
    if task == "numbers":
        assert chosen == {row.feature: row.p_value for row in relevance_table(X, y, ml_task="regression")}


# --- selection

def test_selected_are_the_relevant_columns():
    X, y = features(60, 2)
    table = rows(X, y)
    kept = [table[name].relevant for name in NAMES]
    np.testing.assert_array_equal(select_features(X, y), X[:, kept])
    np.testing.assert_array_equal(select_features(X.tolist(), list(y)), X[:, kept])
    selector = RelevanceSelector().fit(X, y)
    assert selector.get_support().tolist() == kept
    assert selector.get_feature_names_out().tolist() == [f"x{f}" for f in range(6) if kept[f]]
    np.testing.assert_array_equal(selector.p_values_, [table[name].p_value for name in NAMES])
    np.testing.assert_array_equal(selector.transform(X[:3]), X[:3, kept])
    assert selector.fit(X.astype(np.float32), y).transform(X.astype(np.float32)).dtype == np.float32
    with pytest.raises(ValueError, match="X has 5 features, but RelevanceSelector is expecting 6"):
        selector.transform(X[:, :5])


def test_where_none_is_relevant_the_nearest_is_named():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = np.arange(40) % 2
    with pytest.warns(UserWarning, match=r"none of the 3 features is relevant; the smallest p is that of x\d: p = .* "
                                         r"is above") as issued:
        assert select_features(X, y).shape == (40, 0)
    assert len(issued) == 1 and issued[0].filename == __file__
    with pytest.warns(UserWarning, match="none of the 3") as issued:
        assert RelevanceSelector().fit(X, y).transform(X).shape == (40, 0)
    assert issued[0].filename == __file__
    with pytest.warns(UserWarning, match="the smallest p is that of x0: constant"):
        select_features(np.ones((6, 2)), [0, 1] * 3)


def test_neither_units_nor_outliers_matter():
    X, y = features(60, 5)
    table = relevance_table(X, y)
    for change in (lambda X: X * 1e-150, lambda X: X * 1e150, lambda X: np.sign(X) * np.abs(X) ** 5):
        assert str(relevance_table(change(X), y)) == str(table)


def test_the_number_of_threads_does_not_matter(monkeypatch):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(300, 200)), rng.integers(0, 3, 300)
    for target in y, rng.normal(size=300):
        tables = []
        for threads in "1", "2", "5":
            monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
            tables.append(relevance_table(X, target))
        assert tables[0] == tables[1] == tables[2]


@pytest.mark.parametrize("laid_out", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2],
                                      lambda X: X[::-1].copy()[::-1], lambda X: X.astype(object)])
def test_the_layout_of_the_table_does_not_matter(laid_out):
    X, y = features(40, 0)
    assert str(relevance_table(laid_out(X), y)) == str(relevance_table(X, y))


# --- real data

def traffic():
    """Features of 365 days, and whether each is a Saturday or Sunday."""
    loaded = load_traffic()
    hours = regular_grid(loaded.times, loaded.values, fill="interpolate")
    X, names = extract_features(hours.values.reshape(365, 24))
    return X, names, ~np.is_busday(hours.times[::24].astype("M8[D]"))


def test_workday_or_weekend():
    X, names, weekend = traffic()
    table = relevance_table(X, weekend, names=names)
    assert sum(row.relevant for row in table) == 55 and sum(row.type != "constant" for row in table) == 62
    assert sum(row.relevant for row in relevance_table(X, weekend, hypotheses_independent=True)) == 55
    best = [(row.feature.removeprefix("value__"), row.type, row.p_value) for row in table[:3]]
    assert [row[:2] for row in best] == [("longest_strike_below_mean", "real"), ("number_peaks__n_5", "binary"),
                                         ("index_mass_quantile__q_0.4", "real")]
    assert [row[2] for row in best] == pytest.approx([2.55e-69, 1.93e-66, 3.6e-63], rel=1e-2)


def test_of_shuffled_labels_no_feature_knows():
    X, names, weekend = traffic()
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert not any(row.relevant for row in relevance_table(X, rng.permutation(weekend)))


def test_the_total_of_the_next_day():
    loaded = load_traffic()
    days = regular_grid(loaded.times, loaded.values, fill="interpolate").values.reshape(365, 24)
    X, names = extract_features(days)
    table = relevance_table(X[:-1], days.sum(axis=1)[1:], names=names)
    assert sum(row.relevant for row in table) == 50 and table[0].feature == "value__quantile__q_0.9"
    assert table[0].p_value == pytest.approx(2.6e-40, rel=2e-2)


# --- bad input

X, Y = features(30, 0)


@pytest.mark.parametrize("arguments, options, message", [
    ((X, Y[:-1]), {}, r"y: expected an array of shape \(30,\), one target for each sample, got shape \(29,\)"),
    ((X, np.ones(30)), {}, "y: expected at least two different targets"), ((X, None), {}, "requires y to be passed"),
    ((X, np.where(Y, np.nan, 1.0)), {}, "y: Input contains NaN"),
    ((X, [None, *Y[1:]]), {}, "y: contains missing values"),
    ((X, np.arange(30)), {}, r'y: 30 classes for 30 samples; pass ml_task="regression"'),
    ((X, "no"), {}, "y: expected an array or a list"), ((X[:1], [1]), {}, "X: Found array with 1 sample"),
    ((np.where(X == 2.5, np.inf, X), Y), {}, "X: Input contains infinity"), ((X[:, 0], Y), {}, "Expected 2D array"),
    ((X, Y), {"fdr_level": 0}, "fdr_level=0: expected a number"),
    ((X, Y), {"fdr_level": 1.0}, "fdr_level=1.0: expected"),
    ((X, Y), {"ml_task": "cluster"}, "ml_task='cluster': expected one of"),
    ((X, Y), {"hypotheses_independent": "False"}, "hypotheses_independent='False': expected True or False"),
    ((X, Y), {"test_for_binary_target_real_feature": "t"}, "test_for_binary_target_real_feature='t'"),
    ((X, np.array(["a", 1] * 15, object)), {}, "y: expected classes that can be sorted"),
    ((X, ["a", "b"] * 15), {"ml_task": "regression"}, "y: expected numbers"),
    ((X, np.ma.array(Y, mask=Y)), {}, "y: contains masked values"),
])
def test_bad_input(arguments, options, message):
    for function in (relevance_table, select_features):
        with pytest.raises(ValueError, match=message):
            function(*arguments, **options)
    with pytest.raises(ValueError, match=message):
        RelevanceSelector(**options).fit(*arguments)


@pytest.mark.parametrize("names, message", [(["a"], "names: expected 6, one for each column of X, got 1"),
                                            ("abcdef", "names='abcdef': expected a list")])
def test_bad_names(names, message):
    with pytest.raises(ValueError, match=message):
        relevance_table(X, Y, names=names)


@pytest.mark.parametrize("N", [2, 3, 4])
def test_very_few_samples(N):
    for y in np.arange(N) % 2, np.arange(N) * 1.5:
        for test in "mann", "smir":
            table = relevance_table(np.random.default_rng(0).normal(size=(N, 4)), y,
                                    test_for_binary_target_real_feature=test)
            assert all(0 < row.p_value <= 1 and not row.relevant for row in table)
