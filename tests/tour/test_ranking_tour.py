"""The demonstration of rankers: its made lists, how sure a mean is, and what is recorded of the shop."""
import numpy as np
import pytest

from scratchml.tour import ranking


def recorded():
    return {row[0].split(": ", 1)[1]: [float(word.lstrip("±")) for word in row[1].split()]
            for row in ranking.RECORDED[1]}


def test_made_lists_fall_by_price_and_have_two_wanted():
    lists = ranking.made(0, Q=5, n=9)
    assert lists.X.shape == (45, 6) and lists.qid.tolist() == np.repeat(np.arange(5), 9).tolist()
    assert (lists.y.reshape(5, 9).sum(axis=1) == 2).all() and (np.diff(lists.X[:, 5].reshape(5, 9)) < 0).all()


def test_only_the_order_of_the_file_is_not_worth_learning():
    lists, test = ranking.made(0, Q=60, n=20), ranking.made(1, Q=60, n=20)
    scores = {name: model.score(test.X, test.y, qid=test.qid)
              for name, (model, _) in ranking.linear_rankers(lists, 0, price=5).items()}
    by_price = scores.pop("ListMLE, all places, by price")
    assert by_price < 0.5 < min(scores.values()), scores


def test_the_mean_and_how_sure_it_is():
    test = ranking.Lists(None, np.array([1.0, 0, 0, 1, 0, 0]), np.array([0, 0, 1, 1, 2, 2]))
    spread = np.std([1, 1 / np.log2(3)], ddof=1)
    assert ranking.mean_ndcg(np.array([2.0, 1, 2, 1, 0, 0]), test, 10) == \
        f"{(1 + 1 / np.log2(3)) / 2:.4f} ±{1.96 * spread / np.sqrt(2):.4f}"


def test_what_is_recorded_keeps_what_was_promised():
    found = {name: mean for name, (mean, _) in recorded().items()}
    assert found["linear, ListNet"] == pytest.approx(0.289, abs=0.003)
    assert found["LambdaMART"] >= float(ranking.LIGHTGBM["LambdaMART"]) - 0.005
    first = found.pop("as the candidates come")
    assert found.pop("linear, ListMLE, all places, by price") < 0.1 < first < min(found.values())
    assert found["LambdaMART"] > max(found[name] for name in found if name.startswith("linear"))


def test_the_logit_that_is_compared_with_is_the_one_that_is_found():
    row, example = ranking.logit()
    assert row.ours == row.reference == "-199.12837"
    assert all(line.split()[-1] == line.split()[-2] for line in example.lines)
