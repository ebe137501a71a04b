"""What the demonstrations of directions and of noise record is what they claim, and what they find again."""
import os
import re

import numpy as np
import pytest

from scratchml.tour import direction, noise
from scratchml.tour.direction import hours, over_seeds, scaled_down, windows

DATE, FIGURES = direction.RECORDED
SERIES = {"page views": (587, 0.533), "euro in dollars": (1326, 0.503)}          # windows of the test, the majority


def figures(measure):
    """The shares of the past and of the future, and the error of the latter, or the one figure and its error."""
    return [float(word) for word in re.split(", | ± ", FIGURES[measure][0])]


# --- what is recorded

def test_the_second_layer_learns_the_past_by_heart_and_dropout_forgets_it():
    past, second, _ = figures("two layers, page views")
    _, fourth, _ = figures("and dropout, page views")
    assert past >= 0.95 and second < fourth and fourth >= 0.735


@pytest.mark.parametrize("name", SERIES)
def test_the_price_on_activity_changes_nothing(name):
    n, _ = SERIES[name]
    before, after = (figures(f"{rung}, {name}") for rung in ("two layers", "and a price on activity"))
    assert abs(before[0] - after[0]) < 0.02 and abs(before[1] - after[1]) < np.sqrt(0.25 / n)


@pytest.mark.parametrize("rung", [*direction.RUNGS, "two layers stopped early"])
def test_of_the_euro_nobody_knows_the_future(rung):
    n, majority = SERIES["euro in dollars"]
    past, future, _ = figures(f"{rung}, euro in dollars")
    assert abs(future - majority) < 3 * np.sqrt(0.25 / n)
    assert past > 0.75 or rung not in ("two layers", "and a price on activity")


def test_the_plain_rules_are_not_beaten():
    data = windows(direction.page_views())
    n, majority = SERIES["page views"]
    assert len(data.up[data.test]) == n and direction.majority(data) == f"{majority:.3f}"
    logistic, ridge = (float(shown[:5]) for shown in direction.rules(data).values())
    best = max(figures(f"{rung}, page views")[1] for rung in direction.RUNGS)
    assert ridge > best and best < logistic + direction.standard_error(logistic, data)


def test_tables_of_branches_and_heads_in_kind():
    day = {what: figures(f"traffic a day ahead from {what}")[0] for what in (
        "the past", "the calendar", "calendar and weather (oracle)", "all in one row (oracle)",
        "two branches (oracle)")}
    past, calendar, weather, row, branches = day.values()
    assert past > calendar > weather > max(row, branches) and abs(row - branches) < 10
    change, both = figures("traffic an hour ahead, asked for the change"), \
        figures("traffic an hour ahead, asked for both")
    assert both[0] > change[0] - 2 * both[1]
    odds = [figures(f"direction by its odds, asked for {what}") for what in ("the direction", "both")]
    assert abs(odds[0][0] - odds[1][0]) < 2 * max(odds[0][1], odds[1][1])


def test_table_of_noise_in_kind():
    """Noise and decay both give up the past for the future, up to where either is too much."""
    past, future = {}, {}
    for name, shown in noise.RECORDED[1].items():
        past[name], future[name], _ = (float(word) for word in re.split(", | ± ", shown))
    assert list(past) == list(noise.NETWORKS)
    for names in (["neither", "noise 0.2", "noise 0.5"], ["neither", "decay 0.5", "decay 2"]):
        assert sorted(names, key=past.get) == names == sorted(names, key=future.get, reverse=True)
    assert future["noise 1"] > future["noise 0.5"] and past["noise 1"] > past["noise 0.5"]
    assert future["neither"] > 1.2 * future["noise 0.5"]


# --- what the demonstrations make themselves

def test_hours_say_what_was_known_and_the_day_of_the_week():
    road = hours()
    assert len(road.cars) == 8760 and (~road.known).sum() == 47
    missing = np.flatnonzero(~road.known)
    np.testing.assert_array_equal(road.cars[missing], road.cars[missing - 1])
    assert road.calendar[0, [0, 24 + 6]].tolist() == [1, 1]               # 2017 began on a Sunday
    assert road.calendar[24 + 5, [5, 24]].tolist() == [1, 1] and (road.calendar[:, :31].sum(axis=1) == 2).all()


def test_errors_over_seeds_are_those_of_their_mean():
    assert over_seeds([[0.9, 0.5], [0.8, 0.7], [0.7, 0.6]]) == "0.800, 0.600 ± 0.058"


def test_a_factor_pays_the_price():
    heads, *lines = scaled_down(windows(direction.page_views()), 0)
    factors, prices, moved = np.array(lines, float).T
    np.testing.assert_allclose(prices / prices[0], factors**2, rtol=0.05)
    assert moved[0] == 0 and moved.max() < 0.01 < prices[0]


# --- the full form

@pytest.mark.demonstration
@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="in plain Python the ladder takes hours")
@pytest.mark.parametrize("step", [2, 4])
def test_the_ladder_finds_what_is_recorded(step):
    """To a standard error of the test: elsewhere a sum may be rounded otherwise, and training takes another way."""
    data = windows(direction.page_views())
    found = np.mean([direction.climb(data, step, seed)[1] for seed in direction.SEEDS], axis=0)
    np.testing.assert_allclose(found, figures(f"{direction.RUNGS[step - 1]}, page views")[:2], atol=0.02)
