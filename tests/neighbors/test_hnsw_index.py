"""The index around the graph: labels, deletions, filters, files, and what people complain about in others."""
import copy
import os
import threading

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core import storage
from scratchml.core.estimator import NotFittedError
from scratchml.neighbors import HNSW, hnsw_index
from scratchml.neighbors.hnsw_items import keys_of, number, table_for
from tests.strategies.hnsw import KINDS, points, seeds

PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
SMALL = dict(M=4, ef_construction=20, random_state=0)
spaces = st.sampled_from(("l2", "ip", "cosine"))


def distances(Q, X, space):
    """By the definition, in float64."""
    Q, X = Q.astype(float), X.astype(float)
    if space == "l2":
        return ((Q[:, None] - X) ** 2).sum(axis=2)
    if space == "cosine":
        Q, X = (Y / np.maximum(np.sqrt((Y * Y).sum(axis=1, keepdims=True)), 1e-300) for Y in (Q, X))
    return 1 - Q @ X.T


def assert_exact(index, labels, X, Q, k, filter=None):
    """The index, asked with ef as great as it is, gives the k least distances of X, whose rows have these labels."""
    got, d = index.set_ef(len(X) + 1000).knn_query(Q, k, filter)
    D, found = distances(Q, X, index.space), min(k, len(labels))
    scale = 1 + max(np.abs(D).max(initial=0), (X.astype(float) ** 2).sum(axis=1).max(initial=0))
    np.testing.assert_allclose(d[:, :found], np.sort(D, axis=1)[:, :found], rtol=0, atol=1e-5 * scale)
    assert (got[:, found:] == -1).all() and (d[:, found:] == np.inf).all()
    place = {label: row for row, label in enumerate(np.asarray(labels).tolist())}
    for i, row in enumerate(got[:, :found].tolist()):
        assert len(set(row)) == found
        np.testing.assert_allclose([D[i, place[label]] for label in row], d[i, :found], rtol=0, atol=1e-5 * scale)


# --- what is found

@given(st.sampled_from(KINDS), st.integers(1, 40), spaces, st.integers(1, 50), seeds)
def test_with_as_many_nodes_in_hand_as_there_are_it_is_exact(kind, N, space, k, seed):
    X, Q = points(kind, N, 3, seed), points("normal", 3, 3, seed + 1)
    Q = np.hstack([Q, np.ones((3, X.shape[1] - 3), np.float32)])
    assert_exact(HNSW(space, **SMALL).fit(X), np.arange(N), X, Q, k)


@given(st.integers(2, 40), spaces, st.data(), seeds)
def test_deleting_replacing_and_adding_again(N, space, data, seed):
    """Whatever is done, the index answers like one of what is there."""
    rng = np.random.default_rng(seed)
    there = {}
    index = HNSW(space, **SMALL)
    deleted = {}
    for step in range(data.draw(st.integers(1, 5))):
        labels = rng.permutation(N)[:rng.integers(1, N + 1)]
        X = points(("grid", "normal")[step % 2], len(labels), 3, seed + step)
        index.add_items(X, labels)
        there.update(zip(labels.tolist(), X))
        deleted = {label: x for label, x in deleted.items() if label not in there}
        gone = rng.permutation(sorted(there))[:rng.integers(0, len(there))]
        index.mark_deleted(gone)
        deleted.update((label, there.pop(label)) for label in gone.tolist())
        back = rng.permutation(sorted(deleted))[:rng.integers(0, len(deleted) + 1)].astype(int)
        index.unmark_deleted(back)
        there.update((label, deleted.pop(label)) for label in back.tolist())
    assert sorted(index.get_ids_list()) == sorted(there) and index.get_current_count() == len(there)
    labels = sorted(there)
    X = np.array([there[label] for label in labels])
    np.testing.assert_allclose(index.get_items(labels), X, rtol=1e-6)
    assert_exact(index, labels, X, points("normal", 2, 3, seed), data.draw(st.integers(1, N + 2)))


