"""What the demonstration of sequences into sequences shows: words held out, and what phones look at."""
from scratchml.tour import seq2seq as tour


def test_what_is_held_out_is_not_learnt():
    (train, said), (test, _) = tour.words(0)
    assert len(train) == len(said) == 20000 and len(test) == 3000 and not set(train) & set(test)
    assert set(tour.WORDS) <= set(test) and tour.words(1)[1][0] != test


def test_a_heat_map_has_a_row_a_phone_and_a_column_a_letter():
    assert tour.heat_map("phi", "F AY end", ["450", "009", "018"]) == [
        "     p h i", "F    4 5 .", "AY   . . 9", "end  . 1 8"]


def test_what_is_recorded_has_a_place_for_each_letter_and_phone():
    _, found, readings, looks, penalties = tour.RECORDED
    assert set(found) == set(tour.MODELS) and {len(row) for row in found.values()} == {5}
    assert len(readings) == 3 * len(tour.WORDS) and len(penalties) == len(tour.PENALTIES)
    for word, (phones, tenths) in zip(tour.LOOKED_AT, looks, strict=True):
        assert len(phones.split()) == len(tenths) and {len(row) for row in tenths} == {len(word)}


def test_shares_are_told_in_per_cent():
    class Model:
        def predict(self, X, size):
            return [["A", "B"], ["A"]] if size == 5 else [["A"], ["A"]]
    assert tour.figures(Model(), ["ab", "a"], [["A", "B"], ["C"]])[:4] == ["100.0 %", "66.67 %", "50.0 %", "33.33 %"]
