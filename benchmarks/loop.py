"""Time the training loop on nano models against their bare step, by hand and on a batch in place.

    python benchmarks/loop.py [--seconds N] [--steps N]

Both step the same module in turns, an epoch of a few steps each (see `arms.py`). `loop` has no
augmentation: what is left are taking a batch, normalising it, and the loop's own accounts. `recipe`
adds the study's crops and flips. The exit code is 1 when `loop` exceeds the bound by wall time,
which needs a quiet machine; CPU time is beside it. Peak memory of the process is the last line.
"""

import argparse
import resource
import statistics
from dataclasses import replace

from arms import take_turns

from priorscope.runs.environment import choose_threads, describe, keep_freed_memory
from priorscope.runs.prepare_models import build_model
from priorscope.study.load import load_study

BOUND = 1.03
IMAGE_PX, NUM_CLASSES = 32, 10


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=180, help="for all models together")
    parser.add_argument("--steps", type=int, default=8, help="of an epoch")
    arguments = parser.parse_args()
    choose_threads()
    keep_freed_memory()
    study = load_study("cifar10_nano")
    assert study.recipe.optimizer == "adam", "stepped by hand as Adam"
    bare = replace(study.recipe, augment=())
    share = arguments.seconds / (2 * len(study.models))
    print(f"{IMAGE_PX} px, batches of {study.recipe.batch_size}, medians of pairs\n")
    print(f"{'':<12}{'ms a step':>20}{'loop by hand':>16}{'':>12}{'recipe by hand':>18}")
    print(
        f"{'model':<12}{'by hand':>9}{'loop':>11}{'wall':>10}{'CPU':>6}"
        f"{'bound':>8}  ok{'wall':>10}{'CPU':>8}{'pairs':>7}"
    )
    missed = False
    for name, component in study.models.items():
        model = build_model(
            component,
            num_classes=NUM_CLASSES,
            image_px=IMAGE_PX,
            seed=0,
            base=study.base,
            where=name,
        )
        options = {"image_px": IMAGE_PX, "num_steps": arguments.steps}
        loop = take_turns(model, bare, IMAGE_PX, share, **options)
        full = take_turns(model, study.recipe, IMAGE_PX, share, **options)
        ratio = loop.ratio(0)
        missed |= ratio > BOUND
        by_hand, ours = (
            1e3 * study.recipe.batch_size * statistics.median(wall for wall, _ in times)
            for times in (loop.by_hand, loop.ours)
        )
        row = f"{name:<12}{by_hand:>9.2f}{ours:>11.2f}{ratio:>10.3f}{loop.ratio(1):>6.3f}"
        row += f"{BOUND:>8}  {'yes' if ratio <= BOUND else 'NO '}"
        print(f"{row}{full.ratio(0):>9.3f}{full.ratio(1):>8.3f}{len(loop.ours):>7}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"\npeak memory {peak:,.0f} MiB\n{describe()}")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