@pytest.mark.parametrize("look_at_all", [0, 10**6])
@given(st.integers(1, 40), spaces, seeds, st.integers(1, 12))
def test_filters_of_every_form_say_the_same(look_at_all, N, space, seed, k):
    rng = np.random.default_rng(seed)
    X, Q, labels = points("grid", N, 3, seed), points("normal", 2, 3, seed), rng.permutation(5 * N)[:N]
    index = HNSW(space, **SMALL).add_items(X, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hnsw_index, "LOOK_AT_ALL", look_at_all)
        allowed = rng.random(N) < rng.random()
        some = labels[allowed]
        assert_exact(index, some, X[allowed], Q, k, allowed)
        assert_exact(index, some, X[allowed], Q, k, some.astype(np.uint8 if 5 * N < 256 else np.int16))
        assert_exact(index, some, X[allowed], Q, k, set(some.tolist()).__contains__)
        assert_exact(index, some, X[allowed], Q, k, np.append(some, 10**9).tolist())
        each = rng.random((2, N)) < 0.5
        for i in range(2):
            got = index.knn_query(Q, k, each)
            alone = index.knn_query(Q[i], k, each[i])
            np.testing.assert_array_equal([got[0][i], got[1][i]], [alone[0][0], alone[1][0]])


@pytest.mark.parametrize("look_at_all", [0, 30])
def test_a_walk_is_widened_until_it_has_found_what_is_allowed(look_at_all, monkeypatch):
    """The allowed are the farthest, with a small ef."""
    monkeypatch.setattr(hnsw_index, "LOOK_AT_ALL", look_at_all)
    X = np.arange(60.0)[:, None] * [1, 2]
    index = HNSW(ef=1, **SMALL).fit(X)
    labels, d = index.knn_query([[0, 0]], 4, np.arange(60) >= 57)
    assert labels.tolist() == [[57, 58, 59, -1]] and np.isinf(d[0, 3])
    assert index.knn_query([[0, 0]], 2, np.arange(60) >= 30)[0].tolist() == [[30, 31]], "ef = 4 comes to number 3"
    index.mark_deleted(np.arange(57))
    assert index.knn_query([0, 0], 4)[0].tolist() == [[57, 58, 59, -1]]


def test_most_of_the_nearest_are_found():
    rng = np.random.default_rng(0)
    N, many = (60, 5) if PLAIN else (3000, 100)
    X = rng.normal(size=(N, 8))
    index = HNSW(random_state=0, ef_construction=50).fit(X)
    labels, _ = index.knn_query(X[:many] + 0.1, 10)
    true = np.argsort(distances(X[:many] + 0.1, X, "l2"), axis=1)[:, :10]
    assert np.mean([len(set(a) & set(b)) for a, b in zip(labels.tolist(), true.tolist())]) > 9.5
    assert (index.kneighbors(X[:many], 1)[1][:, 0] == np.arange(many)).all()


def test_kneighbors_has_scikit_learns_order_and_distances():
    X = np.array([[0.0, 0], [3, 4], [0, 1]])
    distances, labels = HNSW(random_state=0).fit(X).kneighbors([[0, 0]], 4)
    assert labels.tolist() == [[0, 2, 1, -1]] and distances.tolist() == [[0, 1, 5, np.inf]]
    assert HNSW(random_state=0).fit(X).kneighbors([[0, 0]], 2, return_distance=False).tolist() == [[0, 2]]
    squared = HNSW(random_state=0).fit(X).knn_query([0, 0], 3)[1]
    assert squared.tolist() == [[0, 1, 25]]
    products = HNSW("ip", random_state=0).fit(X).kneighbors([[1, 1]], 3)
    assert products[0].tolist() == [[-6, 0, 1]] and products[1].tolist() == [[1, 2, 0]]


# --- complaints about others

def test_equal_vectors_are_all_found_and_hide_no_other():
    N = 40 if PLAIN else 3000
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(N, 4)), np.ones((N, 4)), rng.normal(size=(N, 4))])
    index = HNSW(random_state=0, ef=20, ef_construction=30).fit(X)
    labels, d = index.knn_query(np.ones(4), N + 1)
    assert sorted(labels[0, :N].tolist()) == list(range(N, 2 * N)) and (d[0, :N] == 0).all() and d[0, N] > 0
    assert labels[0, :N].tolist() == sorted(labels[0, :N].tolist()), "of equals the one added first comes first"
    rest = np.concatenate([X[:N], X[2 * N:]])
    far = rest[np.argmax(((rest - 1) ** 2).sum(axis=1))]
    assert index.knn_query(far)[1][0, 0] == 0


