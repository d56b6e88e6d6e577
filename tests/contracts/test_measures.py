"""What every packaged measure must do."""

import inspect

import numpy as np
import pytest
import torch

from priorscope.components import bind, companion, listing, resolve
from priorscope.evaluation import Predictions
from priorscope.measures import kind_of, measurement_of, of_pair
from priorscope.metrics import Scale, declared_scale
from priorscope.models.resnet_nano import resnet_nano
from priorscope.models.vit_nano import vit_nano

MEASURES = sorted(listing("measures"))


def found_by(measure, kind):
    """Ask a measure twice: of a network, or of two networks both ways round."""
    if kind == "features":
        take, images = companion(measure, "features"), torch.randn(8, 3, 32, 32)
        models = ((vit_nano, {"depth": 2}), (resnet_nano, {"num_blocks": [1, 1]}))
        a, b = (
            take(
                make(num_classes=3, image_px=32, **small).eval(),
                images,
                rng=np.random.default_rng(0),
            )
            for make, small in models
        )
        ways = [of_pair(measure(*pair), np.arange(8), where="") for pair in ((a, b), (b, a))]
        return [whole for whole, _ in ways], np.arange(8)
    if kind == "network":
        torch.manual_seed(0)
        network = vit_nano(num_classes=3, image_px=32, embed_dim=16, depth=2, num_heads=2).eval()
        images = torch.randn(5, 3, 32, 32)
        before = [p.clone() for p in network.parameters()]
        seen = [images]
        if "targets" in inspect.signature(measure).parameters:
            seen.append(torch.arange(5) % 3)
        twice = [measure(network, *seen, rng=np.random.default_rng(0)) for _ in range(2)]
        pairs = zip(before, network.parameters(), strict=True)
        assert all(torch.equal(was, now) for was, now in pairs), "a network is left as it was"
        return twice, np.arange(5)
    rng, n = np.random.default_rng(0), 200
    targets = rng.integers(0, 3, n)
    arms = {"arm": np.full(n, "a")}
    a, b = (
        Predictions(rng.normal(size=(n, 3)), targets, np.arange(n), arms, ("x", "y", "z"))
        for _ in range(2)
    )
    return [measure(a, b), measure(b, a)], np.arange(n)


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_gives_values_within_its_scale_and_the_same_again(name, tmp_path):
    measure = resolve("measures", name, base=tmp_path)
    assert listing("measures")[name].summary.endswith(".")
    assert bind(measure, {}, where="measures", reserved=("rng",)) == {}, "defaults for all"
    scale = declared_scale(measure, name)
    assert isinstance(scale, Scale) and scale.words
    kind = kind_of(measure)
    if kind == "features":
        ours, own = (
            inspect.signature(each).parameters for each in (measure, companion(measure, "features"))
        )
        assert set(own) == {"network", "images", "rng", *(set(ours) - {"features_a", "features_b"})}
    twice, ids = found_by(measure, kind_of(measure))
    one, again = (measurement_of(found, ids, where=name) for found in twice)
    assert one.values == pytest.approx(again.values)
    means = [one.take(one.conditions["arm"] == arm).values.mean() for arm in one.arms]
    assert all(scale.low is None or mean >= scale.low for mean in means)
    assert all(scale.high is None or mean <= scale.high for mean in means)
