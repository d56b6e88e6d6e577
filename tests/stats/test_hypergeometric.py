from itertools import combinations

import pytest

from priorscope.stats import top_k_chance


def test_the_2021_report_scores_1_6_exactly():
    chance = top_k_chance(10, 4, 4)
    assert chance.expected == 1.6
    assert chance.pmf == pytest.approx([15 / 210, 80 / 210, 90 / 210, 24 / 210, 1 / 210])


@pytest.mark.parametrize(("num_classes", "num_present", "k"), [(6, 2, 3), (5, 4, 3), (7, 1, 1)])
def test_matches_enumeration(num_classes, num_present, k):
    hits = [
        sum(name < num_present for name in named) for named in combinations(range(num_classes), k)
    ]
    chance = top_k_chance(num_classes, num_present, k)
    assert len(chance.pmf) == min(k, num_present) + 1
    assert chance.pmf == pytest.approx(
        [hits.count(score) / len(hits) for score in range(len(chance.pmf))]
    )
    assert chance.expected == pytest.approx(sum(hits) / len(hits))


@pytest.mark.parametrize("arguments", [(10, 11, 1), (10, 4, 11), (10, -1, 4)])
def test_refuses_what_cannot_be(arguments):
    with pytest.raises(ValueError):
        top_k_chance(*arguments)
