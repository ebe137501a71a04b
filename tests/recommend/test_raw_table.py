"""From ids to a matrix and back, against dicts and loops."""
import datetime

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import dense
from scratchml.recommend import Ids, ItemCosine, leave_last_out, random_split, read_table

keys = st.one_of(st.integers(-3, 3), st.sampled_from("abc"), st.tuples(st.integers(0, 1), st.integers(0, 1)))
tables = st.lists(st.tuples(keys, keys, st.integers(1, 9), st.integers(0, 4)), min_size=1, max_size=12)


def by_loops(table):
    """{(user, item): (all values by time, then by place, and the place of the last)}"""
    found = {}
    for place, (user, item, value, time) in sorted(enumerate(table), key=lambda row: row[1][3]):
        values, _ = found.get((user, item), ([], None))
        found[user, item] = [*values, value], place
    return found


@given(tables, st.sampled_from(["sum", "last"]))
def test_every_pair_has_its_value_its_time_and_its_row(drawn, repeated):
    users, items, values, times = map(list, zip(*drawn))
    table = read_table(users, items, values, times, repeated=repeated)
    assert table.users.names == list(dict.fromkeys(users)) and table.items.names == list(dict.fromkeys(items))
    expected, matrix = by_loops(drawn), table.matrix
    of = table.users.decode(np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)))
    found = list(zip(of, table.items.decode(matrix.indices)))
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    moments = sorted(set(times))
    for pair, value, time, row in zip(found, matrix.data, table.times, table.rows):
        own, place = expected[pair]
        assert value == (sum(own) if repeated == "sum" else own[-1]) and row == place and moments[time] == times[place]


@given(st.lists(keys, min_size=1, max_size=12))
def test_ids_go_there_and_back(column):
    ids = Ids(column)
    numbers = ids.encode(column)
    assert numbers.dtype == np.int64 and ids.decode(numbers).tolist() == column and len(ids) == len(set(column))
    assert ids.decode([[-1, 0], [0, -1]]).tolist() == [[None, column[0]], [column[0], None]]
    assert column[0] in ids and "never" not in ids and ids.decode([]).shape == (0,)


def test_columns_come_in_any_container():
    users, items = [7, 5, 7], ["x", "y", "y"]
    expected = read_table(users, items)
    assert dense(expected.matrix).tolist() == [[1, 1], [0, 1]] and expected.times is None
    for u, i in ((tuple(users), iter(items)), (np.array(users, np.uint16), np.array(items)),
                 (np.array(users, object), np.array(items, object))):
        table = read_table(u, i)
        assert table.users.names == [7, 5] and table.items.names == ["x", "y"]
        assert all(type(name) in (int, str) for name in table.users.names + table.items.names)
        np.testing.assert_array_equal(dense(table.matrix), dense(expected.matrix))
    assert Ids(np.array(["2024-01-02"], "M8[ns]")).names == [np.datetime64("2024-01-02")]
    assert Ids(["ann"]).encode("ann") == 0               # a string is one id, no column


def test_columns_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"user": ["u9", "u3", "u9"], "item": [175219573, 101985756, 101985756],
                              "time": pandas.to_datetime(["2024-03-01", "2024-01-01", "2024-02-01"], utc=True)},
                             index=[7, 8, 9])
    for user in (frame.user, frame.user.astype("category"), frame.user.astype("string"), frame.user.astype(object)):
        table = read_table(user, frame.item, times=frame.time)
        assert table.users.names == ["u9", "u3"] and table.items.names == [175219573, 101985756]
        assert table.items.decode(leave_last_out(table.matrix, table.times).test.indices).tolist() == [175219573]
    frame.loc[8, "user"] = None
    for user in (frame.user, frame.user.astype("string"), frame.user.astype("category")):
        with pytest.raises(ValueError, match="users: the id at 1 is missing"):
            read_table(user, frame.item)


def test_what_is_recommended_has_ids_and_none_where_nothing_is_left():
    table = read_table(["a", "b", "b"], ["x", "x", "y"])
    items, _ = ItemCosine().fit(table.matrix).recommend(table.users.encode("b"), n=2)
    assert table.items.decode(items).tolist() == [None, None]
    assert table.items.decode(ItemCosine().fit(table.matrix).recommend(0, n=1)[0]).tolist() == ["y"]


@pytest.mark.parametrize("arguments, message", [
    ((["a"], ["x", "y"]), "users, items: expected columns of one length with at least one row, got 1 and 2"),
    (([], []), "at least one row"),
    (("ann", ["x"]), "users: expected a column of ids, got 'ann'"),
    ((["a"], 5), "items: expected a column of ids, got 5"),
    ((["a", None], ["x", "y"]), "users: the id at 1 is missing"),
    ((["a", "b"], [1.0, np.nan]), "items: the id at 1 is missing"),
    (([["a"], ["b"]], ["x", "y"]), "users: expected ids that can be keys of a dict"),
    ((np.ones((2, 2)), ["x", "y"]), "users: expected a column of ids"),
    ((np.ma.array([1, 2], mask=[0, 1]), ["x", "y"]), "users: contains masked values"),
    ((["a", "b"], ["x", "y"], [1.0]), "values"),
    ((["a", "b"], ["x", "y"], [1.0, np.nan]), "values"),
    ((["a", "b"], ["x", "y"], None, [1]), "times"),
    ((["a", "b"], ["x", "y"], None, ["2024-01-01", None]), "times"),
    ((["a", "b", "a"], ["x", "y", "x"], [4, 3, 5]), r"\('a', 'x'\) comes again with another value, at 2"),
])
def test_bad_tables(arguments, message):
    with pytest.raises(ValueError, match=message):
        read_table(*arguments)


