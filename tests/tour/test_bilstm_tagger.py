"""How the demonstration of the LSTM on addresses counts what is right and what is wrong."""
from scratchml.tour import bilstm_tagger as tour

Y = [["Number", "Street", "Street", "City"], ["Box", "City"]]


def test_parts_are_words_of_one_label_in_a_row():
    assert tour.parts(["Street", "Street", "City", "Street"]) == ["B-Street", "I-Street", "B-City", "B-Street"]
    assert tour.parts([]) == []


def test_a_part_counts_only_as_a_whole():
    found = [["Number", "Street", "City", "City"], ["Box", "City"]]
    tokens, whole, f1 = tour.scores(found, Y)
    assert (tokens, whole) == (5, 1) and abs(f1 - 3 / 5) < 1e-12
    assert tour.shown((2041.0, 223 + 1 / 3, 0.92049)) == ("2,041", "223.3", "0.920")


def test_confusions_come_with_the_most_frequent_first():
    found = [["Number", "City", "City", "Box"], ["Box", "City"]]
    assert tour.confusions(found, Y) == [("2", "Street", "taken for City"), ("1", "City", "taken for Box")]
    assert tour.confusions(found, Y, n=1) == [("2", "Street", "taken for City")] and tour.confusions(Y, Y) == []


def test_what_is_held_out_is_not_learned_from():
    all_of_it, some = tour.addresses(), tour.addresses(4)
    assert len(all_of_it.y) == 1210 and len(some.y) == 303 and len(some.y_test) == 303 == len(some.words_test)
    assert some.tokens_test[1] != some.tokens_test[2] and all_of_it.y_test == some.y_test
    assert [len(x) for x in some.words] == [len(x) for x in some.neighbours] == [len(y) for y in some.y]