def test_fewer_than_k_are_no_error():
    index = HNSW(**SMALL).add_items(np.zeros((0, 3)))
    assert [a.tolist() for a in index.knn_query(np.ones((1, 3)), 2)] == [[[-1, -1]], [[np.inf, np.inf]]]
    index.add_items(np.eye(3))
    assert index.knn_query(np.ones((0, 3)), 2)[0].shape == (0, 2)
    assert index.knn_query(np.ones(3), 5)[0].tolist()[0][3:] == [-1, -1]
    index.mark_deleted([0, 1, 2])
    assert index.knn_query(np.ones(3), 2)[0].tolist() == [[-1, -1]] and index.get_ids_list() == []
    assert index.unmark_deleted(1).knn_query(np.ones(3), 2)[0].tolist() == [[1, -1]]
    assert index.knn_query(np.ones(3), 1, filter=[0])[0].tolist() == [[-1]]
    assert index.knn_query(np.ones(3), 1, filter=np.zeros(1, bool))[0].tolist() == [[-1]]


def test_what_is_deleted_and_added_again_is_there():
    index = HNSW(**SMALL).fit(np.eye(4)).mark_deleted(2)
    assert index.get_ids_list() == [0, 1, 3]
    index.add_items([5.0, 5, 5, 5], 2)
    assert index.knn_query([5, 5, 5, 5])[0].tolist() == [[2]] and index.get_ids_list() == [0, 1, 3, 2]
    assert index.get_items(2).tolist() == [[5, 5, 5, 5]]
    index.add_items(np.eye(4)[2], 2)
    assert index.knn_query(np.eye(4)[2])[0].tolist() == [[2]] and index.get_current_count() == 4


@pytest.mark.parametrize("space", ["l2", "ip", "cosine"])
def test_the_same_graph_for_any_number_of_threads_and_as_often_as_one_likes(space, monkeypatch):
    X = points("clusters", 40 if PLAIN else 1500, 5, 0)
    graphs = []
    for threads in (1, 2, 5, 1):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", str(threads))
        index = HNSW(space, **SMALL).fit(X[::2]).add_items(X[1::2])
        graphs.append((*(a.tobytes() for a in index.graph_[:7]), *(a.tobytes() for a in index.knn_query(X, 5))))
    assert graphs[1:] == graphs[:-1]


def test_clusters_that_come_one_after_the_other_are_all_found():
    n, size = (3, 15) if PLAIN else (40, 60)
    rng = np.random.default_rng(0)
    X = 50 * np.repeat(rng.normal(size=(n, 6)), size, axis=0) + rng.normal(size=(n * size, 6))
    index = HNSW(ef=30, M=8, ef_construction=60, random_state=0)
    for start in range(0, len(X), size):
        index.add_items(X[start:start + size])
    true = np.argsort(distances(X[::7], X, "l2"), axis=1)[:, :10]
    labels = index.knn_query(X[::7], 10)[0]
    assert np.mean([len(set(a) & set(b)) for a, b in zip(labels.tolist(), true.tolist())]) > 9.5


def test_ef_and_space_are_in_the_file_and_may_be_set_at_any_time(tmp_path):
    index = HNSW("ip", ef=7, M=3, random_state=3).set_ef(9).fit(np.eye(3))
    index.save(tmp_path / "index")
    expected = dict(space="ip", ef=9, M=3, ef_construction=200, random_state=3)
    assert HNSW().load(tmp_path / "index").get_params() == expected


# --- growing

def test_adding_in_pieces_makes_room_and_keeps_what_is_there():
    X = points("normal", 40, 3, 0)
    index = HNSW(**SMALL).fit(X[:3])
    for n in range(3, 40):
        assert index.add_items(X[n], n) is index
    assert_exact(index, np.arange(40), X, X, 5)
    rooms = len(index.graph_.links)
    assert 40 <= rooms <= 80
    assert len(index.resize_index(100).graph_.links) == 100
    assert_exact(index.add_items(X[:5] + 1), np.arange(45), np.vstack([X, X[:5] + 1]), X, 5)
    assert len(index.graph_.links) == 100
    with pytest.raises(ValueError, match="new_size=44: there are 45 vectors"):
        index.resize_index(44)


