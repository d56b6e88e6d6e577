"""Parameters that no seed decides are noticed before anything is trained."""

import pytest
import torch
from torch import nn

from priorscope.components import listing, resolve
from priorscope.preflight.rehearse_models import rehearse_models
from priorscope.preflight.seedless import seedless_warnings
from priorscope.study.load import parse_study

MODEL = """
import torch
from torch import nn
from pathlib import Path

def built(n, px):
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(16, n))

def plain(*, num_classes: int, image_px: int):
    return built(num_classes, image_px)

def loads(*, num_classes: int, image_px: int):
    net = built(num_classes, image_px)
    net.load_state_dict(torch.load(Path(__file__).with_name("w.pt")), strict=False)
    return net

def seeds(*, num_classes: int, image_px: int):
    torch.manual_seed(0)
    return built(num_classes, image_px)
"""


def test_a_model_that_loads_or_seeds_by_itself_is_warned_of(tmp_path):
    (tmp_path / "m.py").write_text(MODEL)
    torch.save({"0.weight": torch.randn(16, 3, 3, 3)}, tmp_path / "w.pt")
    names = ("plain", "loads", "seeds")
    models = "".join(f"  {name}: {{name: './m.py:{name}'}}\n" for name in names)
    study = parse_study(
        f"name: t\ndata: {{name: synthetic}}\nrecipe: {{epochs: 1}}\nmodels:\n{models}",
        base=tmp_path,
    )
    found = rehearse_models(study, 10, 16)
    assert found["plain"].warnings == ()
    (loads,), (seeds,) = found["loads"].warnings, found["seeds"].warnings
    share = 100 * 432 / (432 + 16 + 160 + 10)
    assert loads.startswith(f"{share:.0f} % of its parameters")
    assert seeds.startswith("100 % of its parameters")


@pytest.mark.parametrize("name", sorted(set(listing("models")) - {"dwnet"}))
def test_packaged_models_are_decided_by_their_seeds(name):
    build = resolve("models", name, base=None)
    made = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        made.append(build(num_classes=4, image_px=32))
    assert seedless_warnings(*made) == []


def test_what_all_models_begin_with_tells_nothing():
    same = [nn.Sequential(nn.LayerNorm(4), nn.PReLU()) for _ in range(2)]
    assert seedless_warnings(*same) == []