@pytest.mark.parametrize("ask, message", [
    (lambda ids: ids.encode(["a", "z"]), "column: 'z' is none of the 2 ids"),
    (lambda ids: ids.encode("z"), "'z' is none of the 2 ids"),
    (lambda ids: ids.encode([["a"]]), "keys of a dict"),
    (lambda ids: ids.encode({}), "keys of a dict"),
    (lambda ids: ids.decode([2]), "numbers: expected whole numbers from -1 to 1"),
    (lambda ids: ids.decode([-2]), "numbers: expected whole numbers from -1 to 1"),
    (lambda ids: ids.decode([0.0]), "numbers: expected whole numbers from -1 to 1"),
    (lambda ids: ids.decode([True]), "numbers: expected whole numbers from -1 to 1"),
])
def test_bad_questions(ask, message):
    with pytest.raises(ValueError, match=message):
        ask(Ids(["a", "b"]))


def test_how_pairs_that_come_again_count():
    users, items = ["a", "b", "a"], ["x", "y", "x"]
    assert dense(read_table(users, items).matrix).tolist() == [[2, 0], [0, 1]]
    assert dense(read_table(users, items, repeated="last").matrix).tolist() == [[1, 0], [0, 1]]
    days = [datetime.date(2024, 5, 2), datetime.date(2024, 5, 1), datetime.date(2024, 5, 1)]
    assert dense(read_table(users, items, [4, 3, 5], days, repeated="last").matrix).tolist() == [[4, 0], [0, 3]]
    assert dense(read_table(users, items, [4, 3, 5], repeated="last").matrix).tolist() == [[5, 0], [0, 3]]
    with pytest.raises(ValueError, match="values: Input contains infinity"):
        read_table(["a", "a"], ["x", "x"], [1e308, 1e308], repeated="sum")
    with pytest.raises(ValueError, match="repeated='mean': expected one of 'sum', 'last'"):
        read_table(users, items, repeated="mean")


# --- what is held out

@given(tables, st.integers(1, 3), st.integers(0, 9))
def test_a_table_is_parted_as_its_matrix_is(drawn, n, seed):
    users, items, values, times = map(list, zip(*drawn))
    table = read_table(users, items, values, times, repeated="last")
    pairs = [(leave_last_out(table, n=n, random_state=seed),
              leave_last_out(table.matrix, table.times, n, random_state=seed)),
             (random_split(table, 0.4, random_state=seed), random_split(table.matrix, 0.4, random_state=seed))]
    for ours, plain in pairs:
        for mine, theirs in zip(ours, plain):
            assert mine.shape == theirs.shape and dense(mine).tolist() == dense(theirs).tolist()


def test_the_last_that_each_has_had():
    """Ids of any kind, in any order of time; ann's rice comes again, after her tea."""
    users, items = ["ann", "bob", "ann", "bob", "ann"], ["rice", "tea", "tea", "milk", "rice"]
    table = read_table(users, items, times=["2024-05-01", "2024-05-09", "2024-05-02", "2024-05-08", "2024-05-03"])
    train, test = leave_last_out(table)
    of = table.users.decode(np.repeat(np.arange(2), np.diff(test.indptr)))
    assert dict(zip(of, table.items.decode(test.indices))) == {"ann": "rice", "bob": "tea"}
    assert table.items.decode(train.indices).tolist() == ["tea", "milk"]


def test_tables_sorted_by_time_and_item_are_no_cause_for_a_warning():
    users, items = np.divmod(np.arange(60), 10)
    table = read_table(users, items, times=np.arange(60))
    assert table.items.decode(leave_last_out(table).test.indices).tolist() == [9] * 6


@pytest.mark.parametrize("split, message", [
    (lambda: leave_last_out(read_table([1, 1], [2, 3])),
     "times: expected those of the table, which read_table takes: pass"),
    (lambda: leave_last_out(read_table([1, 1], [2, 3], times=[1, 2]), [1, 2]),
     "times: expected those of the table, and none"),
    (lambda: leave_last_out(np.ones((2, 2))), "times: expected when each entry came about, got None"),
])
def test_times_that_are_not_there_or_twice(split, message):
    with pytest.raises(ValueError, match=message):
        split()


@pytest.mark.parametrize("numbers", [[-2, 0], [0, 2], [[1, 0], [1, -2]]])
def test_one_number_out_of_range_is_enough(numbers):
    with pytest.raises(ValueError, match="numbers: expected whole numbers from -1 to 1, got"):
        Ids(["tea", "rice"]).decode(numbers)