@pytest.mark.parametrize("M", [4, 16])
def test_the_memory_of_a_fitted_index_is_that_which_is_stated(M):
    X = points("normal", 50 if PLAIN else 1100, 6, 0)
    index = HNSW("cosine", M=M, ef_construction=10, random_state=0).fit(X)
    arrays = [*index.graph_[:7], *index.items_, *(a for a in vars(index).values() if isinstance(a, np.ndarray))]
    stated = 4 * X.shape[1] + 8 * M + 90
    assert sum(a.nbytes for a in arrays) <= len(X) * stated
    assert {id(a) for a in arrays} >= {id(index._rows), id(index._names), id(index._row_keys)}


def test_labels_go_on_from_the_greatest():
    index = HNSW(**SMALL).add_items(np.eye(2), [7, 2**40])
    assert index.add_items(np.ones((2, 2))).get_ids_list() == [7, 2**40, 2**40 + 1, 2**40 + 2]


def test_an_interrupted_addition_leaves_what_was_there(monkeypatch):
    X = points("normal", 60, 3, 0)
    index = HNSW(**SMALL).fit(X[:30])
    before = index.knn_query(X, 5)
    calls, join = [], hnsw_index.join

    def stopped(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        join(*arguments)

    monkeypatch.setattr(hnsw_index, "join", stopped)
    with pytest.raises(KeyboardInterrupt):
        index.add_items(X[30:])
    monkeypatch.setattr(hnsw_index, "join", join)
    assert index.get_ids_list() == list(range(30))
    index.set_ef(60)
    np.testing.assert_array_equal(index.knn_query(X, 5)[1], HNSW(**SMALL).fit(X[:30]).set_ef(60).knn_query(X, 5)[1])
    assert before[0].shape == (60, 5)
    assert_exact(index.add_items(X[30:]), np.arange(60), X, X, 5)


def test_a_copy_is_a_thing_of_its_own():
    index = HNSW(**SMALL).fit(np.eye(5))
    for twin in (copy.copy(index), copy.deepcopy(index)):
        twin.add_items(np.ones((30, 5)) * np.arange(30)[:, None])
        assert index.get_current_count() == 5 and twin.get_current_count() == 35
    assert_exact(index, np.arange(5), np.eye(5), np.eye(5), 5)


def test_two_threads_may_ask_at_once():
    X = points("normal", 60, 4, 0)
    index = HNSW(**SMALL).fit(X)
    alone, found = index.knn_query(X, 5)[0], []
    workers = [threading.Thread(target=lambda: found.append(index.knn_query(X, 5)[0])) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(found) == 4 and all((each == alone).all() for each in found)


# --- files

def saved(tmp_path):
    index = HNSW("cosine", **SMALL).fit(points("normal", 50, 3, 0)).mark_deleted([3, 4])
    index.add_items(np.ones((2, 3)), [5, 90])
    index.save(tmp_path / "index")
    return index, tmp_path / "index"


def test_a_loaded_index_goes_on_as_the_saved_one(tmp_path):
    index, path = saved(tmp_path)
    other, X = HNSW().load(path), points("normal", 20, 3, 1)
    for _ in range(2):
        for a, b in zip(index.knn_query(X, 9), other.knn_query(X, 9)):
            np.testing.assert_array_equal(a, b)
        assert index.get_ids_list() == other.get_ids_list()
        np.testing.assert_array_equal(index.get_items(), other.get_items())
        index.add_items(X)
        other.add_items(X)
    assert index.unmark_deleted(3).get_items(3).tolist() == other.unmark_deleted(3).get_items(3).tolist()


def test_a_file_that_is_cut_off_is_refused_in_words(tmp_path):
    _, path = saved(tmp_path)
    content = path.read_bytes()
    for length in (0, 1, 10, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="index: (damaged or truncated|expected a file)"):
            HNSW().load(path)
    path.write_bytes(content)
    with pytest.raises(FileNotFoundError):
        HNSW().load(tmp_path / "nowhere")


@pytest.mark.parametrize("name, change", [
    ("links", lambda a: a.__setitem__((3, 0), 50)), ("links", lambda a: a.__setitem__((3, 0), -2)),
    ("links", lambda a: a.fill(-1)), ("parents", lambda a: a.__setitem__(9, 9)),
    ("parents", lambda a: a.__setitem__(0, 1)),
    ("levels", lambda a: a.__setitem__(0, 9)), ("levels", lambda a: a.__isub__(a.max() + 1)),
    ("upper", lambda a: a.fill(0)), ("vectors", lambda a: a.__setitem__((1, 1), np.nan)),
    ("nodes", lambda a: a.__setitem__(1, 99)), ("nodes", lambda a: a.fill(0)), ("labels", lambda a: a.fill(4)),
    ("labels", lambda a: a.__setitem__(0, -7)), ("shift", lambda a: a.fill(np.inf)),
])
def test_a_file_whose_numbers_lead_nowhere_is_refused_in_words(tmp_path, name, change):
    _, path = saved(tmp_path)
    arrays, rest = storage.load(path, hnsw_index.KIND)
    arrays[name] = arrays[name].copy()
    change(arrays[name])
    storage.save(path, hnsw_index.KIND, arrays, rest)
    index = HNSW("ip")
    with pytest.raises(ValueError, match="index: the parts of the index do not fit together"):
        index.load(path)
    assert vars(index) == vars(HNSW("ip"))


@pytest.mark.parametrize("name", ["vectors", "links", "upper", "levels", "parents", "labels", "nodes", "alive",
                                  "lengths", "shift"])
def test_a_file_with_a_part_missing_or_of_another_shape_is_refused(tmp_path, name):
    _, path = saved(tmp_path)
    arrays, rest = storage.load(path, hnsw_index.KIND)
    for wrong in ({key: a for key, a in arrays.items() if key != name}, {**arrays, name: arrays[name][:-1]},
                  {**arrays, name: arrays[name].astype(np.complex64)}, {**arrays, name: arrays[name][None]}):
        storage.save(path, hnsw_index.KIND, wrong, rest)
        with pytest.raises(ValueError, match="index: the parts of the index do not fit together"):
            HNSW().load(path)


@pytest.mark.parametrize("change", [{"entry": 50}, {"entry": -1}, {"space": "l3"}, {"seed": None},
                                    {"ef_construction": "a"}, {"parameters": {"M": 1}}, {"parameters": {"what": 1}},
                                    {"entry": 1.5}])
def test_a_file_with_wrong_values_is_refused(tmp_path, change):
    _, path = saved(tmp_path)
    arrays, rest = storage.load(path, hnsw_index.KIND)
    storage.save(path, hnsw_index.KIND, arrays, {**rest, **change})
    with pytest.raises(ValueError, match="index: the parts of the index do not fit together"):
        HNSW().load(path)


# --- at the door

@pytest.mark.parametrize("parameters, message", [
    (dict(space="l1"), "space='l1': expected one of 'l2', 'ip', 'cosine'"), (dict(M=1), "M=1: expected .* at least 2"),
    (dict(M=10**9), "M=1000000000: expected at most 1000"), (dict(ef=0), "ef=0"),
    (dict(ef_construction=True), "ef_construction"),
    (dict(random_state="a"), "random_state"),
])
def test_wrong_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        HNSW(**parameters).fit(np.eye(3))
    with pytest.raises(ValueError, match=message):
        HNSW(**parameters).add_items(np.eye(3))


@pytest.mark.parametrize("ids, message", [
    ([0, 0], "0 comes 2 times"), ([1], "a label for each of the 2 vectors, got 1"),
    ([-1, 2], "from 0 to .*, got -1 to 2"),
    (np.ma.masked_array([0, 1], [0, 1]), "masked"), (np.array([0, None]), "whole numbers"),
    (np.array([0, 2**70]), "whole numbers"), ([0.0, 1], "whole numbers"), (["a", "b"], "whole numbers"),
    ([True, False], "whole numbers"),
    (np.array([2**64 - 1, 3], np.uint64), "from 0 to"), ([[0, 1]], "shape"), ([2**63 - 1, 0], "from 0 to"),
])
def test_wrong_labels_are_refused(ids, message):
    index = HNSW(**SMALL).fit(np.eye(2))
    with pytest.raises(ValueError, match=message):
        index.add_items(np.eye(2) + 1, ids)
    assert index.get_ids_list() == [0, 1]


def test_unknown_labels_and_states_are_refused():
    index = HNSW(**SMALL).fit(np.eye(3)).mark_deleted(1)
    for call, message in ((lambda: index.mark_deleted(1), "1 is deleted already"),
                          (lambda: index.mark_deleted([0, 7]), "7 is not in the index"),
                          (lambda: index.unmark_deleted(0), "0 is not deleted"),
                          (lambda: index.get_items([0, 1]), "1 is deleted"),
                          (lambda: index.get_items(9), "9 is not in the index"),
                          (lambda: index.mark_deleted([0, 0]), "0 comes 2")):
        with pytest.raises(ValueError, match=message):
            call()
    assert index.get_ids_list() == [0, 2]


@pytest.mark.parametrize("X, message", [
    ([[1, np.nan, 0]], r"NaN, first at \[0, 1\]"), ([[1, np.inf, 0]], "infinity"), ([[1e19, 0, 0]], "1e\\+19"),
    ([[1.0, 2]], "2 features"), (np.ones((1, 2, 3)), "dim 3"), ("abc", "number|array|dimension"), (None, "."),
    ([[1j, 0, 0]], "Complex"), (np.ma.masked_array([[1.0, 2, 3]], [[1, 0, 0]]), "masked"),
])
def test_wrong_vectors_are_refused_everywhere(X, message):
    index = HNSW(**SMALL).fit(np.eye(3))
    for call in (lambda: index.add_items(X), lambda: index.knn_query(X)):
        with pytest.raises((ValueError, TypeError), match=message):
            call()
    if np.shape(X) != (1, 2):
        with pytest.raises((ValueError, TypeError), match=message):
            HNSW().fit(X)
    assert index.get_current_count() == 3


@pytest.mark.parametrize("filter", [np.ones(2, bool), np.ones((3, 3), bool), [0.5], ["a"], np.ones((1, 1), int), 2.5])
def test_wrong_filters_are_refused(filter):
    with pytest.raises(ValueError, match="filter: expected"):
        HNSW(**SMALL).fit(np.eye(3)).knn_query(np.eye(3)[:2], 1, filter)


def test_what_is_masked_is_no_filter():
    with pytest.raises(ValueError, match="filter: contains masked values"):
        HNSW(**SMALL).fit(np.eye(3)).knn_query(np.eye(3), 1, np.ma.masked_array([True, True, True], [0, 0, 1]))


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda ids: np.array(ids, object),
                                  lambda ids: np.array(ids, np.uint8)])
