"""What language models share: bits and perplexity, sampling, and what is refused."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.sequences import GatedConvLanguageModel, KneserNey
from scratchml.sequences.language_model import bits_per_symbol, perplexity_of, sequence_bits, tempered
from tests.reference import language_model as reference
from tests.strategies.language_model import log_probabilities, seeds


@given(seeds, st.lists(st.integers(1, 4), min_size=1, max_size=4), st.floats(0.1, 5))
def test_every_equation_is_its_definition(seed, lengths, tau):
    rng, starts = np.random.default_rng(seed), np.append(0, np.cumsum(lengths))
    ell = np.log(rng.random(starts[-1]))
    b = sequence_bits(ell, starts)
    np.testing.assert_allclose(b, reference.sequence_bits(ell, starts), rtol=1e-12)
    B = bits_per_symbol(b, len(ell))
    assert B == pytest.approx(reference.bits_per_symbol(b, len(ell)), rel=1e-12)
    assert perplexity_of(B) == pytest.approx(reference.perplexity_of(B), rel=1e-12)
    log_p = log_probabilities(seed)
    np.testing.assert_allclose(tempered(log_p, tau), reference.tempered(log_p, tau), rtol=1e-9, atol=1e-300)


def test_temperatures_at_the_ends():
    log_p = np.log(np.array([[0.2, 0.5, 0.3], [1.0, 1e-300, 1e-300]]))
    np.testing.assert_allclose(tempered(log_p, 1), np.exp(log_p), rtol=1e-14)
    np.testing.assert_array_equal(tempered(log_p, 1e-310), [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(tempered(log_p, 1e300), np.full((2, 3), 1 / 3))
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(tempered(np.log([[0.0, 1.0]]), 0.5), [[0, 1]])


def test_bits_are_of_all_symbols_and_ends():
    model = KneserNey(2).fit(["ab", "b", ""])
    each = model.score_samples(["ab", "", "b"])
    assert model.bits(["ab", "", "b"]) == pytest.approx(-each.sum() / 6, rel=1e-14)
    assert model.perplexity(["ab"]) == pytest.approx(2**(-each[0] / 3), rel=1e-12)
    assert model.score(["ab"]) == each[0] / 3


def test_what_is_drawn_is_distributed_as_the_model():
    model = KneserNey(3).fit(["ab", "ab", "b", "aab"])
    drawn = model.sample(4000, random_state=0)
    assert all(isinstance(s, str) for s in drawn)
    for s in ("ab", "b", "", "aab"):
        p = 2**model.score_samples([s])[0]
        assert abs(drawn.count(s) / 4000 - p) < 4 * (p * (1 - p) / 4000)**0.5
    assert model.sample(5, random_state=1) == model.sample(5, random_state=1)
    assert len(set(model.sample(50, temperature=1e-9, random_state=0))) == 1
    assert model.sample(2, max_length=0) == ["", ""]
    assert max(map(len, model.sample(50, max_length=2, random_state=0))) == 2


def test_drawing_ends_with_the_last_sequence(monkeypatch):
    model, steps = KneserNey(2).fit(["ab", "b"]), []
    step = model.step
    monkeypatch.setattr(model, "step", lambda *arguments: steps.append(0) or step(*arguments), raising=False)
    drawn = model.sample(20, max_length=10**4, random_state=0)
    assert len(steps) == max(map(len, drawn)) + 1


def test_symbols_of_any_kind():
    """Marks of other packages are symbols as all others."""
    words = [["<s>", None, 3], ["</s>", "<pad>", ("a", 1)], ["<unk>"]]
    model = KneserNey(2).fit(words)
    assert len(model.symbols_) == 7 and model.symbols_[:3] == ["<s>", None, 3]
    assert np.isfinite(model.score_samples(words)).all() and model.score_samples([["b"]]) == -np.inf
    assert all(isinstance(s, list) and set(s) <= set(model.symbols_) for s in model.sample(20, random_state=0))
    assert KneserNey(2).fit(iter(["ab", "c"])).symbols_ == list("abc")
    assert KneserNey(2).fit(np.array(["ab", "c"])).sample(1, random_state=0)[0].__class__ is str
    assert KneserNey(2).fit(np.array([[1, 2], [2, 2]])).symbols_ == [1, 2]
    assert KneserNey(2).fit([b"ab"]).symbols_ == [97, 98]


@pytest.mark.parametrize("X, message", [
    ("abc", "expected a list of sequences, got 'abc'"), (b"ab", "expected a list of sequences"), (3, "got 3"),
    ([], "expected at least one sequence, got none"),
    (["ab", 3], r"X\[1\]: expected a string or a list of symbols, got 3"),
    ([["a"], {"a"}], r"X\[1\]: expected a string"), ([[["a"]]], r"X\[0\]: expected symbols that can be keys of a dict"),
    ([["a", float("nan")]], r"X\[0\]: nan is not equal to itself"), ({"a": 1}, "expected a list of sequences"),
    ([np.ma.masked_equal([1, 2], 2)], "contains masked values"),
])
@pytest.mark.parametrize("model", [KneserNey, GatedConvLanguageModel])
def test_what_is_refused(model, X, message):
    with pytest.raises(ValueError, match=message):
        model().fit(X)
    with pytest.raises(ValueError, match=message):
        KneserNey(2).fit(["ab"]).score_samples(X)


def test_what_pandas_makes():
    pd = pytest.importorskip("pandas")
    words = pd.Series(["ab", "c"], index=[7, 8])
    assert KneserNey(2).fit(words).symbols_ == list("abc")
    with pytest.raises(ValueError, match="got a data frame; pass one of its columns"):
        KneserNey(2).fit(words.to_frame())
    with pytest.raises(ValueError, match=r"X\[1\]: expected symbols .* got <NA>"):
        KneserNey(2).fit([["a"], [pd.NA]])


@pytest.mark.parametrize("arguments, message", [
    (dict(n=0), "n=0"), (dict(temperature=0), "temperature=0"), (dict(temperature=np.inf), "temperature=inf"),
    (dict(max_length=-1), "max_length=-1"), (dict(random_state="a"), "random_state"),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        KneserNey(2).fit(["ab"]).sample(**arguments)


def test_before_fit():
    for model in (KneserNey(), GatedConvLanguageModel()):
        for call in (model.sample, lambda: model.bits(["a"]), lambda: model.first_state(1)):
            with pytest.raises(ValueError, match="not fitted"):
                call()
