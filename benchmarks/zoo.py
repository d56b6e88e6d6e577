"""How many of timm's families can be studied: `python benchmarks/zoo.py --out FILE`.

The smallest architecture of each of 100 families, with fresh weights, at 32 px or, where it does
not take them, at the size that timm has it for: is it counted and compared as `check` does, and
does it train for two steps? The goal is 95; the others are named with their reasons. FILE has one
line of JSON for each, and what stands there is not done again. A process does them one after
another; where a model ends it, that is its reason, and another process goes on.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import timm
import torch

from priorscope.errors import InputError
from priorscope.preflight.anatomy import measure_anatomy
from priorscope.preflight.rehearse_models import rehearse_one
from priorscope.preflight.twin import Twin
from priorscope.runs.environment import describe
from priorscope.runs.prepare_models import build_model, measure_model
from priorscope.study.spec import Component

GOAL, SMALL_PX, NUM_CLASSES = 95, 32, 10
# One a family: of a module of timm's, and of a first word of names within it.
_NAMES = """
beit_base_patch16_224 botnet26t_256 halonet26t lambda_resnet26t sehalonet33ts bat_resnext26ts
gcresnext26ts gernet_s mobileone_s0 regnetz_b16 repvgg_a0 resnet32ts cait_xxs24_224 coat_tiny
convit_tiny convmixer_768_32 convnext_atto convnextv2_atto crossvit_tiny_240 cs3darknet_focus_s
cspdarknet53 darknet17 davit_tiny deit_tiny_patch16_224 densenet121 dla34 dpn48b edgenext_xx_small
efficientformer_l1 efficientformerv2_s0 efficientnet_lite0 fbnetc_100 mixnet_s mnasnet_small
mobilenetv2_035 semnasnet_050 tinynet_e efficientvit_b0 efficientvit_m0 eva02_tiny_patch14_224
fasternet_t0 fastvit_t8 focalnet_tiny_srf gcvit_xxtiny ghostnet_050 hardcorenas_b hgnet_tiny
hgnetv2_b0 hiera_tiny_224 hrnet_w18_small inception_next_atto inception_resnet_v2 inception_v3
inception_v4 levit_128s mambaout_femto coatnet_nano_rw_224 maxvit_pico_rw_256
maxxvit_rmlp_nano_rw_256 caformer_s18 convformer_s18 poolformer_s12 gmixer_12_224 gmlp_ti16_224
mixer_s32_224 resmlp_12_224 fbnetv3_b lcnet_035 mobilenetv3_small_050 mobilevit_xxs
mobilevitv2_050 mvitv2_tiny nest_tiny nf_regnet_b0 eca_nfnet_l0 pit_ti_224 pvt_v2_b0 rdnet_tiny
regnetx_002 regnety_002 repghostnet_050 repvit_m0_9 res2net50d resnest14d resnet10t resnetv2_18
rexnet_100 selecsls42 legacy_seresnet18 skresnet18 starnet_s050 swiftformer_xs
swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 tiny_vit_5m_224 twins_pcpvt_small vgg11
visformer_tiny vit_tiny_patch16_224 xcit_nano_12_p8_224
"""
ARCHITECTURES: list[str] = [*_NAMES.split()]


def attempt(name: str, image_px: int) -> dict[str, Any]:
    """Do what `check` and two steps of training do with one model, in this process.

    Raises
    ------
    InputError : as they do
    """
    torch.set_num_threads(1)
    task = {"name": "m", "component": {"name": f"timm:{name}"}, "base": ".", "recipe": {}}
    task |= {"num_classes": NUM_CLASSES, "image_px": image_px, "memory_format": "channels_last"}
    rehearsed = rehearse_one(task)
    shape: dict[str, Any] = {"num_classes": NUM_CLASSES, "image_px": image_px, "where": "m"}
    model = build_model(Component(f"timm:{name}"), seed=0, base=Path(), **shape)
    size = measure_model(model, **shape)
    depth = measure_anatomy(Twin(model), image_px=image_px).depth
    return asdict(size) | {"warnings": rehearsed.warnings, "depth": depth}


def result_of(name: str, attempt: Callable[[str, int], dict[str, Any]] = attempt) -> dict[str, Any]:
    """Try a model at 32 px, then at its own size; say what came out, or why nothing did."""
    started, reasons = time.perf_counter(), []
    published = timm.get_pretrained_cfg(name, allow_unregistered=True)
    own_px = published.input_size[-1] if published and published.input_size else 224
    for image_px in dict.fromkeys((SMALL_PX, own_px)):
        try:
            found: dict[str, Any] = {"image_px": image_px, **attempt(name, image_px)}
        except InputError as error:
            reasons.append(f"{image_px} px: {error.problem}: {error.found}"[:300])
            continue
        except Exception as error:  # a defect of ours, and a reason all the same
            reasons.append(f"{image_px} px: {type(error).__name__}: {error}"[:300])
            continue
        seconds = round(time.perf_counter() - started, 1)
        return {"name": name, "passes": True, **found, "seconds": seconds, "refused": reasons}
    return {"name": name, "passes": False, "refused": reasons}


def results_in(path: Path) -> dict[str, dict[str, Any]]:
    """Read the lines that are there; one that was cut off is none."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            result = json.loads(line)
        except ValueError:
            continue
        found[result["name"]] = result
    return found


def write(result: dict[str, Any], path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


def all_results(path: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """Let processes do what is not done yet; a model that ends one of them has failed."""
    while left := [name for name in names if name not in results_in(path)]:
        done = subprocess.run([sys.executable, __file__, "--out", str(path), "--work", *left])
        now_left = [name for name in left if name not in results_in(path)]
        if done.returncode and now_left:
            reason = f"ends its process (exit code {done.returncode})"
            write({"name": now_left[0], "passes": False, "refused": [reason]}, path)
    return {name: results_in(path)[name] for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", nargs="+", default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        for name in given.work:
            write(result_of(name), given.out)
        return
    results = all_results(given.out, ARCHITECTURES)
    passing = [each for each in results.values() if each["passes"]]
    small = sum(each["image_px"] == SMALL_PX for each in passing)
    print(f"{len(passing)} of {len(results)} pass (goal {GOAL}), {small} of them at {SMALL_PX} px")
    for each in results.values():
        said = [*each["refused"]] if not each["passes"] else [*each.get("warnings", ())]
        for line in said:
            print(f"  {each['name']}: {'' if each['passes'] else 'fails, '}{line}")
    print(describe())
    sys.exit(len(passing) < GOAL)


if __name__ == "__main__":
    main()