def test_labels_of_every_kind(kind):
    index = HNSW(**SMALL).add_items(np.eye(3), kind([7, 1, 200]))
    assert index.get_ids_list() == [7, 1, 200]
    assert index.knn_query(np.eye(3)[2], 3, kind([1]))[0].tolist() == [[1, -1, -1]]
    assert index.mark_deleted(kind([1, 7])).get_items(kind([200])).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("k", [0, -1, 1.5, "a", True, None])
def test_wrong_k_is_refused(k):
    with pytest.raises(ValueError, match="k="):
        HNSW(**SMALL).fit(np.eye(3)).knn_query(np.eye(3), k)


def test_an_index_without_anything_says_so():
    for call in (lambda: HNSW().knn_query([[1.0]]), lambda: HNSW().save("nowhere"), lambda: HNSW().get_ids_list(),
                 lambda: HNSW().mark_deleted(1), lambda: HNSW().resize_index(9), lambda: HNSW().get_items()):
        with pytest.raises(NotFittedError):
            call()


# --- numbers as they come

@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.int8, np.uint8, bool])
def test_every_kind_of_number(kind):
    X = points("grid", 30, 4, 0).astype(kind)
    assert_exact(HNSW(**SMALL).fit(X), np.arange(30), X, X, 3)
    assert_exact(HNSW(**SMALL).fit(np.asfortranarray(X)), np.arange(30), X, X, 3)
    assert_exact(HNSW(**SMALL).fit(X.tolist()), np.arange(30), X, X, 3)


