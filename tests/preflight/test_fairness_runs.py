"""The lint over the records of finished runs."""

import copy

import pytest

from priorscope.errors import InputError
from priorscope.preflight.fairness import check_runs, refuse

RUN = {
    "recipe": {"learning_rate": 1e-3, "augment": ["random_crop"], "clip_grad_norm": None},
    "normalization": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]},
    "image_px": 32,
    "num_batch_norm_images": 64,
    "data": {"train": "aaaa", "test": "bbbb"},
    "probes": {"test": "cccc", "combined": "dddd"},
}


def runs(**changed):
    first = RUN | {"model": "cnn", "seed": 0}
    return [first, copy.deepcopy(first) | {"seed": 1}, RUN | {"model": "vit", "seed": 0} | changed]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"recipe": RUN["recipe"] | {"learning_rate": 1e-4}}, "recipe.learning_rate"),
        ({"recipe": RUN["recipe"] | {"augment": ["random_crop", "x"]}}, "recipe.augment"),
        ({"recipe": RUN["recipe"] | {"mixup": 0.8}}, "recipe.mixup"),
        ({"normalization": RUN["normalization"] | {"mean": [0.5, 0.5, 0.5]}}, "preprocessing"),
        ({"image_px": 64}, "preprocessing.image_px"),
        ({"num_batch_norm_images": 32}, "num_batch_norm_images"),
        ({"data": RUN["data"] | {"train": "eeee"}}, "data.train"),
        ({"probes": RUN["probes"] | {"combined": "eeee"}}, "probes.combined"),
    ],
)
def test_runs_that_were_made_otherwise_are_refused(changed, name):
    refuse(check_runs(runs()))
    differences = check_runs(runs(**changed))
    assert [d.property for d in differences if d.differs] == [name]
    with pytest.raises(InputError) as caught:
        refuse(differences, where="runs")
    assert "cnn seed 0 and cnn seed 1" in str(caught.value) and "vit seed 0" in str(caught.value)
    refuse(check_runs(runs(**changed), {name.partition(".")[0]: "reason"}))


def test_a_probe_that_a_run_has_not_seen_yet_is_not_compared():
    refuse(check_runs(runs(probes={"test": "cccc"})))


def test_a_model_without_batch_norm_may_be_trained_in_smaller_parts():
    other = RUN | {"model": "vit", "seed": 0, "micro_batch_size": 8}
    del other["num_batch_norm_images"]
    refuse(check_runs([*runs()[:2], other]))
