"""Runs and their identity."""

import pytest

from priorscope.errors import InputError
from priorscope.study.load import parse_study
from priorscope.study.plan import plan, select


def runs_of(text, tmp_path):
    return plan(parse_study(text, base=tmp_path))


def test_every_model_runs_with_every_seed(tiny, tmp_path):
    runs = runs_of(tiny.replace("seeds: [0]", "seeds: [3, 5]"), tmp_path)
    assert [(r.model, r.seed) for r in runs] == [("cnn", 3), ("vit", 3), ("cnn", 5), ("vit", 5)]
    assert len({r.run_id for r in runs}) == 4


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("epochs: 2", "epochs: 3", set()),
        ("num_train: 200", "num_train: 201", set()),
        ("width: 8", "width: 9", {"vit"}),
        ("seeds: [0]", "seeds: [0, 1]", {"cnn", "vit"}),
        ("num_images: 20", "num_images: 30", {"cnn", "vit"}),
        ("expect: greater", "expect: less", {"cnn", "vit"}),
    ],
)
def test_a_run_is_another_when_its_weights_would_be(tiny, tmp_path, before, after, same):
    old = {r.model: r.run_id for r in runs_of(tiny, tmp_path)}
    changed = runs_of(tiny.replace(before, after, 1), tmp_path)
    new = {run.model: run.run_id for run in changed if run.seed == 0}
    assert {model for model in old if old[model] == new[model]} == same


def test_a_users_changed_code_is_another_run(tiny, tmp_path):
    text = tiny.replace("name: resnet_nano, width: 8, num_blocks: [1, 1, 1]", "name: ./m.py:f")
    (tmp_path / "m.py").write_text("# one\n")
    old = runs_of(text, tmp_path)
    (tmp_path / "m.py").write_text("# two\n")
    new = runs_of(text, tmp_path)
    assert old[0].run_id != new[0].run_id
    assert old[1].run_id == new[1].run_id


def test_selection(tiny, tmp_path):
    runs = runs_of(tiny.replace("seeds: [0]", "seeds: [0, 1]"), tmp_path)
    assert [r.model for r in select(runs, seeds=[1])] == ["cnn", "vit"]
    assert [(r.model, r.seed) for r in select(runs, only="vit*")] == [("vit", 0), ("vit", 1)]
    assert [(r.model, r.seed) for r in select(runs, only="cnn-s1")] == [("cnn", 1)]
    with pytest.raises(InputError, match="seed not in the study"):
        select(runs, seeds=[7])
    with pytest.raises(InputError, match="no run"):
        select(runs, only="resnet")