@pytest.mark.parametrize("offset, scale", [(1e9, 1), (1e9, 1e-3), (-1e12, 1), (0, 1e-6), (0, 1e12), (1e3, 1e-3)])
def test_far_from_the_origin_differences_count(offset, scale):
    X = offset + scale * points("normal", 40, 3, 0).astype(float)
    X[:, 2] = 5e7
    index = HNSW(**SMALL, ef=100).fit(X)
    labels, d = index.knn_query(X, 3)
    D = distances(X, X, "l2")
    np.testing.assert_allclose(d, np.sort(D, axis=1)[:, :3], rtol=1e-3, atol=1e-4 * scale**2)
    np.testing.assert_allclose(index.get_items(), X, rtol=1e-7, atol=1e-5 * scale)


def test_what_float32_cannot_square_is_refused():
    for scale in (1e-150, 1e150, 1e20, 1e-20):
        with pytest.raises(ValueError, match="cannot be held in float32; scale the data"):
            HNSW(**SMALL).fit(scale * np.eye(3))


def test_a_zero_vector_is_at_distance_one_from_all_by_cosine():
    index = HNSW("cosine", **SMALL).fit([[0.0, 0], [2, 0], [-3, 0]])
    assert index.knn_query([[0, 0]], 3)[1].tolist() == [[1, 1, 1]]
    labels, d = index.knn_query([[5, 0]], 3)
    assert labels.tolist() == [[1, 0, 2]] and d.tolist() == [[0, 1, 2]]
    assert (index.get_items() == [[0, 0], [2, 0], [-3, 0]]).all()


