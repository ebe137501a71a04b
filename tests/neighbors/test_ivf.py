"""The index of inverted lists: exhaustive where all lists are looked through, and what it takes and refuses."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core import storage
from scratchml.neighbors import IVF, Hyperplanes, NearestNeighbors
from scratchml.neighbors.ivf import KIND
from tests.reference import exhaustive, inverted_lists as reference
from tests.strategies.exhaustive import points_and_queries

METRICS = {"l2": "euclidean", "ip": "inner_product", "cosine": "cosine"}
spaces = pytest.mark.parametrize("space", METRICS)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def cloud(N=60, D=4, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(N, D)).astype(dtype)


def literal(Q, X, space):
    if space == "l2":
        return np.array([[reference.apart(q, x) for x in X] for q in Q])
    if space == "cosine":
        return np.array(exhaustive.cosine_gap(Q, X))
    return 1 + np.array(exhaustive.negative_product(Q, X))


# --- laws

@spaces
@given(st.integers(1, 25), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_all_lists_are_exhaustive_ties_included(space, N, k, seed):
    """Whole numbers, so that sums are exact in any order."""
    rng = np.random.default_rng(seed)
    X, Q = rng.integers(-2, 3, size=(N, 3)) * 1.0, rng.integers(-2, 3, size=(4, 3)) * 1.0
    if space == "cosine":
        X, Q = np.sign(X) * (np.arange(3) == rng.integers(3, size=N)[:, None]), np.sign(Q) * (np.arange(3) == 1)
    L = int(rng.integers(1, N + 1))
    labels, distances = IVF(L, nprobe=L, space=space, random_state=0).fit(X).knn_query(Q, k)
    d, few = literal(Q, X, space), min(k, N)
    order = np.argsort(d, axis=1, kind="stable")[:, :few]
    assert labels[:, :few].tolist() == order.tolist() and (labels[:, few:] == -1).all()
    np.testing.assert_array_equal(distances[:, :few], np.take_along_axis(d, order, 1))
    assert np.isinf(distances[:, few:]).all()


@dtypes
@spaces
def test_all_lists_give_what_looking_at_all_gives(dtype, space):
    X, Q = cloud(dtype=dtype), cloud(7, seed=1, dtype=dtype)
    labels, distances = IVF(9, nprobe=9, space=space, random_state=0).fit(X).knn_query(Q, 5)
    far, numbers = NearestNeighbors(5, metric=METRICS[space]).fit(X).kneighbors(Q)
    assert labels.tolist() == numbers.tolist() and distances.dtype == dtype
    far = {"l2": far**2, "ip": 1 + far, "cosine": far}[space]
    np.testing.assert_allclose(distances, far, rtol=1e-6 if dtype == np.float32 else 1e-13,
                               atol=1e-6 if space == "ip" else 0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_what_is_found_is_the_nearest_of_what_is_probed(seed, P):
    X, Q = cloud(60, 2, seed), cloud(5, 2, seed + 1)
    index = IVF(12, nprobe=P, random_state=0).fit(X)
    labels, _ = index.knn_query(Q, 3)
    for q, found in zip(Q.tolist(), labels.tolist()):
        expected = reference.nearest_in_lists(q, X.tolist(), index.centres_.tolist(), P, 3)
        assert found[:len(expected)] == expected or len(expected) < 3 and set(expected) <= set(range(60))


@dtypes
@spaces
@pytest.mark.parametrize("offset", [0, 1e3])
def test_distances_to_codes_are_those_to_what_they_stand_for(dtype, space, offset):
    X, Q = cloud(90, 6, dtype=dtype) + dtype(offset), cloud(5, 6, seed=1, dtype=dtype) + dtype(offset)
    index = IVF(6, nprobe=6, m=3, nbits=3, space=space, random_state=0).fit(X)
    labels, distances = index.knn_query(Q, 90)
    directions = X / np.linalg.norm(X, axis=1, keepdims=True), Q / np.linalg.norm(Q, axis=1, keepdims=True)
    known, (_, q) = index.reconstruct().astype(float), directions if space == "cosine" else (X, Q)
    d = (((q[:, None].astype(float) - known) ** 2).sum(axis=2) if space == "l2" else 1 - q.astype(float) @ known.T)
    size = 1 + (q.astype(float) ** 2).sum(axis=1).max() if space != "l2" else 1 + 10 * offset      # of what is rounded
    tolerance = 40 * np.finfo(dtype).eps * size
    np.testing.assert_allclose(distances, np.take_along_axis(d, labels, 1), rtol=1e-5 if dtype == np.float32 else 1e-11,
                               atol=tolerance)
    assert np.array_equal(np.sort(labels, axis=1), np.tile(np.arange(90), (5, 1)))
    np.testing.assert_allclose(index.knn_query(Q, 3)[1], distances[:, :3], rtol=1e-5, atol=tolerance)
    if not offset:
        first = np.take_along_axis(d, labels[:, :1], 1)[:, 0]
        np.testing.assert_allclose(first, d.min(axis=1), atol=2e-6)


def test_the_most_part_of_the_neighbours_is_found_by_codes_and_by_few_lists():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10, 8)).repeat(20, axis=0) + 0.3 * rng.normal(size=(200, 8))
    true = NearestNeighbors(10).fit(X).kneighbors(X[:40], return_distance=False)

    def recall(**parameters):
        labels, _ = IVF(10, random_state=0, nbits=4, **parameters).fit(X).knn_query(X[:40], 10)
        return np.mean([len({*a} & {*b}) for a, b in zip(labels.tolist(), true.tolist())]) / 10

    probes, codes = [recall(nprobe=P) for P in (1, 3, 10)], [recall(nprobe=10, m=m) for m in (1, 2, 8)]
    assert probes == sorted(probes) and probes[0] > 0.6 and probes[2] == 1
    assert codes == sorted(codes) and codes[0] < 0.75 and codes[2] > 0.85


@dtypes
@pytest.mark.parametrize("offset", [0, 1e9])
def test_equal_points_are_at_distance_0_wherever_they_lie(dtype, offset):
    X = (cloud(60, 4) * 1000 + offset).astype(dtype)
    alike = dtype == np.float32 and offset               # all directions are, as far as float32 can tell
    for space in ("l2",) if alike else ("l2", "cosine"):
        labels, distances = IVF(5, nprobe=5, space=space, random_state=0).fit(X).knn_query(X)
        assert not distances.any() and (X[labels[:, 0]] == X).all()


@given(points_and_queries())
def test_any_finite_data_are_answered(drawn):
    X, Q = drawn
    for m in (None, 1):
        index = IVF(random_state=0, m=m).fit(X)
        labels, distances = index.knn_query(Q, 2)
        assert (labels[:, 0] >= 0).all() and np.isfinite(distances[:, 0]).all()
        assert (labels[:, 1] >= 0).all() == (len(X) > 1)


def test_more_lists_are_looked_through_until_there_are_enough():
    X = np.concatenate([np.zeros((3, 1)), 100 + cloud(60, 1)])
    index = IVF(4, nprobe=1, random_state=0).fit(X)
    labels, distances = index.knn_query([[0.0]], 63)
    assert sorted(labels[0].tolist()) == list(range(63)) and labels[0, :3].tolist() == [0, 1, 2]
    assert (np.diff(distances[0]) >= 0).all()


def test_equal_points_come_in_order_of_their_numbers():
    labels, distances = IVF(3, nprobe=1, random_state=0).fit(np.ones((50, 2))).knn_query([1.0, 1.0], 50)
    assert labels.tolist() == [list(range(50))] and not distances.any()


def test_distances_that_float32_rounds_apart_are_equal_all_the_same():
    """Whose coordinates are the same in another order: exact in float64, and so ordered by their numbers."""
    rng = np.random.default_rng(0)
    x = (rng.integers(1, 2**20, 12) / 2**18).astype(np.float32)
    X = np.stack([rng.permutation(x) for _ in range(40)])
    labels, distances = IVF(2, nprobe=2, random_state=0).fit(X).knn_query(np.zeros(12), 40)
    assert labels.tolist() == [list(range(40))] and len(np.unique(distances)) == 1
    assert len({np.cumsum(row * row)[-1] for row in X}) > 1                       # in float32, one after the other


# --- adding, saving

def test_what_is_added_is_found_under_its_label():
    X = cloud()
    index = IVF(6, nprobe=6, random_state=0).fit(X[:40])
    index.add_items(X[40:50]).add_items(X[50:], ids=np.arange(1000, 1010)[::-1]).add_items(X[0] + 9)
    labels, distances = index.knn_query(X)
    assert labels[:, 0].tolist() == [*range(50), *range(1009, 999, -1)] and not distances.any()
    assert index.knn_query(X[0] + 9)[0].tolist() == [[1010]]
    np.testing.assert_array_equal(index.reconstruct()[:60], X)


def test_adding_is_as_good_as_fitting_all_with_the_same_centres():
    X = cloud(90, 4)
    whole = IVF(7, m=2, nbits=3, random_state=0).fit(X)
    parts = IVF(7, m=2, nbits=3)
    parts._begin(whole.centres_, whole.books_, "l2")
    for part in np.split(X, 3):
        parts.add_items(part)
    for a, b in zip(whole.lists_, parts.lists_):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(whole.knn_query(X, 4), parts.knn_query(X, 4)):
        np.testing.assert_array_equal(a, b)


@spaces
@pytest.mark.parametrize("m", [None, 2])
def test_a_file_holds_all_that_is_asked(space, m, tmp_path):
    index = IVF(7, nprobe=3, m=m, space=space, random_state=0).fit(cloud(dtype=np.float32))
    index.add_items(cloud(9, seed=3), ids=np.arange(900, 909))
    index.save(tmp_path / "index")
    again = IVF.load(tmp_path / "index")
    assert again.nprobe == 3 and again.get_params() == {**index.get_params(), "random_state": None}
    for a, b in zip(index.knn_query(cloud(5, seed=4), 6), again.knn_query(cloud(5, seed=4), 6)):
        np.testing.assert_array_equal(a, b)
    again.add_items(cloud(2, seed=5))
    content = (tmp_path / "index").read_bytes()
    for size in (0, 10, len(content) // 2, len(content) - 3):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(ValueError, match="cut"):
            IVF.load(tmp_path / "cut")


@pytest.mark.parametrize("m", [None, 2])
def test_any_number_of_threads_gives_the_same(m, monkeypatch):
    X, found = cloud(150, 4), []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(IVF(9, nprobe=3, m=m, nbits=3, random_state=0).fit(X).knn_query(X, 4))
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)


def test_a_file_whose_numbers_lead_nowhere_is_refused(tmp_path):
    """Kernels would follow them out of the arrays."""
    IVF(7, m=2, nbits=3, random_state=0).fit(cloud()).save(tmp_path / "index")
    arrays, rest = storage.load(tmp_path / "index", KIND)
    starts, order = arrays["starts"].copy(), arrays["numbers"].copy()
    starts[1], order[0] = 10**6, 10**6
    wrong = [dict(starts=starts), dict(starts=arrays["starts"][:-1]), dict(numbers=order),
             dict(labels=arrays["labels"][1:]), dict(numbers=arrays["numbers"] * 0), dict(rows=arrays["rows"] | 128),
             dict(rows=arrays["rows"][:, :1]),
             dict(books=arrays["books"][:, :2]), dict(books=arrays["books"][:, :, :1]),
             dict(centres=arrays["centres"][1:]), dict(centres=arrays["centres"] * np.nan),
             dict(centres=arrays["centres"].astype(np.int64))]
    for change in wrong:
        storage.save(tmp_path / "index", KIND, {**arrays, **change}, rest)
        with pytest.raises(ValueError, match="damaged"):
            IVF.load(tmp_path / "index")
    for change in (dict(space="l3"), dict(parameters=dict(lists=3))):
        storage.save(tmp_path / "index", KIND, arrays, {**rest, **change})
        with pytest.raises(ValueError, match="damaged"):
            IVF.load(tmp_path / "index")
    storage.save(tmp_path / "index", KIND, {name: array for name, array in arrays.items() if name != "centres"}, rest)
    with pytest.raises(ValueError, match="damaged"):
        IVF.load(tmp_path / "index")


# --- what is refused

@pytest.mark.parametrize("parameters, message", [
    (dict(nlist=61), "nlist=61: expected at most the number of points, 60"),
    (dict(nlist=0), "nlist=0"),
    (dict(nprobe=0), "nprobe=0"),
    (dict(m=3), r"m=3: .* m may be \[1, 2, 4\]"),
    (dict(m=2, nbits=9), "nbits=9: expected at most 8"),
    (dict(nbits="8"), "nbits='8'"),
    (dict(space="euclidean"), "expected one of 'l2', 'ip', 'cosine'"),
    (dict(random_state="0"), "random_state='0'"),
])
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        IVF(**parameters).fit(cloud())


@pytest.mark.parametrize("query, k, message", [
    (cloud(2, 3), 1, "3 features"), ([[np.nan, 0, 0, 0]], 1, "NaN"), ([[1e200, 0, 0, 0]], 1, "scale the data"),
    (cloud(2), 0, "k=0"), (cloud(2), 2.0, "k=2.0"), (np.zeros((0, 4)), 1, "0 sample"),
])
def test_bad_queries_are_refused(query, k, message):
    with pytest.raises(ValueError, match=message):
        IVF(3, random_state=0).fit(cloud()).knn_query(query, k)


@pytest.mark.parametrize("ids, message", [
    ([1], "expected 2 labels"), ([-1, 200], "expected whole numbers >= 0"), ([200, 200], "200 comes twice"),
    ([5, 200], "5 comes twice, or is in the index already"), ([0.5, 200], "whole"), ([200, 2**63 - 1], "and below"),
    ([200, 2**64 - 1], "whole numbers"), (200, "expected 2 labels"),
])
def test_bad_labels_are_refused_and_nothing_is_added(ids, message):
    index = IVF(3, random_state=0).fit(cloud())
    with pytest.raises(ValueError, match=message):
        index.add_items(cloud(2), ids)
    assert len(index.labels_) == 60


def test_float32_whose_squares_are_infinite_is_refused():
    with pytest.raises(ValueError, match="scale the data"):
        IVF(3).fit(cloud(dtype=np.float32) * np.float32(1e20))


def test_labels_may_be_large():
    index = IVF(2, nprobe=2, random_state=0).fit(cloud(10)).add_items(cloud(1, seed=9), ids=[2**40])
    assert index.knn_query(cloud(1, seed=9))[0].item() == 2**40


def test_a_fit_that_fails_leaves_the_index_as_it_was():
    index = IVF(3, random_state=0).fit(cloud())
    before = index.knn_query(cloud(3))
    with pytest.raises(ValueError):
        index.set_params(nlist=1000).fit(cloud(50))
    for a, b in zip(before, index.knn_query(cloud(3))):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("index", [IVF(3, random_state=0), Hyperplanes(random_state=0)], ids=["lists", "planes"])
def test_one_query_may_be_a_vector(index):
    X = cloud()
    index.fit(X)
    for q in (X[5], X[5].tolist(), tuple(X[5])):
        assert index.knn_query(q, 1)[0].tolist() == [[5]]
    with pytest.raises(ValueError, match="masked"):
        index.knn_query(np.ma.masked_array(X[5], [1, 0, 0, 0]))


def test_a_single_vector_has_a_single_label():
    index = IVF(3, nprobe=3, random_state=0).fit(cloud()).add_items(cloud(1)[0] + 9, 77)
    assert index.knn_query(cloud(1)[0] + 9)[0].item() == 77
