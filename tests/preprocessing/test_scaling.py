"""Scaling against its definitions in exact arithmetic, and against what must hold whatever the columns."""
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler
from scratchml.preprocessing.quantiles import END
from scratchml.preprocessing.scaling import deviation, mean, merge, min_max, standard_score
from tests.reference import scaling as reference
from tests.strategies.distances import BAD_TABLES, layouts, seeds, table, tables
from tests.strategies.scaling import columns, halves

EPS = np.finfo(float).eps
SCALERS = [StandardScaler(), MinMaxScaler(), QuantileTransformer(), QuantileTransformer(output_distribution="normal")]
MOVERS = [StandardScaler(), MinMaxScaler((-1, 3))]
each = pytest.mark.parametrize("scaler", SCALERS, ids=["standard", "min-max", "uniform", "normal"])
each_mover = pytest.mark.parametrize("scaler", MOVERS, ids=["standard", "min-max"])


def fresh(scaler):
    return type(scaler)(**scaler.get_params())


def assert_close(got, expected, bound):
    """|got - expected| <= bound, all of one shape or broadcast to it."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    wrong = np.argwhere(~(np.abs(got - expected) <= bound))
    for place in map(tuple, wrong[:1]):
        bound = np.broadcast_to(bound, got.shape)
        raise AssertionError(f"[{place}]: {got[place]!r}, expected {expected[place]!r} to {bound[place]:.3g}; "
                             f"{len(wrong)} such places")


def rounding_of_mean(X):
    """N + 2 roundings of differences from the first row, which the sum averages, and one of the mean itself."""
    X = np.asarray(X, dtype=np.float64)
    return EPS * np.abs(X).max(axis=0) + (len(X) + 2) * EPS * np.ptp(X, axis=0)


def rounding_of_deviation(X):
    """N + 4 roundings of positive terms, halved by the root; and a mean that is off by δ makes √(s² + δ²) of s."""
    s = reference.deviation(X, reference.mean(X))
    return (len(X) / 2 + 4) * EPS * s + rounding_of_mean(X)


# --- equal to the definition

@given(columns(12, 4))
def test_mean_is_exact_to_rounding(X):
    assert_close(mean(X), reference.mean(X), rounding_of_mean(X))


@given(columns(12, 4))
def test_deviation_is_exact_to_rounding(X):
    m = reference.mean(X)
    s = reference.deviation(X, m)
    assert_close(deviation(X, m), s, (len(X) / 2 + 4) * EPS * s)


@given(columns(12, 4), seeds)
def test_deviation_is_from_the_mean_that_is_given(X, seed):
    m = X[np.random.default_rng(seed).integers(len(X))]
    s = reference.deviation(X, m)
    assert_close(deviation(X, m), s, (len(X) / 2 + 4) * EPS * s)


@given(st.integers(1, 50), st.integers(1, 50), columns(1, 4), seeds)
def test_merge_is_exact_to_rounding(n1, n2, X, seed):
    rng = np.random.default_rng(seed)
    m1, m2 = X[0], X[0] * rng.uniform(0.9, 1.1, size=X.shape[1])
    s1, s2 = np.abs(X[0]) * rng.random((2, X.shape[1]))
    m, s = merge(n1, m1, s1, n2, m2, s2)
    expected_m, expected_s = reference.merge(n1, m1, s1, n2, m2, s2)
    assert_close(m, expected_m, 4 * EPS * np.maximum(np.abs(m1), np.abs(m2)))
    assert_close(s, expected_s, 6 * EPS * expected_s)


@given(columns(12, 4))
def test_standard_score_is_exact_to_rounding(X):
    m, s = X[0], np.abs(X[-1]) + np.abs(X).max(axis=0)
    assume(s.all())
    expected = reference.standard_score(X, m, s)
    assert_close(standard_score(X, m, s), expected, 2 * EPS * np.abs(expected))


@given(columns(12, 4), st.sampled_from([(0, 1), (-1, 1), (0.1, 0.3), (-7.0, 1e3), (1e8, 1e8 + 1)]))
def test_min_max_is_exact_to_rounding(X, ends):
    l, g = X.min(axis=0), np.ptp(X, axis=0)
    g[g == 0] = 1                                        # as for a column that is constant
    expected = reference.min_max(X, l, g, *ends)
    assert_close(min_max(X, l, g, *ends), expected, 4 * EPS * max(map(abs, ends)))


# --- laws of moving and stretching

@given(columns(12, 4, min_rows=2))
def test_standardized_columns_have_mean_0_and_variance_1(X):
    scaler = StandardScaler().fit(X)
    Z, s = scaler.transform(X), deviation(X, mean(X))
    varied = scaler.scale_ == s
    slack = (4 * rounding_of_mean(X) + rounding_of_deviation(X)) / scaler.scale_ + 4 * len(X) * EPS
    assert_close(Z.mean(axis=0)[varied], np.zeros(varied.sum()), slack[varied] * np.sqrt(len(X)))
    assert_close(Z.std(axis=0)[varied], np.ones(varied.sum()), slack[varied])
    np.testing.assert_array_equal(scaler.scale_[~varied], 1)
    assert (np.ptp(X, axis=0)[~varied] <= 16 * len(X) * EPS * np.abs(X).max(axis=0)[~varied]).all()


@given(columns(12, 4), st.sampled_from([(0, 1), (-1, 1), (0.1, 0.3), (-7.0, 1e3)]))
def test_the_range_is_mapped_to_the_range(X, ends):
    scaler = MinMaxScaler(ends).fit(X)
    Z, (a, b) = scaler.transform(X), ends
    varied = X.min(axis=0) < X.max(axis=0)
    np.testing.assert_array_equal(Z.min(axis=0), a)
    assert_close(Z.max(axis=0)[varied], np.full(varied.sum(), b), EPS * max(abs(a), abs(b)))
    np.testing.assert_array_equal(scaler.data_min_, X.min(axis=0))
    np.testing.assert_array_equal(scaler.data_max_, X.max(axis=0))
    np.testing.assert_array_equal(scaler.data_range_, np.ptp(X, axis=0))
    assert (np.diff(np.take_along_axis(Z, X.argsort(axis=0), axis=0), axis=0) >= 0).all()
    in_other_words = X * scaler.scale_ + scaler.min_
    assert_close(in_other_words, Z, 4 * EPS * (np.abs(X) * scaler.scale_ + max(abs(a), abs(b))).max(axis=0))


@given(columns(12, 4))
def test_the_default_range_is_met_at_both_ends(X):
    Z = MinMaxScaler().fit_transform(X)
    np.testing.assert_array_equal(Z.max(axis=0), (X.min(axis=0) < X.max(axis=0)).astype(float))


def test_clipping_moves_what_lies_outside_and_nothing_else():
    X, new = np.array([[0.0, 10], [4, 30]]), np.array([[-1.0, 20], [5, 31], [2, 9]])
    assert MinMaxScaler().fit(X).transform(new).tolist() == [[-0.25, 0.5], [1.25, 1.05], [0.5, -0.05]]
    assert MinMaxScaler(clip=True).fit(X).transform(new).tolist() == [[0, 0.5], [1, 1], [0.5, 0]]
    assert MinMaxScaler((-2, 2), clip=True).fit(X).transform(new).tolist() == [[-2, 0], [2, 2], [0, -2]]


@given(columns(12, 4))
@each_mover
def test_the_way_back_leads_back(scaler, X):
    scaler = fresh(scaler).fit(X)
    Z = scaler.transform(X)
    bound = 8 * EPS * (np.abs(X).max(axis=0) + np.ptp(X, axis=0)) + 8 * EPS * np.abs(Z).max(axis=0)
    assert_close(scaler.inverse_transform(Z), X, np.where(np.ptp(X, axis=0) > 0, bound, 4 * EPS * (np.abs(X[0]) + 1)))


@given(halves(14, 4))
@each_mover
def test_in_parts_is_the_same_as_at_once(scaler, drawn):
    X, *parts = drawn
    at_once, in_parts = fresh(scaler).fit(X), fresh(scaler)
    for part in parts:
        assert in_parts.partial_fit(part) is in_parts
    assert in_parts.n_samples_seen_ == at_once.n_samples_seen_ == len(X)
    if isinstance(scaler, MinMaxScaler):
        for name in ("data_min_", "data_max_", "data_range_", "scale_", "min_"):
            np.testing.assert_array_equal(getattr(in_parts, name), getattr(at_once, name))
        return
    assert_close(in_parts.mean_, at_once.mean_, 3 * rounding_of_mean(X) + 4 * EPS * np.abs(X).max(axis=0))
    s = deviation(X, mean(X))
    varied = s > 100 * EPS * np.abs(X).max(axis=0)
    assert_close(in_parts.scale_[varied], at_once.scale_[varied], (3 * rounding_of_deviation(X))[varied])


def test_fit_forgets_what_partial_fit_has_learned():
    X = table(9, 3, 0)
    for scaler in MOVERS:
        again = fresh(scaler).partial_fit(100 + X).fit(X)
        assert again.n_samples_seen_ == 9
        np.testing.assert_array_equal(again.transform(X), fresh(scaler).fit(X).transform(X))


@given(tables(12, 4, kinds=("normal", "duplicates", "integer grid", "constant column")), st.integers(-300, 300))
@each
def test_powers_of_two_change_nothing(scaler, X, exponent):
    Z = fresh(scaler).fit_transform(X)
    constant = np.ptp(X, axis=0) == 0                    # only moved, so they keep their scale
    np.testing.assert_array_equal(fresh(scaler).fit_transform(X * 2.0**exponent)[:, ~constant], Z[:, ~constant])


@given(tables(12, 4, kinds=("integer grid",)), st.integers(-2**40, 2**40))
@each
def test_an_offset_changes_nothing(scaler, X, offset):           # whole numbers: adding it does not round
    one, other = fresh(scaler).fit_transform(X), fresh(scaler).fit_transform(X + offset)
    bound = 0 if not isinstance(scaler, StandardScaler) else 8 * len(X) * EPS * (abs(offset) + 4)
    assert_close(other, one, bound)


@given(columns(12, 4), seeds)
@each
def test_columns_and_samples_do_not_meddle_with_each_other(scaler, X, seed):
    rng = np.random.default_rng(seed)
    rows, order = rng.permutation(len(X)), rng.permutation(X.shape[1])
    Z = fresh(scaler).fit(X).transform(X)
    np.testing.assert_array_equal(fresh(scaler).fit(X[:, order]).transform(X[:, order]), Z[:, order])
    np.testing.assert_array_equal(fresh(scaler).fit(X).transform(X[rows]), Z[rows])
    if not isinstance(scaler, StandardScaler):
        np.testing.assert_array_equal(fresh(scaler).fit(X[rows]).transform(X), Z)


# --- mean and deviation where they are hard

@pytest.mark.parametrize("offset", [1e8, -1e8, 1e12])
def test_an_offset_costs_no_digits(offset):
    X = offset + np.random.default_rng(0).normal(size=(2000, 2))
    scaler, m = StandardScaler().fit(X), reference.mean(X)
    assert_close(scaler.mean_, m, rounding_of_mean(X))
    assert_close(scaler.scale_, reference.deviation(X, m), 2000 * EPS + EPS * EPS * offset**2)
    np.testing.assert_allclose(scaler.var_, scaler.scale_**2, rtol=2 * EPS)
    first_unknown = StandardScaler().fit(np.vstack([[np.nan, offset], X]))         # is no origin of differences
    assert_close(first_unknown.mean_[0], m[0], rounding_of_mean(X)[0])


@pytest.mark.parametrize("scale", [1e150, 1e-150, 1e290, 1e-290, 1e-300])
@each
def test_the_ends_of_the_range(scaler, scale):
    X = table(20, 3, 0)
    plain, scaled = fresh(scaler).fit(X), fresh(scaler).fit(scale * X)
    bound = 100 * EPS * np.maximum(1, np.abs(plain.transform(X)))        # scale · X is rounded
    Z = scaled.transform(scale * X)
    assert_close(Z, plain.transform(X), bound)
    assert_close(scaled.inverse_transform(Z) / scale, X, 100 * EPS * np.abs(X).max(axis=0))


def test_a_variance_that_cannot_be_held_is_infinite_or_zero():
    X = np.array([[1e200, 1e-200], [3e200, 3e-200]])
    scaler = StandardScaler().fit(X)
    assert scaler.var_.tolist() == [np.inf, 0]
    np.testing.assert_allclose(scaler.scale_, [1e200, 1e-200], rtol=4 * EPS)
    scaler.partial_fit(2 * X)                            # 1, 3, 2 and 6, whose mean is 3
    np.testing.assert_allclose(scaler.mean_, [3e200, 3e-200], rtol=4 * EPS)
    np.testing.assert_allclose(scaler.scale_, np.sqrt(3.5) * np.array([1e200, 1e-200]), rtol=8 * EPS)


@each
def test_values_whose_sums_overflow_are_refused(scaler):
    with pytest.raises(ValueError, match="X.*1.7e\\+308.*divide X"):
        fresh(scaler).fit([[1.7e308, 1], [-1.7e308, 2]])
    with pytest.raises(ValueError, match="X.*1.1e\\+300.*divide X"):
        fresh(scaler).fit([[0, 1], [0, -1.1e300]])
    fresh(scaler).fit([[0, 1], [0, -0.9e300]])


@pytest.mark.parametrize("value", [0.0, 0.1, -1e8, 1e299, 1e-299, 5e-324])
@each
def test_a_constant_column_is_only_moved(scaler, value):
    X = np.full((7, 2), value)
    X[:, 1] = np.arange(7)
    scaler = fresh(scaler).fit(X)
    Z = scaler.transform(X)
    lowest = -END if scaler.get_params().get("output_distribution") == "normal" else 0
    np.testing.assert_array_equal(Z[:, 0], lowest)
    assert len(set(Z[:, 1])) == 7
    np.testing.assert_array_equal(scaler.inverse_transform(Z)[:, 0], value)
    if not isinstance(scaler, QuantileTransformer):
        np.testing.assert_array_equal(scaler.scale_[0], 1)
        assert_close(scaler.transform([[value + 2, 0]])[:, 0], [(value + 2) - value], 0)


@each_mover
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_rounding_leaves_of_a_constant_is_constant(scaler, dtype):
    almost = np.array([0.3, 0.1 + 0.2, 1 - 0.7, 0.3 * (1 + np.finfo(dtype).eps)], dtype=dtype)
    assert len(set(almost)) > 1
    Z = fresh(scaler).fit(almost[:, None]).transform(almost[:, None])
    assert np.ptp(Z) <= 8 * np.finfo(dtype).eps
    assert np.ptp(fresh(scaler).fit(-almost[:, None]).transform(-almost[:, None])) <= 8 * np.finfo(dtype).eps
    different = np.array([0.3, 0.3 * (1 + 40 * np.finfo(dtype).eps)], dtype=dtype)
    assert np.ptp(fresh(scaler).fit(different[:, None]).transform(different[:, None])) > 1


@pytest.mark.parametrize("scaler, spread", [(StandardScaler(), 2), (MinMaxScaler(), 1)])
def test_eight_units_in_the_last_place_are_still_rounding(scaler, spread):
    for units, constant in [(8, True), (9, False)]:      # two samples, whose deviation is half the difference
        scaler.fit([[1.0], [1 + spread * units * EPS]])
        assert (scaler.scale_[0] == 1) == constant


UNIX = 1.7e9 + np.arange(1000)                           # seconds since 1970, over 17 minutes


@each_mover
@pytest.mark.parametrize("column", [
    UNIX, 101325 + np.arange(1000) % 9 / 128, 1e9 + 64 * (np.arange(50) % 3), -1e9 - 64 * (np.arange(50) % 3),
    2.0**24 + 2 * (np.arange(9) % 3), 1e-41 * np.arange(9), 5e4 + np.arange(12) % 4 / 256])
def test_a_float32_column_of_few_values_is_no_constant(scaler, column):
    X = np.column_stack([column, np.arange(len(column))]).astype(np.float32)
    assert 2 < len(set(X[:, 0])) <= 17
    x, eps = X.astype(np.float64), np.finfo(np.float32).eps
    Z = fresh(scaler).fit_transform(X).astype(np.float64)
    if isinstance(scaler, StandardScaler):
        assert_close(Z, (x - x.mean(axis=0)) / x.std(axis=0), 4 * eps * np.abs(Z).max())
    else:
        a, b = scaler.feature_range
        assert_close(Z, a + (b - a) * (x - x.min(axis=0)) / np.ptp(x, axis=0), 4 * eps * max(abs(a), abs(b)))


@each_mover
def test_few_values_that_come_in_parts_are_no_constant(scaler):
    """Each part is constant, or of two neighbouring numbers; together they are neither."""
    X = UNIX.astype(np.float32)[:, None]
    whole, parts = fresh(scaler).fit(X), fresh(scaler)
    for part in np.split(X, 20):
        parts.partial_fit(part)
    np.testing.assert_allclose(parts.scale_, whole.scale_, rtol=1e-9)
    assert parts.scale_[0] != 1


@each
def test_one_sample(scaler):
    X = np.array([[3.0, -2, 0]])
    scaler = fresh(scaler).fit(X)
    Z = scaler.transform(X)
    assert (Z == Z[0, 0]).all() and np.isfinite(Z).all()
    np.testing.assert_array_equal(scaler.inverse_transform(Z), X)


def test_either_half_of_standardizing_can_be_left_out():
    X = table(9, 3, 0)
    m, s = mean(X), deviation(X, mean(X))
    zero, one = np.zeros(3), np.ones(3)
    for with_mean, with_std in [(True, True), (True, False), (False, True), (False, False)]:
        scaler = StandardScaler(with_mean=with_mean, with_std=with_std).fit(X)
        Z = scaler.transform(X)
        np.testing.assert_array_equal(Z, standard_score(X, m if with_mean else zero, s if with_std else one))
        assert_close(scaler.inverse_transform(Z), X, 8 * EPS * np.abs(X).max())
        assert (scaler.scale_ is None) == (not with_std)
        np.testing.assert_array_equal(scaler.mean_, m)


# --- what comes in and goes out

@each
def test_every_layout_gives_the_same(scaler):
    X, new = table(15, 3, 0), table(6, 3, 1)
    model = fresh(scaler).fit(X)
    for name, same in layouts(X).items():
        np.testing.assert_array_equal(fresh(scaler).fit(same).transform(new), model.transform(new), err_msg=name)
    for name, same in layouts(new).items():
        np.testing.assert_array_equal(model.transform(same), model.transform(new), err_msg=name)
        np.testing.assert_array_equal(model.inverse_transform(same), model.inverse_transform(new), err_msg=name)


@each
def test_input_is_left_alone(scaler):
    X = table(15, 3, 0)
    model = fresh(scaler).fit(X)
    Z = model.transform(X)
    model.inverse_transform(Z)
    np.testing.assert_array_equal(X, table(15, 3, 0))
    np.testing.assert_array_equal(Z, model.transform(X))
    assert not np.shares_memory(Z, X)


@each
def test_whole_numbers_are_numbers(scaler):
    X = table(20, 2, 0, "integer grid")
    np.testing.assert_array_equal(fresh(scaler).fit_transform(X.astype(np.int8)), fresh(scaler).fit_transform(X))
    assert fresh(scaler).fit_transform(X.astype(int).tolist()).dtype == np.float64


@each
def test_single_precision_stays_single_and_is_computed_in_double(scaler):
    X = (table(40, 3, 0) + 1e4).astype(np.float32)
    double, single = fresh(scaler).fit(X.astype(np.float64)), fresh(scaler).fit(X)
    Z = single.transform(X)
    assert Z.dtype == np.float32 and single.inverse_transform(Z).dtype == np.float32
    np.testing.assert_array_equal(Z, double.transform(X.astype(np.float64)).astype(np.float32))
    np.testing.assert_array_equal(double.transform(X), Z)
    assert_close(single.inverse_transform(Z), X, 4 * np.finfo(np.float32).eps * np.abs(X).max())


@each
def test_any_number_of_threads_gives_the_same_bits(scaler, monkeypatch):
    X = table(7000, 2, 0)
    results = []
    for n in ("1", "2", "5"):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", n)
        model = fresh(scaler).fit(X)
        Z = model.transform(X)
        results.append((Z.tobytes(), model.inverse_transform(Z).tobytes()))
    assert len(set(results)) == 1


def test_many_rows_are_all_counted():                    # several chunks, the last one short
    X = np.arange(5001.0)[:, None] * [1, -2] + [1e6, 0]
    scaler = StandardScaler().fit(X)
    assert scaler.mean_.tolist() == [1e6 + 2500, -5000] and scaler.n_samples_seen_ == 5001
    np.testing.assert_allclose(scaler.var_, (5001**2 - 1) / 12 * np.array([1, 4]), rtol=1e-13)
    wide = np.arange(60_003.0).reshape(3, 20_001)        # a few rows a chunk
    np.testing.assert_array_equal(MinMaxScaler().fit_transform(wide), [[0] * 20_001, [0.5] * 20_001, [1] * 20_001])
    np.testing.assert_array_equal(QuantileTransformer().fit_transform(wide), MinMaxScaler().fit_transform(wide))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_lone_column_is_as_one_among_others(dtype, weighted):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(5001, 1)) + 3).astype(dtype)
    X[rng.random(5001) < 0.1] = np.nan
    w = rng.random(5001) if weighted else np.ones(5001)
    alone, among = (StandardScaler().fit(Z, sample_weight=w if weighted else None) for Z in (X, np.hstack([X, X])))
    for name in ("mean_", "scale_", "n_samples_seen_"):
        np.testing.assert_allclose(getattr(alone, name), np.ravel(getattr(among, name))[0], rtol=1e-13, err_msg=name)
    there = ~np.isnan(X[:, 0])
    assert alone.mean_[0] == pytest.approx(np.average(X[there, 0].astype(float), weights=w[there]), rel=1e-13)
    expected = ((X.astype(float) - alone.mean_) / alone.scale_).astype(dtype)
    np.testing.assert_array_equal(alone.transform(X), expected)
    for scaled in (MinMaxScaler().fit_transform(X), MinMaxScaler().fit_transform(np.hstack([X, X]))[:, :1]):
        np.testing.assert_array_equal(scaled[there], MinMaxScaler().fit_transform(X[there]))
    assert StandardScaler().fit(np.full((9, 1), np.nan)).mean_.tolist() == [pytest.approx(np.nan, nan_ok=True)]


@pytest.mark.parametrize("D", [1, 3])
def test_statistics_of_a_table_that_lies_apart_in_memory(D):
    X = np.random.default_rng(0).normal(size=(50, 2 * D))
    for apart in (X[:, ::2], X[:, D:], np.asfortranarray(X)[:, :D], X[::-1, :D]):
        together = np.ascontiguousarray(apart)
        m, s = mean(together), deviation(together, mean(together))
        np.testing.assert_array_equal(mean(apart), m)
        np.testing.assert_array_equal(deviation(apart, m), s)
        np.testing.assert_array_equal(standard_score(apart, m, s), standard_score(together, m, s))


@each
def test_names_of_columns_stay(scaler):
    model = fresh(scaler).fit(table(5, 3, 0))
    assert model.get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    assert model.get_feature_names_out(["a", "b", "c"]).tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="3.*2"):
        model.get_feature_names_out(["a", "b"])


# --- bad input

@pytest.mark.parametrize("bad, message", BAD_TABLES[1:])         # NaN, the first, is not known and stays so
@each
def test_bad_tables(scaler, bad, message):
    with pytest.raises(ValueError, match=message):
        fresh(scaler).fit(bad)
    model = fresh(scaler).fit(table(5, 2, 0))
    for use in (model.transform, model.inverse_transform):
        with pytest.raises(ValueError, match=message):
            use(bad)


@each
def test_rows_of_another_length(scaler):
    model = fresh(scaler).fit(table(5, 2, 0))
    for use in (model.transform, model.inverse_transform, getattr(model, "partial_fit", model.transform)):
        with pytest.raises(ValueError, match="3.*2"):
            use(table(5, 3, 0))


@each
def test_has_to_be_fitted_first(scaler):
    for use in ("transform", "inverse_transform"):
        with pytest.raises(ValueError, match="not fitted"):
            getattr(fresh(scaler), use)(table(5, 2, 0))
    with pytest.raises(ValueError, match="not fitted"):
        fresh(scaler).get_feature_names_out()


@each_mover
def test_what_was_learned_survives_bad_input(scaler):
    X = table(5, 2, 0)
    model = fresh(scaler).fit(X)
    Z = model.transform(X)
    for bad in ([[np.inf, 1.0]], [[1e301, 1.0]], [[1.0]]):
        with pytest.raises(ValueError):
            model.partial_fit(bad)
        np.testing.assert_array_equal(model.transform(X), Z)
    assert model.n_samples_seen_ == 5


@pytest.mark.parametrize("scaler, message", [
    (MinMaxScaler((1, 1)), r"feature_range=\(1, 1\).*a < b"),
    (MinMaxScaler((2, 1)), r"feature_range=\(2, 1\)"),
    (MinMaxScaler((0, 1, 2)), r"feature_range.*\(3,\)"),
    (MinMaxScaler(1), r"feature_range.*\(2,\)"),
    (MinMaxScaler((0, np.nan)), "feature_range.*NaN"),
    (MinMaxScaler((0, np.inf)), "feature_range.*inf"),
    (MinMaxScaler("ab"), "feature_range"),
    (QuantileTransformer(n_quantiles=0), "n_quantiles=0"),
    (QuantileTransformer(n_quantiles=2.5), "n_quantiles=2.5"),
    (QuantileTransformer(output_distribution="gauss"), "output_distribution='gauss'.*'uniform', 'normal'"),
])
def test_bad_options(scaler, message):
    with pytest.raises(ValueError, match=message):
        scaler.fit(table(5, 2, 0))


def test_a_range_that_is_set_after_the_fit_waits_for_the_next():
    X = np.array([[1.0, 5], [2, 9], [4, 6]])
    scaler = MinMaxScaler().fit(X)
    Z = scaler.transform(X)
    scaler.set_params(feature_range=(-1, 1))
    np.testing.assert_array_equal(scaler.transform(X), Z)
    np.testing.assert_allclose(X * scaler.scale_ + scaler.min_, Z)
    np.testing.assert_allclose(scaler.inverse_transform(Z), X)
    assert scaler.partial_fit(X).transform(X).min() == -1