def test_signs_of_zero_and_single_vectors():
    index = HNSW(**SMALL).add_items([0.0, 1.0]).add_items(np.array([-0.0, 1.0]))
    assert index.graph_.state[0] == 1 and index.knn_query([0, 1], 2)[0].tolist() == [[0, 1]]
    assert index.knn_query((0, 1), 2)[0].shape == (1, 2)


def test_parameters_that_change_after_a_fit_change_no_answer_but_by_ef():
    X = points("normal", 30, 3, 0)
    index = HNSW(**SMALL).fit(X)
    before = index.knn_query(X, 3)
    index.set_params(space="ip", M=9, random_state=4)
    np.testing.assert_array_equal(before[1], index.knn_query(X, 3)[1])
    index.add_items(X + 1).knn_query(X, 3)
    with pytest.raises(ValueError, match="ef="):
        index.set_params(ef=0).knn_query(X)


def test_a_failed_fit_leaves_the_index_that_was_there():
    X = points("normal", 30, 3, 0)
    index = HNSW(**SMALL).fit(X)
    with pytest.raises(ValueError):
        index.fit(np.full((3, 3), np.nan))
    assert index.get_current_count() == 30 and index.knn_query(X[4])[0].tolist() == [[4]]
    assert index.fit(X[:5, :2]).get_current_count() == 5 and index.n_features_in_ == 2


# --- tables

@given(st.lists(st.integers(-1, 20), max_size=40), st.integers(0, 20))
def test_a_table_numbers_keys_as_a_dict_does(values, known):
    wanted = np.array(values, np.int64)
    keys, numbers = np.full(64, -5), np.empty(len(values), np.int32)
    keys[:known] = np.arange(known)
    table = table_for(keys, known, 64)
    expected = {key: key for key in range(known)}
    assert number(table, keys, known, wanted, False, numbers) == known
    assert numbers.tolist() == [expected.get(value, -1) for value in values]
    n = number(table, keys, known, wanted, True, numbers)
    assert numbers.tolist() == [expected.setdefault(value, len(expected)) for value in values] and n == len(expected)
    assert keys[:n].tolist() == list(expected)


def test_rows_that_differ_in_any_place_have_other_keys():
    X = np.vstack([np.zeros((1, 5)), np.eye(5), np.eye(5)[:, ::-1] * 2, np.eye(5) - 1]).astype(np.float32)
    assert len(set(keys_of(X).tolist())) == len(np.unique(X, axis=0))
    assert (keys_of(X[:0]) == []).all() and keys_of(X)[3] == keys_of(X[3:4])[0]


def test_rows_of_one_key_by_chance_stay_apart(monkeypatch):
    monkeypatch.setattr(hnsw_index, "keys_of", lambda X: np.zeros(len(X), np.int64))
    X = points("normal", 20, 3, 0)
    assert_exact(HNSW(**SMALL).fit(X[:12]).add_items(X[12:]), np.arange(20), X, X, 20)
