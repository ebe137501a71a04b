"""A callback gets what happened and can stop; verbose goes to stderr, and nothing to stdout."""
from types import SimpleNamespace

import pytest

from scratchml.core.progress import Progress, report


class Walk(SimpleNamespace):
    verbose, callback = 0, None


def test_silent_unless_asked(capsys):
    assert report(Walk(), 1, 0.5) is False
    assert capsys.readouterr() == ("", "")


def test_verbose_writes_a_line_an_iteration_to_stderr(capsys):
    assert report(Walk(verbose=1), 3, 1 / 3) is False
    report(Walk(verbose=True), 4, 1e-30)
    assert capsys.readouterr() == ("", "Walk: iteration 3, loss 0.3333333333\nWalk: iteration 4, loss 1e-30\n")


def test_a_callback_gets_one_progress(capsys):
    seen = []
    walk = Walk(callback=seen.append)
    assert report(walk, 2, 0.25) is False
    assert seen == [Progress(walk, 2, 0.25)] and seen[0].estimator is walk
    assert (seen[0].iteration, seen[0].loss) == (2, 0.25)
    assert capsys.readouterr() == ("", "")


def test_a_callback_that_says_yes_stops():
    for answer, stop in [(True, True), (1, True), (None, False), (False, False), (0, False)]:
        assert report(Walk(callback=lambda progress: answer), 1, 0.0) is stop


@pytest.mark.parametrize("bad", [True, 0, "print", [print], {}])
def test_what_cannot_be_called_is_no_callback(bad):
    with pytest.raises(ValueError, match="expected a function of a Progress, or None") as refusal:
        report(Walk(callback=bad), 1, 0.0)
    assert str(refusal.value).startswith(f"callback={bad!r}: ")
